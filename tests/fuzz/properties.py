"""What holds for any input: an expected error, or something inert. All else is a finding."""

from __future__ import annotations

from datetime import UTC, datetime

from ingestor.archive.front_matter import FileContent, article_path, inert, render
from ingestor.errors import FeedUnreadable, Gone, NoArticle
from ingestor.extract import extract_article, extract_fragment
from ingestor.identity import entry_key
from ingestor.model import Feed, Page, Response
from ingestor.sources import source
from ingestor.text.decode import decode_feed, decode_page
from tests.hostile.inert import dangers, judge, judge_entry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://finance.sina.com.cn/china/gncj/2024-03-11/doc-imadeup0000001.shtml"
FEEDS = {
    kind: Feed("fuzz", kind, "https://a.example/feed", ("x", "y"), "z", content="feed")
    for kind in ("rss", "sina-roll")
}
MOST_JUDGED = 5
"""Entries of one feed that are judged: each is parsed and rendered, which takes its time."""


def decoding(body: bytes, content_type: str) -> None:
    """Any bytes are text that can be stored, whatever the header says."""
    decode_page(body, content_type).encode("utf-8", "surrogatepass")
    assert "\0" not in decode_feed(body, content_type)


def feed(body: bytes, content_type: str, kind: str = "rss") -> None:
    """Read a feed, or refuse it in one line; its entries are inert and have keys."""
    one = FEEDS[kind]
    headers = (("Content-Type", content_type),)
    try:
        document = source(kind).read(one, Response(one.url, one.url, 200, headers, body, NOW))
    except FeedUnreadable as error:
        assert "\n" not in str(error)
        return
    for entry in document.entries[:MOST_JUDGED]:
        judge_entry(entry)
        assert entry_key(one, entry)


def page(body: bytes, content_type: str) -> None:
    """Make an article that is inert of a page, or say why not."""
    try:
        judge(extract_article(Page(URL, body, content_type)))
    except (NoArticle, Gone) as error:
        assert URL in str(error)


def fragment(html: str) -> None:
    """Clean a feed's text: it is inert, and another cleaning changes no word."""
    try:
        body = extract_fragment(html, URL)
        again = extract_fragment(body.html, URL)
    except NoArticle:
        return
    assert dangers(body.html) == []
    assert "".join(again.text.split()) == "".join(body.text.split())


def front_matter(title: str, name: str, words: tuple[str, ...], html: str) -> None:
    """Whatever its values are, a file says them, and nothing else."""
    content = FileContent(title, (name, "a"), "", name, NOW, html, (("keywords", words),))
    _, head, body = render(content).split("---\n", 2)
    assert [line.partition(":")[0] for line in head.splitlines() if not line.startswith(" -")] == [
        "title", "categories", "headimg", "author", "comments", "date", "thumbnail", "keywords",
    ]  # fmt: skip
    assert body == f"\n<div>\n{inert(html)}\n</div>\n"
    assert "/" not in article_path((), "2024-03-11", title, "x1")

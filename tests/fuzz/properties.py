"""What holds for any input: an expected error, or something inert. All else is a finding."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from ingestor.archive.front_matter import FileContent, article_path, inert, read_post, render
from ingestor.errors import FeedUnreadable, Gone, NoArticle, PostUnreadable, Refused, UsageError
from ingestor.extract import extract_article, extract_fragment
from ingestor.fetch.robots import Robots
from ingestor.identity import entry_key
from ingestor.model import Feed, Page, Response
from ingestor.sources import source
from ingestor.store.filters import Filters
from ingestor.store.search import Order, parse
from ingestor.store.search.hits import search
from ingestor.text.decode import decode_feed, decode_page
from tests.hostile.inert import dangers, judge, judge_entry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://finance.sina.com.cn/china/gncj/2024-03-11/doc-imadeup0000001.shtml"
FEEDS = {
    kind: Feed("fuzz", kind, "https://a.example/feed", ("x", "y"), "z", content="feed")
    for kind in ("rss", "sina-roll", "sina-live")
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


def robots(body: bytes, content_type: str) -> None:
    """Whatever stands in robots.txt, a page is allowed or refused, and a delay is a number."""
    answer = Response(URL, URL, 200, (("Content-Type", content_type),), body, NOW)
    delays: list[float] = []
    rules = Robots(
        lambda _: answer, "ingestor", lambda: 0.0, lambda _, seconds: delays.append(seconds)
    )
    try:
        rules.check(URL)
    except Refused as error:
        assert URL in str(error)
    assert all(seconds > 0 for seconds in delays)


def query(text: str, archive: Connection) -> None:
    """Search for what somebody typed, or refuse it in one line."""
    try:
        search(archive, parse(text), Filters(), order=Order.RELEVANCE, limit=3)
    except UsageError as error:
        assert "\n" not in str(error)


def post(data: bytes) -> None:
    """Read a file of another archive, or say in one line why not."""
    try:
        read = read_post(data)
    except PostUnreadable as error:
        assert "\n" not in str(error)
        return
    values = (read.title, read.date, read.link, *read.categories, *read.keywords)
    assert not any("\n" in value or "\0" in value for value in values)

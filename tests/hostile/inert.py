"""Whether what is stored is inert: judged by a browser's reading of HTML, and by YAML's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import html5lib
import yaml

from ingestor.archive.front_matter import MOST_NAME_BYTES, FileContent, article_path, render
from ingestor.errors import NoArticle
from ingestor.extract import article_from_entry
from ingestor.model import Article, Entry, Feed
from ingestor.text.sanitize import one_line

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FEED = Feed("nasty", "rss", "https://a.example/feed", ("x", "y"), "z", content="feed")
MOMENT = datetime(2024, 3, 11, 1, 2, 3, tzinfo=UTC)
CATEGORIES = ("金融", "新浪财经", "新浪财经－國內")
PLAIN = (
    "p h2 h3 h4 h5 h6 ul ol li blockquote div table tbody tr figure figcaption "
    "strong em sup sub u del code pre"
)
ATTRIBUTES: dict[str, set[str]] = {
    **{name: set() for name in PLAIN.split()},
    "a": {"href"},
    "img": {"src", "referrerpolicy", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
"""What may be stored, written down once more: the program's own list is not asked."""

SCHEMES = {"href": {"http", "https", "mailto"}, "src": {"http", "https"}}
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def dangers(html: str) -> list[str]:
    """Return what a browser would find in a fragment that must not be there."""
    found = [f"unseen {mark!r}" for mark in UNSEEN.findall(html)]
    root = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    for element in list(root.iter())[1:]:
        if not isinstance(element.tag, str) or element.tag not in ATTRIBUTES:
            found.append(f"element {element.tag}")
            continue
        for name, value in element.attrib.items():
            if name not in ATTRIBUTES[element.tag]:
                found.append(f"attribute {name} of {element.tag}")
            elif name in SCHEMES and _scheme(value) not in SCHEMES[name]:
                found.append(f"{name} leads to {value[:80]!r}")
    return found


def _scheme(address: str) -> str:
    """Return an address's scheme as a browser reads it: no controls around, no breaks inside."""
    cleaned = re.sub(r"[\t\n\r]", "", address.strip("".join(map(chr, range(33)))))
    return urlsplit(cleaned).scheme.lower()


def judge(article: Article) -> None:
    """Assert that an article, and the file that is made of it, are inert and say the same."""
    assert dangers(article.body.html) == []
    assert not UNSEEN.search(article.body.text)
    names = [article.title, article.media, article.editor, article.summary, *article.keywords]
    names += [one.caption for one in article.body.pictures]
    names += [one.name for one in article.body.securities]
    for name in names:
        assert one_line(name) == name
    for address in [article.url, *article.aliases, *(one.url for one in article.body.pictures)]:
        assert not UNSEEN.search(address)
    assert len(article.title) <= 500
    _judge_file(article)
    _judge_path(article_path(CATEGORIES, "2024-03-11", article.title, "imadeup0000001"))


def _judge_file(article: Article) -> None:
    extra = {
        "link": article.url,
        "media": article.media,
        "editor": article.editor,
        "keywords": article.keywords,
    }
    text = render(
        FileContent(
            title=article.title,
            categories=CATEGORIES,
            headimg=article.headimg,
            author=article.media,
            published_at=MOMENT,
            html=article.body.html,
            extra=tuple(extra.items()),
        )
    )
    # As Jekyll, Hugo and Hexo cut it: between the first two lines of dashes.
    head, body = re.fullmatch(r"---\n(.*?\n)---\n(.*)", text, re.DOTALL).groups()
    read = yaml.safe_load(head)
    assert read.pop("date") == "Mon, 11 Mar 2024 01:02:03 GMT"
    assert read == {
        "title": article.title,
        "categories": list(CATEGORIES),
        "headimg": article.headimg,
        "author": article.media,
        "comments": False,
        "thumbnail": article.headimg,
        **extra,
        "keywords": list(article.keywords),
    }
    assert dangers(body) == []
    # No engine finds a tag: Nunjucks, Liquid and Hugo begin with a brace, ERB and PHP with "<".
    assert not set(body) & {"{", "}"}
    assert not re.search(r"<[%?!]", body)
    # Behind a blank line, Markdown would begin again.
    assert "\n\n" not in body.strip()


def _judge_path(path: str) -> None:
    *folders, name = path.split("/")
    assert folders == list(CATEGORIES)
    assert len(name.encode()) <= MOST_NAME_BYTES
    assert re.fullmatch(r"2024-03-11-[^%#?\\/:*\"<>|{}]+-imadeup0000001\.md", name)
    assert one_line(name) == name


def judge_entry(entry: Entry) -> None:
    """Assert that an entry can be stored, and that what is made of it is inert."""
    for words in (entry.title, entry.author, entry.date_text, *entry.keywords):
        assert one_line(words) == words
    for words in (entry.guid, entry.url, entry.summary, entry.content):
        assert "\0" not in words
        words.encode("utf-8")
    assert not entry.url or entry.url.startswith(("http://", "https://"))
    assert not UNSEEN.search(entry.url)
    assert len(entry.guid) <= 2_000
    assert len(entry.author) <= 200
    assert len(entry.keywords) <= 200
    assert entry.published_at is None or entry.published_at <= NOW + timedelta(days=1)
    try:
        judge(article_from_entry(FEED, entry))
    except NoArticle as reason:
        assert len(str(reason)) < 2_400

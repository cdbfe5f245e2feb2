"""Feeds that others wrote: feedparser's own tests, or a folder named by FEED_CORPUS."""

import ast
import os
import re
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest

from ingestor.errors import FeedUnreadable, NoArticle
from ingestor.extract import article_from_entry
from ingestor.model import Feed, FeedDocument, Response
from ingestor.sources import source
from tests.support.shared import shared

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FEED = Feed("corpus", "rss", "http://127.0.0.1:8097/feed.xml", ("x", "y"), "z")
UNSAFE = re.compile(
    r"(?i)<(?:script|style|iframe|object|embed|form|meta|link|svg)\b|\son\w+=|javascript:"
)
DATE = re.compile(r"entries\[0\]\['(?:published|updated)_parsed'\]\s*==\s*(\([\d, ]+\))")


def corpus() -> Iterator[tuple[str, bytes]]:
    """Yield every feed file with its name."""
    if folder := os.environ.get("FEED_CORPUS"):
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                yield str(path.relative_to(folder)), path.read_bytes()
        return
    with tarfile.open(shared("feeds", "feedparser-tests-half.tar.gz")) as archive:
        for member in archive:
            if file := archive.extractfile(member):
                yield member.name, file.read()


def read(body: bytes) -> FeedDocument | None:
    """Read a feed; ``None`` when it is none."""
    response = Response(FEED.url, FEED.url, 200, (), body, NOW)
    try:
        return source("rss").read(FEED, response)
    except FeedUnreadable:
        return None


@pytest.fixture(scope="module")
def documents() -> dict[str, tuple[bytes, FeedDocument | None]]:
    """Give every file of the corpus, read. Anything but a feed or FeedUnreadable fails here."""
    found = {name: (body, read(body)) for name, body in corpus()}
    assert len(found) > 100
    return found


def test_nearly_all_of_the_corpus_is_read(documents):
    """The rest are no feeds: a comment alone."""
    whole = [name for name, (_, document) in documents.items() if document]
    assert len(whole) >= len(documents) * 0.995


def test_no_entry_is_lost_that_feedparser_finds(documents):
    """Nor is one made up."""
    wrong = [
        name
        for name, (body, document) in documents.items()
        if document and len(document.entries) != len(feedparser.parse(body).entries)
    ]
    assert wrong == []


def test_what_comes_out_is_safe_to_open(documents):
    """No script, no handler, no style, whatever a feed carries."""
    for name, (_, document) in documents.items():
        for entry in document.entries if document else ():
            try:
                html = article_from_entry(FEED, entry).body.html
            except NoArticle:
                continue
            assert not UNSAFE.search(html), name


def test_links_are_those_that_feedparser_reads(documents):
    """Each entry's, where feedparser finds an absolute web address."""
    looked, wrong = 0, []
    for name, (body, document) in documents.items():
        for ours, theirs in zip(
            document.entries if document else (), feedparser.parse(body).entries, strict=False
        ):
            link = theirs.get("link", "")
            if re.match(r"https?://[^\s/]", link):
                looked += 1
                if ours.url.rstrip("/") != link.rstrip("/"):
                    wrong.append((name, ours.url, link))
    assert looked > 50
    assert wrong == []


def test_dates_are_those_that_feedparser_reads(documents):
    """To the second, where the corpus gives a zone."""
    looked = 0
    for name, (body, document) in documents.items():
        expected = DATE.search(body.decode("utf-8", "replace"))
        entry = document.entries[0] if document and document.entries else None
        if not expected or not entry or not re.search(r"Z|GMT|[+-]\d\d:?\d\d$", entry.date_text):
            continue
        looked += 1
        moment = datetime(*ast.literal_eval(expected[1])[:6], tzinfo=UTC)
        assert entry.published_at == moment, name
    assert looked > 3

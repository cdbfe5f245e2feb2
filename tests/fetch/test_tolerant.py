"""Servers that mean well and write badly: a browser reads what they send, and so do we."""

import gzip
from datetime import UTC, datetime

import pytest

from ingestor.errors import Unreachable
from ingestor.fetch.body import bounded_body
from ingestor.fetch.headers import is_unchanged, redirect_target, require_page
from ingestor.model import Response
from tests.fetch.raw_server import RawServer, fetch, page, says

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\n"
TEXT = "一段正文。".encode() * 50
URL = "https://a.example/news/1.html"
LENGTH = f"Content-Length: {len(TEXT)}\r\n".encode()

HEADS = {
    "a space before the colon": b"Server : x\r\n" + LENGTH,
    "a tab before the colon": b"Server\t: x\r\n" + LENGTH,
    "a warning among the headers": b"<b>Warning</b> in x.php\r\n" + LENGTH,
    "a name with spaces": b"My Header: x\r\n" + LENGTH,
    "a name that is Chinese": "服务器: x\r\n".encode() + LENGTH,
    "a header without a name": b": x\r\n" + LENGTH,
    "a length that is no number": b"Content-Length: unknown\r\n",
    "a length with a space before the colon": b"Content-Length : 3\r\n",
    "line feeds alone": b"Server : x\n" + LENGTH.replace(b"\r", b""),
    "a line that goes on": b"X: a\r\n b\r\n" + LENGTH,
    "an early hint": LENGTH,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_broken_header_line_costs_itself(head):
    """The rest of the head is read, and the body comes out whole."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink : x\r\n\r\n" if head == LENGTH else b""
    with RawServer(
        says(early, OK + head + b"Connection: close\r\nX-Good: y\r\n\r\n" + TEXT)
    ) as server:
        response = fetch(server)
    assert response.body == TEXT
    assert response.header("x-good") == "y"


def test_a_head_that_comes_byte_by_byte_is_read():
    """Where a packet ends means nothing."""
    parts = [bytes([byte]) for byte in OK + b"Server : x\r\n" + LENGTH + b"\r\n"]
    with RawServer(says(*parts, TEXT)) as server:
        assert fetch(server).body == TEXT


@pytest.mark.parametrize(
    "coding", ["utf-8", "UTF-8", "none", "binary", "8bit", "", " , ", "text/xml", "identity"]
)
def test_a_coding_that_is_none_says_nothing(coding):
    """The body is as it came."""
    with RawServer(page(TEXT, f"Content-Encoding: {coding}")) as server:
        assert fetch(server).body == TEXT


@pytest.mark.parametrize("coding", ["gzip, identity", "utf-8, gzip", "GZIP"])
def test_a_coding_beside_one_that_is_none_counts(coding):
    """Only the real one is undone."""
    assert bounded_body([gzip.compress(TEXT)], coding, 10_000, "u") == TEXT


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "gzip, gzip", "compress"])
def test_a_coding_that_was_not_asked_for_is_a_failure(coding):
    """It cannot be unpacked within bounds."""
    with pytest.raises(Unreachable, match="not asked for"):
        bounded_body([TEXT], coding, 10_000, "u")


@pytest.mark.parametrize("step", [1, 2, 5, 10_000])
@pytest.mark.parametrize(
    "tail", [b"\r\n", b"<!-- cached -->", b"\x1f", b"\x1fx", b"\0\0junk\x1f\x8b\x08", b"0"]
)
def test_bytes_behind_the_packed_body_are_none_of_it(tail, step):
    """Zeros, a line break, words: whatever a program wrote after it."""
    packed = gzip.compress(TEXT) + tail
    chunks = [packed[place : place + step] for place in range(0, len(packed), step)]
    assert bounded_body(chunks, "gzip", 10_000, "u") == TEXT


def answer(status: int = 200, *headers: tuple[str, str], body: bytes = b"", asked=()) -> Response:
    return Response(URL, URL, status, headers, body, NOW, request_headers=asked)


def test_what_a_proxy_changed_is_a_page():
    """Status 203 (RFC 9110, 15.3.4)."""
    require_page(answer(203))
    for status in (202, 204, 206, 304):
        with pytest.raises(Unreachable):
            require_page(answer(status))


def test_unchanged_is_said_only_of_a_version_that_was_named():
    """Else nobody knows what it is that did not change."""
    assert is_unchanged(answer(304, asked=(("if-none-match", '"x"'),)))
    assert not is_unchanged(answer(304, asked=(("accept", "*/*"),)))
    assert not is_unchanged(answer(200, asked=(("if-none-match", '"x"'),)))


def meta(content: str) -> bytes:
    return f'<!DOCTYPE html><head><meta http-equiv="refresh" content="{content}"></head>'.encode()


MOVED = "https://a.example/new.xml"
REFRESHES = {
    "a header": (answer(200, ("Refresh", "0;url=/new.xml")), MOVED),
    "a header with quotes": (answer(200, ("Refresh", "0; URL='/new.xml'")), MOVED),
    "a header without url": (answer(200, ("Refresh", "1, /new.xml")), MOVED),
    "a meta": (answer(body=meta("0;url=/new.xml")), MOVED),
    "a meta in capitals": (
        answer(body=meta("3; URL=/new.xml").upper()),
        MOVED.replace("new.xml", "NEW.XML"),
    ),
    "a redirect": (answer(302, ("Location", MOVED)), MOVED),
    "a redirect without a place": (answer(302), ""),
    "a page that comes back for news": (answer(body=meta("60")), ""),
    "a page that shows for a minute": (answer(body=meta("60;url=/new.xml")), ""),
    "a page that shows for a fraction": (answer(200, ("Refresh", "0.5;url=/new.xml")), MOVED),
    "an error page's way home": (answer(body=meta("3;url=https://a.example/")), ""),
    "an error page's way to an index": (answer(body=meta("3;url=/index.html")), ""),
    "an error": (answer(404, ("Refresh", "0;url=/new.xml")), ""),
    "a meta for those without scripts": (
        answer(body=b"<html><noscript>" + meta("0;url=/new.xml") + b"</noscript>"),
        "",
    ),
    "a meta in a comment": (answer(body=b"<html><!--" + meta("0;url=/new.xml") + b"-->"), ""),
    "a meta in a feed's item": (
        answer(body=b"<rss><channel><item><![CDATA[" + meta("0;url=/new.xml") + b"]]>"),
        "",
    ),
    "comments in front": (
        answer(body=b"<!--x-->" * 1_500 + meta("0;url=/new.xml")),
        MOVED,
    ),
    "comments and nothing behind": (answer(body=b"<!--x-->" * 1_900 + b"refresh"), ""),
    "an address that is none": (answer(200, ("Refresh", "0;url=http://[::1")), ""),
}


@pytest.mark.parametrize(("response", "target"), REFRESHES.values(), ids=REFRESHES)
def test_a_refresh_leads_on_like_a_redirect(response, target):
    """Where it means that what was asked for is elsewhere."""
    assert redirect_target(response) == target

"""Properties that hold for any input; ``make fuzz`` looks at many more examples of it."""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestor.clock import Clock
from ingestor.config.sections import FetchSettings
from ingestor.errors import FetchError
from ingestor.fetch.client import Fetcher
from ingestor.model import Request, Response
from tests.fetch.raw_server import RawServer
from tests.fuzz import properties
from tests.fuzz.strategies import (
    CONTENT_TYPES,
    FEEDS,
    HEADERS,
    HTML,
    PAGES,
    PIECES,
    POSTS,
    QUERIES,
    ROBOTS,
    SINA_JSON,
    STATUS,
)
from tools.filling import filled

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("INGEST_FUZZ_EXAMPLES", "100"))
some = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@some
@given(body=FEEDS | st.binary(), content_type=CONTENT_TYPES)
def test_any_bytes_are_text(body, content_type):
    """Whatever the header says of them."""
    properties.decoding(body, content_type)


@some
@given(body=FEEDS, content_type=CONTENT_TYPES, kind=st.sampled_from(["rss", "sina-roll"]))
def test_any_feed_is_inert_or_refused(body, content_type, kind):
    """Entries that can be stored, or one line."""
    properties.feed(body, content_type, kind)


@some
@given(body=SINA_JSON, kind=st.sampled_from(["sina-roll", "sina-live"]))
def test_any_answer_of_sinas_is_inert_or_refused(body, kind):
    """Whatever stands where a text, a number or a list is expected."""
    properties.feed(body, "application/json; charset=utf-8", kind)


@some
@given(body=ROBOTS, content_type=CONTENT_TYPES)
def test_any_robots_txt_allows_or_refuses(body, content_type):
    """And no delay is below nothing."""
    properties.robots(body, content_type)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Give a connection to an archive of three articles."""
    texts = [
        ("石门水泥提价", "电信诈骗与此无关，５Ｇ起步。"),
        ('A股 "收评"', "* NEAR OR"),
        ("。", "，"),
    ]
    database = filled(tmp_path_factory.mktemp("fuzz") / "archive.db", texts)
    with database.reading() as connection:
        yield connection
    database.close()


@some
@given(text=QUERIES)
def test_any_query_is_answered_or_refused(archive, text):
    """Nothing in it is SQL's, or the index's."""
    properties.query(text, archive)


@some
@given(data=POSTS)
def test_any_file_is_a_post_or_none(data):
    """With values of one line each."""
    properties.post(data)


@some
@given(body=PAGES, content_type=CONTENT_TYPES)
def test_any_page_is_inert_or_refused(body, content_type):
    """An article that can be opened, or a reason."""
    properties.page(body, content_type)


@some
@given(html=HTML)
def test_any_text_of_a_feed_is_inert(html):
    """And cleaning it again changes no word."""
    properties.fragment(html)


@some
@given(title=PIECES, name=PIECES, words=st.lists(PIECES, max_size=4).map(tuple), html=HTML)
def test_any_values_make_a_file_that_says_them(title, name, words, html):
    """And nothing else."""
    properties.front_matter(title, name, words, html)


class Answering(RawServer):
    """A server whose answer can be changed."""

    def __init__(self):
        super().__init__(lambda connection, _over: connection.sendall(self.answer))
        self.answer = b""


@pytest.fixture(scope="module")
def asked():
    """Give a server, and what asks it."""
    limits = FetchSettings(
        user_agent="test",
        timeout=timedelta(seconds=2),
        max_bytes=100_000,
        connections=1,
        connections_per_host=1,
        delay_per_host=timedelta(0),
        robots=False,
        proxy="",
        allow_private_addresses=True,
    )
    with (
        Answering() as server,
        Fetcher(limits, Clock(), ports=frozenset({server.port})) as client,
    ):
        yield server, client


@some
@given(status=STATUS, headers=HEADERS, body=st.binary(max_size=100))
def test_any_answer_is_a_response_or_a_failure(asked, status, headers, body):
    """No header makes the client fail in another way."""
    server, client = asked
    server.answer = f"HTTP/1.1 {status}".encode() + headers + b"\r\n\r\n" + body
    try:
        assert isinstance(client.get(Request(server.url)), Response)
    except FetchError as error:
        assert str(error)

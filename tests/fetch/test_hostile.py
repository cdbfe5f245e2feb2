"""Servers that mean harm, each over a real socket: what passes a bound is a named failure."""

import gzip
import zlib
from datetime import timedelta

import httpcore
import pytest

from ingestor.clock import Clock
from ingestor.errors import FetchError, Forbidden, TooLarge, Unreachable
from ingestor.fetch import guard
from ingestor.fetch.body import bounded_body
from ingestor.fetch.client import Fetcher, Limits
from ingestor.fetch.guard import GuardedBackend
from ingestor.model import Request
from tests.fetch.raw_server import RawServer, endless, hang, page, reset, says

MOST = 256 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def limits(*, private: bool = True, timeout: float = 0.5) -> Limits:
    return Limits(
        user_agent="test",
        timeout=timedelta(seconds=timeout),
        max_bytes=MOST,
        connections=4,
        connections_per_host=2,
        delay_per_host=timedelta(0),
        robots=False,
        proxy="",
        allow_private_addresses=private,
    )


def fetch(server: RawServer, url: str = ""):
    with Fetcher(limits(), Clock(), ports=frozenset({server.port})) as client:
        return client.get(Request(url or server.url))


def bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), 9)


def deflated(size: int, wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return packer.compress(bytes(size)) + packer.flush()


GZIP = "Content-Encoding: gzip"
HOSTILE = {
    "resets the connection": (reset, Unreachable, ""),
    "never answers": (hang, Unreachable, "in time"),
    "sends a header byte now and then": (endless(OK, b"a", 0.1), Unreachable, "in time"),
    "sends a body byte now and then": (
        endless(OK + b"Content-Length: 1000\r\n\r\n", b"a", 0.1),
        Unreachable,
        "in time",
    ),
    "sends without end": (endless(OK + b"\r\n", b"x" * 65536), TooLarge, "max_bytes"),
    "sends chunks without end": (
        endless(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        TooLarge,
        "max_bytes",
    ),
    "announces too much": (says(OK + b"Content-Length: 99999999\r\n\r\n"), TooLarge, "announced"),
    "announces more than it sends": (
        says(OK + b"Content-Length: 100\r\n\r\nabc"),
        Unreachable,
        "",
    ),
    "announces two lengths": (
        says(OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        Unreachable,
        "",
    ),
    "announces a negative length": (
        says(OK + b"Content-Length: -1\r\n\r\nabc"),
        Unreachable,
        "",
    ),
    "ends in the middle of a chunk": (says(CHUNKED + b"ff\r\nabc"), Unreachable, ""),
    "says that a chunk has no number": (says(CHUNKED + b"zz\r\nabc"), Unreachable, ""),
    "sends a gzip bomb": (page(bomb(50 * MOST), GZIP), TooLarge, "unpacked"),
    "sends a zlib bomb": (
        page(deflated(50 * MOST, 15), "Content-Encoding: deflate"),
        TooLarge,
        "unpacked",
    ),
    "sends a raw deflate bomb": (
        page(deflated(50 * MOST, -15), "Content-Encoding: deflate"),
        TooLarge,
        "unpacked",
    ),
    "sends many small bombs in one": (page(bomb(MOST // 2) * 3, GZIP), TooLarge, "unpacked"),
    "packs what is packed": (
        page(gzip.compress(bomb(MOST)), "Content-Encoding: gzip, gzip"),
        Unreachable,
        "not asked for",
    ),
    "sends brotli unasked": (page(b"\x8b", "Content-Encoding: br"), Unreachable, "not asked for"),
    "sends zstd unasked": (page(b"(", "Content-Encoding: zstd"), Unreachable, "not asked for"),
    "says gzip and sends none": (page(b"<html>", GZIP), Unreachable, "not gzip"),
    "cuts a gzip body off": (
        page(gzip.compress(b"abc" * 999)[:-9], GZIP),
        Unreachable,
        "cut off",
    ),
    "spoils a gzip body's checksum": (
        page(gzip.compress(b"abc")[:-8] + b"12345678", GZIP),
        Unreachable,
        "not gzip",
    ),
    "sends a huge header": (says(OK + b"X: " + b"a" * 300_000 + b"\r\n\r\n"), Unreachable, ""),
    "sends headers without end": (endless(OK, b"X: aaaaaaaaaaaaaaaa\r\n" * 99), Unreachable, ""),
    "speaks no HTTP": (says(b"220 mail.example ESMTP\r\n"), Unreachable, ""),
    "sends noise": (says(bytes(range(256)) * 4), Unreachable, ""),
    "sends TLS": (says(b"\x16\x03\x01\x02\x00\x01\x00"), Unreachable, ""),
    "closes at once": (says(), Unreachable, ""),
    "puts a line break into a header": (
        says(OK + b"X: a\rb\x00\r\nContent-Length: 0\r\n\r\n"),
        Unreachable,
        "",
    ),
}


@pytest.mark.parametrize(("script", "error", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_server_that_means_harm_is_a_failure_with_a_reason(script, error, words):
    """Never a truncated body, never a wait without end, never another kind of exception."""
    with RawServer(script) as server, pytest.raises(error, match=words or None) as caught:
        fetch(server)
    assert type(caught.value) is error
    assert len(str(caught.value)) < 600


def to(where: str, status: str = "302 Found"):
    return page(b"", f"Location: {where}", status=status)


REDIRECTS = {
    "to loopback": "http://127.0.0.1/",
    "to loopback as a number": "http://2130706433/",
    "to a mapped address": "http://[::ffff:10.0.0.1]/",
    "to a cloud's metadata": "http://169.254.169.254/latest/meta-data",
    "to a local name": "http://localhost/",
    "to a file": "file:///etc/passwd",
    "to another protocol": "gopher://a.example/",
    "to a script": "javascript:alert(1)",
    "with credentials": "http://user:password@a.example/",
    "to a database": "http://a.example:5432/",
    "to no port": "http://a.example:99999/",
    "to a broken address": "http://[::1",
}


@pytest.mark.parametrize("where", REDIRECTS.values(), ids=REDIRECTS)
def test_a_redirect_does_not_lead_where_we_do_not_go(where, monkeypatch):
    """Each hop is judged like the first address; only the first is let through here."""
    with RawServer(to(where)) as server:
        client = Fetcher(limits(private=False), Clock(), ports=frozenset({server.port}))
        first = client._one

        def one(request, url):
            return first(request, url) if url != server.url else answered(server)

        def answered(_server):
            with Fetcher(limits(), Clock(), ports=frozenset({server.port})) as free:
                return free._one(Request(server.url), server.url)

        monkeypatch.setattr(client, "_one", one)
        monkeypatch.setattr("ingestor.fetch.client.check_url", _but(server.url))
        with client, pytest.raises(FetchError):
            client.get(Request(server.url))
        assert len(server.requests) == 1


def _but(allowed: str):
    def check(url, **more):
        if url != allowed:
            guard.check_url(url, **more)

    return check


def test_a_redirect_loop_ends():
    """The fifth redirect is followed, the sixth not."""
    with RawServer(to("/again")) as server, pytest.raises(Unreachable, match="redirects"):
        fetch(server)
    assert len(server.requests) == 6


def test_a_name_that_changes_its_address_gains_nothing(monkeypatch):
    """The address that was judged is the one that is connected to: one look-up, not two."""
    answers = iter(["93.184.215.14", "127.0.0.1"])
    connected = []

    def look_up(host, port, **_):
        return [(2, 1, 6, "", (next(answers), port))]

    class Inner(httpcore.SyncBackend):
        def connect_tcp(self, host, *_rest, **_more):
            connected.append(host)
            raise httpcore.ConnectError("enough")

    monkeypatch.setattr(guard.socket, "getaddrinfo", look_up)
    backend = GuardedBackend()
    backend._inner = Inner()
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("rebinding.example", 80)
    with pytest.raises(Forbidden):
        backend.connect_tcp("rebinding.example", 80)
    assert connected == ["93.184.215.14"]


def test_a_name_with_one_address_inside_is_refused_whole(monkeypatch):
    """A public address beside it makes it no better: the order is the attacker's."""
    found = [(2, 1, 6, "", (one, 80)) for one in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(guard.socket, "getaddrinfo", lambda *_, **__: found)
    with Fetcher(limits(private=False), Clock()) as client, pytest.raises(Forbidden):
        client.get(Request("http://mixed.example/"))


GOOD = {
    "plain": (b"abc" * 99, ""),
    "gzip": (gzip.compress(b"abc" * 99), "gzip"),
    "gzip in several members": (gzip.compress(b"abc") + gzip.compress(b"abc" * 98), "gzip"),
    "gzip with padding": (gzip.compress(b"abc" * 99) + bytes(7), "gzip"),
    "X-GZIP": (gzip.compress(b"abc" * 99), " X-Gzip "),
    "deflate": (zlib.compress(b"abc" * 99), "deflate"),
    "raw deflate": (zlib.compress(b"abc" * 99)[2:-4], "deflate"),
    "identity": (b"abc" * 99, "identity"),
}


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(("packed", "encoding"), GOOD.values(), ids=GOOD)
def test_a_good_body_comes_out_whole_however_it_is_cut(packed, encoding, step):
    """Where a packet ends means nothing."""
    chunks = [packed[place : place + step] for place in range(0, len(packed), step)]
    assert bounded_body(chunks, encoding, 1000, "u") == b"abc" * 99


@pytest.mark.parametrize("size", [65535, 65536, 65537, 131072, 300_000])
def test_what_does_not_fit_into_one_step_is_not_forgotten(size):
    """However the output falls on the steps."""
    assert bounded_body([bomb(size)], "gzip", 10**6, "u") == bytes(size)


def test_the_ratio_is_bounded_before_the_size_is():
    """A bomb within the size bound is still no page."""
    with pytest.raises(TooLarge, match="200 times"):
        bounded_body([bomb(4 * 1024**2)], "gzip", 8 * 1024**2, "u")


def test_a_body_as_large_as_the_bound_is_taken():
    """The bound is the largest body, not the first too large."""
    assert len(bounded_body([b"x" * 1000], "", 1000, "u")) == 1000
    with pytest.raises(FetchError):
        bounded_body([b"x" * 1001], "", 1000, "u")


def test_only_what_can_be_bounded_is_asked_for():
    """Brotli and Zstandard are not."""
    with RawServer(page(b"hello")) as server:
        assert fetch(server).body == b"hello"
    assert b"accept-encoding: gzip, deflate\r\n" in server.requests[0].lower()

"""Servers that mean harm, each over a real socket: what passes a bound is a named failure."""

import gzip
import zlib
from contextlib import contextmanager

import pytest

from ingestor.clock import Clock
from ingestor.errors import CutOff, FetchError, Forbidden, TooLarge, Unreachable
from ingestor.fetch.body import bounded_body
from ingestor.fetch.client import Fetcher
from ingestor.fetch.guard import Network
from ingestor.model import Request
from ingestor.text.decode import decode_page
from tests.fetch.name_server import NameServer, Roads
from tests.fetch.raw_server import (
    LONGEST,
    MOST,
    RawServer,
    endless,
    fetch,
    hang,
    limits,
    page,
    reset,
    says,
)

pytestmark = pytest.mark.slow

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), 9)


def deflated(size: int, wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return packer.compress(bytes(size)) + packer.flush()


GZIP = "Content-Encoding: gzip"
HOSTILE = {
    "resets the connection": (reset, CutOff, ""),
    "never answers": (hang, Unreachable, "in time"),
    "sends a header byte now and then": (endless(OK, b"a", 0.1), Unreachable, "in time"),
    "sends a body byte now and then": (
        endless(OK + b"Content-Length: 1000\r\n\r\n", b"a", 0.1),
        CutOff,
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
        CutOff,
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
    "ends in the middle of a chunk": (says(CHUNKED + b"ff\r\nabc"), CutOff, ""),
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
        CutOff,
        "cut off",
    ),
    "spoils a gzip body's checksum": (
        page(gzip.compress(b"abc")[:-8] + b"12345678", GZIP),
        Unreachable,
        "not gzip",
    ),
    "sends a huge header": (says(OK + b"X: " + b"a" * 300_000 + b"\r\n\r\n"), Unreachable, ""),
    "sends headers without end": (endless(OK, b"X: aaaaaaaaaaaaaaaa\r\n" * 99), Unreachable, ""),
    "sends a large header": (
        says(OK + b"X: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n"),
        TooLarge,
        "header",
    ),
    "says 'go on' for ever": (
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
        Unreachable,
        "in time",
    ),
    "sends trailers without end": (
        endless(CHUNKED + b"3\r\nabc\r\n0\r\n", b"X: aaaaaaaaaaaaaaaa\r\n" * 99),
        CutOff,
        "",
    ),
    "sends a chunk's extension without end": (
        endless(CHUNKED + b"3;", b"a" * 9999),
        Unreachable,
        "",
    ),
    "answers a status that there is not": (says(b"HTTP/1.1 99999 OK\r\n\r\n"), Unreachable, ""),
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
    # A body that is cut off had a beginning: that must have come in time, on a busy machine too.
    patience = LONGEST if words != "in time" else 2 if error is CutOff else 0.5
    with RawServer(script) as server, pytest.raises(error, match=words or None) as caught:
        fetch(server, timeout=patience)
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
    "to a long address": "http://a.example/" + "a" * 2000,
    "to an address with a line break in it": "http://127.0.0.1\t/",
}


ATTACKER = "http://attacker.example/"
PUBLIC = "93.184.215.14"
"""An address of the public internet; here it leads to a server of the test."""


@contextmanager
def attacked(script, answers=((PUBLIC,),)):
    """Give a client, an attacker's server behind ATTACKER, a victim's on loopback, and the roads.

    ``script(port)`` makes the attacker's from the victim's port, which may be asked.
    """
    with (
        RawServer(page(b"secret")) as victim,
        RawServer(script(victim.port)) as attacker,
        NameServer({"attacker.example": answers}) as server,
    ):
        roads = Roads({PUBLIC: attacker.port})
        network = Network(server.look_up, roads)
        ports = frozenset({victim.port})
        with Fetcher(limits(private=False), Clock(), ports=ports, network=network) as client:
            yield client, attacker, victim, roads


@pytest.mark.parametrize("where", REDIRECTS.values(), ids=REDIRECTS)
def test_a_redirect_does_not_lead_where_we_do_not_go(where):
    """Each hop is judged like the first address; nothing but the attacker's server is asked."""
    with attacked(lambda _: to(where)) as (client, attacker, _, roads):
        with pytest.raises((Forbidden, Unreachable)):
            client.get(Request(ATTACKER))
        assert len(attacker.requests) == 1
        assert roads.taken == [PUBLIC]


WAYS = {
    "redirect": to,
    "refresh": lambda where: page(b"", f"Refresh: 0;url={where}"),
    "meta": lambda where: page(
        f'<html><meta http-equiv="refresh" content="0;url={where}">'.encode()
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_a_redirect_does_not_reach_a_server_inside(host, way):
    """It is there, its port is one that is asked, and it is not asked."""
    with (
        attacked(lambda port: way(f"http://{host}:{port}/x")) as (client, attacker, victim, roads),
        pytest.raises(Forbidden, match="inside the network"),
    ):
        client.get(Request(ATTACKER))
    assert victim.requests == []
    assert len(attacker.requests) == 1
    assert roads.taken == [PUBLIC]


def test_a_redirect_loop_ends():
    """The fifth redirect is followed, the sixth not."""
    with RawServer(to("/again")) as server, pytest.raises(Unreachable, match="redirects"):
        fetch(server)
    assert len(server.requests) == 6


def test_refreshes_without_end_are_as_few_as_redirects():
    """Each names another address."""

    def on(connection, _over):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nRefresh: 0;url=/%d\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n" % len(server.requests)
        )

    with RawServer(on) as server, pytest.raises(Unreachable, match="redirects"):
        fetch(server)
    assert len(server.requests) == 6


def test_a_page_that_refreshes_itself_is_the_page():
    """Also by way of another: it is asked once."""
    with RawServer(page(b"hello", "Refresh: 0;url=/")) as server:
        assert fetch(server).body == b"hello"
    assert len(server.requests) == 1


def test_a_name_that_leads_inside_is_not_asked():
    """Its own name server says that it is a machine of ours."""
    with attacked(lambda _: page(b""), [["127.0.0.1"]]) as (client, _, victim, roads):
        with pytest.raises(Forbidden, match="inside the network"):
            client.get(Request(f"http://attacker.example:{victim.port}/"))
        assert victim.requests == []
        assert roads.taken == []


def test_a_name_that_changes_its_address_gains_nothing():
    """The address that was judged is the one that is connected to: one look-up, not two."""
    with attacked(lambda _: page(b"hello"), [[PUBLIC], ["127.0.0.1"]]) as (
        client,
        attacker,
        victim,
        roads,
    ):
        # Only the first question is answered with a public address: a second would lead inside.
        assert client.get(Request(ATTACKER)).body == b"hello"
        with pytest.raises(Forbidden, match="inside the network"):
            client.get(Request(f"http://attacker.example:{victim.port}/"))
        assert len(attacker.requests) == 1
        assert victim.requests == []
        assert roads.taken == [PUBLIC]


def test_a_name_with_one_address_inside_is_refused_whole():
    """A public address beside it makes it no better: the order is the attacker's."""
    with attacked(lambda _: page(b""), [[PUBLIC, "10.0.0.1"]]) as (client, attacker, _, roads):
        with pytest.raises(Forbidden):
            client.get(Request(ATTACKER))
        assert attacker.requests == []
        assert roads.taken == []


def test_a_name_that_there_is_not_is_a_failure_with_a_reason():
    """It may be there tomorrow."""
    with (
        attacked(lambda _: page(b"")) as (client, *_),
        pytest.raises(Unreachable, match="no such host"),
    ):
        client.get(Request("http://nowhere.example/"))


GBK = "<p>工业和信息化部：排查风险</p>".encode("gbk")
CHARSETS = {
    "none": (GBK, ""),
    "the servers' default, against the page's own": (
        b"<meta charset=gbk>" + GBK,
        "iso-8859-1",
    ),
    "one that it is not": (GBK, "utf-8"),
    "one that reads anything as itself": (GBK, "punycode"),
    "one that raises for everything": (GBK, "idna"),
    "one that there is not": (GBK, "x-" + "y" * 999),
    "one that is UTF-8 in truth": (GBK.decode("gbk").encode(), "big5"),
    "one that hides tags": (GBK, "utf-7"),
}


@pytest.mark.parametrize(("body", "charset"), CHARSETS.values(), ids=CHARSETS)
def test_a_server_that_names_a_wrong_character_set_is_read_all_the_same(body, charset):
    """What it is counts, and no name makes the reader fail."""
    with RawServer(page(body, f"Content-Type: text/html; charset={charset}")) as server:
        response = fetch(server)
    assert "工业和信息化部" in decode_page(response.body, response.header("content-type"))


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


def test_a_cookie_is_not_kept():
    """It would tell who asks; and one of odd characters made every later request fail."""
    headers = ("Set-Cookie: a=1", "Set-Cookie: b=\u00e4; Path=/")
    with (
        RawServer(page(b"hello", *headers)) as server,
        Fetcher(limits(), Clock(), ports=frozenset({server.port})) as client,
    ):
        for _ in range(2):
            assert client.get(Request(server.url)).body == b"hello"
    assert b"cookie" not in server.requests[1].lower()


def test_only_what_can_be_bounded_is_asked_for():
    """Brotli and Zstandard are not."""
    with RawServer(page(b"hello")) as server:
        assert fetch(server).body == b"hello"
    assert b"accept-encoding: gzip, deflate\r\n" in server.requests[0].lower()


RAW = {
    "UTF-8": ("/文章/一 页.shtml".encode(), "/%E6%96%87%E7%AB%A0/%E4%B8%80%20%E9%A1%B5.shtml"),
    "a last byte that is a space in Latin-1": ("/文章".encode(), "/%E6%96%87%E7%AB%A0"),
    "GBK": ("/文章".encode("gbk"), "/%CE%C4%D5%C2"),
    "escaped already": (b"/%CE%C4?a=%E4", "/%CE%C4?a=%E4"),
    "with an address inside": ("/?url=http://a.example/文".encode(), "/?url=http://a.example/%E6%96%87"),
}  # fmt: skip


@pytest.mark.parametrize(("location", "path"), RAW.values(), ids=RAW)
def test_a_redirect_in_raw_bytes_leads_to_those_bytes(location, path):
    """They are escaped as they are: the server knows what it said."""
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: "
    with RawServer(says(head + location + b"\r\n\r\n")) as server, pytest.raises(Unreachable):
        fetch(server)
    assert server.requests[1].startswith(f"GET {path} ".encode())


def test_a_redirect_to_a_host_in_raw_bytes_is_read_as_characters():
    """IDNA names it; it is judged by its own name."""
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
    raw = says(head + "http://\u6d4b\u8bd5.invalid:1/a".encode() + b"\r\n\r\n")
    with (
        RawServer(raw) as server,
        pytest.raises(FetchError, match=r"\u6d4b\u8bd5\.invalid|xn--0zwm56d"),
    ):
        fetch(server)

"""The fake internet itself: what a client sees through it, and that it leaves nothing behind."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import warnings
from urllib.parse import urlsplit

import httpx
import pytest

from tools.fake_internet import Answer, FakeInternet

pytestmark = pytest.mark.slow

PAGE = "https://finance.sina.com.cn/x.shtml"
TEXT = "钱潮涌动，潮平岸阔。" * 20
LONG_AGO = "Mon, 11 Mar 2024 03:30:00 GMT"


@pytest.fixture
def client(net):
    """Give a client that goes through the fake internet and trusts its authority."""
    trusting = ssl.create_default_context(cafile=net.ca_file)
    with httpx.Client(proxy=net.proxy_url, verify=trusting, timeout=60) as one:
        yield one


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["finance.sina.com.cn", "rsshub.example:1200", "192.0.2.7"])
def test_a_page_is_there_over_http_and_https(net, client, scheme, host):
    """Any host, any port, also an address of digits."""
    net.serve(f"http://{host}/a?b=c", TEXT)
    answer = client.get(f"{scheme}://{host}/a?b=c#d")
    assert (answer.status_code, answer.text) == (200, TEXT)
    assert net.asked()[0].url.partition("://")[2].replace(":443/", "/") == f"{host}/a?b=c"


def test_it_is_also_a_plain_server(net):
    """What is served under its own address needs no proxy."""
    net.serve(f"{net.origin_url}/feed", TEXT)
    assert httpx.get(f"{net.origin_url}/feed", trust_env=False).text == TEXT


@pytest.mark.parametrize("url", [PAGE, "https://news.sina.com.cn/robots.txt"])
def test_what_was_never_served_or_is_removed_is_404(net, client, url):
    """robots.txt too: no host has rules until a test gives it some."""
    assert client.get(url).status_code == 404
    net.serve(url, TEXT)
    net.remove(url)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_large_page_comes_whole(net, client, scheme):
    """Eight megabytes that do not fit into any buffer."""
    large = os.urandom(8 << 20)
    net.serve(PAGE, large)
    headers = {"Accept-Encoding": "identity"}
    assert client.get(PAGE.replace("https", scheme), headers=headers).content == large


CONDITIONS = {
    "the same tag": ({"If-None-Match": '"v1"'}, 304),
    "a weak form of it": ({"If-None-Match": 'W/"v1"'}, 304),
    "one of several": ({"If-None-Match": '"v0", "v1"'}, 304),
    "another tag": ({"If-None-Match": '"v0"'}, 200),
    "the same time": ({"If-Modified-Since": LONG_AGO}, 304),
    "an earlier time": ({"If-Modified-Since": "Mon, 11 Mar 2024 03:29:59 GMT"}, 200),
    "the tag decides": ({"If-None-Match": '"v0"', "If-Modified-Since": LONG_AGO}, 200),
    "no condition": ({}, 200),
}


@pytest.mark.parametrize(("headers", "status"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditional_requests_are_answered(net, client, headers, status):
    """304 without a body when the client has the page, and the log says so."""
    net.serve(PAGE, TEXT, etag='"v1"', last_modified=LONG_AGO)
    answer = client.get(PAGE, headers=headers)
    assert (answer.status_code, answer.text) == (status, TEXT if status == 200 else "")
    assert (answer.headers["ETag"], answer.headers["Last-Modified"]) == ('"v1"', LONG_AGO)
    assert [visit.status for visit in net.asked()] == [status]


def test_an_etag_follows_the_body(net, client):
    """A page that changes is not "unchanged"."""
    net.serve(PAGE, TEXT)
    known = {"If-None-Match": client.get(PAGE).headers["ETag"]}
    assert client.get(PAGE, headers=known).status_code == 304
    net.serve(PAGE, TEXT + "更新")
    assert client.get(PAGE, headers=known).status_code == 200


@pytest.mark.parametrize(("accepted", "packed"), [("gzip, br", True), ("identity", False)])
def test_bodies_are_compressed_for_those_who_accept_it(net, client, accepted, packed):
    """And are the same bytes after decoding."""
    net.serve(PAGE, TEXT)
    answer = client.get(PAGE, headers={"Accept-Encoding": accepted})
    assert ("Content-Encoding" in answer.headers) is packed
    assert (int(answer.headers["Content-Length"]) < len(answer.content)) is packed
    assert answer.text == TEXT


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_lead_to_the_page(net, client, status):
    """Also from one host to another."""
    net.serve(PAGE, TEXT)
    net.redirect("http://cj.sina.cn/short", PAGE, status)
    answer = client.get("http://cj.sina.cn/short", follow_redirects=True)
    assert (answer.text, str(answer.url)) == (TEXT, PAGE)
    assert [visit.status for visit in net.asked()] == [status, 200]


def test_a_status_a_header_and_a_type_can_be_chosen(net, client):
    """429 with Retry-After, say."""
    net.serve(PAGE, "slow down", status=429, headers={"Retry-After": "7"}, content_type="text/x")
    answer = client.get(PAGE)
    assert answer.status_code == 429
    assert (answer.headers["Retry-After"], answer.headers["Content-Type"]) == ("7", "text/x")


FAILURES = {
    "reset": (httpx.NetworkError, httpx.RemoteProtocolError),
    "cut": httpx.RemoteProtocolError,
    "hang": httpx.ReadTimeout,
}


@pytest.mark.parametrize("url", [PAGE, PAGE.replace("https", "http")], ids=["https", "http"])
@pytest.mark.parametrize(("how", "error"), FAILURES.items(), ids=FAILURES)
def test_a_page_fails_as_chosen(client, url, how, error, *, net):
    """And the next request on the same host is answered."""
    net.fail(url, how)
    with pytest.raises(error):
        client.get(url, timeout=0.3 if how == "hang" else 60)
    net.serve(url, TEXT)
    assert client.get(url).text == TEXT


def test_a_failure_can_be_a_status(net, client):
    """What a broken server says."""
    net.fail(PAGE, "500")
    assert client.get(PAGE).status_code == 500


def test_a_drip_sends_a_little_at_a_time(net, client):
    """No single read times out, yet the body does not come to its end."""
    net.fail(PAGE, "drip")
    with client.stream("GET", PAGE, timeout=60) as answer:
        pieces = answer.iter_raw()
        assert [len(next(pieces)), len(next(pieces))] == [1, 1]


def test_a_function_answers_below_its_address(net, client):
    """A page goes before it, and of two functions the longer prefix."""
    net.serve_function("https://a.example/", lambda url, _: Answer(url.encode()))
    net.serve_function("https://a.example/b", lambda _, headers: Answer(headers["X"].encode()))
    net.serve("https://a.example/page", "page")
    said = [client.get(f"https://a.example{path}", headers={"X": "x"}).text for path in PATHS]
    assert said == ["https://a.example/", "https://a.example/c?d=https://e.example/", "x", "page"]


PATHS = ["/", "/c?d=https://e.example/", "/big", "/page"]


def test_a_fault_in_a_function_fails_the_test_that_gave_it():
    """It is raised where the block ends, not lost in a thread."""

    def answer(*_):
        raise LookupError("planted")

    def ask():
        with FakeInternet() as net:
            net.serve_function(net.origin_url, answer)
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(net.origin_url, trust_env=False)

    with pytest.raises(LookupError, match="planted"):
        ask()


def test_a_connection_is_kept(net, client):
    """HTTP/1.1: a hundred pages of one host cost one handshake."""
    for number in range(100):
        net.serve(f"https://a.example/{number}", str(number))
    with client.stream("GET", "https://a.example/0") as first:
        first.read()
        stream = first.extensions["network_stream"]
    port = stream.get_extra_info("client_addr")
    for number in range(1, 100):
        with client.stream("GET", f"https://a.example/{number}") as answer:
            answer.read()
            assert answer.extensions["network_stream"].get_extra_info("client_addr") == port


def test_the_log_can_be_searched_and_emptied(net, client):
    """In the order of arrival; robots.txt is not counted."""
    for path in ("/a", "/b", "/robots.txt"):
        client.get(f"https://a.example{path}", headers={"Referer": "https://r.example/"})
    assert [visit.url[-2:] for visit in net.asked()] == ["/a", "/b"]
    assert [visit.headers["Referer"] for visit in net.asked("/b")] == ["https://r.example/"]
    assert net.visits[0].at <= net.visits[1].at
    net.forget()
    assert net.visits == []


def test_many_clients_are_served_at_once(net, client):
    """No request is lost, none is logged twice."""
    net.serve_function("https://many.example/", lambda url, _: Answer(url.encode()))

    def ask(start):
        for number in range(start, start + 10):
            assert client.get(f"https://many.example/{number}").text.endswith(f"/{number}")

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(0, 80, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({visit.url for visit in net.asked("many")}) == len(net.asked("many")) == 80


def test_a_subprocess_is_led_here_by_its_environment(net):
    """Proxy and authority come from variables, as for any program."""
    net.serve(PAGE, TEXT)
    code = f"import urllib.request as u; print(len(u.urlopen('{PAGE}').read()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | net.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert int(done.stdout) == len(TEXT.encode())


def test_a_client_that_goes_away_before_tls_leaves_no_open_socket():
    """It asked for a tunnel, and closed its end before there was one."""
    with warnings.catch_warnings(record=True) as warned, FakeInternet() as net:
        warnings.simplefilter("always")
        gone, made = threading.Event(), net.context

        def context(host):
            gone.wait(60)
            return made(host)

        net.context = context
        address = urlsplit(net.origin_url)
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            # No lingering (socket(7)): the server's end has no address of a client any more.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.set()
    gc.collect()
    assert [str(one.message) for one in warned] == []


@pytest.mark.parametrize("how", ["", "hang", "drip"])
def test_nothing_is_left_when_the_block_ends(how):
    """No thread, though clients still hold their connections."""
    before = set(threading.enumerate())
    waiting = pytest.raises(httpx.ReadTimeout) if how == "hang" else contextlib.nullcontext()
    with contextlib.ExitStack() as later, FakeInternet() as net:
        trusting = ssl.create_default_context(cafile=net.ca_file)
        client = later.enter_context(httpx.Client(proxy=net.proxy_url, verify=trusting))
        net.pages["a.example/"] = Answer(b"x" * 100, how=how)
        for scheme in ("http", "https"):
            with waiting:
                patience = 0.3 if how == "hang" else 60
                request = client.build_request("GET", f"{scheme}://a.example/", timeout=patience)
                later.callback(client.send(request, stream=True).close)
    assert set(threading.enumerate()) <= before

"""The site that is asked: answers made beforehand, from a process of its own.

It is the HTTP proxy of whoever asks, so that addresses are Sina's and no name is looked up. An
answer is a look into a table and one write, gzip included: its cost is no part of what is
measured, and small beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from benchmarks.pages import article, page
from benchmarks.past import Past
from benchmarks.real_pages import real_page, real_pages
from tools.made_up_sina import rsshub_feed

FEED_HOST = "rsshub.example"

EMPTY_FEED = f"http://{FEED_HOST}/empty"
"""A feed that announces nothing."""

_ARTICLES = "finance.sina.com.cn/china/gncj/"

CONTROL = "http://control.example"
"""Below it: ``/traffic`` (what went over the wire since it was asked last), ``/urls``."""

_NOTHING = b"HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n"
_TARGET = re.compile(rb"[A-Z]+ (?:http://)?(\S+) HTTP/1.1\r\n")
_TAG = re.compile(rb"(?i)\r\nif-none-match: *([^\r]+)\r\n")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the site is to hold."""

    articles: int
    """Spread over the feeds, each announced by one of them."""
    feeds: int
    text: bool = True
    """The feeds carry the articles' text, as RSSHub's do."""
    tags: bool = True
    """A feed has an ETag, and answers 304 to who knows it."""
    real: str = ""
    """A folder of real pages whose furniture is taken; ``""``: the made-up one."""
    past: int = 0
    """Articles that the roll API has of every past day."""
    copies: int = 1
    """How many feeds announce the same articles: for feeds of which only the number counts."""

    def feed_urls(self) -> list[str]:
        """Return the addresses of the feeds."""
        return [f"http://{FEED_HOST}/sina/finance/{number}" for number in range(self.feeds)]


@dataclass(frozen=True, slots=True)
class _Answer:
    whole: bytes
    tag: bytes = b""
    short: bytes = b""
    """The 304 for who sends the tag."""


@dataclass
class _Site:
    past: Past
    answers: dict[bytes, _Answer] = field(default_factory=dict)
    requests: int = 0
    received: int = 0
    sent: int = 0

    def answer(self, head: bytes) -> bytes:
        """Return the answer to one request."""
        found = _TARGET.match(head)
        target = found[1] if found else b""
        if target.startswith(CONTROL.removeprefix("http://").encode()):
            return self._control()
        one = self.answers.get(target)
        if one is None:
            body = self._past(target.decode("latin-1"))
        elif one.tag and (tag := _TAG.search(head)) and tag[1] == one.tag:
            body = one.short
        else:
            body = one.whole
        self.requests += 1
        self.received += len(head)
        self.sent += len(body)
        return body

    def _past(self, target: str) -> bytes:
        """Answer what is made when it is asked: there is too much of it to hold."""
        if listed := self.past.listed(target):
            return _response(listed, "application/json")
        if html := self.past.page(target):
            return _packed(html, "text/html", level=1)
        return _NOTHING

    def _control(self) -> bytes:
        numbers = {"requests": self.requests, "received": self.received, "sent": self.sent}
        self.requests = self.received = self.sent = 0
        return _response(json.dumps(numbers).encode(), "application/json")


class _Connection(asyncio.Protocol):
    def __init__(self, site: _Site) -> None:
        self._site = site
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[: end + 4], self._buffer[end + 4 :]
            self._transport.write(self._site.answer(head))


def _response(body: bytes, kind: str, more: str = "") -> bytes:
    head = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
    return f"HTTP/1.1 200 OK\r\nServer: nginx\r\n{head}\r\n".encode() + body


def _packed(body: bytes, kind: str, more: str = "", *, level: int = 6) -> bytes:
    more = f"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n{more}"
    return _response(gzip.compress(body, level), f"{kind}; charset=utf-8", more)


def _feed(body: bytes, *, tags: bool) -> _Answer:
    if not tags:
        return _Answer(_packed(body, "application/xml"))
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    header = f"ETag: {tag}\r\n"
    short = f"HTTP/1.1 304 Not Modified\r\nServer: nginx\r\n{header}\r\n".encode()
    return _Answer(_packed(body, "application/xml", header), tag.encode(), short)


def _built(plan: Plan) -> _Site:
    site = _Site(Past(plan.past))
    furniture = real_pages(Path(plan.real)) if plan.real else []
    groups = max(1, plan.feeds // plan.copies)
    announced: list[list[int]] = [[] for _ in range(groups)]
    for number in range(1, plan.articles + 1):
        announced[number % groups].append(number)
        html = real_page(furniture, number) if furniture else page(number)
        site.answers[_key(article_url(number))] = _Answer(_packed(html, "text/html"))
    bodies = [_feed_body(numbers, plan) for numbers in announced]
    site.answers[_key(EMPTY_FEED)] = _feed(_feed_body([], plan), tags=plan.tags)
    for number, url in enumerate(plan.feed_urls()):
        site.answers[_key(url)] = _feed(bodies[number % groups], tags=plan.tags)
    return site


def _feed_body(numbers: list[int], plan: Plan) -> bytes:
    text = rsshub_feed([article(number) for number in numbers], full=plan.text)
    # Without TLS: who encrypts how is no part of what is compared.
    return text.replace(f"https://{_ARTICLES}", f"http://{_ARTICLES}").encode()


def article_url(number: int) -> str:
    """Return the address under which article ``number`` is announced."""
    return article(number).url.replace("https:", "http:")


def _key(url: str) -> bytes:
    return url.removeprefix("http://").encode()


async def _serve(plan: Plan) -> None:
    site = _built(plan)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(site), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Until whoever started it goes away.
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


@dataclass(frozen=True, slots=True)
class RunningSite:
    """A site that answers."""

    proxy: str
    plan: Plan

    def traffic(self) -> dict[str, int]:
        """Return requests, bytes received and bytes sent since it was asked last."""
        opener = build_opener(ProxyHandler({"http": self.proxy}))
        with opener.open(f"{CONTROL}/traffic") as answer:
            numbers: dict[str, int] = json.load(answer)
        return numbers


@contextmanager
def running(plan: Plan) -> Iterator[RunningSite]:
    """Run a site in a process of its own while the block runs."""
    order = json.dumps({name: getattr(plan, name) for name in plan.__slots__})
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.site", order],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[1],
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            port = int(process.stdout.readline())
            yield RunningSite(f"http://127.0.0.1:{port}", plan)
        finally:
            process.stdin.close()
            process.wait(10)


def main() -> None:
    """Serve the plan that is given as JSON, until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site", description=__doc__)
    parser.add_argument("plan", type=json.loads)
    asyncio.run(_serve(Plan(**parser.parse_args().plan)))


if __name__ == "__main__":
    main()

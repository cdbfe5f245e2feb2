"""What is done with a hit: a webhook, a command, or a feed.

A webhook is a hit as JSON, signed, to an address of the operator's, within bounds; a feed is an
Atom file (RFC 4287) that readers subscribe to, the newest hit first.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

import httpcore
import httpx

from ingestor.archive import storage
from ingestor.archive.atom import AtomEntry, AtomFeed, entry_element, feed_xml, id_of, read_entries
from ingestor.clock import Clock
from ingestor.config.sections import FetchSettings, WatchSettings
from ingestor.errors import DeliveryFailed, FetchError, StorageFailed, UsageError
from ingestor.fetch.guard import USUAL_PORTS, Network, checked_url
from ingestor.fetch.headers import retry_after
from ingestor.fetch.transport import FAILURES, Transport, deadline
from ingestor.model import Response
from ingestor.text.sanitize import one_line
from ingestor.watch.hits import WatchHit

_SAID_CHARACTERS = 300

Action: TypeAlias = Callable[[Sequence[WatchHit]], str]
"""Delivers hits, and returns how they were taken; raises :class:`DeliveryFailed`."""


def action_of(watch: WatchSettings) -> str:
    """Say what is done with a watch's hits, without its secrets."""
    if watch.webhook:
        return f"webhook {place_of(watch.webhook)}"
    return f"feed {watch.feed}" if watch.feed else f"command {watch.command[0]}"


@contextmanager
def opened_action(watch: WatchSettings, fetch: FetchSettings, clock: Clock) -> Iterator[Action]:
    """Open what delivers a watch's hits."""
    if watch.webhook:
        allowed, network = fetch.allow_private_addresses, Network()
        way = Transport(fetch.proxy, connections=1, allow_private=allowed, network=network)
        with closing(way):
            webhook = _Webhook(watch, fetch, way)
            yield lambda hits: webhook.send(hits[-1])
    elif watch.feed:
        path = watch.feed
        yield lambda hits: add_entries(path, watch.name, hits, clock.now())
    else:
        yield lambda hits: _run(watch, hits[-1])


def _run(watch: WatchSettings, hit: WatchHit) -> str:
    """Run a command with a hit on its standard input; return how it ended."""
    program = Path(watch.command[0]).name
    # Files, not pipes: neither what it does not read nor what it leaves running is waited for.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(hit.body() + b"\n")
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - what the operator configured
                watch.command,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        except OSError as error:
            raise DeliveryFailed(f"{program}: {error.strerror}") from error
        with process:
            try:
                code = process.wait(watch.timeout.total_seconds())
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                line = f"{program}: did not end in time (timeout of the watch)"
                raise DeliveryFailed(line) from error
        if code:
            said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID_CHARACTERS))
            last = one_line(said.read().decode("utf-8", "replace"))
            raise DeliveryFailed(f"{program}: exit code {code}{': ' if last else ''}{last}")
    return "exit code 0"


MOST_ANSWER_BYTES = 64 * 1024
"""Read of an answer, so that its connection serves the next hit; the rest is left."""

GONE = 410
"""The receiver wants to be forgotten (RFC 9110, 15.5.11)."""


def place_of(url: str) -> str:
    """Return what may be said of a webhook's address: its path is a secret with many services."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def signature(secret: str, body: bytes) -> str:
    """Return what ``X-Ingestor-Signature`` says of a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True, slots=True)
class _Webhook:
    """A receiver, with the connections to it."""

    watch: WatchSettings
    fetch: FetchSettings
    transport: Transport

    def send(self, hit: WatchHit) -> str:
        """Send a hit; return how it was taken. Raises :class:`DeliveryFailed`."""
        url = self.watch.webhook or ""
        where = place_of(url)
        try:
            response = self._answer(url, hit)
        except httpcore.TimeoutException as error:
            line = f"{where}: no answer in time (timeout of the watch)"
            raise DeliveryFailed(line) from error
        except (FetchError, *FAILURES) as error:
            line = f"{where}: {str(error).replace(url, where) or type(error).__name__}"
            raise DeliveryFailed(line) from error
        line = f"HTTP {response.status}"
        if 200 <= response.status < 300:
            return line
        if response.status in range(300, 400):
            line = f"{line}: no redirect is followed; name the address that takes it"
        final = response.status == GONE
        raise DeliveryFailed(f"{where}: {line}", retry_after(response), is_final=final)

    def _answer(self, url: str, hit: WatchHit) -> Response:
        asked = checked_url(
            url,
            allow_private=self.fetch.allow_private_addresses,
            # Whoever names a webhook names its port.
            ports=USUAL_PORTS | {urlsplit(url).port or 443},
        )
        body = hit.body()
        seconds = self.watch.timeout.total_seconds()
        request = httpx.Request(
            "POST",
            asked,
            headers=self._headers(hit, body),
            content=body,
            extensions={"timeout": httpx.Timeout(seconds).as_dict()},
        )
        with deadline(seconds), closing(self.transport.open(request)) as answer:
            received = 0
            for part in answer.iter_stream():
                received += len(part)
                if received > MOST_ANSWER_BYTES:
                    break
            headers = httpx.Headers(answer.headers).multi_items()
            now = datetime.now(UTC)
            return Response(url, asked, answer.status, tuple(headers), b"", now)

    def _headers(self, hit: WatchHit, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": self.fetch.user_agent,
            "Idempotency-Key": hit.key,
        }
        if secret := self.watch.secret.get_secret_value():
            headers["X-Ingestor-Signature"] = signature(secret, body)
        return headers


MOST_ENTRIES = 100
"""A reader that looks once a day misses none of what most watches find."""

MOST_CONTENT_CHARACTERS = 100_000
"""Of an article with more there is its summary: a reader loads the whole file again and again."""


def add_entries(path: Path, name: str, hits: Sequence[WatchHit], now: datetime) -> str:
    """Put hits, the latest last, at the head of a watch's feed; return what came of it.

    Those that are there already are not there twice. Raises :class:`DeliveryFailed` where the file
    is not this watch's, or cannot be written.
    """
    try:
        with _held(path.parent):
            before = _entries(path, _feed_id(name))
            elements = map(entry_element, map(_entry, reversed(hits)))
            new = {id_of(element): element for element in elements}
            every = [*new.values(), *(entry for entry in before if id_of(entry) not in new)]
            feed = AtomFeed(_feed_id(name), quote(path.name), "", name, now)
            storage.write(path.parent, path.name, feed_xml(feed, every[:MOST_ENTRIES]))
    except StorageFailed as error:
        raise DeliveryFailed(str(error)) from error
    except OSError as error:
        raise DeliveryFailed(f"{path}: {error.strerror}") from error
    return f"{len(hits)} written"


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep others from the file meanwhile: a test may run beside the daemon."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _entries(path: Path, feed_id: str) -> list[Any]:
    """Return the entries that a feed has; raise :class:`DeliveryFailed` for another file."""
    try:
        return read_entries(path.read_bytes(), feed_id)
    except FileNotFoundError:
        return []
    except UsageError as error:
        why = f"{path}: is not the feed of this watch; it is not written over"
        raise DeliveryFailed(why) from error


def _feed_id(name: str) -> str:
    return f"urn:ingestor:watch:{quote(name, safe='')}"


def _entry(hit: WatchHit) -> AtomEntry:
    revision = hit.revision
    is_long = len(revision.content_html) > MOST_CONTENT_CHARACTERS
    return AtomEntry(
        f"urn:ingestor:watch:{hit.key}",
        revision.url,
        revision.title,
        revision.known_from,
        revision.published_at,
        revision.media or revision.author or "ingestor",
        summary=revision.summary if is_long else "",
        html="" if is_long else revision.content_html,
        categories=(revision.cause, *revision.symbols),
    )

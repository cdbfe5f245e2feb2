"""A webhook: a hit as JSON, signed, to an address of the operator's, within bounds."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpcore
import httpx

from ingestor.config.sections import FetchSettings, WatchSettings
from ingestor.errors import DeliveryFailed, FetchError
from ingestor.fetch.guard import USUAL_PORTS, Network, checked_url
from ingestor.fetch.headers import retry_after
from ingestor.fetch.transport import FAILURES, Transport, deadline
from ingestor.model import Response
from ingestor.watch.hits import WatchHit

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
class Webhook:
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


@contextmanager
def opened_webhook(watch: WatchSettings, fetch: FetchSettings) -> Iterator[Webhook]:
    """Open a webhook; its connections are closed again."""
    transport = Transport(
        fetch.proxy,
        connections=1,
        allow_private=fetch.allow_private_addresses,
        network=Network(),
    )
    with closing(transport):
        yield Webhook(watch, fetch, transport)

"""What stands on the fake internet, and what was asked of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Visit:
    """One request that arrived."""

    at: float
    """``time.monotonic()``, in seconds."""
    url: str
    headers: dict[str, str]
    status: int
    body: bytes = b""
    """What was sent with it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page answers."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    how: str = ""
    """A way to fail: ``reset``, ``cut`` (shorter than announced), ``hang`` (no answer at all)
    or ``drip`` (five bytes a second)."""
    etag: str = ""
    """With its quotes; ``''``: made from the body."""
    last_modified: str = ""
    """An HTTP date; ``''``: the page does not say."""

    @property
    def entity_tag(self) -> str:
        """The ETag that is sent, with its quotes."""
        return self.etag or f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'

    def is_known(self, headers: Mapping[str, str]) -> bool:
        """Whether these request headers show that the client has the page (RFC 9110, 13.1)."""
        if self.status != 200 or self.how:
            return False
        if tags := headers.get("If-None-Match"):
            ours = self.entity_tag.removeprefix("W/")
            return ours in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        since = headers.get("If-Modified-Since")
        if not (since and self.last_modified):
            return False
        return parsedate_to_datetime(self.last_modified) <= parsedate_to_datetime(since)


Handler = Callable[[str, Mapping[str, str]], Answer]
"""Makes the answer to a request from its address and headers."""


def name_of(url: str) -> str:
    """Return the key of an address: neither scheme, usual port nor fragment make another page."""
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(":80").removesuffix(":443")
    return f"{host}{parts.path}{'?' + parts.query if parts.query else ''}"

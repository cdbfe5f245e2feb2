"""A folder on an object store, through fsspec (s3fs for ``s3://``).

An object appears whole, under its name, when its last byte has arrived; until then, and when its
writer dies, there is none, or the one before. So there are no temporary names here.

Credentials, region and endpoint are found as every AWS tool finds them (``AWS_ACCESS_KEY_ID``,
``AWS_ENDPOINT_URL``, ``AWS_PROFILE``, ``~/.aws``, the machine's role): none stand in the settings,
so none can be shown.

A store that hangs is waited for a bounded time, and then left alone for a while: whoever needs it
meanwhile hears at once that it is away. One that takes a byte now and then is no better.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from ingestor.config.values import ObjectAddress
from ingestor.errors import ConfigError, StorageFailed, StoreAway
from ingestor.text.sanitize import redact
from ingestor.version import install_line

AT_A_TIME = 16
"""Requests at a time: each waits for the network, not for the processor."""

_OPTIONS: dict[str, Any] = {
    # Other machines write here too: a listing is never taken from memory.
    "use_listings_cache": False,
    # Some stores (Cloudflare R2) take only parts of equal size.
    "fixed_upload_size": True,
    # With more, each read of an object asks for its size first.
    "max_concurrency": 1,
}

ANSWER_SECONDS = 15.0
"""For so long a store may say nothing, each of the two times that it is asked."""

WHOLE_SECONDS = 60.0
"""For so long it is waited for in all, where it sends a byte now and then ..."""

LEAST_BYTES_A_SECOND = 64 * 1024
"""... and longer for what is large, as long as that takes at this pace."""

LEFT_ALONE_SECONDS = 60.0
"""For so long a store that did not answer is not asked again."""

_WHAT_TO_DO = {
    "AccessDenied": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to one who may read, write "
    "and list it",
    "NoSuchBucket": "create it first",
}


class ObjectFolder:
    """Objects below a prefix of a bucket. Safe to use from several threads."""

    def __init__(
        self,
        address: ObjectAddress,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self.address = address
        self._answer_seconds = answer_seconds
        self._whole_seconds = whole_seconds
        self._away_until = 0.0

    def write(self, relative: str, data: bytes) -> str:
        """Put an object; it is there, whole, when this returns."""
        with self._asking():
            self._filesystem.pipe_file(self._path(relative), data, **self._bound(len(data)))
        return hashlib.sha256(data).hexdigest()

    def write_all(self, contents: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put many objects, several at a time."""
        with ThreadPoolExecutor(AT_A_TIME, "put") as threads:
            return list(threads.map(lambda content: self.write(*content), contents))

    def upload(self, source: Path) -> None:
        """Put a local file there under its own name, in parts if it is large."""
        size, place = source.stat().st_size, self._path(source.name)
        with self._asking():
            self._filesystem.put_file(str(source), place, **self._bound(size))
            arrived = int(self._filesystem.info(place)["size"])
        if arrived != size:
            raise StorageFailed(f"{self.address / source.name}: holds {arrived} bytes of {size}")

    def read(self, relative: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a part of an object, by a range request."""
        end = None if length is None else start + length
        with self._asking():
            if length is None and start == 0:
                return bytes(self._filesystem.cat_file(self._path(relative)))
            return bytes(self._filesystem.cat_file(self._path(relative), start=start, end=end))

    def hashes(self, relatives: Iterable[str]) -> Iterator[str | OSError]:
        """Yield the hash of each object; several are read at a time."""
        rest = iter(relatives)
        with ThreadPoolExecutor(AT_A_TIME, "get") as threads:
            while batch := list(islice(rest, AT_A_TIME * 4)):
                yield from threads.map(self._hash, batch)

    def copy(self, relative: str, target: Path) -> None:
        """Download an object; nothing is left at the target when that fails."""
        try:
            with self._asking():
                self._filesystem.get_file(self._path(relative), str(target))
        except (OSError, StorageFailed):
            target.unlink(missing_ok=True)
            raise

    @contextmanager
    def local(self, relative: str) -> Iterator[Path]:
        """Give a copy on this machine, which is removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="ingestor-") as folder:
            target = Path(folder) / Path(relative).name
            self.copy(relative, target)
            yield target

    def is_there(self) -> bool:
        """Return true; raise when the bucket cannot be used."""
        with self._asking():
            return bool(self._filesystem)

    def names(self) -> Iterator[str]:
        """Yield every object below the prefix."""
        yield from self._listed()

    def size(self) -> tuple[int, int]:
        """Return objects and bytes: one request for a thousand objects."""
        sizes = [int(info["size"]) for info in self._listed().values()]
        return len(sizes), sum(sizes)

    def age(self, relative: str) -> float:
        """Return the age by the store's clock."""
        with self._asking():
            modified: datetime = self._filesystem.modified(self._path(relative))
        return (datetime.now(UTC) - modified).total_seconds()

    def left_over(
        self,
        seconds: float,  # noqa: ARG002 - the interface's
        within: Collection[str] | None = None,  # noqa: ARG002 - the same
    ) -> list[str]:
        """Return nothing: there is no half object."""
        return []

    def remove(self, relative: str) -> None:
        """Remove an object."""
        with self._asking():
            self._filesystem.rm_file(self._path(relative))

    def _listed(self) -> dict[str, Any]:
        with self._asking():
            root = self._path("")
            listing: dict[str, Any] = self._filesystem.find(root, detail=True)
        return {path.removeprefix(root).lstrip("/"): info for path, info in listing.items()}

    def _hash(self, relative: str) -> str | OSError:
        try:
            return hashlib.sha256(self.read(relative)).hexdigest()
        except OSError as error:
            return error

    def _bound(self, size: int) -> dict[str, float]:
        """Return how long fsspec may take for so many bytes; it cancels what takes longer."""
        if not getattr(self._filesystem, "async_impl", False):
            return {}
        return {"timeout": self._whole_seconds + size / LEAST_BYTES_A_SECOND}

    def _path(self, relative: str) -> str:
        return str(import_module("fsspec.core").strip_protocol(f"{self.address}/{relative}"))

    @cached_property
    def _class(self) -> Any:
        scheme = self.address.url.partition(":")[0]
        try:
            return import_module("fsspec").get_filesystem_class(scheme)
        except ImportError as error:
            raise ConfigError(
                f"{self.address.key}: {self.address} needs s3fs: {install_line('s3')}"
            ) from error

    @cached_property
    def _filesystem(self) -> Any:
        """Return fsspec's file system, after one question whether the bucket can be used."""
        if self._class.protocol == "memory":
            return self._class()
        patience = {"connect_timeout": 5, "read_timeout": self._answer_seconds}
        filesystem = self._class(
            config_kwargs={**patience, "retries": {"total_max_attempts": 2}}, **_OPTIONS
        )
        # botocore asks twice already; s3fs would let it do so five times.
        filesystem.retries = 1
        bucket = self._path("").partition("/")[0]
        filesystem.call_s3("head_bucket", Bucket=bucket, timeout=self._whole_seconds)
        return filesystem

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Translate what the libraries raise; what is missing in a bucket stays what it is."""
        checked, begun = "_filesystem" in vars(self), time.monotonic()
        if begun < self._away_until:
            wait = self._away_until - begun
            raise self._failed("", f"did not answer in time, and is left alone for {wait:.0f} s")
        try:
            yield
        except FileNotFoundError as error:
            if checked or "_filesystem" in vars(self):
                raise
            raise self._failed("NoSuchBucket", "there is no such bucket") from error
        except PermissionError as error:
            raise self._failed("AccessDenied", "access is refused") from error
        except _foreign() as error:
            if (ended := time.monotonic()) - begun >= self._answer_seconds:
                self._away_until = ended + LEFT_ALONE_SECONDS
            raise self._failed(type(error).__name__, str(error) or "no answer in time") from error

    def _failed(self, kind: str, what: str) -> StoreAway:
        todo = _WHAT_TO_DO.get(kind) or (
            _WHAT_TO_DO["AccessDenied"]
            if "Credentials" in kind
            else "check the network and AWS_ENDPOINT_URL"
        )
        line = redact(" ".join(what.split()))
        return StoreAway(f"{self.address.key}: {self.address}: {line}; {todo}")


def _foreign() -> tuple[type[Exception], ...]:
    """Return the roots of what fsspec, botocore and asyncio raise when a store fails."""
    try:
        exceptions = import_module("botocore.exceptions")
    except ImportError:
        return (OSError,)
    # ValueError is what botocore says of an endpoint that is no address.
    return (OSError, ValueError, exceptions.BotoCoreError, exceptions.ClientError)

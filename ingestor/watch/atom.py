"""A feed of hits: an Atom file (RFC 4287) that readers subscribe to, the newest first."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ingestor.archive import storage
from ingestor.archive.atom import AtomEntry, AtomFeed, entry_element, feed_xml, id_of, read_entries
from ingestor.errors import DeliveryFailed, StorageFailed, UsageError
from ingestor.watch.hits import WatchHit

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

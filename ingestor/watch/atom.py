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

from lxml import etree

from ingestor.archive import files
from ingestor.errors import DeliveryFailed, StorageFailed
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line, visible
from ingestor.version import __version__
from ingestor.watch.hits import WatchHit

MOST_ENTRIES = 100
"""A reader that looks once a day misses none of what most watches find."""

MOST_CONTENT_CHARACTERS = 100_000
"""Of an article with more there is its summary: a reader loads the whole file again and again."""

_ATOM = "http://www.w3.org/2005/Atom"
_ID, _ENTRY = f"{{{_ATOM}}}id", f"{{{_ATOM}}}entry"


def add_entries(path: Path, name: str, hits: Sequence[WatchHit], now: datetime) -> str:
    """Put hits, the latest last, at the head of a watch's feed; return what came of it.

    Those that are there already are not there twice. Raises :class:`DeliveryFailed` where the file
    is not this watch's, or cannot be written.
    """
    try:
        with _held(path.parent):
            before = _entries(path, _feed_id(name))
            new = {_id_of(entry): entry for entry in map(_entry, reversed(hits))}
            every = [*new.values(), *(entry for entry in before if _id_of(entry) not in new)]
            files.write(path.parent, path.name, _text(name, every[:MOST_ENTRIES], now))
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
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root: Any = etree.fromstring(data, parser)
        own = root.findtext(_ID) == feed_id
    except etree.XMLSyntaxError:
        own = False
    if not own:
        raise DeliveryFailed(f"{path}: is not the feed of this watch; it is not written over")
    return list(root.iter(_ENTRY))


def _id_of(entry: Any) -> str:
    return str(entry.findtext(_ID))


def _feed_id(name: str) -> str:
    return f"urn:ingestor:watch:{quote(name, safe='')}"


def _text(name: str, entries: Sequence[Any], now: datetime) -> str:
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(root, "id", _feed_id(name))
    _add(root, "title", one_line(name))
    _add(root, "updated", iso_utc(now))
    _add(_add(root, "author"), "name", "ingestor")
    _add(root, "generator", "ingestor", version=__version__)
    root.extend(entries)
    text: str = etree.tostring(root, encoding="unicode")
    return f"{text}\n"


def _entry(hit: WatchHit) -> Any:
    revision = hit.revision
    entry = etree.Element(_ENTRY, nsmap={None: _ATOM})
    _add(entry, "id", f"urn:ingestor:watch:{hit.key}")
    _add(entry, "title", one_line(revision.title))
    _add(entry, "link", rel="alternate", href=one_line(revision.url))
    if revision.published_at:
        _add(entry, "published", iso_utc(revision.published_at))
    _add(entry, "updated", iso_utc(revision.known_from))
    _add(_add(entry, "author"), "name", one_line(revision.media or revision.author) or "ingestor")
    for term in (revision.cause, *revision.symbols):
        _add(entry, "category", term=term)
    if len(revision.content_html) > MOST_CONTENT_CHARACTERS:
        _add(entry, "summary", visible(revision.summary))
    else:
        _add(entry, "content", visible(revision.content_html), type="html")
    return entry


def _add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    child = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = text or None
    return child

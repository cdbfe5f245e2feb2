"""What is done in a worker process with a page that came: read it, and pack it for the WARC.

Both are pure work on the same bytes, which cross to a worker once.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from ingestor.archive.warc.records import Packed, pack
from ingestor.model import Article, Response
from ingestor.reading import extract_page

__all__ = ["Received", "receive_page"]


@dataclass(frozen=True, slots=True)
class Received:
    """An answer that was asked for its article: what it shows, or why it shows none."""

    article: Article | Exception
    packed: Packed | None = None
    """Its records; ``None`` where they are not wanted, or it is no page."""


def receive_page(response: Response, *, kept: bool) -> Received:
    """Return the article that an answer shows, or the error that :func:`extract_page` raises.

    With ``kept`` also its WARC records, if its status is 200: as a page that came for the first
    time, with its body.
    """
    packed = pack(response) if kept and response.status == 200 else None
    try:
        return Received(extract_page(response), packed)
    except Exception as error:  # noqa: BLE001 - the page is kept, whatever our rules do with it
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return Received(error, packed)

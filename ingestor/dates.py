"""Dates as feeds and Chinese pages write them, and as this program does. Pure.

The forms themselves are read in :mod:`ingestor.text.dates`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Nothing on the web is older: an earlier date is a default value or a misreading."""

MOST_CHARACTERS = 100
"""Longer texts are no dates, and need not be searched for one."""


_ISO_MARKS = ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "Z"))
_ISO_LENGTH = 20


def http_date(moment: datetime) -> str:
    """Return an aware moment as HTTP and RFC 1123 write it: ``Thu, 14 Apr 2022 03:32:04 GMT``."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def iso_utc(moment: datetime) -> str:
    """Return an aware moment as ``2022-04-14T03:32:04Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso_utc(text: str) -> datetime:
    """Read what :func:`iso_utc` wrote; raise ``ValueError`` for anything else."""
    if len(text) != _ISO_LENGTH or any(text[at] != mark for at, mark in _ISO_MARKS):
        raise ValueError(f"not a moment as this program writes it: {text!r}")
    # Ten times as fast as strptime, but takes other forms as well, which differ in the marks.
    return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)


def parse_date(
    text: str, *, zone: tzinfo = SHANGHAI, not_after: datetime | None = None
) -> datetime | None:
    """Return the moment that ``text`` names, in UTC, to the second.

    A time without a zone is one of ``zone``; so is ``CST`` where that is China's. ``None``
    (no date, which is an ordinary answer) comes back for text that names none, for a moment
    before 1990, and for one more than a day after ``not_after``. A date without a year
    (``05月30日 12:00``) is read only with ``not_after``, as the last such day before it.
    """
    # Most of the program has moments, and no dates to read.
    from ingestor.text.dates import read_date  # noqa: PLC0415

    line = " ".join(text[: MOST_CHARACTERS * 2].split())[:MOST_CHARACTERS]
    try:
        moment = read_date(line, zone, not_after)
        if moment is None:
            return None
        moment = moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError, KeyError):
        # KeyError: feedparser's reader of Greek dates, for a month that it does not know.
        return None
    if moment < EARLIEST or (not_after and moment > not_after + timedelta(days=1)):
        return None
    return moment

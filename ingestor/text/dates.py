"""Moments as this program writes them, and the zone of its days. Pure.

How others write them is read by :mod:`ingestor.text.written_dates`, whose patterns take longer to
prepare than many a command takes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

CLOCK_SKEW = timedelta(minutes=15)
"""So far a clock may be ahead of ours; what is later than that is still to come."""

_ISO_MARKS = "--T::Z"
"""What stands in it at every third place, from the fifth on."""

_ISO_LENGTH = 20


def http_date(moment: datetime) -> str:
    """Return an aware moment as HTTP and RFC 1123 write it: ``Thu, 14 Apr 2022 03:32:04 GMT``."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def iso_utc(moment: datetime) -> str:
    """Return an aware moment as ``2022-04-14T03:32:04Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso_utc(text: str) -> datetime:
    """Read what :func:`iso_utc` wrote; raise ``ValueError`` for anything else."""
    if len(text) != _ISO_LENGTH or text[4::3] != _ISO_MARKS:
        raise ValueError(f"not a moment as this program writes it: {text!r}")
    # Ten times as fast as strptime, but takes other forms as well, which differ in the marks.
    return datetime.fromisoformat(text)


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, ``YYYY-MM-DD``."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_moment(text: str) -> bool:
    """Whether a text is what :func:`iso_utc` writes."""
    try:
        from_iso_utc(text)
    except ValueError:
        return False
    return True

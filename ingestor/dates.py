"""Dates as feeds and Chinese pages write them, and as this program does. Pure.

feedparser reads several of these forms wrongly (a time without zone as UTC, ``CST`` as US
Central, ``2016/6/29`` as a day of this month), so ours are tried first and its are last.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime, parsedate_to_datetime
from zoneinfo import ZoneInfo

from feedparser.datetimes import _parse_date as read_by_feedparser

SHANGHAI = ZoneInfo("Asia/Shanghai")

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Nothing on the web is older: an earlier date is a default value or a misreading."""

_CLOCK = r"(?:[T\s]*(\d{1,2})[:：时点](\d{1,2})(?:[:：分](\d{1,2})(?:[.,]\d+)?)?\s*[分秒]?)?"
_ZONE = r"\s*(Z|UTC|GMT|CST|[+-]\d{2}:?\d{2})?"
_NUMERIC = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?" + _CLOCK + _ZONE, re.IGNORECASE)
_NO_YEAR = re.compile(r"(\d{1,2})月(\d{1,2})日" + _CLOCK)
_UNIX = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d+)?")
_CHINA = re.compile(r"\bCST\b\s*$")
_ENGLISH = re.compile(r"(?i)\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)")
_MOST_CHARACTERS = 100
"""Longer texts are no dates, and need not be searched for one."""


def http_date(moment: datetime) -> str:
    """Return an aware moment as HTTP and RFC 1123 write it: ``Thu, 14 Apr 2022 03:32:04 GMT``."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def iso_utc(moment: datetime) -> str:
    """Return an aware moment as ``2022-04-14T03:32:04Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso_utc(text: str) -> datetime:
    """Read what :func:`iso_utc` wrote; raise ``ValueError`` for anything else."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def parse_date(
    text: str, *, zone: tzinfo = SHANGHAI, not_after: datetime | None = None
) -> datetime | None:
    """Return the moment that ``text`` names, in UTC, to the second.

    A time without a zone is one of ``zone``; ``CST`` is China's. ``None`` (no date, which
    is an ordinary answer) comes back for text that names none, for a moment before 1990,
    and for one more than a day after ``not_after``. A date without a year
    (``05月30日 12:00``) is read only with ``not_after``, as the last such day before it.
    """
    line = " ".join(text.split())[:_MOST_CHARACTERS]
    try:
        moment = _read(line, zone, not_after)
        if moment is None:
            return None
        moment = moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
    if moment < EARLIEST or (not_after and moment > not_after + timedelta(days=1)):
        return None
    return moment


def _read(line: str, zone: tzinfo, not_after: datetime | None) -> datetime | None:
    if found := _UNIX.fullmatch(line):
        return datetime.fromtimestamp(int(found[1]), UTC)
    if found := _NUMERIC.match(line):
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        named = _zone(found[7] or "", zone)
        return datetime(year, month, day, hour, minute, second, tzinfo=named)
    if found := _NO_YEAR.match(line):
        return _without_year([int(part or 0) for part in found.groups()], zone, not_after)
    if _ENGLISH.search(line) and (moment := _mail_date(line, zone)):
        return moment
    last = read_by_feedparser(line) if line else None
    if not last:
        return None
    year, month, day, hour, minute, second = last[:6]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _zone(name: str, zone: tzinfo) -> tzinfo:
    if not name:
        return zone
    if name.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    if name.upper() == "CST":
        return SHANGHAI
    return datetime.strptime(name.replace(":", ""), "%z").tzinfo or zone


def _without_year(parts: list[int], zone: tzinfo, not_after: datetime | None) -> datetime | None:
    if not_after is None:
        return None
    month, day, hour, minute, second = parts
    for year in (not_after.year + 1, not_after.year, not_after.year - 1):
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        if moment <= not_after:
            return moment
    return None


def _mail_date(line: str, zone: tzinfo) -> datetime | None:
    """Read an RFC 2822 date; without a zone, or with CST, it is one of ``zone``."""
    try:
        moment = parsedate_to_datetime(_CHINA.sub("+0800", line))
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None and "-0000" not in line:
        return moment.replace(tzinfo=zone)
    return moment.replace(tzinfo=moment.tzinfo or UTC)

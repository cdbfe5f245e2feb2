"""Dates as feeds and Chinese pages write them, and as this program does. Pure.

feedparser reads several of these wrongly: a time without zone as UTC, ``CST`` as US Central,
``2016/6/29`` and ``05月30日`` as days of the month in which it runs. So ours are tried first,
and its own only for languages that ours do not know.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from feedparser.datetimes.greek import _parse_date_greek
from feedparser.datetimes.hungarian import _parse_date_hungarian
from feedparser.datetimes.korean import _parse_date_nate, _parse_date_onblog

_CLOCK = re.compile(
    r"(?P<noon>[上下]午|凌晨|晚上)?\s*(?P<hour>\d{1,2})\s?[:：时点]\s?(?P<minute>\d{1,2})"
    r"(?:\s?[:：分]\s?(?P<second>\d{1,2})(?:[.,]\d{1,9})?)?\s?[分秒]?\s?(?P<half>[ap]\.?m\b\.?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d)(\d\d)(\d\d)?(?:[.,]\d{1,9})?)?(?!\d)")
_DAY = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})(?:\s?[-/.月]\s?(\d{1,2})\s?日?)?(?!\d)")
_DAY_OF_YEAR = re.compile(r"(\d{4})-?(\d{3})(?!\d)")
_DAY_WITHOUT_YEAR = re.compile(r"(\d{1,2})\s?月\s?(\d{1,2})\s?日")
_YEAR = re.compile(r"\d{4}")
_UNIX = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d{1,9})?")
_OFFSET = re.compile(r"(?:GMT|UTC?|Z)?\s?([+-])(\d{1,2})(?::?(\d\d))?(?!\d)", re.IGNORECASE)
_ZONE_NAME = re.compile(r"(?:Etc/)?([A-Z]{1,5})\b", re.IGNORECASE)
_REMARK = re.compile(r"\([^()]{0,60}\)")
_WEEKDAY = re.compile(
    r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s|(?:星期|周|礼拜)[一二三四五六日天]\s?",
    re.IGNORECASE,
)
_ENGLISH = (
    re.compile(
        r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s-]*(?P<month>[a-z]{3,9})\.?[\s,-]*"
        r"(?P<year>\d{4}|\d\d)?(?![\d:])",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<month>[a-z]{3,9})\.?[\s-]*(?P<day>\d{1,2})(?:st|nd|rd|th)?(?![\d:])[\s,-]*"
        r"(?P<year>\d{4}|\d\d)?(?![\d:])",
        re.IGNORECASE,
    ),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_ZONES = {
    **dict.fromkeys(("UT", "UTC", "GMT", "Z", "WET"), 0),
    **dict.fromkeys(("AST", "EDT", "AT"), -4),
    **dict.fromkeys(("EST", "CDT", "ET"), -5),
    **dict.fromkeys(("CST", "MDT", "CT"), -6),
    **dict.fromkeys(("MST", "PDT", "MT"), -7),
    **dict.fromkeys(("PST", "AKDT", "PT"), -8),
    **dict.fromkeys(("ADT",), -3),
    **dict.fromkeys(("AKST",), -9),
    **dict.fromkeys(("HST",), -10),
    **dict.fromkeys(("BST", "CET", "MET"), 1),
    **dict.fromkeys(("CEST", "MEST", "EET"), 2),
    **dict.fromkeys(("EEST", "MSK"), 3),
    **dict.fromkeys(("HKT", "SGT"), 8),
    **dict.fromkeys(("JST", "KST"), 9),
    "IST": 5.5,
    "AEST": 10,
    "AEDT": 11,
}
"""Hours east of Greenwich: RFC 822's names, and those in use (the IANA database's)."""

_CHINA = timedelta(hours=8)
_ANY_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - tzinfo.utcoffset wants it without a zone
_NEAR_NOON = {"下午": 12, "晚上": 12, "pm": 12, "p.m": 12}


def read_date(line: str, zone: tzinfo, not_after: datetime | None) -> datetime | None:
    """Return the aware moment that one line of text names, or ``None`` where it names none.

    A time without a zone is one of ``zone``. Raises ``ValueError`` or ``OverflowError`` for
    a day or an hour that there is not.
    """
    if stamp := _UNIX.fullmatch(line):
        return datetime.fromtimestamp(int(stamp[1]), UTC)
    rest = _WEEKDAY.sub("", _REMARK.sub(" ", line), count=1).strip()
    for form in (_numeric, _compact, _english, _day_of_year):
        if moment := form(rest, zone):
            return moment
    if day := _DAY_WITHOUT_YEAR.match(rest):
        return _without_year(day, rest, zone, not_after)
    return _foreign(line)


def _numeric(line: str, zone: tzinfo) -> datetime | None:
    date = _DAY.match(line)
    if not date:
        return None
    year, month, day = int(date[1]), int(date[2]), int(date[3] or 1)
    return _at(year, month, day, line[date.end() :], zone=zone)


def _compact(line: str, zone: tzinfo) -> datetime | None:
    digits = _COMPACT.match(line)
    if not digits:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in digits.groups())
    named = _zone(line[digits.end() :], zone)
    return datetime(year, month, day, hour, minute, second, tzinfo=named)


def _english(line: str, zone: tzinfo) -> datetime | None:
    for form in _ENGLISH:
        date = form.search(line)
        name = date["month"][:3].lower() if date else ""
        if not date or name not in _MONTHS:
            continue
        rest = f"{line[: date.start()]} {line[date.end() :]}"
        year = date["year"]
        if not year:
            # C's asctime puts the year at the end, behind the time and perhaps a zone.
            last = _YEAR.search(rest)
            if not last:
                return None
            year, rest = last[0], f"{rest[: last.start()]} {rest[last.end() :]}"
        whole = int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= 90 else 2000)
        return _at(whole, _MONTHS.index(name) + 1, int(date["day"]), rest, zone=zone)
    return None


def _day_of_year(line: str, zone: tzinfo) -> datetime | None:
    if date := _DAY_OF_YEAR.match(line):
        return datetime(int(date[1]), 1, 1, tzinfo=zone) + timedelta(days=int(date[2]) - 1)
    whole = re.fullmatch(r"(\d{4})年?", line)
    return datetime(int(whole[1]), 1, 1, tzinfo=zone) if whole else None


def _without_year(
    date: re.Match[str], line: str, zone: tzinfo, not_after: datetime | None
) -> datetime | None:
    if not_after is None:
        return None
    for year in (not_after.year + 1, not_after.year, not_after.year - 1):
        moment = _at(year, int(date[1]), int(date[2]), line[date.end() :], zone=zone)
        if moment <= not_after:
            return moment
    return None


def _foreign(line: str) -> datetime | None:
    for form in (_parse_date_onblog, _parse_date_nate, _parse_date_greek, _parse_date_hungarian):
        if read := form(line):
            year, month, day, hour, minute, second = read[:6]
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return None


def _at(year: int, month: int, day: int, rest: str, *, zone: tzinfo) -> datetime:
    """Return the moment on a day that ``rest``, the text around the day, names."""
    midnight = datetime(year, month, day, tzinfo=zone)
    clock = _CLOCK.search(rest)
    if not clock:
        return midnight.replace(tzinfo=_zone(rest, zone))
    hour, minute, second = (int(clock[name] or 0) for name in ("hour", "minute", "second"))
    half = (clock["noon"] or clock["half"] or "").lower().rstrip(".")
    if half and hour <= 12:
        hour = hour % 12 + _NEAR_NOON.get(half, 0)
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError(f"no such time: {rest}")
    elapsed = timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
    return midnight.replace(tzinfo=_zone(rest[clock.end() :], zone)) + elapsed


def _zone(text: str, zone: tzinfo) -> tzinfo:
    """Return the zone that the text behind a time begins with, ``zone`` where it names none."""
    text = text.strip()
    if offset := _OFFSET.match(text):
        east = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(-east if offset[1] == "-" else east)
    stated = _ZONE_NAME.match(text)
    name = stated[1].upper() if stated else ""
    if name == "CST" and zone.utcoffset(_ANY_MOMENT) == _CHINA:
        return zone
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else zone


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

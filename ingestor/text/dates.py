"""Dates as feeds and Chinese pages write them, and as this program does. Pure.

The written forms are tried one after the other. feedparser's own reading is not used: it takes a
time without zone for UTC, ``CST`` for US Central, and ``2016/6/29`` and ``05月30日`` for days of
the month in which it runs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import format_datetime
from zoneinfo import ZoneInfo

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

_KOREAN = re.compile(r"(\d{4})년 ?(\d{1,2})월 ?(\d{1,2})일")
_FOREIGN = (
    re.compile(r"\w+, (?P<day>\d{1,2}) (?P<month>\w+) (?P<year>\d{4})(?= \d)"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\w+)-(?P<day>\d{1,2})(?=T\d)"),
)
_FOREIGN_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "Ιαν január",
            "Φεβ februári",
            "Μάώ Μαώ március",
            "Απρ április",
            "Μάι Μαϊ Μαι május",
            "Ιούν Ιον június",
            "Ιούλ Ιολ július",
            "Αύγ Αυγ augusztus",
            "Σεπ szeptember",
            "Οκτ október",
            "Νοέ Νοε november",
            "Δεκ december",
        ),
        start=1,
    )
    for name in names.split()
}
"""As feeds in Greek and Hungarian write them, misspelled ones too (feedparser's tables)."""

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
_KOREA = timezone(timedelta(hours=9))
_ANY_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - tzinfo.utcoffset wants it without a zone
_NEAR_NOON = {"下午": 12, "晚上": 12, "pm": 12, "p.m": 12}


def read_date(line: str, zone: tzinfo, not_after: datetime | None) -> datetime | None:
    """Return the aware moment that one line of text names, or ``None`` where it names none.

    A time without a zone is one of ``zone``. Raises ``ValueError`` or ``OverflowError`` for
    a day or an hour that there is not.
    """
    if found := _UNIX.fullmatch(line):
        return datetime.fromtimestamp(int(found[1]), UTC)
    rest = _WEEKDAY.sub("", _REMARK.sub(" ", line), count=1).strip()
    for form in (_numeric, _compact, _english, _day_of_year):
        if moment := form(rest, zone):
            return moment
    if found := _DAY_WITHOUT_YEAR.match(rest):
        return _without_year(found, rest, zone, not_after)
    return _foreign(line, zone)


def _numeric(line: str, zone: tzinfo) -> datetime | None:
    found = _DAY.match(line)
    if not found:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
    return _at(year, month, day, line[found.end() :], zone=zone)


def _compact(line: str, zone: tzinfo) -> datetime | None:
    found = _COMPACT.match(line)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    named = _zone(line[found.end() :], zone)
    return datetime(year, month, day, hour, minute, second, tzinfo=named)


def _english(line: str, zone: tzinfo) -> datetime | None:
    for form in _ENGLISH:
        found = form.search(line)
        name = found["month"][:3].lower() if found else ""
        if not found or name not in _MONTHS:
            continue
        rest = f"{line[: found.start()]} {line[found.end() :]}"
        year = found["year"]
        if not year:
            # C's asctime puts the year at the end, behind the time and perhaps a zone.
            last = _YEAR.search(rest)
            if not last:
                return None
            year, rest = last[0], f"{rest[: last.start()]} {rest[last.end() :]}"
        whole = int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= 90 else 2000)
        return _at(whole, _MONTHS.index(name) + 1, int(found["day"]), rest, zone=zone)
    return None


def _day_of_year(line: str, zone: tzinfo) -> datetime | None:
    if found := _DAY_OF_YEAR.match(line):
        return datetime(int(found[1]), 1, 1, tzinfo=zone) + timedelta(days=int(found[2]) - 1)
    whole = re.fullmatch(r"(\d{4})年?", line)
    return datetime(int(whole[1]), 1, 1, tzinfo=zone) if whole else None


def _without_year(
    found: re.Match[str], line: str, zone: tzinfo, not_after: datetime | None
) -> datetime | None:
    if not_after is None:
        return None
    for year in (not_after.year + 1, not_after.year, not_after.year - 1):
        moment = _at(year, int(found[1]), int(found[2]), line[found.end() :], zone=zone)
        if moment <= not_after:
            return moment
    return None


def _foreign(line: str, zone: tzinfo) -> datetime | None:
    """Return the moment that a Korean, Greek or Hungarian feed names."""
    if found := _KOREAN.match(line):
        year, month, day = (int(part) for part in found.groups())
        return _at(year, month, day, line[found.end() :], zone=_KOREA)
    for form in _FOREIGN:
        found = form.match(line)
        if found and (month := _FOREIGN_MONTHS.get(found["month"], 0)):
            rest = line[found.end() :]
            return _at(int(found["year"]), month, int(found["day"]), rest, zone=zone)
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
    if found := _OFFSET.match(text):
        hours, minutes = int(found[2]), int(found[3] or 0)
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if found[1] == "-" else offset)
    found = _ZONE_NAME.match(text)
    name = found[1].upper() if found else ""
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
    except (ValueError, OverflowError):
        return None
    if moment < EARLIEST or (not_after and moment > not_after + timedelta(days=1)):
        return None
    return moment

"""Dates as feeds and Chinese pages write them. Pure.

The written forms are tried one after the other. feedparser's own reading is not used: it takes a
time without zone for UTC, ``CST`` for US Central, and ``2016/6/29`` and ``05月30日`` for days of
the month in which it runs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from urllib.parse import urlsplit

from ingestor.text.chinese_times import CLOCK, from_english, relative, simplified, time_of_day
from ingestor.text.dates import CLOCK_SKEW, SHANGHAI

_COMPACT = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d))?(?:[.,]\d{1,9})?)?(?![\d:])"
)
_DAY = re.compile(
    r"(?<!\d)(\d{4})\s?[-/.年]\s?(\d{1,2})(?:\s?[-/.月]\s?(\d{1,2})\s?[日号]?)?(?!\d)"
)
_DAY_OF_SHORT_YEAR = re.compile(
    r"(\d\d)(?:-(\d{1,2})-(\d{1,2})|年(\d{1,2})月(\d{1,2})[日号])(?![\d-])"
)
_CHINESE_MONTH = (
    re.compile(
        r"(?P<day>\d{1,2})[\s-](?P<month>\d{1,2})月[\s,-]\s?(?P<year>(?:19|20)\d\d)(?![\d:])"
    ),
    re.compile(r"(?P<month>\d{1,2})月\s?(?P<day>\d{1,2})日?,?\s(?P<year>(?:19|20)\d\d)(?![\d:])"),
)
"""As programs write it that know Chinese months and an English order: 05 三月 2024."""

_DAY_OF_YEAR = re.compile(r"(\d{4})-?(\d{3})(?!\d)")
_DAY_WITHOUT_YEAR = re.compile(
    r"(\d{1,2})(?:\s?月\s?(\d{1,2})\s?[日号]|-(\d{1,2})(?=\s++\d{1,2}:\d))"
)
_YEAR = re.compile(r"\d{4}")
_UNIX = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d{1,9})?")
_OFFSET = re.compile(r"(?:GMT|UTC?|Z)?\s?([+-])(\d{1,2})(?::?(\d\d))?(?!\d)", re.IGNORECASE)
_ZONE_NAME = re.compile(r"(?:Etc/)?([A-Z]{1,5})\b", re.IGNORECASE)
_REMARK = re.compile(r"\([^()]{0,60}\)")
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s", re.IGNORECASE)
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
    re.compile(r"(?<!\w)\w++, (?P<day>\d{1,2}) (?P<month>\w+) (?P<year>\d{4})(?= \d)"),
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

_KOREA = timezone(timedelta(hours=9))


def _read(line: str, not_after: datetime | None, polled_at: datetime | None) -> datetime | None:
    """Return the aware moment that one line of text names, or ``None`` where it names none.

    Raises ``ValueError`` or ``OverflowError`` for a day or an hour that there is not.
    """
    if stamp := _UNIX.fullmatch(line):
        return datetime.fromtimestamp(int(stamp[1]), UTC)
    chinese = line if line.isascii() else simplified(line)
    rest = _WEEKDAY.sub("", _REMARK.sub(" ", chinese), count=1).strip()
    for form in (_numeric, _compact, _chinese, _english, _day_of_year):
        if moment := form(rest):
            return moment
    if day := _DAY_WITHOUT_YEAR.match(rest):
        return _without_year(day, rest, not_after)
    if short := _DAY_OF_SHORT_YEAR.match(rest):
        return _short_year(short, rest, not_after)
    if polled_at and (moment := relative(from_english(rest), polled_at)):
        return moment if moment <= polled_at + CLOCK_SKEW else None
    return _foreign(line)


def _numeric(line: str) -> datetime | None:
    date = _DAY.search(line)
    before = line[: date.start()].strip() if date else ""
    if not date or not (before in {"", "上午", "下午"} or CLOCK.fullmatch(before)):
        return None
    year, month, day = int(date[1]), int(date[2]), int(date[3] or 1)
    return _at(year, month, day, f"{before} {line[date.end() :]}")


def _compact(line: str) -> datetime | None:
    digits = _COMPACT.match(line)
    if not digits:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in digits.groups())
    named = _zone(line[digits.end() :], SHANGHAI)
    return datetime(year, month, day, hour, minute, second, tzinfo=named)


def _chinese(line: str) -> datetime | None:
    for form in _CHINESE_MONTH:
        if date := form.search(line):
            rest = f"{line[: date.start()]} {line[date.end() :]}"
            year, month, day = int(date["year"]), int(date["month"]), int(date["day"])
            return _at(year, month, day, rest)
    return None


def _english(line: str) -> datetime | None:
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
        whole = int(year) if len(year) == 4 else _whole_year(year)
        return _at(whole, _MONTHS.index(name) + 1, int(date["day"]), rest)
    return None


def _day_of_year(line: str) -> datetime | None:
    if date := _DAY_OF_YEAR.match(line):
        return datetime(int(date[1]), 1, 1, tzinfo=SHANGHAI) + timedelta(days=int(date[2]) - 1)
    whole = re.fullmatch(r"(\d{4})年?", line)
    return datetime(int(whole[1]), 1, 1, tzinfo=SHANGHAI) if whole else None


def _without_year(date: re.Match[str], line: str, not_after: datetime | None) -> datetime | None:
    if not_after is None:
        return None
    for year in (not_after.year + 1, not_after.year, not_after.year - 1):
        day = int(date[2] or date[3])
        moment = _at(year, int(date[1]), day, line[date.end() :])
        if moment <= not_after + CLOCK_SKEW:
            return moment
    return None


def _short_year(date: re.Match[str], line: str, not_after: datetime | None) -> datetime | None:
    """Read 22-04-14, unless the order of Europe (14-04-22) gives a day that is not as long ago."""
    first, month, last = date[1], int(date[2] or date[4]), date[3] or date[5]
    moment = _at(_whole_year(first), month, int(last), line[date.end() :])
    if date[4] or not_after is None or first == last or not (0 < int(first) <= 31):
        return moment
    try:
        other = datetime(_whole_year(last), month, int(first), tzinfo=SHANGHAI)
    except ValueError:
        return moment
    return None if moment < other <= not_after else moment


def _whole_year(short: str) -> int:
    return int(short) + (1900 if int(short) >= 90 else 2000)


def _foreign(line: str) -> datetime | None:
    """Return the moment that a Korean, Greek or Hungarian feed names."""
    if found := _KOREAN.match(line):
        year, month, day = (int(part) for part in found.groups())
        return _at(year, month, day, line[found.end() :], zone=_KOREA)
    for form in _FOREIGN:
        found = form.match(line)
        if found and (month := _FOREIGN_MONTHS.get(found["month"], 0)):
            rest = line[found.end() :]
            return _at(int(found["year"]), month, int(found["day"]), rest)
    return None


def _at(year: int, month: int, day: int, rest: str, *, zone: tzinfo = SHANGHAI) -> datetime:
    """Return the moment on a day that ``rest``, the text around the day, names."""
    midnight = datetime(year, month, day, tzinfo=zone)
    clock = CLOCK.search(rest)
    if not clock:
        return midnight.replace(tzinfo=_zone(rest, zone))
    return midnight.replace(tzinfo=_zone(rest[clock.end() :], zone)) + time_of_day(clock)


def _zone(text: str, zone: tzinfo) -> tzinfo:
    """Return the zone that the text behind a time begins with, ``zone`` where it names none."""
    text = text.strip()
    if offset := _OFFSET.match(text):
        east = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(-east if offset[1] == "-" else east)
    stated = _ZONE_NAME.match(text)
    name = stated[1].upper() if stated else ""
    if name == "CST" and zone is SHANGHAI:
        return zone
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else zone


EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Nothing on the web is older: an earlier date is a default value or a misreading."""

MOST_CHARACTERS = 100
"""Longer texts are no dates, and need not be searched for one."""


_ADDRESS_DAY = re.compile(r"/((?:19|20)\d\d)[-/]?([01]\d)[-/]?([0-3]\d)/")


def address_day(url: str) -> datetime | None:
    """Return midnight in China of the day that an address names, or ``None``.

    ``…/2018-12-28/doc-….shtml``, ``…/20120312/0835….shtml``, ``…/2019/0508/c1-2.html``.
    """
    day = _ADDRESS_DAY.search(urlsplit(url).path)
    return parse_date("-".join(day.groups())) if day else None


def parse_date(
    text: str,
    *,
    not_after: datetime | None = None,
    polled_at: datetime | None = None,
) -> datetime | None:
    """Return the moment that ``text`` names, in UTC, to the second.

    A time without a zone is China's, and so is one in ``CST``. ``None`` (no date, which is an
    ordinary answer) comes back for text that names none, for a moment before 1990, and for one
    more than a day after ``not_after``. A date without a year (``05月30日 12:00``) is read only
    with ``not_after``, as the last such day before it, and one that counts from now
    (``昨天 14:30``, ``2 hours ago``) only with ``polled_at``, the moment of the poll.
    """
    line = " ".join(text[: MOST_CHARACTERS * 2].split())[:MOST_CHARACTERS]
    try:
        moment = _read(line, not_after, polled_at)
        if moment is None:
            return None
        moment = moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
    if moment < EARLIEST or (not_after and moment > not_after + timedelta(days=1)):
        return None
    return moment

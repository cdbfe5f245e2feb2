"""Times as Chinese feeds and pages tell them: 下午3点, 三月, 昨天 14:30, 3小时前. Pure.

English ones that count from now (2 hours ago, yesterday 14:30) are read as the Chinese they mean.

What a word leaves open is not read: 晚上12点 may be either end of the day, 上周 any of seven days,
正月初五 is no day of this calendar.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta

from ingestor.text.dates import SHANGHAI

_TRADITIONAL = str.maketrans("時點鐘剛號後間週禮兩個農臘閏", "时点钟刚号后间周礼两个农腊闰")
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")}
_DIGITS |= {"〇": 0, "○": 0, "两": 2}
_NUMERAL = re.compile(
    r"[〇○零一二三四五六七八九十两]{1,12}(?=\s?(?:年|月|日|号|点|时|分|秒|小时|个|天|刻))"
)
_WEEKDAY = re.compile(r"(?:星期|周|礼拜)[一二三四五六日天](?![月年])\s?,?\s?")
_LABEL = re.compile(
    r"^(?:(?:发布|发表|更新)(?:时间|日期|于)?|时间|日期)?\s?:?\s?(?:北京时间)?\s?:?\s?"
)
_VAGUE = re.compile(
    r"农历|[正腊闰]月|月\s?(?:[初底末]|[上中下]旬|廿)|年\s?(?:[初底末]|第?[一二三四1-4]季|[春夏秋冬])"
    r"|[日号]\s?[至到~]\s?\d"
)

_HALVES = {
    "凌晨": "night",
    **dict.fromkeys(("清晨", "早晨", "早上", "早", "上午", "午前"), "am"),
    **dict.fromkeys(("中午", "正午", "午间"), "noon"),
    **dict.fromkeys(("下午", "午后"), "pm"),
    "傍晚": "dusk",
    **dict.fromkeys(
        ("晚上", "晚间", "夜间", "深夜", "夜里", "半夜", "午夜", "夜", "晚"), "evening"
    ),
    **dict.fromkeys(("am", "a.m"), "AM"),
    **dict.fromkeys(("pm", "p.m"), "pm"),
}
_WORDS = "|".join(re.escape(word) for word in _HALVES)

CLOCK = re.compile(
    rf"(?:(?<![A-Za-z])(?P<before>{_WORDS})\.?\s*+)?(?<!\d)(?P<hour>\d{{1,2}})"
    r"(?:\s?[:时点]\s?(?P<minute>\d{1,2})(?!\s?刻)(?:\s?[:分]\s?(?P<second>\d{1,2})(?:[.,]\d{1,9})?)?\s?[分秒]?"
    r"|\s?[时点](?![间评击])\s?(?:钟|整|(?P<half>半)|(?P<quarters>[13])刻)?)"
    r"\s?(?P<after>[ap]\.?m\b\.?|[上下]午(?![^\s,+]))?",
    re.IGNORECASE,
)
"""A time of day in :func:`simplified` text; :func:`time_of_day` says which."""

_HOURS = {
    "night": {12: 0} | {hour: hour for hour in range(7)},
    "am": {hour: hour for hour in range(12)},
    "AM": {12: 0} | {hour: hour for hour in range(25) if hour != 12},
    "noon": {11: 11, 12: 12, 1: 13, 2: 14, 13: 13, 14: 14},
    "pm": {0: 12} | {hour: hour % 12 + 12 for hour in range(1, 24)},
    "dusk": {hour % 12: hour for hour in range(16, 21)} | {hour: hour for hour in range(16, 21)},
    "evening": {hour % 12: hour for hour in range(17, 24)} | {hour: hour for hour in range(17, 24)},
}
"""Which hour of the day an hour is, by half of the day. What is missing is no such time, or one of
two: an evening's twelve and small hours are the next day's to some, and 上午12:30 is half past
midnight to programs and half past noon to people."""

_AGO = re.compile(
    r"(?:(?P<days>\d{1,3})\s?[天日]\s?)?(?:(?P<hours>\d{1,3})\s?(?:个\s?)?(?:小时|钟头)\s?)?"
    r"(?:(?P<minutes>\d{1,4})\s?分钟?\s?)?(?:(?P<seconds>\d{1,5})\s?秒钟?\s?)?(?:之|以)?前"
    r"\s?(?:发布|发表|更新)?"
)
_HALF_AGO = re.compile(r"(?:(?P<hours>\d{1,3})\s?个)?半\s?个?(?:小时|钟头)(?:之|以)?前")
_JUST_NOW = re.compile(r"刚刚|刚才|刚")
_DAYS = {"今": 0, "昨": 1, "前": 2, "大前": 3}
_DAY = re.compile(r"(?P<day>大前|今|昨|前)(?:[天日]|(?=[早晚夜晨]))\s?")
_DAYS_AGO_AT = re.compile(r"(?P<days>\d{1,3})\s?天(?:之|以)?前\s?(?=\D{0,3}\d{1,2}\s?[:点时])")


def simplified(line: str) -> str:
    """Return a line with half-width signs, simplified characters and digits for numerals.

    Weekdays and a label before the date (发布时间：) go; ``""`` comes back for a date that only
    the moon's calendar or nobody knows.
    """
    line = unicodedata.normalize("NFKC", line).translate(_TRADITIONAL)
    line = _LABEL.sub("", _WEEKDAY.sub("", line).strip())
    return "" if _VAGUE.search(line) else _NUMERAL.sub(_number, line)


def time_of_day(clock: re.Match[str]) -> timedelta:
    """Return how far into the day a :data:`CLOCK` is; raise ``ValueError`` where nobody can say."""
    hour = int(clock["hour"])
    half = _HALVES.get((clock["before"] or clock["after"] or "").lower().rstrip("."))
    if half:
        hour = _HOURS[half].get(hour, 99)
    minute = int(clock["minute"] or 0) + 30 * bool(clock["half"]) + 15 * int(clock["quarters"] or 0)
    second = int(clock["second"] or 0)
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError(f"no such time: {clock[0]}")
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59))


def relative(line: str, moment: datetime) -> datetime | None:
    """Return the moment that a :func:`simplified` line tells from ``moment``, or ``None``.

    3小时前, 2天前 are so long before it; 昨天 14:30 is a time of a day in China, 昨天 that day.
    """
    if _JUST_NOW.fullmatch(line):
        return moment
    if half := _HALF_AGO.fullmatch(line):
        return moment - timedelta(hours=int(half["hours"] or 0), minutes=30)
    ago = _AGO.fullmatch(line)
    if ago and any(ago.groups()):
        elapsed = {unit: int(value or 0) for unit, value in ago.groupdict().items()}
        return moment - timedelta(**elapsed)
    if named := _DAY.match(line):
        return _on_day(line[named.end() :], moment, _DAYS[named["day"]])
    if counted := _DAYS_AGO_AT.match(line):
        return _on_day(line[counted.end() :], moment, int(counted["days"]))
    return None


_ENGLISH_NUMBERS = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_ENGLISH_NUMBER = re.compile(rf"\b(?:{'|'.join(_ENGLISH_NUMBERS)})\b")

_ENGLISH = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (r"^(?:(?:last )?(?:updated|posted|published|modified)(?: on| at)?:? )", ""),
        (r"^(?:just )?now$|^less than a minute ago$", "刚刚"),
        (r"^(?:(?:a )?moments?|an? (?:few )?seconds?) ago$", "刚刚"),
        (r"^(?:about|around|approximately|~) ?(?=.*ago$)", ""),
        (r"^the day before yesterday", "前天"),
        (r"^yesterday", "昨天"),
        (r"^today", "今天"),
        (r"(?<=天),? at ", " "),
        (r"(?<=天), ", " "),
        (r"^half an hour ago$", "半小时前"),
        (r"^(?:an?|one) (?:hour and a half|and a half hours?) ago$", "1个半小时前"),
        (r"^(?:an?|one) (?=(?:day|hour|hr|minute|min)\b)", "1 "),
        (r"(?<=\d) ?d(?:ays?)?\b", "天"),
        (r"(?<=\d) ?h(?:(?:ou)?rs?)?\b\.?", "小时"),
        (r"(?<=\d) ?m(?:in(?:ute)?s?)?\b\.?", "分钟"),
        (r"(?<=\d) ?s(?:ec(?:ond)?s?)?\b\.?", "秒"),
        (r"(?<=[天时钟]),?(?: and)? (?=\d)", ""),
        (r" ?ago(?:,? at (?=\d{1,2}:)|$|,? (?=\d{1,2}:))", "前 "),
    )
)
"""How English says what :func:`relative` reads, in this order. Months and years are not: 3 months
ago is no day."""


def from_english(line: str) -> str:
    """Return the Chinese of a time that English counts from now; another line as it is."""
    told = _ENGLISH_NUMBER.sub(_in_digits, line.lower().strip())
    for pattern, chinese in _ENGLISH:
        told = pattern.sub(chinese, told)
    return line if told.isascii() else told.strip()


def _in_digits(word: re.Match[str]) -> str:
    return str(_ENGLISH_NUMBERS.index(word[0]) + 2)


def _on_day(rest: str, moment: datetime, days: int) -> datetime | None:
    day = moment.astimezone(SHANGHAI) - timedelta(days=days)
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    if not rest:
        return midnight
    if rest.startswith("晨"):
        rest = f"早{rest[1:]}"
    clock = CLOCK.match(rest)
    if not clock or rest[clock.end() :].strip() not in {"", "发布", "发表", "更新"}:
        return None
    return midnight + time_of_day(clock)


def _number(numeral: re.Match[str]) -> str:
    """Return a Chinese numeral in digits: 二〇二四, 十二, 三十."""
    text = numeral[0]
    if "十" not in text:
        return "".join(str(_DIGITS[digit]) for digit in text)
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return text
    return str(10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0))

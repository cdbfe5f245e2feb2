"""What the pages say, in English and in Chinese, with dates and numbers as each writes them. Pure.

A message is its English text; ``messages/<language>.toml`` has the others', for a translator to
edit. `make messages` adds what is missing there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from ingestor.text.dates import SHANGHAI, is_day

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip

_ACCEPTED = re.compile(r"([a-zA-Z*]++)[-\w]*+[ ]*+(?:;[ ]*+q=([0-9.]{1,5}+))?+")
"""A language of an ``Accept-Language`` and its weight (RFC 9110, 12.5.4)."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the pages speak."""

    code: str
    tag: str
    """As HTML and HTTP name it (RFC 5646)."""
    name: str
    """In itself."""
    messages: Mapping[str, str]
    """What is said, by what English says."""

    def say(self, message: str, **values: object) -> str:
        """Return a message with its values; numbers are written as the language does."""
        written = {
            name: self.number(value) if isinstance(value, int) else value
            for name, value in values.items()
        }
        text = self.messages.get(message) or message
        return text.format_map(written) if values else text

    def many(self, single: str, several: str, count: int, **values: object) -> str:
        """Return what is said of ``{count}`` things; Chinese translates ``several`` alone."""
        translated = bool(self.messages.get(several))
        return self.say(single if count == 1 and not translated else several, count=count, **values)

    def number(self, number: int) -> str:
        """Return a number with its thousands apart."""
        return f"{number:,}"

    def day(self, day: str | date) -> str:
        """Return a day, ``11 March 2024`` or ``2024年3月11日``; a damaged one as it stands."""
        if isinstance(day, str):
            if not is_day(day):
                return day
            day = date.fromisoformat(day)
        if self.code == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"

    def month(self, day: date) -> str:
        """Return a month as a chart names it, ``Mar`` or ``3月``, January with its year."""
        if self.code == "zh":
            return f"{day.year}年" if day.month == 1 else f"{day.month}月"
        return str(day.year) if day.month == 1 else MONTHS[day.month - 1][:3]

    def moment(self, at: datetime | None) -> str:
        """Return a moment as readers in China saw it, ``11 March 2024, 09:02``; ``""`` for none."""
        if at is None:
            return ""
        there = at.astimezone(SHANGHAI)
        comma = " " if self.code == "zh" else ", "
        return f"{self.day(there.date())}{comma}{there:%H:%M}"


@cache
def spoken() -> dict[str, Language]:
    """Return the languages by their codes, English first."""
    chinese = files(__package__).joinpath("messages", "zh.toml").read_text("utf-8")
    return {
        "en": Language("en", "en", "English", {}),
        "zh": Language("zh", "zh-CN", "中文", tomllib.loads(chinese)),
    }


def chosen(asked: str, remembered: str, accepted: str) -> Language:
    """Return the language of an address, else of a cookie, else of an ``Accept-Language``.

    English, where none of them names one that is spoken.
    """
    weighted = sorted(
        (-float(weight) if _is_number(weight) else -1.0, at, code.lower())
        for at, (code, weight) in enumerate(_ACCEPTED.findall(accepted[:1000]))
    )
    wished = [code for weight, _, code in weighted if weight < 0]
    known = (spoken().get(code) for code in (asked, remembered, *wished))
    return next(filter(None, known), spoken()["en"])


def _is_number(text: str) -> bool:
    return bool(text) and text.replace(".", "", 1).isdecimal()

"""What the pages say, in English and in Chinese, with dates and numbers as each writes them. Pure.

A message is its English text; ``messages/<language>.po`` has the others', for a translator to
edit. `make messages` brings it up to what is said.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from ingestor.text.dates import SHANGHAI, from_iso_utc, is_day, is_moment

_VALUE = re.compile(r"%\((\w++)\)s")
"""The place of a value in a message."""

_ACCEPTED = re.compile(r"([a-zA-Z*]++)[-\w]*+[ ]*+(?:;[ ]*+q=([0-9.]{1,5}+))?+")
"""A language of an ``Accept-Language`` and its weight (RFC 9110, 12.5.4)."""


_SEPARATORS = {": ": "：", "; ": "；", ", ": "、"}
"""Between sentences that are put together, and the same in Chinese."""

_MOST_PARTS = 12
"""Of a text that are tried as sentences: what a stranger wrote may have any number."""

_DEEPEST = 4
"""Sentences within sentences."""

_MOST_KEPT = 4_096
"""Numbers and days whose writing is remembered: a page has hundreds, mostly the same."""


def N_(message: str) -> str:  # noqa: N802 - gettext's name for it
    """Mark a message that is said where the language is known."""
    return message


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message with values, to be known again where English has them in it."""

    pieces: tuple[str, ...]
    """What stands before, between and behind the values."""
    names: tuple[str, ...]
    translation: str

    def values(self, text: str) -> dict[str, str] | None:
        """Return the values that a text has; ``None``: it is another sentence.

        A ``count`` is a number; the others are any text.
        """
        first, *between, last = self.pieces
        at, end = len(first), len(text) - len(last)
        if at > end or not (text.startswith(first) and text.endswith(last)):
            return None
        values = []
        for piece in between:
            found = text.find(piece, at, end)
            if found < 0:
                return None
            values.append(text[at:found])
            at = found + len(piece)
        named = dict(zip(self.names, [*values, text[at:end]], strict=True))
        return named if named.get("count", "0").isdecimal() else None


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the pages speak."""

    code: str
    tag: str
    """As HTML and HTTP name it (RFC 5646)."""
    name: str
    """In itself."""
    locale: Locale
    translations: NullTranslations
    sentences: tuple[Sentence, ...] = ()
    """The messages with values, the one that says most by itself first; none of English."""

    def gettext(self, message: str, **values: object) -> str:
        """Return a message with its values; numbers are written as the language does."""
        # Of nothing, gettext says the catalogue's head.
        return self._filled(message and self.translations.gettext(message), values)

    def ngettext(self, single: str, several: str, count: int, **values: object) -> str:
        """Return what is said of ``%(count)s`` things."""
        message = self.translations.ngettext(single, several, count)
        return self._filled(message, {"count": count, **values})

    def _filled(self, message: str, values: Mapping[str, object]) -> str:
        written = {
            name: self.number(value) if isinstance(value, int) else value
            for name, value in values.items()
        }
        return message % written if values else message

    def retell(self, text: str) -> str:
        """Return what the archive says in English, such as why a feed fails, in this language.

        What of it is no message (an address, a library's words) stays as it is.
        """
        return self._retold(text, _DEEPEST) if self.sentences else text

    def _retold(self, text: str, deep: int) -> str:
        known = self._alone(text)
        if known is not None or not deep:
            return text if known is None else known
        address, colon, rest = text.partition(": ")
        if colon and address.startswith(("http://", "https://")):
            retold = self._retold(rest, deep)
            return text if retold == rest else f"{address}：{retold}"
        known = self._joined(text, "; ", all, deep) or self._filled_in(text, deep)
        for separator in (": ", "; ", ", "):
            known = known or self._joined(text, separator, any, deep)
        return known or text

    def _alone(self, text: str) -> str | None:
        """Return a text that is a message or a moment; ``None``: it is neither."""
        if is_moment(text):
            return self.moment(from_iso_utc(text))
        translated = self.gettext(text)
        return None if translated == text else translated

    def _filled_in(self, text: str, deep: int) -> str:
        """Return a text that is a message with values, and these retold; ``""``: it is none."""
        for sentence in self.sentences:
            values = sentence.values(text)
            if values is not None:
                retold = {name: self._retold(value, deep - 1) for name, value in values.items()}
                return sentence.translation % retold
        return ""

    def _joined(
        self, text: str, separator: str, needed: Callable[[Iterator[bool]], bool], deep: int
    ) -> str:
        """Return two texts that were put together, where as many as ``needed`` are messages."""
        parts = text.split(separator, _MOST_PARTS)
        for at in range(1, len(parts)):
            sides = separator.join(parts[:at]), separator.join(parts[at:])
            if needed(self._is_known(side) for side in sides):
                own = _SEPARATORS[separator]
                return own.join(self._retold(side, deep - 1) for side in sides)
        return ""

    def _is_known(self, text: str) -> bool:
        known = (sentence.values(text) is not None for sentence in self.sentences)
        return self._alone(text) is not None or any(known)

    def number(self, number: int) -> str:
        """Return a number with its thousands apart."""
        return _number(number, self.locale)

    def day(self, day: str | date) -> str:
        """Return a day, ``11 March 2024`` or ``2024年3月11日``; a damaged one as it stands."""
        if isinstance(day, str):
            if not is_day(day):
                return day
            day = date.fromisoformat(day)
        return _day(day, self.locale)

    def month(self, day: date) -> str:
        """Return a month as a chart names it, ``Mar`` or ``3月``, January with its year."""
        return format_skeleton("y" if day.month == 1 else "MMM", day, locale=self.locale)

    def moment(self, at: datetime | None) -> str:
        """Return a moment as readers in China saw it, ``11 March 2024, 09:02``; ``""`` for none."""
        if at is None:
            return ""
        there = at.astimezone(SHANGHAI)
        clock = format_time(there.time(), "short", locale=self.locale)
        pattern = str(get_datetime_format("long", locale=self.locale))
        return pattern.format(clock, self.day(there.date()))


@lru_cache(_MOST_KEPT)
def _number(number: int, locale: Locale) -> str:
    return format_decimal(number, locale=locale)


@lru_cache(_MOST_KEPT)
def _day(day: date, locale: Locale) -> str:
    return format_date(day, "long", locale)


@cache
def spoken() -> dict[str, Language]:
    """Return the languages by their codes, English first."""
    english = Language("en", "en", "English", Locale.parse("en_GB"), NullTranslations())
    with files(__package__).joinpath("messages", "zh.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    translations, sentences = GNUTranslations(compiled), tuple(_sentences(catalogue))
    chinese = Language("zh", "zh-CN", "中文", Locale.parse("zh_CN"), translations, sentences)
    return {language.code: language for language in (english, chinese)}


def _sentences(catalogue: Catalog) -> list[Sentence]:
    """Return the messages that have values, the one with the most letters of its own first."""
    found = []
    for message in catalogue:
        # Of a thing and several there are two in English, and as many as the language has.
        english, translations = _each(message.id), _each(message.string)
        for text in english:
            first, *more = _VALUE.split(text.replace("%%", "%"))
            if more and translations[-1]:
                found.append(Sentence((first, *more[1::2]), tuple(more[::2]), translations[-1]))
    return sorted(found, key=lambda sentence: -len("".join(sentence.pieces)))


def _each(text: str | Sequence[str] | None) -> Sequence[str]:
    return [text or ""] if isinstance(text, str | None) else text


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

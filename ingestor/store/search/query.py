"""What is searched for, and the terms of the full-text index that can answer it. Pure.

A query is words that must all occur, phrases, words that must not; it finds what a scan of the
normalized texts for its words would find. The index narrows that down to candidates: the pairs of
characters that a text with the word must have.

SQLite's own tokenizers find no Chinese word of one or two characters. Every run of alphanumerics
is therefore indexed as overlapping pairs (人民银行 as 人民 民银 银行), its last character alone (so
that a prefix query finds any single one), and each Latin word or number of three or more whole,
as people type it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ingestor.errors import UsageError
from ingestor.text.normalize import UNUSUAL, normalize

RUN = re.compile(r"[^\W_]+")
"""Alphanumerics in a row, Chinese characters among them: what is indexed."""

_WORD = re.compile(r"[a-z0-9]{3,}")

_NOT_PLAIN = re.compile("[^\u4e00-\u9fff]")


def is_plain(word: str) -> bool:
    """Return whether a normalized word has no character that only normalizing brings in."""
    return not _NOT_PLAIN.search(word)


def normalize_for_plain(text: str) -> str:
    """Return a text in which a plain word stands exactly where it stands in the normalized text."""
    return normalize(text) if UNUSUAL.search(text) else text


def tokens(text: str) -> str:
    """Return the index terms of ``text``, separated by spaces."""
    terms: list[str] = []
    for run in RUN.findall(normalize(text)):
        terms += [run[at : at + 2] for at in range(len(run))]
        terms += _WORD.findall(run)
    return " ".join(terms)


MOST_CHARACTERS = 1_000
"""A longer query is a text that was pasted by mistake."""

_MARK = re.compile(r'["“”„＂]')
_CLOSED = "\x00"
"""Stands for a quotation mark that has another one."""

_PART = re.compile(
    rf"(?P<minus>-?)(?:{_CLOSED}(?P<phrase>[^{_CLOSED}]*){_CLOSED}|(?P<word>[^\s{_CLOSED}]+))"
)


class Order(StrEnum):
    """In which order articles are found."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Query:
    """Words and phrases, normalized as texts are compared."""

    wanted: tuple[str, ...]
    """All of them occur, in the title or in the text."""
    unwanted: tuple[str, ...] = ()
    """None of them occurs in either."""

    @property
    def characters(self) -> str:
        """Return the characters that texts are looked through for."""
        return "".join((*self.wanted, *self.unwanted))

    def accepts(self, *texts: str) -> bool:
        """Return whether an article with these normalized texts is meant."""
        has_all = all(any(word in text for text in texts) for word in self.wanted)
        return has_all and not any(word in text for word in self.unwanted for text in texts)


def parse(text: str) -> Query:
    """Read a query as people type it: ``茅台 "5G 芯片" -广告``.

    Words between spaces must all occur; between quotation marks spaces count; a word behind a
    minus must not occur. A quotation mark without another is a character. Nothing else has a
    meaning of its own. Raises :class:`UsageError` for a query in which nothing is searched for.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"the query has more than {MOST_CHARACTERS} characters; search for less")
    text = text.replace(_CLOSED, " ")
    closed = len(_MARK.findall(text)) // 2 * 2
    wanted: list[str] = []
    unwanted: list[str] = []
    for part in _PART.finditer(_MARK.sub(_CLOSED, text, count=closed) if closed else text):
        word = normalize(part["phrase"] if part["word"] is None else part["word"])
        if word.strip():
            (unwanted if part["minus"] else wanted).append(word)
    if not wanted and unwanted:
        raise UsageError("the query only says what is not wanted; add a word to search for")
    if not wanted:
        raise UsageError("the query is empty; write a word, such as: ingest search 茅台")
    return Query(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted)))


def terms_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the index terms of texts that may have all these normalized words.

    Pairs; and single characters, with which a term begins. ``()`` when the index cannot help:
    there is no letter and no digit in them.
    """
    terms: dict[str, None] = {}
    for word in words:
        for run in RUN.findall(word):
            pairs = [run[at : at + 2] for at in range(len(run) - 1)] or [run]
            terms |= dict.fromkeys(filter(_is_indexed, pairs))
    return tuple(terms)


def match(words: tuple[str, ...]) -> str:
    """Return the FTS5 expression for texts that may have all these normalized words, if any."""
    return expression(terms_of(words))


def expression(terms: Sequence[str]) -> str:
    """Return the FTS5 expression for texts that have all these terms."""
    return " ".join(f'"{term}"' if len(term) > 1 else f'"{term}"*' for term in terms)


def _is_indexed(pair: str) -> bool:
    """Return whether SQLite's tokenizer surely keeps these characters.

    Its tables are those of Unicode 6.1, ours are newer; those of 3.2 are in both.
    """
    return all(unicodedata.ucd_3_2_0.category(character)[0] in "LN" for character in pair)

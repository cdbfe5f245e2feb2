"""Full text: what is asked, what an index holds, which articles answer, and in which order.

Here is what is searched for, and the terms of the index that can answer it; it is pure. A query is
words that must all occur, phrases, alternatives, words that must not; it finds what a scan of the
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
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

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
    either: tuple[tuple[str, ...], ...] = ()
    """Of each of these, one occurs at least."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return what is looked for, the alternatives included."""
        return tuple(dict.fromkeys((*self.wanted, *chain.from_iterable(self.either))))

    @property
    def characters(self) -> str:
        """Return the characters that texts are looked through for."""
        return "".join((*self.words, *self.unwanted))

    def accepts(self, *texts: str) -> bool:
        """Return whether an article with these normalized texts is meant."""

        def occurs(word: str) -> bool:
            """Return whether a word stands in one of the texts."""
            return any(word in text for text in texts)

        return (
            all(map(occurs, self.wanted))
            and all(any(map(occurs, group)) for group in self.either)
            and not any(map(occurs, self.unwanted))
        )


def parse(text: str) -> Query:
    """Read a query as people type it: ``茅台 OR 五粮液 "5G 芯片" -广告``.

    Words between spaces must all occur; between quotation marks spaces count; a word behind a
    minus must not occur; of words with ``OR`` between them one must, whatever stands beside
    them: it binds closer than a space. A quotation mark without another is a character. Nothing
    else has a meaning of its own. Raises :class:`UsageError` for a query in which nothing is
    searched for, or an ``OR`` without a word on either side.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"the query has more than {MOST_CHARACTERS} characters; search for less")
    groups, unwanted = _grouped(_parts(text))
    if not groups and unwanted:
        raise UsageError("the query only says what is not wanted; add a word to search for")
    if not groups:
        raise UsageError("the query is empty; write a word, such as: ingest search 茅台")
    distinct = [tuple(dict.fromkeys(group)) for group in groups]
    return Query(
        tuple(dict.fromkeys(group[0] for group in distinct if len(group) == 1)),
        tuple(dict.fromkeys(unwanted)),
        tuple(dict.fromkeys(group for group in distinct if len(group) > 1)),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A word or a phrase of a query, normalized; or the OR between two."""

    word: str
    is_wanted: bool


_OR = _Part("OR", is_wanted=False)
"""No word is spelt so: they are normalized."""

_LONELY = (
    "OR stands between two words, neither of them behind a minus: 茅台 OR 五粮液; "
    'the word itself is searched for as "OR"'
)


def _grouped(parts: Iterable[_Part]) -> tuple[list[list[str]], list[str]]:
    """Return the words that are wanted, those joined by OR together, and those that are not."""
    groups: list[list[str]] = []
    unwanted: list[str] = []
    # What an OR may join: the group before it; and whether one stands there.
    open_group: list[str] | None = None
    joins = False
    for part in parts:
        if part == _OR:
            if joins or open_group is None:
                raise UsageError(_LONELY)
            joins = True
        elif part.is_wanted:
            if not (joins and open_group):
                groups.append(open_group := [])
            open_group.append(part.word)
            joins = False
        elif joins:
            raise UsageError(_LONELY)
        else:
            unwanted.append(part.word)
            open_group = None
    if joins:
        raise UsageError(_LONELY)
    return groups, unwanted


def _parts(text: str) -> Iterator[_Part]:
    text = text.replace(_CLOSED, " ")
    closed = len(_MARK.findall(text)) // 2 * 2
    for part in _PART.finditer(_MARK.sub(_CLOSED, text, count=closed) if closed else text):
        if part["word"] == _OR.word and not part["minus"]:
            yield _OR
            continue
        word = normalize(part["phrase"] if part["word"] is None else part["word"])
        if word.strip():
            yield _Part(word, is_wanted=not part["minus"])


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


Clause = tuple[tuple[str, ...], ...]
"""What an index is asked for: alternatives, of one of which a text must have all terms."""


def plain(terms: Iterable[str]) -> tuple[Clause, ...]:
    """Return the clauses of terms that a text must all have."""
    return tuple(((term,),) for term in terms)


def clauses(query: Query, common: Collection[str] = ()) -> tuple[Clause, ...]:
    """Return what the texts that a query may mean must have, but for ``common`` terms.

    Alternatives of which the index knows nothing, or too much, are none.
    """
    asked = plain(term for term in terms_of(query.wanted) if term not in common)
    for group in query.either:
        clause = tuple(
            tuple(term for term in terms_of((word,)) if term not in common) for word in group
        )
        if all(clause):
            asked += (clause,)
    return asked


def match(words: tuple[str, ...]) -> str:
    """Return the FTS5 expression for texts that may have all these normalized words, if any."""
    return expression(plain(terms_of(words)))


def expression(asked: Sequence[Clause]) -> str:
    """Return the FTS5 expression for texts that meet all these clauses."""
    parts = [
        # Terms in a row bind closest.
        " OR ".join(" ".join(map(_phrase, terms)) for terms in clause)
        for clause in asked
    ]
    if all(len(clause) == 1 for clause in asked):
        return " ".join(parts)
    return " AND ".join(f"({part})" for part in parts)


def _phrase(term: str) -> str:
    return f'"{term}"' if len(term) > 1 else f'"{term}"*'


def _is_indexed(pair: str) -> bool:
    """Return whether SQLite's tokenizer surely keeps these characters.

    Its tables are those of Unicode 6.1, ours are newer; those of 3.2 are in both.
    """
    return all(unicodedata.ucd_3_2_0.category(character)[0] in "LN" for character in pair)

"""What the full-text index holds of a text. Pure.

SQLite's own tokenizers find no Chinese word of one or two characters. Every run of
letters, digits and characters is therefore indexed as overlapping pairs (人民银行 as
人民 民银 银行), its last character alone (so that a prefix query finds any single one),
and each Latin word or number of three or more whole, as people type it.
"""

from __future__ import annotations

import re
import unicodedata

RUN = re.compile(r"[^\W_]+")
"""Letters, digits and characters in a row: what is indexed."""

_WORD = re.compile(r"[a-z0-9]{3,}")

_WIDE = re.compile("[\u2026\u3000\uff01-\uff5e]")
_NARROW = {one: unicodedata.normalize("NFKC", one) for one in "\u2026\u3000"} | {
    chr(one): chr(one - 0xFEE0) for one in range(0xFF01, 0xFF5F)
}
_UNUSUAL = re.compile(
    "[^\x00-\x7f\xb7\u2014\u2018\u2019\u201c\u201d\u2026\u3000-\u3002\u3008-\u3011"
    "\u4e00-\u9fff\uff01-\uff5e]"
)
"""What Chinese news is not made of. All other characters stand for themselves, or for one of
:data:`_NARROW`, and never merge with their neighbours."""

_NOT_PLAIN = re.compile("[^\u4e00-\u9fff]")


def fold(text: str) -> str:
    """Return ``text`` as it is compared: Unicode's NFKC (full width as half width), case folded."""
    if _UNUSUAL.search(text):
        return unicodedata.normalize("NFKC", text).casefold()
    # The same, four times as fast: a search folds every text that it may find.
    return _WIDE.sub(lambda found: _NARROW[found[0]], text).casefold()


def is_plain(word: str) -> bool:
    """Return whether a folded word has no character that only folding brings into a text."""
    return not _NOT_PLAIN.search(word)


def fold_for_plain(text: str) -> str:
    """Return a text in which a plain word stands exactly where it stands in the folded text."""
    return fold(text) if _UNUSUAL.search(text) else text


def tokens(text: str) -> str:
    """Return the index terms of ``text``, separated by spaces."""
    found: list[str] = []
    for run in RUN.findall(fold(text)):
        found += [run[at : at + 2] for at in range(len(run))]
        found += _WORD.findall(run)
    return " ".join(found)

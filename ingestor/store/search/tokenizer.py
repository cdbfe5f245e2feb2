"""What the full-text index holds of a text. Pure.

SQLite's own tokenizers find no Chinese word of one or two characters. Every run of
alphanumerics is therefore indexed as overlapping pairs (人民银行 as
人民 民银 银行), its last character alone (so that a prefix query finds any single one),
and each Latin word or number of three or more whole, as people type it.
"""

from __future__ import annotations

import re

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

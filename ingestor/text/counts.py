"""Numbers of things in words: ``1 entry``, ``2 entries``. Pure."""

from __future__ import annotations

import re


def counted(number: int, noun: str, many: str = "") -> str:
    """Return how many there are of what ``noun`` names in the singular.

    ``many`` is its plural, where English does not make it in the usual way, or where more than
    the last word changes: ``counted(1, "article has", "articles have")``.
    """
    return f"{number} {noun if number == 1 else many or plural(noun)}"


def plural(noun: str) -> str:
    """Return the plural of a noun, the last word of which is put in it."""
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(?:s|x|ch|sh)$", noun) else f"{noun}s"

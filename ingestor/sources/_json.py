"""JSON as servers write it: words around it, a comma too many, an end in the middle. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ingestor.sources._text import MOST_ENTRIES

MOST_BROKEN_ITEMS = 100
"""Each may cost a look at all that follows it."""

_OPENING = re.compile(r"""[{\[](?=\s*(?:["{\[}\]\d-]|\Z))""")
"""How an object or a list begins; the block of a script (``try{f(``) does not."""

_LIST = re.compile(r'"(?:items|data|list)"\s*:\s*\[')
_STRING = r'"(?:[^"\\]|\\.)*+"'
_BRACKET = re.compile(rf"{_STRING}|([{{}}\[\]])", re.DOTALL)
_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)
_NEXT_ITEM = re.compile(r"\}\s*,\s*(?=\{)")
_LIST_END = re.compile(r"\s*+,?\s*+\]")
_DECODER = json.JSONDecoder(strict=False)
_BROKEN = (ValueError, RecursionError)


def lenient_json(text: str) -> tuple[Any, str]:
    """Return the first JSON value in a text, and where it is cut off (``""``: it is not).

    What stands before and behind it (a callback's name, a script) is none of it. Of one that is
    broken in its list of items (``items``, ``data`` or ``list``) the whole ones are there. Raises
    ``ValueError`` where there is no value, and no such list with a whole item.
    """
    opening = _OPENING.search(text)
    if not opening:
        raise ValueError("no JSON")
    text = text[opening.start() :]
    try:
        return _DECODER.raw_decode(text)[0], ""
    except _BROKEN:
        return _mended(_COMMA.sub(lambda part: part[1] or "", text))


def _mended(text: str) -> tuple[Any, str]:
    """Return a value that was broken, as :func:`lenient_json` does."""
    try:
        return _DECODER.raw_decode(text)[0], ""
    except _BROKEN as error:
        opened = _LIST.search(text)
        items = list(_items(text, opened.end())) if opened else []
        whole = [item for item, _ in items if item]
        if not opened or not whole:
            raise ValueError("no whole item in broken or cut off JSON") from error
    head = text[: opened.end()]
    fault = "" if items[-1][1] else f"the feed is cut off after item {len(whole)}"
    return _DECODER.raw_decode(f"{head}{','.join(whole)}{_closing(head)}")[0], fault


def _items(text: str, place: int) -> Iterator[tuple[str, bool]]:
    """Yield each item of a list as text (``""``: broken), and whether the list ends behind it."""
    broken = 0
    for _ in range(MOST_ENTRIES + 1):
        begins = text.find("{", place)
        if begins < 0 or broken > MOST_BROKEN_ITEMS:
            return
        try:
            _, place = _DECODER.raw_decode(text, begins)
            item = text[begins:place]
        except _BROKEN:
            following = _NEXT_ITEM.search(text, begins)
            if not following:
                return
            item, place, broken = "", following.end(), broken + 1
        ended = bool(_LIST_END.match(text, place))
        yield item, ended
        if ended:
            return


def _closing(head: str) -> str:
    """Return the brackets that close all that the beginning of a document opens."""
    inside: list[str] = []
    for bracket in _BRACKET.findall(head):
        if bracket in {"{", "["}:
            inside.append("}" if bracket == "{" else "]")
        elif bracket and inside:
            inside.pop()
    return "".join(reversed(inside))

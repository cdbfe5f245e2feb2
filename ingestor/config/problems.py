"""What is wrong with the values of a configuration, in the words of its user."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ingestor.config.toml_text import Location
from ingestor.text.sanitize import shortened

Mistake: TypeAlias = tuple[Location, str]
"""Where something is wrong, and what."""

MOST_VALUE_CHARACTERS = 60
"""Of a wrong value that is repeated: enough to find it by."""

_LISTS = {
    "recheck": 'a list of durations, such as ["1h", "6h"]',
    "feeds": "[[feeds]] sections, each with two brackets",
}
_WANTED: Mapping[str, str] = {
    "string_type": 'a text in quotes ("…")',
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "path_type": "a path in quotes",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "string_too_long": "a text of at most {max_length} characters",
}
"""What must be there, by pydantic's name of the error, with its context."""


def explained(
    error: ValidationError, model: type[BaseModel], names: Callable[[Location], str] | None = None
) -> Iterator[Mistake]:
    """Yield where each mistake is, and what it is, its key first.

    ``model`` is what was read. ``names`` says how a person calls the place of a feed.
    """
    for problem in error.errors():
        location = problem["loc"]
        is_feed = location[:1] == ("feeds",) and len(location) > 1
        feed = f"{names(location[:2])}: " if names and is_feed else ""
        key = _path(location[2:] if is_feed else location)
        message = wrong_value(problem)
        if problem["type"] == "extra_forbidden":
            yield location, f'{feed}unknown key "{key}"{_nearest(model, location)}'
            continue
        if not key and (inner := message.partition(":")[0]).isidentifier():
            # Of a whole feed, the message itself begins with the key.
            location = (*location, inner)
        yield location, f"{feed}{f'{key}: ' if key else ''}{message}"


def _path(location: Location) -> str:
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def wrong_value(problem: ErrorDetails) -> str:
    """Return what is wrong with one value, in the words of who wrote it."""
    kind, key = problem["type"], problem["loc"][-1:]
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return problem["msg"].removeprefix("Value error, ")
    given = shortened(
        json.dumps(problem["input"], ensure_ascii=False, default=str), MOST_VALUE_CHARACTERS
    )
    if kind == "string_too_short":
        return "must not be empty"
    if kind in {"tuple_type", "list_type"}:
        wanted = _LISTS.get(str(*key), 'a list of texts, such as ["a", "b"]')
    elif kind in {"model_type", "model_attributes_type", "dict_type"}:
        wanted = f"a section of its own, [{_path(problem['loc'])}]"
    elif kind == "literal_error":
        wanted = problem["ctx"]["expected"].replace("'", '"')
    elif kind in _WANTED:
        wanted = _WANTED[kind].format(**problem.get("ctx", {}))
    else:
        wanted = problem["msg"].removeprefix("Input should be ")
    return f"must be {wanted}, not {given}"


def _nearest(model: type[BaseModel], location: Location) -> str:
    known = list(_known_keys(model, location[:-1]))
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known here: {', '.join(known)}"


def _known_keys(model: type[BaseModel], location: Location) -> Mapping[str, Any]:
    section: Any = model
    for part in location:
        if isinstance(part, str):
            annotation = section.model_fields[part].annotation
            section = next(iter(get_args(annotation)), annotation)
    fields: Mapping[str, Any] = section.model_fields
    return fields

"""The text of a configuration: on which line a key stands, and what is wrong with its TOML.

:mod:`tomllib` says neither where a value came from nor more than one mistake, and the usual one,
a Chinese quote or comma, it calls an invalid value.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from ingestor.text.sanitize import shortened

Location: TypeAlias = tuple[int | str, ...]
"""Where a value stands: the keys that lead to it, and for one of several its number from 0."""

MOST_REPAIRS = 100
"""Of lines with mistakes in one file; whoever has more saved something else."""

_CHINESE = str.maketrans(
    {
        **dict.fromkeys("“”„‟〝〞＂「」『』", '"'),
        **dict.fromkeys("‘’‚‛＇", "'"),
        **dict.fromkeys("，、", ","),
        **dict.fromkeys("＝：", "="),
        "［": "[",
        "］": "]",
        "【": "[",
        "】": "]",
        "｛": "{",
        "｝": "}",
        "＃": "#",
        "．": ".",
        "\u3000": " ",
    }
)
"""What an input method for Chinese writes in place of TOML's own signs."""

_PIECE = re.compile(r"""("(?:[^"\\]|\\.)*+"|'[^']*+'|\#.*+)|([^"'#]++|.)""", re.DOTALL)
"""A text in quotes or a comment; or something else, such as a quote that is not closed."""

_POSITION = re.compile(r" \(at (?:line (\d++), column \d++|end of document)\)$")
_KEY_AND_VALUE = re.compile(r"\s*+([^\s=:\[#\"']++|\"[^\"]*+\"|'[^']*+')\s*+[=:]")
_HEADER = re.compile(r"\s*+(\[\[?)\s*+([\w.-]++)[\s\]]*+(?:\#.*+)?")

_TWICE = "this is there already, further up"
_IN_WORDS = {
    "Invalid value": (
        'a value is missing, or is none: texts stand in quotes ("…"), and it is true or false'
    ),
    "Unclosed array": 'a list is not closed: "]" is missing',
    "Unclosed inline table": 'a table is not closed: "}" is missing',
    "Expected '=' after a key": 'a line is `key = value`: "=" is missing',
    "Expected ']": 'the name of a section is not closed: "]" is missing',
    "Cannot": _TWICE,
    "Expected newline or end of document": "there is more behind the value than belongs there",
    "Unescaped '\\'": r'a backslash in a text is written "\\", or the text in single quotes',
    "Illegal character '\\n'": "a text does not end on its line: its closing quote is missing",
    "Unterminated string": "a text does not end: its closing quote is missing",
    'Expected "\'"': "a text does not end: its closing quote is missing",
    "Invalid statement": "a line is `[section]`, or `key = value`",
}
"""What tomllib says, by its beginning, and what is said."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a configuration."""

    line: int
    """Counted from 1; 0 where no line has it."""
    text: str


@dataclass(frozen=True, slots=True)
class TomlText:
    """What was read of a text."""

    values: dict[str, Any]
    """As tomllib gives them; of lines that are no TOML as far as they can be guessed."""
    lines: tuple[str, ...]
    """Those that were read."""
    problems: list[Problem] = field(default_factory=list)
    """What is no TOML."""

    def line(self, location: Location) -> int:
        """Return where a value stands, else what it stands in; 0 where nothing of it does."""
        places = _locations(self.lines)
        while location and location not in places:
            location = location[:-1]
        return places.get(location, 0)


def read_toml(text: str) -> TomlText:
    """Read a text with all that is wrong with it.

    A line that is no TOML is put right as far as it can be, so that the others are read. Where
    one cannot, there are no values, and only the problems down to it.
    """
    problems: list[Problem] = []
    lines = text.replace("\r\n", "\n").split("\n")
    for _ in range(MOST_REPAIRS):
        try:
            values = tomllib.loads("\n".join(lines) + "\n")
        except tomllib.TOMLDecodeError as error:
            blamed = _blamed(lines, str(error))
            line = lines[blamed.start]
            why = _why(line, str(error))
            if blamed.start + 1 not in {problem.line for problem in problems}:
                shown = f"not valid TOML: {why}; the line: {shortened(line.strip(), 120)}"
                problems.append(Problem(blamed.start + 1, shown))
            repaired = _repaired(line, why)
            if repaired in {None, line}:
                break
            lines[blamed] = [str(repaired), *[""] * (blamed.stop - blamed.start - 1)]
        else:
            return TomlText(values, tuple(lines), problems)
    return TomlText({}, (), problems)


def _blamed(lines: list[str], said: str) -> slice:
    """Return the lines, from 0, that a mistake makes useless; the first of them has it."""
    position = _POSITION.search(said)
    last = int(position[1]) - 1 if position and position[1] else len(lines)
    if said.startswith("Cannot"):
        return slice(last, last + 1)
    begin = next(begin for begin, _, values in _statements(lines) if values is None)
    if last >= len(lines):
        return slice(begin, len(lines))
    if begin == last or foreign_signs(lines[last]):
        return slice(last, last + 1)
    # What is not closed is only noticed where the next statement begins.
    is_next = _KEY_AND_VALUE.match(lines[last]) or _HEADER.fullmatch(lines[last])
    return slice(begin, last) if is_next else slice(last, last + 1)


def _why(line: str, said: str) -> str:
    if signs := foreign_signs(line):
        own = " ".join(dict.fromkeys(sign.translate(_CHINESE) for sign in signs))
        return f"{' '.join(signs)} {'is' if len(signs) == 1 else 'are'} Chinese; write {own}"
    if said.startswith("Unclosed array") and "[" not in line:
        said = "Invalid value"
    words = (words for begin, words in _IN_WORDS.items() if said.startswith(begin))
    return next(words, _POSITION.sub("", said))


def foreign_signs(line: str) -> list[str]:
    """Return the Chinese punctuation that stands in a line where TOML has its own, each once."""
    outside = "".join(piece[2] or "" for piece in _PIECE.finditer(line))
    return [sign for sign in dict.fromkeys(outside) if ord(sign) in _CHINESE and sign != "\u3000"]


def _repaired(line: str, why: str) -> str | None:
    """Return a line as it may have been meant; ``None`` where that cannot be guessed."""
    if foreign_signs(line):
        return "".join(piece[1] or piece[2].translate(_CHINESE) for piece in _PIECE.finditer(line))
    header = _HEADER.fullmatch(line)
    if why == _TWICE:
        # What follows a section's second header belongs to it, and to nothing else.
        return None if header else ""
    if header:
        return f"{header[1]}{header[2]}{']' * len(header[1])}"
    key = _KEY_AND_VALUE.match(line)
    return f'{key[1]} = ""' if key else ""


def _statements(lines: Sequence[str]) -> Iterator[tuple[int, str, dict[str, Any] | None]]:
    """Yield the line, from 0, on which each statement begins, its text and what it says alone.

    One that never ends, or is none, says ``None``, and is the last.
    """
    begin, pending = 0, list[str]()
    for number, line in enumerate(lines):
        if not pending:
            begin = number
        pending.append(line)
        try:
            values = tomllib.loads("\n".join(pending))
        except tomllib.TOMLDecodeError:
            continue
        yield begin, pending[0], values
        pending = []
    if pending:
        yield begin, pending[0], None


@lru_cache(maxsize=1)
def _locations(lines: tuple[str, ...]) -> dict[Location, int]:
    """Return on which line, from 1, each table and each key of a valid text begins."""
    found: dict[Location, int] = {}
    table: Location = ()
    numbers: Counter[Location] = Counter()
    for begin, text, values in _statements(lines):
        places = list(_places(values or {}))
        if text.lstrip().startswith("["):
            table = max(places, key=len)
            if table[-1] == 0:
                several = table[:-1]
                found.setdefault(several, begin + 1)
                table = (*several, numbers[several])
                numbers[several] += 1
            places = [()]
        for place in places:
            found.setdefault(table + place, begin + 1)
    return found


def _places(values: Any) -> Iterator[Location]:
    """Yield where each value stands within these, outer ones first."""
    inner = enumerate(values) if isinstance(values, list) else values.items()
    for key, value in inner:
        yield (key,)
        if isinstance(value, dict | list):
            yield from ((key, *place) for place in _places(value))

"""Every regular expression of the package over texts of strangers: its time grows as the text.

A pattern that takes four times as long for twice the text turns a page of 100 kB into a way to
stop the program (CWE-1333).
"""

import ast
import importlib
import os
import pkgutil
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import ingestor

METHODS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
ATOMS = (
    " ", "\t", "\n", " \n", "\u3000", "a", "A", "aa ", "1", "12", "1:", "1.", "1-", "-", "_", ".",
    ",", ":", ";", "!", "?", "/", "//", "\\", "@", "#", "=", "a=", "a='", '"', "'", "&", "&#",
    "&a", "&amp;", "%", "%3", "%E4", "<", "<a", "<a ", "<a b=", "<!", "<!-", "<!--", "<!DOCTYPE ",
    "<!DOCTYPE [", "<![CDATA[", "]]", "]>", "<?", "<?xml ", "<p>", "</", "</p", "<meta ", "<br>",
    "<script", "<html ", ">", "[", "]", "(", ")", "（", "）", "【", "】", "(a", "(60051", "（6",
    "：", "，", "。", "、", "年", "1年", "1月1日", "来源", "来源：", "记者", "编辑：", "责任编辑",
    "http://", "http://a:", "a://", "://a", "a@", "a.b", "a:b", "sh60", "$A", "A.", "|", "_新", "-新浪",
    " - a", "中", "中文 ", "+", "*", "{", "}", "{{", "<title>", "\r\n\r\n", "\x1b[", "\u202e", "０",
)  # fmt: skip
ENDS = ("\x00", "!<") + (("",) if "INGEST_FUZZ_EXAMPLES" in os.environ else ())
"""Nearly every pattern that is not linear is so before an end that does not fit; `make fuzz` tries
none as well."""
GLANCE = 3_000
LENGTHS = (GLANCE, 4 * GLANCE, 16 * GLANCE)
HARMLESS = 0.0005
"""Seconds at a glance: with the square of the length it is half a second at 100 kB, and more than
:data:`LEAST` at the longest of :data:`LENGTHS` already."""
LEAST = 0.02
"""Seconds: what takes less cannot be measured."""
MOST_GROWTH = 2
"""Times what a linear pattern takes for a longer text; a quadratic one takes four times it."""


def text_of(atom: str, end: str, length: int) -> str:
    return atom * (length // len(atom)) + end


GLANCES = {(atom, end): text_of(atom, end, GLANCE) for atom in ATOMS for end in ENDS}


def called(path: Path) -> dict[str, set[str]]:
    """Return by which methods a module uses each name of a pattern."""
    methods = defaultdict(set)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            if isinstance(node.value, ast.Name):
                methods[node.value.id].add(node.attr)
            elif isinstance(node.value, ast.Attribute):
                methods[node.value.attr].add(node.attr)
    return methods


def patterns_in(value: object) -> Iterator[re.Pattern]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for entry in [*value, *value.values()]:
            yield from patterns_in(entry)
    elif isinstance(value, tuple | list | set | frozenset):
        for entry in value:
            yield from patterns_in(entry)


def every() -> dict[str, tuple[re.Pattern, set[str]]]:
    """Return all patterns of the package, by where they stand, with how they are used."""
    found = {}
    for module in pkgutil.walk_packages(ingestor.__path__, "ingestor."):
        if module.name.endswith("__main__"):
            continue
        imported = importlib.import_module(module.name)
        named = {name: list(patterns_in(value)) for name, value in vars(imported).items()}
        methods = called(Path(imported.__file__)) if any(named.values()) else {}
        for name, patterns in named.items():
            for place, pattern in enumerate(patterns):
                where = f"{module.name}.{name}[{place}]"
                first = (where, pattern, set())
                found.setdefault((pattern.pattern, pattern.flags), first)[2].update(
                    methods.get(name, ())
                )
    return {where: (pattern, used or {"search"}) for where, pattern, used in found.values()}


def seconds(pattern: re.Pattern, method: str, text: str) -> float:
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    begin = time.process_time()
    match method:
        case "sub" | "subn":
            getattr(pattern, method)(pattern.pattern[:0], given)
        case "finditer":
            for _ in pattern.finditer(given):
                pass
        case _:
            getattr(pattern, method)(given)
    return time.process_time() - begin


def is_steep(pattern: re.Pattern, method: str, text: str, longer: str) -> bool:
    """Whether a pattern takes far more for a longer text than by its length alone."""
    bound = MOST_GROWTH * len(longer) / len(text)
    for _ in range(3):
        few, many = (seconds(pattern, method, each) for each in (text, longer))
        if many <= max(LEAST, bound * few):
            return False
    return True


def grows(pattern: re.Pattern, method: str) -> Iterator[str]:
    """Yield over which texts a pattern takes more than linear time."""
    for (atom, end), glance in GLANCES.items():
        # Nearly all are harmless: a look at each long text would take a quarter of an hour.
        if any(seconds(pattern, method, glance) < HARMLESS for _ in range(2)):
            continue
        # From length to length: what explodes is found before it takes minutes.
        lengths = [text_of(atom, end, length) for length in LENGTHS]
        for text, longer in pairwise(lengths):
            if is_steep(pattern, method, text, longer):
                yield f"{method} over {atom!r} and {end!r}, {len(longer)} characters"
                break


PATTERNS = every()


def test_the_check_finds_a_pattern_that_explodes():
    """Quadratic is enough; a check that cannot fail holds nothing."""
    assert next(grows(re.compile(r"\s+$"), "search"), "")
    assert list(grows(re.compile(r"(?<!\s)\s+$"), "search")) == []


@pytest.mark.parametrize("where", PATTERNS)
def test_no_pattern_takes_more_than_linear_time(where):
    """By every method by which the code uses it."""
    pattern, methods = PATTERNS[where]
    assert [line for method in sorted(methods) for line in grows(pattern, method)] == []

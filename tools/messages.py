"""What the pages of ``ingest browse`` say, for translators: `make messages`.

Brings ``ingestor/browse/messages/zh.po`` up to what the templates and the code say: what is new gets
an empty translation, what nobody says any more goes. Fails, and names it, where a translation is
missing, or has other values in it than its English.

Templates and pages mark what they say (``_``, ``ngettext``, ``N_``). Why a feed fails or a page is
not believed is said elsewhere, for the archive and the terminal too, and is stored in English: these
sentences are found where they stand in the code, with a name for each value in them.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args

from babel.messages import Catalog, pofile
from babel.messages.extract import extract_from_dir

from ingestor.model import Cause, Origin
from ingestor.store.doubts import SeenPage
from ingestor.store.overview import FeedCondition
from ingestor.text.counts import plural
from ingestor.witness.looks import Reason
from tools import ROOT

PACKAGE = ROOT / "ingestor"
PAGES = PACKAGE / "browse"
CATALOGUE = PAGES / "messages" / "zh.po"

HEAD = """\
# What the pages of `ingest browse` say in Chinese, by what they say in English.
# Words in %(parentheses)s stay as they are. `make messages` adds what is missing."""

METHODS = [("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]

SPEAKERS = (
    "fetch", "sources", "witness/__init__.py", "witness/looks.py", "witness/placement.py", "workers", "store/db", "store/search/__init__.py",
    "store/doubts.py", "store/filters.py", "store/overview.py", "pipeline/announce.py",
    "pipeline/look.py", "pipeline/poll.py", "pipeline/rejudge.py", "browse/views.py",
)  # fmt: skip
"""Where sentences stand that a page shows."""

NOT_SHOWN = frozenset({"TypeError", "RuntimeError", "AssertionError", "ConfigError"})

READINGS = ("article", "edit", "unchanged", "another", "elsewhere", "gone", "none", "doubtful", "")

LIBRARIES = (
    "All connection attempts failed",
    "Server disconnected without sending a response.",
    "[Errno %(number)s] Connection refused",
    "[Errno %(number)s] Connection reset by peer",
    "[Errno %(number)s] Name or service not known",
    "[Errno %(number)s] Network is unreachable",
    "[Errno %(number)s] No route to host",
    "[Errno %(number)s] Temporary failure in name resolution",
    "timed out",
)
"""What the system and httpx say of a connection."""

NOT_SAID = frozenset({"gzip, deflate"})
"""Words that are for a server."""

_WORDS = re.compile(r"""[a-z][,;:]?+ [("`]?+[a-z]|[a-z]: "|\b(?:HTTP|API)\b""")
_CODE = re.compile(r"[<{\\^$\n]|SELECT |CREATE |text/")

PLACEHOLDER = re.compile(r"%\(\w+\)s")

Message = str | tuple[str, str]
"""A text, or that of a thing and that of several."""


def spoken() -> set[Message]:
    """Return everything that the pages say."""
    marked = {message for _, _, message, _, _ in extract_from_dir(PAGES, METHODS)}
    return {*marked, *sentences(), *_states(), *LIBRARIES}


def _states() -> Iterator[str]:
    yield from map(str, FeedCondition)
    yield from get_args(Cause)
    yield from get_args(Origin)
    now = datetime(2024, 1, 1, tzinfo=UTC)
    yield from (SeenPage(now, "", reading, "").outcome for reading in READINGS)
    for reason in get_args(Reason):
        yield reason
        yield SeenPage(now, "", "none", reason).outcome


def sentences() -> Iterator[Message]:
    """Yield the sentences that the code puts together, each with names in place of its values."""
    for speaker in SPEAKERS:
        place = PACKAGE / speaker
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            yield from _in_module(ast.parse(path.read_text("utf-8")))


def _in_module(tree: ast.Module) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _callee(node) == "counted":
            noun, *many = (text.value for text in node.args[1:] if isinstance(text, ast.Constant))
            yield f"%(count)s {noun}", f"%(count)s {many[0] if many else plural(noun)}"
    yield from filter(_is_sentence, map(_named, _literals(tree)))


def _literals(node: ast.AST) -> Iterator[ast.JoinedStr | ast.Constant]:
    """Yield the texts in a part of the code, those with values as a whole; no docstrings."""
    children = ast.iter_child_nodes(node)
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Call() if _callee(node) in NOT_SHOWN:
            return
        case ast.Tuple(elts=elements) if elements and all(map(_is_pair, elements)):
            # Marks by which errors are known, and what is said of them.
            children = iter([pair.elts[1] for pair in elements])
        case ast.JoinedStr(values=values):
            yield node
            children = (part.value for part in values if isinstance(part, ast.FormattedValue))
        case ast.Constant(value=str()):
            yield node
    for child in children:
        yield from _literals(child)


def _is_pair(node: ast.expr) -> bool:
    return isinstance(node, ast.Tuple) and len(node.elts) == 2


def _named(text: ast.JoinedStr | ast.Constant) -> str:
    """Return a text with a name for each of its values, without the address that begins it."""
    parts, names = [], Counter()
    for part in text.values if isinstance(text, ast.JoinedStr) else [text]:
        if isinstance(part, ast.Constant):
            parts.append(part.value.replace("%", "%%"))
            continue
        name = _name_of(part)
        names[name] += 1
        parts.append(f"%({name}{names[name] if names[name] > 1 else ''})s")
    return re.sub(r"\A%\(\w+\)s: ", "", "".join(parts))


def _name_of(value: ast.AST) -> str:
    """Return what a value may be called: the last word of the first thing in it."""
    functions = {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
    for node in ast.walk(value):
        name = getattr(node, "attr", "") or getattr(node, "id", "")
        if name and id(node) not in functions:
            return name.lower().strip("_")
    return "value"


def _callee(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def _is_sentence(text: str) -> bool:
    """Whether a text is said to a person: words with a space between them, and no program's."""
    words = PLACEHOLDER.sub("9", text)
    return bool(_WORDS.search(words)) and not _CODE.search(words) and text not in NOT_SAID


def catalogue() -> Catalog:
    """Return what is translated."""
    with CATALOGUE.open("rb") as file:
        return pofile.read_po(file, locale="zh_CN")


def faults(known: Catalog) -> Iterator[str]:
    """Yield what is wrong with the translations, a line each."""
    for message in known:
        if not message.id:
            continue
        english = message.id[-1] if message.pluralizable else message.id
        translated = message.string[0] if message.pluralizable else message.string
        if not translated:
            yield f"not translated: {english}"
        elif sorted(PLACEHOLDER.findall(english)) != sorted(PLACEHOLDER.findall(translated)):
            yield f"other values in its translation: {english}"


def updated(known: Catalog) -> bytes:
    """Return the catalogue with all that is said and nothing else."""
    template = Catalog()
    for message in spoken():
        template.add(message)
    created = known.creation_date
    known.update(template, no_fuzzy_matching=True)
    # Of the template: nothing has changed where no message has.
    known.creation_date = created
    known.header_comment, known.project = HEAD, "ingestor"
    written = io.BytesIO()
    pofile.write_po(written, known, width=0, sort_output=True, ignore_obsolete=True)
    return written.getvalue()


def main() -> int:
    """Write the catalogue anew; return 1 where a translation is missing or wrong."""
    known = catalogue()
    CATALOGUE.write_bytes(updated(known))
    wrong = list(faults(known))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the pages of ``ingest browse`` say, for translators: `make messages`.

Adds to ``ingestor/browse/messages/zh.toml`` what the pages say and it does not, with an empty
translation, and takes out what no page says any more.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args

import jinja2
from jinja2 import nodes

from ingestor.browse import pages
from ingestor.model import Cause, Origin
from ingestor.store.doubts import SeenPage
from ingestor.store.overview import FeedCondition
from ingestor.witness.looks import Reason
from tools import ROOT

FOLDER = ROOT / "ingestor" / "browse"
CATALOGUE = FOLDER / "messages" / "zh.toml"

HEAD = """\
# What the pages of `ingest browse` say in Chinese, by what they say in English.
# Words in {braces} stay as they are. `make messages` adds what is missing.
"""

READINGS = ("article", "edit", "unchanged", "another", "elsewhere", "gone", "none", "doubtful", "")


def spoken() -> list[str]:
    """Return everything that the pages say, each once, in the order of the alphabet."""
    return sorted({*_in_templates(), *_in_code()})


def _in_templates() -> Iterator[str]:
    environment = jinja2.Environment(autoescape=True)
    for path in sorted((FOLDER / "templates").glob("*.html")):
        tree = environment.parse(path.read_text("utf-8"))
        for call in tree.find_all(nodes.Call):
            name = getattr(call.node, "name", "")
            # Of a thing and several things the text for several is translated.
            at = {"t": 0, "many": 1}.get(name)
            if at is not None and isinstance(call.args[at], nodes.Const):
                yield call.args[at].value


def _in_code() -> Iterator[str]:
    yield from map(str, FeedCondition)
    yield from (pages.NO_ARTICLE, pages.NO_LOOK, pages.NOT_KEPT)
    yield "There is no such page in the archive."
    yield "The archive cannot be read just now."
    yield from get_args(Cause)
    yield from get_args(Origin)
    now = datetime(2024, 1, 1, tzinfo=UTC)
    yield from (SeenPage(now, "", reading, "").outcome for reading in READINGS)
    yield from (SeenPage(now, "", "none", reason).outcome for reason in get_args(Reason))


def catalogue() -> dict[str, str]:
    """Return what is translated."""
    return tomllib.loads(CATALOGUE.read_text("utf-8"))


def main() -> None:
    """Write the catalogue anew."""
    known = catalogue()
    # A text of JSON is one of TOML.
    lines = (
        f"{json.dumps(message, ensure_ascii=False)} = "
        f"{json.dumps(known.get(message, ''), ensure_ascii=False)}\n"
        for message in spoken()
    )
    CATALOGUE.write_text(HEAD + "".join(lines), "utf-8")


if __name__ == "__main__":
    main()

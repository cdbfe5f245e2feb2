"""Draws a short session for the READMEs: ``make session`` writes docs/session.svg.

The commands are run on a terminal, over the demo's archive, and what they showed is drawn with the
fonts that a reader has: nothing is asked of other machines when the picture is looked at.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from html import escape
from io import StringIO
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from tools import ROOT
from tools.fake_internet import FakeInternet
from tools.made_up_sina import demo_articles, publish
from tools.running import Site

PICTURE = ROOT / "docs" / "session.svg"
COMMANDS = (
    "search 电池 -传闻",
    "show https://finance.sina.com.cn/china/gncj/2024-03-11/doc-imadeup9000003.shtml",
    "status",
)
COLUMNS = 80
CELL, LINE, EDGE = 7.7, 19, 16
"""Units of the picture: a column's width, a line's height, and what is left free around them."""

STYLE = (
    "text{font:14px ui-monospace,Menlo,Consolas,'Noto Sans Mono CJK SC','Microsoft YaHei',monospace;"
    "white-space:pre}.b{font-weight:bold}.d{opacity:.65}"
)


def session() -> Text:
    """Return what stands on a terminal after the commands, over an archive that was made for it."""
    shown = Text()
    with tempfile.TemporaryDirectory() as folder, FakeInternet() as net:
        publish(net, demo_articles())
        site = Site(Path(folder), net)
        site.configure()
        site.run("--once").check_returncode()
        for command in COMMANDS:
            answer = site.on_a_terminal(*command.split(), COLUMNS=str(COLUMNS))
            shown.append(f"$ ingest {command}\n", "bold green")
            shown.append_text(
                Text.from_ansi(answer.strip().replace("\r", "").replace(folder, "demo-archive"))
            )
            shown.append("\n\n")
    shown.right_crop(2)
    return shown


def drawn(shown: Text) -> str:
    """Return a picture (SVG) of a text that stands on a terminal."""
    console = Console(width=COLUMNS, file=StringIO(), force_terminal=True, highlight=False)
    lines = [list(row.render(console)) for line in shown.split("\n") for row in _rows(line)]
    width, height = round(COLUMNS * CELL + 2 * EDGE), len(lines) * LINE + 2 * EDGE
    ground, ink = SVG_EXPORT_THEME.background_color.hex, SVG_EXPORT_THEME.foreground_color.hex
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>ingest search, show, status</title><style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{ground}"/><g fill="{ink}">',
        *(text for number, line in enumerate(lines) for text in _texts(line, number)),
        "</g></svg>\n",
    ])  # fmt: skip


def _rows(line: Text) -> Sequence[Text]:
    """Return a line as a terminal folds it: where it is full, be it in the middle of a word."""
    cuts, column = [], 0
    for place, letter in enumerate(line.plain):
        if column + cell_len(letter) > COLUMNS:
            cuts.append(place)
            column = 0
        column += cell_len(letter)
    return line.divide(cuts)


def _texts(row: list[Segment], number: int) -> list[str]:
    """Return a row's pieces, each as wide as it is on a terminal: a Chinese character is two."""
    column, texts = 0, []
    for segment in row:
        for piece in re.finditer(r"\S+(?: \S+)*", segment.text):
            left = EDGE + (column + cell_len(segment.text[: piece.start()])) * CELL
            texts.append(
                f'<text x="{left:.1f}" y="{EDGE + (number + 0.75) * LINE:.1f}" '
                f'textLength="{cell_len(piece[0]) * CELL:.1f}"{_look(segment)}>{escape(piece[0])}</text>'
            )
        column += cell_len(segment.text)
    return texts


def _look(segment: Segment) -> str:
    if (style := segment.style) is None:
        return ""
    classes = " ".join(name for name, on in (("b", style.bold), ("d", style.dim)) if on)
    colour = style.color.get_truecolor(SVG_EXPORT_THEME).hex if style.color else ""
    return (f' class="{classes}"' if classes else "") + (f' fill="{colour}"' if colour else "")


def lines(picture: str) -> list[str]:
    """Return what a picture says, without numbers and times, which are of the hour it was made."""
    pieces = re.findall(r">([^<]+)</text>", picture)
    return re.sub(r"\d+[a-z]*", "0", " ".join(pieces)).split()


if __name__ == "__main__":
    PICTURE.write_text(drawn(session()), encoding="utf-8")

"""``python -m tools.quality``: the tables; with ``--write`` they are kept, and the figures too.

``--write`` puts the tables between the marks of docs/quality.md, and our figures where the tests
compare the next ones with them.
"""

from __future__ import annotations

import argparse
import json
import re

from tools import ROOT
from tools.quality import FIGURES, parts, scores

PAGE = ROOT / "docs" / "quality.md"
_BETWEEN = re.compile(r"(<!-- tables -->\n).*(<!-- end of the tables -->)", re.DOTALL)


def main() -> None:
    """Print the tables, and keep them if that is asked."""
    parser = argparse.ArgumentParser(prog="python -m tools.quality", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the tables and the figures")
    write = parser.parse_args().write
    tables = "\n\n".join(part.table() for part in parts())
    print(tables)
    if write:
        PAGE.write_text(_BETWEEN.sub(rf"\g<1>{tables}\n\g<2>", PAGE.read_text("utf-8")), "utf-8")
        FIGURES.write_text(json.dumps(scores(), indent=1, sort_keys=True) + "\n", "utf-8")


main()

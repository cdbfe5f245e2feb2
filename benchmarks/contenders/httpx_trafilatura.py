"""httpx, trafilatura and SQLite: a general extractor on every page."""

from __future__ import annotations

import trafilatura

from benchmarks.contenders.common import order, report
from benchmarks.contenders.extracting import run


def extract(html: str) -> tuple[str, str]:
    """Return title and text."""
    document = trafilatura.bare_extraction(html, with_metadata=True)
    return document.title or "", document.text or ""


if __name__ == "__main__":
    report(run(order(), extract))

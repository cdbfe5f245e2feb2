"""httpx, readability-lxml and SQLite: a general extractor on every page."""

from __future__ import annotations

from readability import Document

from benchmarks.contenders.common import order, report
from benchmarks.contenders.extracting import run


def extract(html: str) -> tuple[str, str]:
    """Return title and cleaned HTML."""
    document = Document(html)
    return document.title(), document.summary(html_partial=True)


if __name__ == "__main__":
    report(run(order(), extract))

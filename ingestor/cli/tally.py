"""Counts what became of articles whose pages were read again, and shows how it goes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ingestor.cli.common import say_error
from ingestor.cli.difference import differences
from ingestor.cli.progress import Bar, bar
from ingestor.pipeline.reextract import ReextractionResult
from ingestor.store.reextraction import Value
from ingestor.text.sanitize import one_line

log = structlog.get_logger(__name__)

ARTICLES_A_LINE = 1_000
"""Where there is no terminal, a line is logged for so many articles."""

PROBLEMS_LISTED = 100
"""Pages that cannot be read are said one by one up to here; the others are counted."""

VALUE_CHARACTERS = 100
"""How much of a value is shown in a difference."""


class Tally:
    """What came of the articles so far."""

    def __init__(self, total: int, diffs: int, bar: Bar | None) -> None:
        """Count up to ``total``; keep the first ``diffs`` differences; show it on ``bar``."""
        self._total = total
        self._diffs_left = diffs
        self._bar = bar
        self._templates: Counter[tuple[str, str]] = Counter()
        self._fields: Counter[str] = Counter()
        self._diffs: list[str] = []
        self.read = 0
        self.day = ""
        """Publication day of the article that came last."""
        self.unreadable = 0

    def add(self, one: ReextractionResult) -> None:
        """Count an article."""
        self.read += 1
        self.day = one.before.article.date
        self._templates[one.template, one.outcome] += 1
        self._fields.update(one.changes.keys())
        if one.outcome == "unreadable":
            self._say_unreadable(one)
        if one.outcome == "changed" and self._diffs_left:
            self._diffs_left -= 1
            self._diffs += difference(one)
        self._show()

    def lines(self, *, without_page: int, dry_run: bool) -> Iterator[str]:
        """Yield the differences that were kept, the counts by template, and the sums."""
        yield from self._diffs
        verb = "would change" if dry_run else "changed"
        yield f"{'template':<20}{verb:>14}{'unchanged':>14}{'left':>14}{'unreadable':>14}"
        for template in sorted({template for template, _ in self._templates}):
            counts = (
                self._templates[template, outcome]
                for outcome in ("changed", "unchanged", "left", "unreadable")
            )
            yield f"{template:<20}" + "".join(f"{count:>14}" for count in counts)
        if self._fields:
            parts = (f"{name} {count}" for name, count in self._fields.most_common())
            yield f"{verb}: {', '.join(parts)}"
        yield (
            f"{self.read} articles read again: {self._changed} {verb}, {self.unreadable} "
            f"unreadable; {without_page} have no kept page"
        )

    @property
    def _changed(self) -> int:
        return sum(count for (_, one), count in self._templates.items() if one == "changed")

    def _say_unreadable(self, one: ReextractionResult) -> None:
        self.unreadable += 1
        if self.unreadable <= PROBLEMS_LISTED:
            say_error(f"article {one.before.article.id}: {one.reason}")
        elif self.unreadable == PROBLEMS_LISTED + 1:
            say_error("more articles cannot be read; they are counted below")

    def _show(self) -> None:
        if self._bar is None:
            if self.read % ARTICLES_A_LINE == 0:
                changed = self._changed
                log.info("reextract", day=self.day, read=self.read, of=self._total, changed=changed)
            return
        self._bar.step(self.day, self._changed, self.read)


@contextmanager
def shown(total: int, diffs: int) -> Iterator[Tally]:
    """Give something to count with: under a bar on a terminal, with log lines elsewhere."""
    with bar("articles", total, "changed") as on:
        yield Tally(total, diffs, on)


def difference(one: ReextractionResult) -> Iterator[str]:
    """Yield what today's rules read otherwise: the text by paragraphs, the rest by values."""
    if one.article is None:
        return
    before, after = one.before.article, one.article
    templates = f"{before.template} → {one.template}"
    yield f"article {before.id}, {before.date}, {templates}: {before.url}"
    old = [before.title, *before.content_text.splitlines()]
    new = [after.title, *after.body.text.splitlines()]
    for line in differences(old, new, colours=sys.stdout.isatty()):
        yield f"  {line}"
    for name, (was, is_) in one.changes.items():
        if name not in {"title", "text"}:
            yield f"  {name}: {_shown(name, was, is_)} → {_shown(name, is_, was)}"
    yield ""


def _shown(name: str, value: Value, other: Value) -> str:
    """Return a value for a person; of a set, only what the other one lacks."""
    if isinstance(value, frozenset | tuple):
        only = sorted(member for member in value if member not in other)
        members = (member if isinstance(member, str) else " ".join(member) for member in only)
        text = ", ".join(members) or "-"
    else:
        text = f"{len(value)} characters" if name == "html" else value or "''"
    return one_line(text)[:VALUE_CHARACTERS]

"""``ingest show ID|URL``: one article, with its history."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated

import typer

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_json
from ingestor.errors import UsageError
from ingestor.store import stories
from ingestor.store.db.database import Database
from ingestor.store.doubts import SeenPage, looks_at
from ingestor.store.stored_articles import ArticleRevision, current, history, ids_named
from ingestor.store.stories import Copy
from ingestor.text.counts import counted
from ingestor.text.dates import SHANGHAI, iso_utc
from ingestor.text.diff import Change, Stretch, changes
from ingestor.text.sanitize import one_line, redact

_COLOURS = {"went": "red", "came": "green"}


def show(
    context: typer.Context,
    article: Annotated[
        str, typer.Argument(metavar="ID|URL", help="The article's id in the database, or address.")
    ],
    revisions: Annotated[
        bool, typer.Option("--revisions", help="When each revision was first seen, and its title.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="What each edit changed, line by line.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show one article as the archive has it, and each look at its page.

    --revisions and --diff show how it became so.

    Example: ingest show --diff
    https://finance.sina.com.cn/china/2022-04-14/doc-imcwipii4221122.shtml
    """
    database = existing(options(context).settings())
    shown = _find(database, article)
    database.close()
    every = shown.revisions
    if as_json:
        say_json(_document(shown), indent=2)
        return
    say("\n".join(_head(shown)))
    for other in shown.others:
        say(f"see also   ingest show {other} (the same address on another day)")
    for copy in shown.copies:
        where = one_line(f"{copy.media or copy.url}: {copy.title}")
        say(f"same story ingest show {copy.id} ({where})")
    for look in shown.looks:
        say(_look_line(look))
    if revisions:
        say("\n".join(["", *map(_line, every)]))
    if diff:
        typer.echo("\n".join(_edits(every)))
    if not (revisions or diff):
        say(f"\n{shown.current.content_text}")


_KEYS = (
    "id", "url", "date", "title", "media", "editor", "published_at", "first_seen_at", "updated_at",
    "gone_at", "doubted_at", "origin", "path", "keywords", "symbols", "feeds",
    "symbol_names",
)  # fmt: skip
_KEYS_THEN = (
    "published_at", "media", "editor", "summary", "headimg", "template", "final_url", "note",
    "symbols", "keywords", "symbol_names",
)  # fmt: skip
"""What each revision said of itself."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """All that is shown of an article."""

    current: ArticleRevision
    revisions: Sequence[ArticleRevision]
    looks: Sequence[SeenPage]
    copies: Sequence[Copy]
    others: Sequence[int]
    """Ids of others at the same address."""


def _document(shown: _Shown) -> dict[str, object]:
    return {name: getattr(shown.current, name) for name in _KEYS} | {
        "copies": [asdict(copy) for copy in shown.copies],
        "looks": [asdict(look) | {"outcome": look.outcome} for look in shown.looks],
        "revisions": [
            {
                "revision": revision.revision,
                "cause": revision.cause,
                "seen_at": revision.known_from,
                "title": revision.title,
                "text": revision.content_text,
                "sequence": revision.sequence,
                "known_until": revision.known_until,
            }
            | {name: getattr(revision, name) for name in _KEYS_THEN}
            for revision in shown.revisions
        ],
    }


def _find(database: Database, named: str) -> _Shown:
    """Return all that is shown of the article of an id or an address."""
    with database.reading() as connection:
        ids = ids_named(connection, named)
        article = current(connection, ids[0]) if ids else None
        if article is None:
            raise UsageError(f"{named}: there is no such article in the archive")
        return _Shown(
            article,
            history(connection, article.id),
            looks_at(connection, article.id),
            stories.others(connection, article.id),
            ids[1:],
        )


def _head(shown: _Shown) -> Iterator[str]:
    article = shown.current
    yield one_line(article.title)
    facts = {
        "id": str(article.id),
        "address": article.url,
        "published": _moment(article.published_at),
        "first seen": _moment(article.first_seen_at),
        # Sina states the moment of publication as that of the last edit until there is article.
        "edited": "" if article.updated_at == article.published_at else _moment(article.updated_at),
        "medium": article.media,
        "editor": article.editor,
        "keywords": ", ".join(article.keywords),
        "symbols": ", ".join(
            f"{symbol} {name}".strip()
            for symbol, name in zip(article.symbols, article.symbol_names, strict=True)
        ),
        "feeds": ", ".join(article.feeds),
        "origin": article.origin,
        "revisions": str(shown.revisions[-1].revision),
        "gone": _moment(article.gone_at),
        "doubted": _moment(article.doubted_at),
        "file": article.path,
    }
    for name, value in facts.items():
        if value:
            yield f"{name:<11}{one_line(value)}"


def _line(revision: ArticleRevision) -> str:
    size, seen = counted(len(revision.content_text), "character"), _moment(revision.known_from)
    title = one_line(revision.title)
    line = f"{revision.revision:>3}  {seen}  {revision.cause:<9} {size:>16}  {title}"
    return f"{line} ({one_line(revision.note)})" if revision.note else line


def _look_line(look: SeenPage) -> str:
    looked_at = look.looked_at.astimezone(UTC)
    return f"{looked_at:%Y-%m-%d %H:%M} looked: {redact(one_line(look.outcome))}"


def _edits(every: Sequence[ArticleRevision]) -> Iterator[str]:
    if len(every) == 1:
        yield "\nThere is one revision: nothing changed since it was first seen."
    for before, after in pairwise(every):
        seen = _moment(after.known_from)
        yield f"\nrevision {before.revision} → {after.revision}, seen {seen}, {after.cause}"
        old, new = (
            [revision.title, *revision.content_text.splitlines()] for revision in (before, after)
        )
        yield from differences(old, new, colours=sys.stdout.isatty())


def differences(before: Sequence[str], after: Sequence[str], *, colours: bool) -> Iterator[str]:
    """Yield a line for each paragraph that went (``-``), came (``+``) or changed (``~``).

    A changed one is shown once, with what went as ``[-…-]`` and what came as ``{+…+}`` inside it.
    """
    for change in changes(before, after):
        yield _compared(change, colours=colours)


def _compared(change: Change, *, colours: bool) -> str:
    if change.mark != "~":
        (whole,) = change.stretches
        return _painted(f"{change.mark} {whole.text}", whole, colours=colours)
    return "~ " + "".join(
        _painted(_bracketed(stretch), stretch, colours=colours) for stretch in change.stretches
    )


def _bracketed(stretch: Stretch) -> str:
    if stretch.fate == "stayed":
        return stretch.text
    return f"[-{stretch.text}-]" if stretch.fate == "went" else f"{{+{stretch.text}+}}"


def _painted(text: str, stretch: Stretch, *, colours: bool) -> str:
    colour = _COLOURS.get(stretch.fate)
    return typer.style(text, fg=colour) if colours and colour else text


def _moment(moment: datetime | None) -> str:
    """Return a moment in UTC, with the time of day that readers in China saw."""
    if moment is None:
        return ""
    return f"{iso_utc(moment)} ({moment.astimezone(SHANGHAI):%m-%d %H:%M} in China)"

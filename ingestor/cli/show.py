"""``ingest show ID|URL``: one article, with its history."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import pairwise
from typing import Annotated

import typer

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_json
from ingestor.errors import UsageError
from ingestor.identity import canonical_url, document_id, is_content_address
from ingestor.store import history
from ingestor.store.db.database import Database
from ingestor.store.history import ArticleHistory, Revision
from ingestor.text.dates import SHANGHAI, iso_utc
from ingestor.text.diff import Change, Stretch, changes
from ingestor.text.sanitize import one_line

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
    """Show one article as the archive has it; --revisions and --diff show how it became so.

    Example: ingest show --diff
    https://finance.sina.com.cn/china/2022-04-14/doc-imcwipii4221122.shtml
    """
    database = existing(options(context).settings())
    shown, others = _find(database, article)
    database.close()
    if as_json:
        say_json(asdict(shown), indent=2)
        return
    say("\n".join(_head(shown)))
    for other in others:
        say(f"see also   ingest show {other} (the same address on another day)")
    for copy in shown.copies:
        where = one_line(f"{copy.media or copy.url}: {copy.title}")
        say(f"same story ingest show {copy.id} ({where})")
    if revisions:
        say("\n".join(["", *map(_line, shown.revisions)]))
    if diff:
        typer.echo("\n".join(_edits(shown.revisions)))
    if not (revisions or diff):
        say(f"\n{shown.revisions[-1].text}")


def _find(database: Database, named: str) -> tuple[ArticleHistory, list[int]]:
    """Return the article, and the ids of others at the same address."""
    with database.reading() as connection:
        if named.isdecimal():
            ids = [int(named)]
        elif is_content_address(named):
            ids = history.ids_of(connection, named, "")
        elif named.startswith(("http://", "https://")):
            address = canonical_url(named)
            ids = history.ids_of(connection, address, document_id(address))
        else:
            raise UsageError(
                f'"{named}" is neither the id of an article nor an address (https://…)'
            )
        article = history.by_id(connection, ids[0]) if ids and ids[0] < 2**63 else None
    if article is None:
        raise UsageError(f"{named}: there is no such article in the archive")
    return article, ids[1:]


def _head(article: ArticleHistory) -> Iterator[str]:
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
        "symbols": ", ".join(article.symbols),
        "feeds": ", ".join(article.feeds),
        "origin": article.origin,
        "revisions": str(len(article.revisions)),
        "file": article.path,
    }
    for name, value in facts.items():
        if value:
            yield f"{name:<11}{one_line(value)}"


def _line(revision: Revision) -> str:
    size = f"{len(revision.text)} characters"
    seen, title = _moment(revision.seen_at), one_line(revision.title)
    return f"{revision.revision:>3}  {seen}  {revision.cause:<9} {size:>16}  {title}"


def _edits(revisions: tuple[Revision, ...]) -> Iterator[str]:
    if len(revisions) == 1:
        yield "\nThere is one revision: nothing changed since it was first seen."
    for before, after in pairwise(revisions):
        seen = _moment(after.seen_at)
        yield f"\nrevision {before.revision} → {after.revision}, seen {seen}, {after.cause}"
        old, new = ([revision.title, *revision.text.splitlines()] for revision in (before, after))
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

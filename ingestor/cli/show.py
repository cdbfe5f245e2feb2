"""``ingest show ID|URL``: one article, with its history."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import pairwise
from typing import Annotated

import typer

from ingestor.cli.common import existing, options, say, say_json
from ingestor.cli.difference import differences
from ingestor.errors import UsageError
from ingestor.identity import canonical_url, document_id, is_content_address
from ingestor.store import history
from ingestor.store.db.database import Database
from ingestor.store.history import ArticleHistory, Revision
from ingestor.text.dates import SHANGHAI, iso_utc
from ingestor.text.sanitize import one_line


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
    found, others = _find(database, article)
    database.close()
    if as_json:
        say_json(asdict(found), indent=2)
        return
    say("\n".join(_head(found)))
    for other in others:
        say(f"see also   ingest show {other} (the same address on another day)")
    for copy in found.copies:
        where = one_line(f"{copy.media or copy.url}: {copy.title}")
        say(f"same story ingest show {copy.id} ({where})")
    if revisions:
        say("\n".join(["", *map(_line, found.revisions)]))
    if diff:
        typer.echo("\n".join(_edits(found.revisions)))
    if not (revisions or diff):
        say(f"\n{found.revisions[-1].text}")


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
        found = history.by_id(connection, ids[0]) if ids and ids[0] < 2**63 else None
    if found is None:
        raise UsageError(f"{named}: there is no such article in the archive")
    return found, ids[1:]


def _head(one: ArticleHistory) -> Iterator[str]:
    yield one_line(one.title)
    facts = {
        "id": str(one.id),
        "address": one.url,
        "published": _moment(one.published_at),
        "first seen": _moment(one.first_seen_at),
        # Sina states the moment of publication as that of the last edit until there is one.
        "edited": "" if one.updated_at == one.published_at else _moment(one.updated_at),
        "medium": one.media,
        "editor": one.editor,
        "keywords": ", ".join(one.keywords),
        "symbols": ", ".join(one.symbols),
        "feeds": ", ".join(one.feeds),
        "origin": one.origin,
        "revisions": str(len(one.revisions)),
        "file": one.path,
    }
    for name, value in facts.items():
        if value:
            yield f"{name:<11}{one_line(value)}"


def _line(one: Revision) -> str:
    size = f"{len(one.text)} characters"
    seen = _moment(one.seen_at)
    return f"{one.revision:>3}  {seen}  {one.cause:<9} {size:>16}  {one_line(one.title)}"


def _edits(every: tuple[Revision, ...]) -> Iterator[str]:
    if len(every) == 1:
        yield "\nThere is one revision: nothing changed since it was first seen."
    for before, after in pairwise(every):
        seen = _moment(after.seen_at)
        yield f"\nrevision {before.revision} → {after.revision}, seen {seen}, {after.cause}"
        old, new = ([one.title, *one.text.splitlines()] for one in (before, after))
        yield from differences(old, new, colours=sys.stdout.isatty())


def _moment(moment: datetime | None) -> str:
    """Return a moment in UTC, with the time of day that readers in China saw."""
    if moment is None:
        return ""
    return f"{iso_utc(moment)} ({moment.astimezone(SHANGHAI):%m-%d %H:%M} in China)"

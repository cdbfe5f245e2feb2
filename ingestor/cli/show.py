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
from ingestor.store import stories
from ingestor.store.db.database import Database
from ingestor.store.stored_articles import ArticleRevision, history, ids_of
from ingestor.store.stories import Copy
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
    every, copies, others = _find(database, article)
    database.close()
    if as_json:
        say_json(_document(every, copies), indent=2)
        return
    say("\n".join(_head(every[-1])))
    for other in others:
        say(f"see also   ingest show {other} (the same address on another day)")
    for copy in copies:
        where = one_line(f"{copy.media or copy.url}: {copy.title}")
        say(f"same story ingest show {copy.id} ({where})")
    if revisions:
        say("\n".join(["", *map(_line, every)]))
    if diff:
        typer.echo("\n".join(_edits(every)))
    if not (revisions or diff):
        say(f"\n{every[-1].content_text}")


_KEYS = (
    "id", "url", "date", "title", "media", "editor", "published_at", "first_seen_at", "updated_at",
    "origin", "path", "keywords", "symbols", "feeds",
)  # fmt: skip


def _document(every: Sequence[ArticleRevision], copies: Sequence[Copy]) -> dict[str, object]:
    return {name: getattr(every[-1], name) for name in _KEYS} | {
        "copies": [asdict(copy) for copy in copies],
        "revisions": [
            {
                "revision": revision.revision,
                "cause": revision.cause,
                "seen_at": revision.known_from,
                "title": revision.title,
                "text": revision.content_text,
                "sequence": revision.sequence,
            }
            for revision in every
        ],
    }


def _find(database: Database, named: str) -> tuple[list[ArticleRevision], list[Copy], list[int]]:
    """Return an article's revisions, its copies, and the ids of others at the same address."""
    with database.reading() as connection:
        if named.isdecimal():
            ids = [int(named)]
        elif is_content_address(named):
            ids = ids_of(connection, named, "")
        elif named.startswith(("http://", "https://")):
            address = canonical_url(named)
            ids = ids_of(connection, address, document_id(address))
        else:
            raise UsageError(
                f'"{named}" is neither the id of an article nor an address (https://…)'
            )
        every = history(connection, ids[0]) if ids and ids[0] < 2**63 else []
        copies = stories.others(connection, ids[0]) if every else []
    if not every:
        raise UsageError(f"{named}: there is no such article in the archive")
    return every, copies, ids[1:]


def _head(article: ArticleRevision) -> Iterator[str]:
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
        "revisions": str(article.revision),
        "file": article.path,
    }
    for name, value in facts.items():
        if value:
            yield f"{name:<11}{one_line(value)}"


def _line(revision: ArticleRevision) -> str:
    size, seen = f"{len(revision.content_text)} characters", _moment(revision.known_from)
    title = one_line(revision.title)
    return f"{revision.revision:>3}  {seen}  {revision.cause:<9} {size:>16}  {title}"


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

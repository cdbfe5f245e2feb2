"""Securities and keywords, each with the revisions of its article that name it.

A row stands for a run of revisions: from ``first_revision`` to ``last_revision``, both included;
while it is named, there is no last one. So it is known from when on an article named a security.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Table, select, tuple_, update

from ingestor.model import Article
from ingestor.store import NewRevision
from ingestor.store.schema import keywords, revisions, symbols

_NAMES = {symbols: ("symbol", "market", "name"), keywords: ("keyword",)}
"""The columns of each table that say what is named; the first identifies it."""

_INSERT = {table: table.insert() for table in _NAMES}

_Run: TypeAlias = tuple[int, int | None, tuple[str, ...]]
"""First and last revision, and what they name; ``None``: while it is named."""

ByRevision: TypeAlias = dict[Table, dict[int, set[tuple[str, ...]]]]
"""What each revision of an article names, by table and the revision's number."""


def named(article: Article) -> dict[Table, set[tuple[str, ...]]]:
    """Return what an article names, by table; of a security that it names twice the first name."""
    securities = {security.symbol: security for security in reversed(article.body.securities)}
    return {
        symbols: {
            (security.symbol, security.market, security.name) for security in securities.values()
        },
        keywords: {(keyword,) for keyword in article.keywords},
    }


def write(connection: Connection, new: Sequence[NewRevision]) -> None:
    """Begin a row for what a revision names that the one before did not, and end what it does not.

    A name that changed is another row.
    """
    all_named = [(revision, named(revision.upsert.article)) for revision in new]
    for table, names in _NAMES.items():
        rows: list[dict[str, Any]] = []
        for revision, by_table in all_named:
            now = by_table[table]
            before = _open(connection, table, revision) if revision.replaces else set()
            if ended := before - now:
                query = update(table).where(*_is_open(table, revision))
                query = query.where(tuple_(*table.c[names]).in_(sorted(ended)))
                connection.execute(query.values(last_revision=revision.replaces))
            begun = ((revision.number, None, values) for values in sorted(now - before))
            rows += _rows(table, revision.article_id, begun)
        if rows:
            connection.execute(_INSERT[table], rows)


def rebuild(connection: Connection, article_id: int, withdrawn: int) -> None:
    """Count the runs again after a revision was withdrawn: they go over believed ones alone.

    What a withdrawn revision named keeps a row of that revision.
    """
    write_again(connection, article_id, by_revision(connection, article_id, withdrawn))


def by_revision(connection: Connection, article_id: int, withdrawn: int = 0) -> ByRevision:
    """Return what each revision of an article names, by table and number.

    ``withdrawn`` is one that is doubted since its runs were written, 0: there is none.
    """
    causes = _causes(connection, article_id)
    # Runs go over those that are believed, and leave out those that were doubted before.
    apart = {number for number, cause in causes.items() if cause == "doubt"} - {withdrawn}
    names: ByRevision = {}
    for table, said in _NAMES.items():
        columns = table.c["first_revision", "last_revision", *said]
        runs = connection.execute(select(*columns).where(table.c.article_id == article_id)).all()
        names[table] = {
            number: {
                tuple(values)
                for first, last, *values in runs
                if first <= number <= (last or number)
                and (number == first or apart.isdisjoint((number, first)))
            }
            for number in causes
        }
    return names


def write_again(connection: Connection, article_id: int, names: ByRevision) -> None:
    """Write the runs of an article anew, from what each of its revisions names."""
    causes = _causes(connection, article_id)
    for table, of in names.items():
        connection.execute(table.delete().where(table.c.article_id == article_id))
        rows = list(_runs(of, [number for number, cause in causes.items() if cause != "doubt"]))
        rows += [
            (number, number, values)
            for number, cause in causes.items()
            if cause == "doubt"
            for values in of[number]
        ]
        if rows:
            connection.execute(_INSERT[table], _rows(table, article_id, rows))


def _causes(connection: Connection, article_id: int) -> dict[int, str]:
    """Return why each revision of an article was made, by its number, in their order."""
    query = select(revisions.c.revision, revisions.c.cause).where(
        revisions.c.article_id == article_id
    )
    ordered = connection.execute(query.order_by(revisions.c.revision))
    return {row.revision: row.cause for row in ordered}


def _runs(of: dict[int, set[tuple[str, ...]]], believed: Sequence[int]) -> Iterator[_Run]:
    """Yield each run of believed revisions that name something: first, last, what."""
    running: dict[tuple[str, ...], int] = {}
    before = 0
    for number in believed:
        for values in [values for values in running if values not in of[number]]:
            yield running.pop(values), before, values
        for values in of[number]:
            running.setdefault(values, number)
        before = number
    yield from ((first, None, values) for values, first in running.items())


def _open(connection: Connection, table: Table, revision: NewRevision) -> set[tuple[str, ...]]:
    query = select(*table.c[_NAMES[table]]).where(*_is_open(table, revision))
    return {tuple(row) for row in connection.execute(query)}


def _is_open(table: Table, revision: NewRevision) -> tuple[ColumnElement[bool], ...]:
    return table.c.article_id == revision.article_id, table.c.last_revision.is_(None)


def _rows(table: Table, article_id: int, runs: Iterable[_Run]) -> list[dict[str, Any]]:
    return [
        {"article_id": article_id, "first_revision": first, "last_revision": last}
        | dict(zip(_NAMES[table], values, strict=True))
        for first, last, values in runs
    ]

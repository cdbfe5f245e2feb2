"""Securities and keywords, each with the revisions of its article that name it.

A row stands for a run of revisions: from ``first_revision`` to ``last_revision``, both included;
while it is named, there is no last one. So it is known from when on an article named a security.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, and_, or_, select, update

from ingestor.model import Article
from ingestor.store.schema import keywords, revisions, symbols

_NAMES = {symbols: ("symbol", "market", "name"), keywords: ("keyword",)}
"""The columns of each table that say what is named; the first identifies it."""

_INSERT = {table: table.insert() for table in _NAMES}


ByRevision: TypeAlias = dict[Table, dict[int, set[tuple[str, ...]]]]
"""What each revision of an article names, by table and the revision's number."""


@dataclass(frozen=True, slots=True)
class Spanned:
    """What a revision that becomes current names."""

    article_id: int
    revision: int
    replaces: int
    """The revision that was current before; 0: none was."""
    article: Article


def named(article: Article) -> dict[Table, set[tuple[str, ...]]]:
    """Return what an article names, by table; of a security that it names twice the first name."""
    securities = {security.symbol: security for security in reversed(article.body.securities)}
    return {
        symbols: {
            (security.symbol, security.market, security.name) for security in securities.values()
        },
        keywords: {(keyword,) for keyword in article.keywords},
    }


def write(connection: Connection, new: Sequence[Spanned]) -> None:
    """Begin a row for what a revision names that the one before did not, and end what it does not.

    A name that changed is another row.
    """
    rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in _NAMES}
    for revision in new:
        for table, now in named(revision.article).items():
            before = _open(connection, table, revision) if revision.replaces else set()
            _end(connection, table, revision, before - now)
            rows[table] += _rows(table, revision.article_id, revision.revision, now - before)
    for table, values in rows.items():
        if values:
            connection.execute(_INSERT[table], values)


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
            connection.execute(
                _INSERT[table],
                [
                    {"article_id": article_id, "first_revision": first, "last_revision": last}
                    | dict(zip(_NAMES[table], values, strict=True))
                    for first, last, values in rows
                ],
            )


def _causes(connection: Connection, article_id: int) -> dict[int, str]:
    """Return why each revision of an article was made, by its number, in their order."""
    query = select(revisions.c.revision, revisions.c.cause).where(
        revisions.c.article_id == article_id
    )
    ordered = connection.execute(query.order_by(revisions.c.revision))
    return {row.revision: row.cause for row in ordered}


def _runs(
    of: dict[int, set[tuple[str, ...]]], believed: Sequence[int]
) -> Iterator[tuple[int, int | None, tuple[str, ...]]]:
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


def _open(connection: Connection, table: Table, revision: Spanned) -> set[tuple[str, ...]]:
    columns = table.c[_NAMES[table]]
    query = select(*columns).where(
        table.c.article_id == revision.article_id, table.c.last_revision.is_(None)
    )
    return {tuple(row) for row in connection.execute(query)}


def _end(
    connection: Connection, table: Table, revision: Spanned, ended: Iterable[tuple[str, ...]]
) -> None:
    names = _NAMES[table]
    conditions = [
        and_(*(table.c[name] == value for name, value in zip(names, values, strict=True)))
        for values in ended
    ]
    if conditions:
        connection.execute(
            update(table)
            .where(
                table.c.article_id == revision.article_id,
                table.c.last_revision.is_(None),
                or_(*conditions),
            )
            .values(last_revision=revision.replaces)
        )


def _rows(
    table: Table, article_id: int, revision: int, begun: Iterable[tuple[str, ...]]
) -> list[dict[str, Any]]:
    names = _NAMES[table]
    return [
        {"article_id": article_id, "first_revision": revision}
        | dict(zip(names, values, strict=True))
        for values in sorted(begun)
    ]

"""What securities are called, and from when on that was known: the table ``securities``.

A row stands for a time in which a security bore a name: ST and back are three. Sina's markup says
a name; else it is the one that most of the latest articles write, as a text's name may have its
sentence's words before it. What is written down holds from then on and is never changed
afterwards: who asks for a moment is told what was known then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from ingestor.model import Security
from ingestor.store.schema import securities, symbols

VOTERS = 9
"""The latest articles that name a security: a new name needs five of them, but no old archive."""


_COLUMNS = (
    "symbol", "market", "name", "first_seen_at", "last_seen_at", "published_at", "marked",
)  # fmt: skip
_RUNS = (
    select(*securities.c[_COLUMNS])
    .where(securities.c.symbol.in_(bindparam("symbols", expanding=True)))
    .order_by(securities.c.first_seen_at)
)
_LATEST = (
    select(symbols.c.name)
    .where(symbols.c.symbol == bindparam("symbol"), symbols.c.name != "")
    .order_by(symbols.c.article_id.desc())
    .limit(VOTERS)
)
_NAMED = (
    select(symbols.c.article_id, symbols.c.symbol)
    .where(
        symbols.c.article_id.in_(bindparam("ids", expanding=True)),
        symbols.c.last_revision.is_(None),
    )
    .order_by(symbols.c.article_id, symbols.c.symbol)
)
_INSERT = securities.insert()
_UPDATE = (
    securities.update()
    .where(securities.c.symbol == bindparam("of"), securities.c.first_seen_at == bindparam("since"))
    .values({name: bindparam(name) for name in ("last_seen_at", "name", "published_at", "marked")})
)


@dataclass(frozen=True, slots=True)
class NamedSecurity:
    """That an article names a security."""

    security: Security
    published_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class NameRun:
    """A time in which a security bore a name: a row."""

    symbol: str
    market: str
    name: str
    first_seen_at: datetime
    last_seen_at: datetime
    published_at: datetime
    """Of the latest article that named it so."""
    marked: int
    """1: markup says this name."""


def record(connection: Connection, named: Sequence[NamedSecurity]) -> None:
    """Note what articles call securities, before their own names are stored, in this order."""
    before = _last_runs(connection, {each.security.symbol for each in named})
    runs = dict(before)
    changed: dict[tuple[str, datetime], NameRun] = {}
    said: defaultdict[str, list[str]] = defaultdict(list)
    for each in named:
        symbol, name = each.security.symbol, each.security.name
        said[symbol] += [name] * bool(name)

        def votes(symbol: str = symbol) -> Counter[str]:
            """Count what the latest articles call this security, those of now included."""
            return _latest_names(connection, symbol, said[symbol])

        run = following(runs.get(symbol), each, votes)
        if run != runs.get(symbol):
            runs[symbol] = changed[symbol, run.first_seen_at] = run
    _write(connection, before, list(changed.values()))


def following(
    run: NameRun | None, named: NamedSecurity, votes: Callable[[], Counter[str]]
) -> NameRun:
    """Return the last row of a security after an article has named it. Pure, but for ``votes``.

    ``votes`` counts the names in the latest articles, and is asked where it matters.
    """
    security, published_at, seen_at = named.security, named.published_at, named.seen_at
    if run is None:
        return _begun(security, seen_at, published_at)
    if not security.name or security.name == run.name:
        return replace(
            run,
            last_seen_at=max(run.last_seen_at, seen_at),
            published_at=max(run.published_at, published_at),
            marked=max(run.marked, int(security.is_marked)),
        )
    # An article of years ago knows what it was called then.
    if published_at < run.published_at or not _replaces(run, security, votes):
        return run
    return _begun(security, max(seen_at, run.first_seen_at), published_at)


def _begun(security: Security, since: datetime, published_at: datetime) -> NameRun:
    marked = int(security.is_marked)
    return NameRun(
        security.symbol, security.market, security.name, since, since, published_at, marked
    )


def _replaces(run: NameRun, security: Security, votes: Callable[[], Counter[str]]) -> bool:
    # Who only reads names does not wait for the patterns of what is one.
    from ingestor.text.short_names import is_part_of, is_share  # noqa: PLC0415

    before, name = run.name, security.name
    if not before:
        return True
    is_short, is_part = is_share(name), is_part_of(name, before)
    if security.is_marked and is_short and not (run.marked and is_part):
        return True
    if is_short != is_share(before):
        # 石门酒业股份有限公司 is called 石门酒业.
        return is_short
    counted = votes()
    # 从在万科A is 万科A with a part of its sentence.
    tie = is_part and not run.marked
    return counted[name] > counted[before] or (tie and counted[name] == counted[before])


def _latest_names(connection: Connection, symbol: str, said: Sequence[str]) -> Counter[str]:
    """Count the names in the articles that named a security last, ``said`` being the newest."""
    latest = list(said[: -VOTERS - 1 : -1])
    if len(latest) < VOTERS:
        latest += connection.execute(_LATEST, {"symbol": symbol}).scalars()
    return Counter(latest[:VOTERS])


def _last_runs(connection: Connection, named: Collection[str]) -> dict[str, NameRun]:
    return {runs[-1].symbol: runs[-1] for runs in _runs(connection, named).values()}


def _runs(connection: Connection, named: Collection[str]) -> dict[str, list[NameRun]]:
    """Return all rows of securities, the oldest first."""
    runs: defaultdict[str, list[NameRun]] = defaultdict(list)
    if named:
        for row in connection.execute(_RUNS, {"symbols": list(named)}):
            runs[row.symbol].append(NameRun(*row))
    return runs


def _write(connection: Connection, before: dict[str, NameRun], changed: Iterable[NameRun]) -> None:
    begun, again = [], []
    for run in changed:
        known = before.get(run.symbol)
        values = {name: getattr(run, name) for name in _COLUMNS}
        if known is None or known.first_seen_at != run.first_seen_at:
            begun.append(values)
        else:
            # The same row: seen once more, or of two names of one second the second.
            again.append(values | {"of": run.symbol, "since": run.first_seen_at})
    if again:
        connection.execute(_UPDATE, again)
    if begun:
        connection.execute(_INSERT, begun)


class KnownNames:
    """The names of some securities, at any moment."""

    def __init__(self, connection: Connection, named: Collection[str]) -> None:
        self._runs = _runs(connection, named)

    def at(self, symbol: str, moment: datetime | None = None) -> str:
        """Return the name that was known at a moment, ``None``: now; ``""``: none was."""
        runs = self._runs.get(symbol, [])
        if moment is not None:
            runs = runs[: bisect_right(runs, moment, key=lambda run: run.first_seen_at)]
        return runs[-1].name if runs else ""


def known_names(connection: Connection, article_ids: Collection[int]) -> KnownNames:
    """Return the names of all securities that articles name, or named."""
    query = select(symbols.c.symbol).where(symbols.c.article_id.in_(article_ids)).distinct()
    return KnownNames(connection, list(connection.execute(query).scalars()))


def of_articles(
    connection: Connection, article_ids: Collection[int]
) -> dict[int, list[tuple[str, str]]]:
    """Return the securities that articles name now, by id: code, and what it is called now."""
    named = connection.execute(_NAMED, {"ids": list(article_ids)}).all()
    known = KnownNames(connection, {symbol for _, symbol in named})
    of: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for article_id, symbol in named:
        of[article_id].append((symbol, known.at(symbol)))
    return of


def called(connection: Connection, name: str) -> str | None:
    """Return the security that bears a name, or bore it last; ``None``: none ever did."""
    query = select(securities.c.symbol).where(securities.c.name == name)
    latest = func.max(securities.c.last_seen_at).desc()
    query = query.group_by(securities.c.symbol).order_by(latest, securities.c.symbol)
    return connection.execute(query.limit(1)).scalars().first()

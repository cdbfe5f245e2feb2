"""Adopting the articles of another archive: which are here already, and which are new.

Such an article mostly has no address. It is the one that is here when title and day are the
same and the texts nearly so; what lies between the same and another text is not decided here.
Nothing that is here is ever changed by it, but for an address that was not known.

A look that others had at a known article comes into its history where its moment belongs
(:func:`past_look`). Revisions are numbered by time: those behind it move up, with all that names
them by number, in one transaction; ``sequence`` names a revision for ever.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, select, update

from ingestor.identity import fingerprint, is_content_address
from ingestor.model import Cause
from ingestor.store import ArticleUpsert, NewRevision
from ingestor.store.articles import NewArticle, give_address, insert, known_articles
from ingestor.store.db import locks
from ingestor.store.names import spans
from ingestor.store.revisions import MOST_EDITS_A_DAY, insert_rows
from ingestor.store.schema import articles, captures, revisions
from ingestor.text.similarity import Likeness, likeness, title_key

MOST_DAYS = 32
"""Days whose titles are kept in memory: files come in the order of their names, which may be
that of their days."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of an article of another archive."""

    outcome: Literal["adopted", "known", "ambiguous"]
    article_id: int
    """The new article, the one that it is, or the one that it may be."""


@dataclass(frozen=True, slots=True)
class _Titled:
    article_id: int
    url: str
    key: str


class Importer:
    """Takes in one article after the other; nobody else may add any meanwhile."""

    def __init__(self) -> None:
        self._days: OrderedDict[str, list[_Titled]] = OrderedDict()

    def add(self, connection: Connection, new: NewArticle) -> ImportResult:
        """Store an article, unless it is here already or may be.

        Its address is real, or names its content.
        """
        known = self._known(connection, new.upsert, new.day)
        if known is not None:
            return known
        article = new.upsert.article
        (article_id,) = insert(connection, [new])
        titles = self._titles(connection, new.day)
        if all(titled.article_id != article_id for titled in titles):
            titles.append(_Titled(article_id, article.url, title_key(article.title)))
        return ImportResult("adopted", article_id)

    def _known(
        self, connection: Connection, upsert: ArticleUpsert, day: str
    ) -> ImportResult | None:
        """Return which article an extracted one is or may be, ``None`` when it is a new one."""
        article = upsert.article
        text = article.body.text
        unsure: ImportResult | None = None
        if (named := _named(connection, upsert, day)) is not None:
            alike = _closest(connection, named, text)
            if alike == "same" or is_content_address(article.url):
                return ImportResult("known", named)
            unsure = ImportResult("ambiguous", named)
        for titled in self._same_title(connection, upsert, day):
            alike = _closest(connection, titled.article_id, text)
            if alike == "same":
                if is_content_address(titled.url) and not is_content_address(article.url):
                    give_address(connection, titled.article_id, article.url, article.document_id)
                    self._days.pop(day, None)
                return ImportResult("known", titled.article_id)
            if alike == "unsure":
                unsure = unsure or ImportResult("ambiguous", titled.article_id)
        return unsure

    def _same_title(
        self, connection: Connection, upsert: ArticleUpsert, day: str
    ) -> Iterator[_Titled]:
        """Yield the articles of the same day and title that it may be.

        Two real addresses are two articles: publishers put one text under several.
        """
        key = title_key(upsert.article.title)
        addressed = not is_content_address(upsert.article.url)
        for titled in self._titles(connection, day):
            if titled.key == key and not (addressed and not is_content_address(titled.url)):
                yield titled

    def _titles(self, connection: Connection, day: str) -> list[_Titled]:
        """Return every title that an article of the day has or had."""
        if day not in self._days:
            query = (
                select(articles.c.id, articles.c.url, revisions.c.title)
                .join(revisions, revisions.c.article_id == articles.c.id)
                .where(articles.c.date == day)
            )
            rows = {(row.id, row.url, title_key(row.title)) for row in connection.execute(query)}
            self._days[day] = [_Titled(*row) for row in sorted(rows)]
        self._days.move_to_end(day)
        while len(self._days) > MOST_DAYS:
            self._days.popitem(last=False)
        return self._days[day]


def is_recorded(connection: Connection, url: str, fetched_at: datetime, sha256: str) -> bool:
    """Whether there is a capture of what an address answered at a moment."""
    query = select(captures.c.id).where(
        captures.c.url == url, captures.c.fetched_at == fetched_at, captures.c.sha256 == sha256
    )
    return connection.execute(query.limit(1)).scalar() is not None


Placement = Literal["latest", "known", "older", "unchanged", "earlier", "revised"]


@dataclass(frozen=True, slots=True)
class PastLook:
    """Where a look that others had at an article belongs in its history."""

    article_id: int
    outcome: Placement
    """``latest``: behind all that is known, like a look of ours. ``known``: there is one of that
    moment. ``unchanged``: it found the words that held then. ``earlier``: it found the next ones
    sooner. ``revised``: it found other words, in between or before all of them. ``older``: what
    is known does not say what it would change."""
    before: Row[Any] | None
    """The believed revision that held at its moment."""
    after: Row[Any] | None
    """The first one behind it."""
    again: Row[Any] | None
    """The first look behind it, and before that one, that found the words of ``before``."""


def past_look(
    connection: Connection, article_id: int, upsert: ArticleUpsert, sha256: str
) -> PastLook:
    """Return where a look belongs; ``upsert`` is what it found, ``sha256`` names its body."""
    moment = upsert.seen_at
    history: list[Any] = list(connection.execute(_HISTORY, {"article": article_id}))
    before = next((row for row in reversed(history) if row.seen_at <= moment), None)
    after = next((row for row in history if row.seen_at > moment), None)
    since = {"article": article_id, "since": moment}
    looks: list[Any] = list(connection.execute(_LOOKS, since))
    known = any(look.fetched_at == moment for look in (*looks, *history))
    between = (
        look
        for look in looks
        if after is None or (look.fetched_at < after.seen_at and look.id != after.capture_id)
    )
    again = next(between, None) if before is not None else None
    outcome: Placement = "revised"
    if known or (before is not None and before.seen_at == moment):
        outcome = "known"
    elif after is None and again is None:
        outcome = "latest"
    elif after is not None and again is None and _is_of_before(after, moment):
        outcome = "older"
    elif before is not None and _is_same(before, upsert, sha256):
        outcome = "unchanged"
    elif after is not None and again is None and _is_found_by(after, upsert, sha256):
        outcome = "earlier"
    elif _edits_around(history, moment) >= MOST_EDITS_A_DAY:
        outcome = "older"
    return PastLook(article_id, outcome, before, after, again)


_HISTORY = (
    select(revisions, captures.c.sha256, captures.c.fetched_at)
    .outerjoin(captures, captures.c.id == revisions.c.capture_id)
    .where(revisions.c.article_id == bindparam("article"), revisions.c.cause != "doubt")
    .order_by(revisions.c.revision)
)
_LOOKS = (
    select(captures.c.id, captures.c.fetched_at)
    .where(
        captures.c.article_id == bindparam("article"),
        captures.c.fetched_at >= bindparam("since"),
        captures.c.reading.in_(("article", "edit", "unchanged", "another")),
    )
    .order_by(captures.c.fetched_at, captures.c.id)
)


def _is_of_before(after: Row[Any], moment: datetime) -> bool:
    """Whether a revision is our reading anew of a page that is not later than a moment."""
    is_of_page = after.cause == "reextract" and after.fetched_at is not None
    return bool(is_of_page and after.fetched_at <= moment)


def _is_same(row: Row[Any], upsert: ArticleUpsert, sha256: str) -> bool:
    """Whether a look found what a revision says, or the very page that it was read from."""
    article = upsert.article
    said = fingerprint(article.title or row.title, article.body.text)
    return row.sha256 == sha256 or said == fingerprint(row.title, row.content_text)


def _is_found_by(after: Row[Any], upsert: ArticleUpsert, sha256: str) -> bool:
    """Whether the revision behind a look can begin with it: it rests on a page with its words."""
    is_page = after.cause in {"new", "edit"} and after.capture_id is not None
    return is_page and _is_same(after, upsert, sha256)


def _edits_around(history: Sequence[Any], moment: datetime) -> int:
    """Count the edits within a day of a moment, on either side."""
    day = timedelta(days=1)
    return sum(row.cause == "edit" and abs(row.seen_at - moment) < day for row in history)


def insert_past(connection: Connection, look: PastLook, upsert: ArticleUpsert) -> None:
    """Let a history say what a look found that is ``earlier`` or ``revised``.

    What the article says now stays as it is. ``upsert`` has the look's capture.
    """
    locks.lock_revisions(connection)
    row = connection.execute(select(articles).where(articles.c.id == look.article_id)).one()
    names = spans.by_revision(connection, look.article_id)
    values: dict[str, Any] = {"updated_at": _updated_at(look, row, upsert)}
    if values["updated_at"] != row.updated_at:
        values["file_sha256"] = None
    if look.before is None:
        values["first_seen_at"] = upsert.seen_at
    current = row.revision
    if look.outcome == "earlier":
        _change(connection, look.after, seen_at=upsert.seen_at)
    else:
        added = _insert(connection, look, upsert, names)
        current = added if look.again and look.after is None else current
    numbers = _renumber(connection, look.article_id)
    values["revision"] = numbers[current]
    connection.execute(update(articles).where(articles.c.id == look.article_id).values(**values))
    by_number = {
        table: {numbers[number]: said for number, said in of.items()} for table, of in names.items()
    }
    spans.write_again(connection, look.article_id, by_number)


def _insert(
    connection: Connection, look: PastLook, upsert: ArticleUpsert, names: spans.ByRevision
) -> int:
    """Write what a look found, and what was found again behind it; return the last number."""
    before, after, again = look.before, look.after, look.again
    last = max(next(iter(names.values())))
    cause: Cause = "edit" if before is not None else "new"
    insert_rows(connection, [NewRevision(look.article_id, upsert, cause, last + 1)])
    for table, said in spans.named(upsert.article).items():
        names[table][last + 1] = said
    if before is None or again is None:
        if before is None and after is not None and after.cause == "new":
            _change(connection, after, cause="edit")
        return last + 1
    values = {name: getattr(before, name) for name in _COPIED}
    found = {"revision": last + 2, "cause": "edit", "seen_at": again.fetched_at}
    connection.execute(revisions.insert().values(values | found | {"capture_id": again.id}))
    for of in names.values():
        of[last + 2] = of[before.revision]
    return last + 2


_COPIED = [column.name for column in revisions.c if column.name != "sequence"]


def _change(connection: Connection, row: Row[Any] | None, **values: object) -> None:
    if row is not None:
        mine = revisions.c.sequence == row.sequence
        connection.execute(update(revisions).where(mine).values(**values))


def _renumber(connection: Connection, article_id: int) -> dict[int, int]:
    """Give an article's revisions numbers by time; return each one's by the one that it had."""
    mine = revisions.c.article_id == article_id
    columns = revisions.c["sequence", "revision"]
    ordered = select(*columns).where(mine).order_by(revisions.c.seen_at, revisions.c.revision)
    rows = connection.execute(ordered).all()
    # Two of them never have one number, also meanwhile.
    connection.execute(update(revisions).where(mine).values(revision=-revisions.c.revision))
    connection.execute(
        update(revisions)
        .where(revisions.c.sequence == bindparam("of"))
        .values(revision=bindparam("number")),
        [{"of": row.sequence, "number": number} for number, row in enumerate(rows, 1)],
    )
    return {row.revision: number for number, row in enumerate(rows, 1)}


def _updated_at(look: PastLook, row: Row[Any], upsert: ArticleUpsert) -> datetime | None:
    """Return when the current words of an article were edited, as far as is known now."""
    after: Any = look.after
    known: datetime | None = row.updated_at
    found_at: datetime | None = known
    if after is None:
        found_at = look.again.fetched_at if look.again else known
    elif after.revision == row.revision and look.outcome == "earlier":
        found_at = upsert.seen_at if known == after.seen_at else known
    elif after.revision == row.revision and look.before is None and after.cause == "new":
        claimed = upsert.article.updated_at
        is_news = known is not None and (claimed is None or known > claimed)
        found_at = known if is_news else after.seen_at
    return found_at


def _named(connection: Connection, upsert: ArticleUpsert, day: str) -> int | None:
    """Return the article that has its address already, on that day or with the same words."""
    article = upsert.article
    known = known_articles(connection, (article.url,), article.document_id)
    if is_content_address(article.url):
        # The same words on another day are another article: some notices come daily.
        known = [candidate for candidate in known if candidate.day == day]
    print_ = fingerprint(article.title, article.body.text)
    same = [candidate for candidate in known if candidate.fingerprint == print_]
    same += [candidate for candidate in known if day in candidate.days]
    return same[0].article_id if same else None


def _closest(connection: Connection, article_id: int, text: str) -> Likeness:
    """Return how a text is like the nearest of an article's revisions."""
    query = select(revisions.c.content_text).where(revisions.c.article_id == article_id)
    found = {likeness(known, text) for known in connection.execute(query).scalars()}
    return "same" if "same" in found else "unsure" if "unsure" in found else "other"

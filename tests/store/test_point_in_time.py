"""What was knowable at every moment of random histories, against a model that is a list."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ingestor.api.moment import as_known
from ingestor.model import Article, Body, Security
from ingestor.store import ArticleUpsert, revisions
from ingestor.store.stored_articles import current, history
from ingestor.text.dates import iso_utc
from tools.filling import filled, save_articles

BEGIN = datetime(2024, 3, 11, 1, tzinfo=UTC)
STEP = timedelta(hours=2)
CODES = ("sh600519", "sz000001", "hk00700")
WORDS = ("白酒", "银行", "提价")
NUMBERS = count(1)

# Each with the article and the moment; the last condition is what a backtest asks.
KNOWN = """
SELECT {columns} FROM known_revisions
 WHERE article_id = :article AND known_from <= :at AND (known_until IS NULL OR known_until > :at)"""
SYMBOLS = """
SELECT symbol FROM articles_by_symbol
 WHERE article_id = :article AND known_from <= :at AND (known_until IS NULL OR known_until > :at)"""
KEYWORDS = """
SELECT k.keyword FROM keywords k
  JOIN known_revisions r ON r.article_id = k.article_id AND r.revision >= k.first_revision
       AND (k.last_revision IS NULL OR r.revision <= k.last_revision)
 WHERE k.article_id = :article
   AND r.known_from <= :at AND (r.known_until IS NULL OR r.known_until > :at)"""


@dataclass(frozen=True)
class Said:
    """What a page says at a look."""

    words: int
    """Which text; the same one again is no edit."""
    media: str
    days: int
    """By which its day moved."""
    codes: frozenset[str]
    keywords: frozenset[str]


@dataclass(frozen=True)
class Withdrawn:
    """A revision turned out not to be the article: one of those there are."""

    which: int


@dataclass
class Known:
    """A revision of the model."""

    said: Said
    since: datetime
    doubted: bool = False


SAID = st.builds(
    Said,
    words=st.integers(0, 4),
    media=st.sampled_from(["甲报", "乙报"]),
    days=st.integers(0, 2),
    codes=st.frozensets(st.sampled_from(CODES)),
    keywords=st.frozensets(st.sampled_from(WORDS)),
)
STEPS = st.lists(st.one_of(SAID, SAID, st.builds(Withdrawn, st.integers(0, 9))), max_size=8)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Give an archive with nothing in it."""
    with closing(filled(tmp_path_factory.mktemp("known") / "archive.db", [])) as opened:
        yield opened


def read(said: Said, number: int, at: datetime) -> ArticleUpsert:
    securities = tuple(Security(code[:2], code, code) for code in sorted(said.codes))
    words = f"第{number}篇第{said.words}稿的正文，" * 8
    body = Body(f"<p>{words}</p>", words, (), securities)
    article = Article(
        f"https://a.example/known/{number}",
        f"known{number}",
        f"第{number}篇",
        BEGIN + timedelta(days=said.days),
        body,
        media=said.media,
        keywords=tuple(sorted(said.keywords)),
    )
    return ArticleUpsert(article, "作者", ("x",), "page", at, feed_id=None)


def last_good(model: list[Known]) -> Known | None:
    return next((known for known in reversed(model) if not known.doubted), None)


def play(connection, article_id, model, steps, *, number) -> None:
    """Play a history, in the archive and in the model."""
    for at, step in enumerate(steps, start=1):
        now = BEGIN + at * STEP
        good = last_good(model)
        if isinstance(step, Withdrawn):
            which = step.which % len(model)
            model[which].doubted = True
            left = revisions.withdraw(connection, article_id, which + 1, now)
            assert left == (last_good(model) is not None)
        elif good is None:
            revisions.replace_doubted(connection, article_id, read(step, number, now), "new")
            model.append(Known(step, now))
        else:
            saved = revisions.revise(connection, article_id, read(step, number, now))
            changed = step.words != good.said.words
            assert saved.outcome == ("revised" if changed else "unchanged")
            if changed:
                model.append(Known(step, now))


@settings(max_examples=60)
@given(SAID, STEPS)
def test_at_every_moment_it_is_known_what_was_knowable(database, first, steps):
    """Text, medium, claimed time, securities and keywords; no moment knows what came later."""
    number = next(NUMBERS)
    with database.transaction() as connection:
        (saved,) = save_articles(connection, [read(first, number, BEGIN)])
        model = [Known(first, BEGIN)]
        play(connection, saved.article_id, model, steps, number=number)
        for at in range(-1, len(steps) + 2):
            now = BEGIN + at * STEP
            asked = {"article": saved.article_id, "at": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
            expected = expected_at(model, now, number)
            assert known_at(connection, asked) == expected
            assert in_python(connection, saved.article_id, now) == expected
        shown(connection, saved.article_id, model)


def known_at(connection, asked):
    columns = "content_text, media, published_at"
    rows = connection.execute(text(KNOWN.format(columns=columns)), asked).all()
    symbols = connection.execute(text(SYMBOLS), asked).scalars().all()
    keywords = connection.execute(text(KEYWORDS), asked).scalars().all()
    return [tuple(row) for row in rows], sorted(symbols), sorted(keywords)


def in_python(connection, article_id, now):
    """Return the same from the library: nothing in it says what came later."""
    known = as_known(connection, [article_id], now)
    for one in known:
        moments = (one.updated_at, one.known_until, one.gone_at, one.doubted_at, one.known_from)
        assert all(moment is None or moment <= now for moment in moments)
    rows = [(one.content_text, one.media, iso_utc(one.published_at)) for one in known]
    return (
        rows,
        sorted(code for one in known for code in one.symbols),
        sorted(word for one in known for word in one.keywords),
    )


def expected_at(model, now, number):
    good = last_good([known for known in model if known.since <= now])
    if good is None:
        return [], [], []
    article = read(good.said, number, now).article
    claimed = f"{article.published_at:%Y-%m-%dT%H:%M:%SZ}"
    row = (article.body.text, good.said.media, claimed)
    return [row], sorted(good.said.codes), sorted(good.said.keywords)


def shown(connection, article_id, model) -> None:
    """Compare what is shown of each revision, and of the article: its last good one."""
    for known, revision in zip(model, history(connection, article_id), strict=True):
        assert (revision.cause == "doubt") == known.doubted
        assert revision.media == known.said.media
        if not known.doubted:
            assert set(revision.symbols) == known.said.codes
            assert set(revision.keywords) == known.said.keywords
    good, now = last_good(model), current(connection, article_id)
    assert (now.doubted_at is None) == (good is not None)
    if good:
        assert (now.media, set(now.symbols)) == (good.said.media, good.said.codes)

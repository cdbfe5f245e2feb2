"""In whatever order looks of others are imported, the history is the same: that of their moments."""

from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ingestor.clock import Clock
from ingestor.pipeline.foreign_warc import Home, WarcImport
from ingestor.store.db.database import Database
from ingestor.store.stored_articles import current, history
from ingestor.workers import Workers
from tests.support.foreign_warc import ForeignFile
from tools.filling import filled
from tools.made_up_sina import demo_articles, finance_page

pytestmark = pytest.mark.slow

BEGIN = datetime(2024, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ARTICLE = demo_articles()[0]
WORDS = ("", "，公司随后作了补充说明", "，贵州茅台(600519)跟涨")
NUMBERS = count(1)


def page(words: int) -> str:
    return finance_page(ARTICLE).replace("。</p>", f"{WORDS[words]}。</p>", 1)


@pytest.fixture(scope="module")
def workers():
    with Workers() as pool:
        yield pool


@contextmanager
def archive(folder):
    with closing(filled(folder / f"{next(NUMBERS)}.db", [])) as database:
        yield database


def take_in(database: Database, workers: Workers, folder, looks) -> list[str]:
    """Import one file of looks, each an hour and the words found; return what became of them."""
    file = ForeignFile(folder / f"{next(NUMBERS)}.warc.gz")
    for hour, words in looks:
        file.page(ARTICLE.url, page(words), BEGIN + hour * HOUR)
    importer = WarcImport(
        transaction=database.transaction,
        workers=workers,
        clock=Clock(),
        home=Home(("财经",), "作者"),
        hosts=("sina.com.cn",),
        most_bytes=10**6,
        raw=folder / "warc",
        warc=None,
    )
    batches = list(importer.batches(file.write()))
    return [outcome for batch in batches for _, outcome in batch.pages]


def told(database: Database) -> list[tuple]:
    """Return all that an archive says of the one article and its past."""
    with database.reading() as connection:
        ids = connection.execute(text("SELECT id FROM articles")).scalars().all()
        assert len(ids) == 1, ids
        every = history(connection, ids[0])
        now = current(connection, ids[0])
    names = ("revision", "cause", "known_from", "known_until", "content_text", "symbols", "title")
    said = [tuple(getattr(each, name) for name in names) for each in every]
    article = (now.revision, now.content_text, now.symbols, now.first_seen_at, now.updated_at)
    return [*said, article]


LOOKS = st.lists(st.integers(0, 2), min_size=2, max_size=6)


@settings(max_examples=8, deadline=None)
@given(LOOKS, st.data())
def test_any_order_gives_the_history_of_the_moments(tmp_path_factory, workers, words, data):
    """One revision for each change of words; twice the same file changes nothing."""
    folder = tmp_path_factory.mktemp("order")
    looks = list(enumerate(words))
    shuffled = data.draw(st.permutations(looks))
    with archive(folder) as ordered, archive(folder) as other:
        take_in(ordered, workers, folder, looks)
        for look in shuffled:
            take_in(other, workers, folder, [look])
        expected = told(ordered)
        runs = [list(run) for _, run in groupby(looks, key=lambda look: look[1])]
        assert [row[2] for row in expected[:-1]] == [BEGIN + run[0][0] * HOUR for run in runs]
        assert told(other) == expected
        assert set(take_in(other, workers, folder, looks)) == {"known"}
        assert told(other) == expected


def test_a_sequence_names_a_revision_for_ever(tmp_path, workers):
    """What comes in between gets a sequence of its own, and the numbers behind it move up."""
    with archive(tmp_path) as database:
        take_in(database, workers, tmp_path, [(0, 0), (4, 1)])
        with database.reading() as connection:
            (first, second) = history(connection, 1)
        assert take_in(database, workers, tmp_path, [(2, 2)]) == ["revised"]
        with database.reading() as connection:
            before, between, after = history(connection, 1)
        assert (before.sequence, after.sequence) == (first.sequence, second.sequence)
        assert between.sequence > second.sequence
        assert [each.revision for each in (before, between, after)] == [1, 2, 3]
        assert (after.content_text, between.known_until) == (second.content_text, after.known_from)


def test_a_later_look_at_the_same_words_counts(tmp_path, workers):
    """Words seen between two looks that found the same ones are an edit, and its undoing."""
    with archive(tmp_path) as database:
        assert take_in(database, workers, tmp_path, [(0, 0), (6, 0)]) == ["new", "unchanged"]
        assert take_in(database, workers, tmp_path, [(3, 1)]) == ["revised"]
        with database.reading() as connection:
            first, edit, undone = history(connection, 1)
            now = current(connection, 1)
        assert first.content_text == undone.content_text == now.content_text != edit.content_text
        assert [each.known_from for each in (first, edit, undone)] == [
            BEGIN,
            BEGIN + 3 * HOUR,
            BEGIN + 6 * HOUR,
        ]
        assert now.revision == undone.revision == 3

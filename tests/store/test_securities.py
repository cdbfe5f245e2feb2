"""What securities are called, from when on that was known, and who shows it."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ingestor.errors import UsageError
from ingestor.model import Article, Body, Security
from ingestor.store import ArticleUpsert
from ingestor.store.db.migrations import upgrade
from ingestor.store.filters import Filters, symbol_called
from ingestor.store.names import securities
from ingestor.store.stored_articles import exported
from tools.filling import filled, save_articles

BEGIN = datetime(2024, 3, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NUMBERS = count(1)

KNOWN = """
SELECT name FROM known_securities
 WHERE symbol = :symbol AND known_from <= :at AND (known_until IS NULL OR known_until > :at)"""


@pytest.fixture
def database(empty):
    """Give an archive with nothing in it."""
    made = empty()
    upgrade(made)
    return made


def read(security: Security, seen_at: datetime, published_at: datetime | None = None):
    number = next(NUMBERS)
    words = f"第{number}篇的正文。" * 9
    body = Body(f"<p>{words}</p>", words, (), (security,))
    url = f"https://a.example/names/{number}"
    article = Article(url, f"names{number}", f"第{number}篇", published_at or seen_at, body)
    return ArticleUpsert(article, "作者", ("x",), "page", seen_at, feed_id=None)


def told(name: str, symbol: str = "sz000002") -> Security:
    return Security(symbol[:2], symbol, name)


def marked(name: str, symbol: str = "sz000002") -> Security:
    return Security(symbol[:2], symbol, name, is_marked=True)


def save(database, *named: Security, day: int = 0) -> None:
    """Store one article a security, an hour apart."""
    with database.transaction() as connection:
        for hour, security in enumerate(named):
            save_articles(connection, [read(security, BEGIN + day * DAY + timedelta(hours=hour))])


def rows(database, symbol: str = "sz000002") -> list[tuple[str, int]]:
    """Return the names of a security with the day on which each became known."""
    with database.reading() as connection:
        known = securities.KnownNames(connection, [symbol])
        query = text("SELECT name, first_seen_at FROM securities WHERE symbol = :symbol ORDER BY 2")
        named = [row.name for row in connection.execute(query, {"symbol": symbol})]
    assert not named or known.at(symbol) == named[-1]
    return named


@pytest.mark.every_store
def test_the_most_frequent_short_form_is_the_name(database):
    """从在万科A is one article's; what most of the latest articles write is known from then on."""
    save(database, told("从在万科A"))
    assert rows(database) == ["从在万科A"]
    save(database, told("万科A"), told("头万科A"), told("万科A"), told("万科A"), day=1)
    assert rows(database) == ["从在万科A", "万科A"]


@pytest.mark.every_store
def test_markup_says_a_name_at_once(database):
    """Whatever texts wrote before; but a part of the name is none."""
    save(database, *[told("年万科A")] * 6)
    save(database, marked("万科A"), marked("万科"), told("行业万科A"), day=1)
    assert rows(database) == ["年万科A", "万科A"]


@pytest.mark.every_store
def test_a_name_changes_and_comes_back(database):
    """ST and back are three rows, by markup as by texts."""
    symbol = "sh600999"
    save(database, marked("石门水泥", symbol))
    save(database, marked("*ST石门", symbol), day=1)
    save(database, *[marked("石门水泥", symbol)] * 6, day=2)
    assert rows(database, symbol) == ["石门水泥", "*ST石门", "石门水泥"]
    save(database, *[told("ST石门", symbol)] * 4, day=3)
    assert rows(database, symbol)[-1] == "石门水泥"
    save(database, told("ST石门", symbol), day=4)
    assert rows(database, symbol)[-1] == "ST石门"


@pytest.mark.every_store
def test_an_old_article_changes_no_name(database):
    """A backfill of years ago knows what the security was called then."""
    save(database, marked("石门水泥"))
    with database.transaction() as connection:
        old = read(marked("石门建材"), BEGIN + DAY, BEGIN - 900 * DAY)
        save_articles(connection, [old])
    assert rows(database) == ["石门水泥"]


def test_a_page_from_the_future_keeps_no_name_for_ever(database):
    """What it claims counts as far as it was seen."""
    with database.transaction() as connection:
        save_articles(connection, [read(marked("石门水泥"), BEGIN, BEGIN + 9_000 * DAY)])
    save(database, marked("*ST石门"), day=1)
    assert rows(database) == ["石门水泥", "*ST石门"]


def test_a_companys_full_name_gives_way_to_its_short_one(database):
    """And does not come back."""
    long = "石门酒业股份有限公司"
    save(database, told(long), told("石门酒业"), told(long), told(long), told(long))
    assert rows(database) == [long, "石门酒业"]


def test_a_security_without_a_name_is_known_too(database):
    """Until somebody writes its name."""
    save(database, told(""))
    assert rows(database) == [""]
    save(database, told("石门水泥"), day=1)
    assert rows(database) == ["", "石门水泥"]


def test_when_it_was_seen_last_is_known(database):
    """Under each of its names."""
    save(database, marked("石门水泥"), marked("石门水泥"))
    save(database, marked("*ST石门"), day=5)
    with database.reading() as connection:
        query = text("SELECT name, last_seen_at FROM securities ORDER BY first_seen_at")
        assert [tuple(row) for row in connection.execute(query)] == [
            ("石门水泥", "2024-03-11T02:00:00Z"),
            ("*ST石门", "2024-03-16T01:00:00Z"),
        ]


def test_a_revision_is_exported_with_the_name_of_its_time(database):
    """Not with what the security was called later."""
    save(database, marked("石门水泥"))
    save(database, marked("*ST石门"), day=1)
    articles = list(exported(database, Filters(), every_revision=True))
    assert [article.symbol_names for article in articles] == [("石门水泥",), ("*ST石门",)]


@pytest.mark.every_store
def test_a_security_is_found_by_its_name(database):
    """By each one that it bore; what nothing is called is no security."""
    save(database, marked("石门水泥"))
    save(database, marked("*ST石门"), day=1)
    with database.reading() as connection:
        named = [symbol_called(connection, name) for name in ("石门水泥", "*ST石门", "600519", "")]
        assert named == ["sz000002", "sz000002", "sh600519", ""]
        with pytest.raises(UsageError, match="no code"):
            symbol_called(connection, "石门")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Give an archive with nothing in it, for many histories."""
    with closing(filled(tmp_path_factory.mktemp("names") / "archive.db", [])) as opened:
        yield opened


NAMES = st.builds(
    Security,
    st.just("sh"),
    st.just(""),
    st.sampled_from(["", "石门水泥", "*ST石门", "从在石门水泥", "石门水泥股份有限公司"]),
    is_marked=st.booleans(),
)


@settings(max_examples=40)
@given(st.lists(st.tuples(NAMES, st.integers(0, 2)), min_size=1, max_size=12))
def test_no_moment_knows_a_later_name(archive, history):
    """What was known at a moment stays what was known then, whatever comes."""
    symbol = f"sh{600000 + next(NUMBERS)}"
    answers: dict[str, str] = {}
    now = BEGIN
    for security, hours in history:
        now += timedelta(hours=hours)
        is_marked = security.is_marked and bool(security.name)
        own = Security("sh", symbol, security.name, is_marked=is_marked)
        with archive.transaction() as connection:
            save_articles(connection, [read(own, now)])
        with archive.reading() as connection:
            for moment, answer in answers.items():
                # Of two articles of one second the second one counts.
                if moment < f"{now:%Y-%m-%dT%H:%M:%SZ}":
                    assert name_at(connection, symbol, moment) == answer
            moment = f"{now:%Y-%m-%dT%H:%M:%SZ}"
            answers[moment] = name_at(connection, symbol, moment)
            assert answers[moment] == securities.KnownNames(connection, [symbol]).at(symbol, now)


def name_at(connection, symbol, moment):
    asked = {"symbol": symbol, "at": moment}
    return connection.execute(text(KNOWN), asked).scalar_one()

"""The library: what people ask an archive for from Python, on both kinds of databases."""

import hashlib
import json
import sqlite3
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta

import pytest

import ingestor
from ingestor.errors import (
    ArchiveError,
    CaptureLost,
    ConfigError,
    NoArchiveYet,
    SchemaTooNew,
    StorageFailed,
    UsageError,
)
from ingestor.maintenance.export import parquet
from ingestor.model import Article, Body, Security
from ingestor.store import ArticleUpsert, revisions
from ingestor.store.db.migrations import folder, schemas
from ingestor.store.filters import Filters
from ingestor.store.stored_articles import COLUMNS, exported
from tools.filling import FEED, FIRST, arrival_of, filled, save_articles
from tools.made_up_sina import finance_page, made_up, publish

TEXTS = [
    ("石门水泥提价", "石门水泥上调出厂价。" * 20),
    ("石门水泥停产", "石门水泥停产检修。"),
    ("望江银行年报", "望江银行净利润增长。"),
]
HOUR = timedelta(hours=1)


def edit_of(number: int, title: str, text: str, hours: float, *codes: str, media: str = ""):
    """Return what a later look at an article brings."""
    first = arrival_of(number, title, text)
    named = tuple(Security(code[:2], code, f"证券{code}") for code in codes)
    article = replace(first.article, body=Body(f"<p>{text}</p>", text, (), named), media=media)
    return replace(first, article=article, seen_at=FIRST + hours * HOUR)


@pytest.fixture
def place(tmp_path, store_url):
    """Give where an archive is: a file, or a database on the server."""
    return store_url or tmp_path / "archive.db"


@pytest.fixture
def history(place):
    """Give an archive of three articles, the first of which was edited twice, ten hours apart."""
    database = filled(place, TEXTS, media="虚构日报")
    with database.transaction() as connection:
        for hours, title, text, codes, media in (
            (10, "石门水泥不提价", "石门水泥否认上调，晨钟证券点评。", ("sh600001",), "甲报"),
            (20, "石门水泥终提价", "石门水泥最终上调。", ("sz000002",), "乙报"),
        ):
            edit = edit_of(0, title, text, hours, *codes, media=media)
            assert revisions.revise(connection, 1, edit).outcome == "revised"
    database.close()
    with ingestor.open(place) as archive:
        yield archive


@pytest.mark.every_store
def test_words_and_filters_find_articles(history):
    """As on the command line."""
    assert [hit.title for hit in history.search("水泥 上调")] == ["石门水泥终提价"]
    found = history.search("石门", order="newest", limit=1)
    assert [hit.id for hit in found] == [2]
    assert [hit.id for hit in history.search(symbol="sz000002")] == [1]
    assert [hit.id for hit in history.search(symbol="证券sz000002")] == [1]
    assert [hit.id for hit in history.search(feeds=FEED.name, until=date(2024, 3, 1))] == [3, 2, 1]
    assert list(history.search("没有")) == []
    with pytest.raises(FrozenInstanceError):
        found[0].title = "x"


@pytest.mark.every_store
def test_articles_are_read_as_they_are_walked_through(history):
    """They are counted by the database, and every walk reads anew."""
    articles = history.articles()
    assert len(articles) == 3
    assert [article.id for article in articles] == [article.id for article in articles] == [1, 2, 3]
    assert (articles[-1].title, articles[1].id) == ("望江银行年报", 2)
    assert [article.id for article in articles[::-1]] == [3, 2, 1]
    assert [article.id for article in articles[1:9]] == [2, 3]
    assert [article.id for article in history.articles(media="乙报")] == [1]
    assert len(history.articles(limit=2)) == 2
    with pytest.raises(IndexError):
        articles[3]


@pytest.mark.every_store
def test_an_article_is_named_by_its_id_its_address_or_a_record(history):
    """None where there is none."""
    article = history.article("http://finance.sina.com.cn/a/0.shtml?from=wap")
    assert article.title == "石门水泥终提价"
    assert (
        history.article(1)
        == history.article(article)
        == history.article(history.search("终提价")[0])
    )
    assert history.article(99) is None
    assert history.article(10**30) is None
    assert [each.title for each in history.revisions(article)] == [
        "石门水泥提价",
        "石门水泥不提价",
        "石门水泥终提价",
    ]
    assert list(history.revisions(99)) == []


@pytest.mark.every_store
def test_as_of_a_moment_every_method_says_what_was_knowable(history):
    """Title, text, medium and securities of the revision that held; nothing that came later."""
    then = history.as_of(FIRST + 12 * HOUR)
    article = then.article(1)
    assert (article.title, article.media) == ("石门水泥不提价", "甲报")
    assert (article.symbols, article.known_until) == (("sh600001",), None)
    assert article.updated_at == FIRST + 10 * HOUR
    assert [hit.title for hit in then.search("晨钟证券")] == ["石门水泥不提价"]
    assert [hit.title for hit in then.search("水泥 上调")] == ["石门水泥不提价"]
    assert list(then.search("最终上调")) == []
    assert [hit.id for hit in then.search(symbol="sh600001")] == [1]
    assert list(then.search(symbol="sz000002")) == []
    assert [each.id for each in then.articles(media="甲报")] == [1]
    assert [each.revision for each in then.revisions(1)] == [1, 2]
    assert [each.known_until for each in then.revisions(1)] == [FIRST + 10 * HOUR, None]


@pytest.mark.every_store
def test_what_was_first_seen_later_is_not_there(history):
    """Nor is anything before the first article."""
    early = history.as_of(FIRST + 0.5 * HOUR)
    assert [article.title for article in early.articles()] == ["石门水泥提价"]
    assert [hit.id for hit in early.search("石门")] == [1]
    assert early.article(2) is None
    assert list(history.as_of(FIRST - HOUR).articles()) == []
    later = early.as_of(FIRST + 30 * HOUR)
    assert [article.title for article in later.articles()] == ["石门水泥提价"]
    assert history.as_of("2024-03-01T09:30+08:00").articles()[0].title == "石门水泥提价"


@pytest.mark.every_store
def test_as_of_now_is_what_there_is(history):
    """Whatever is asked; but relevance weighs all words alike."""
    now = history.as_of(datetime.now(UTC))
    assert [each.id for each in now.articles()] == [each.id for each in history.articles()]
    for query in ("石门", "水泥 上调", "石门 -停产", "，", "泥"):
        for order in ("newest", "oldest"):
            found = history.search(query, order=order)
            assert [hit.id for hit in now.search(query, order=order)] == [hit.id for hit in found]


@pytest.mark.parametrize("moment", ["2024-03-11", "2024-03-11T14:05", "gestern"])
def test_a_moment_without_a_zone_is_none(tmp_path, moment):
    """It could be two."""
    filled(tmp_path / "archive.db", []).close()
    with ingestor.open(tmp_path / "archive.db") as archive, pytest.raises(UsageError):
        archive.as_of(moment)


def test_what_makes_no_sense_is_one_clear_line(tmp_path):
    """Not an empty answer."""
    filled(tmp_path / "archive.db", TEXTS).close()
    with ingestor.open(tmp_path / "archive.db") as archive:
        for ask in (
            lambda: archive.search("石门", since="gestern"),
            lambda: archive.search("石门", order="best"),
            lambda: archive.search("石门", limit=0),
            lambda: archive.search("-石门"),
            lambda: archive.articles(feeds="无此"),
            lambda: archive.articles(symbol="无此"),
            lambda: archive.articles(limit=-1),
            lambda: archive.article("x"),
            lambda: archive.follow(after=99),
            lambda: archive.as_of(datetime.now(UTC)).follow(),
        ):
            with pytest.raises(UsageError) as refused:
                ask()
            assert "\n" not in str(refused.value)


@pytest.mark.every_store
def test_each_look_has_its_bytes(site, net):
    """Through the configuration, which knows where the WARC files are."""
    one = made_up(1)
    publish(net, [one])
    site.run("--once")
    site.make_due()
    site.run("--once")
    with ingestor.open(site.folder / "config.toml") as archive:
        looks = archive.captures(one.url)
        assert [look.reading for look in looks] == ["article", "unchanged"]
        assert {look.body for look in looks} == {finance_page(one).encode()}
        assert hashlib.sha256(looks[0].body).hexdigest() == looks[0].sha256
        first = looks[0].looked_at
        assert list(archive.as_of(first - HOUR).captures(one.url)) == []
        assert archive.captures(99)[:] == []
    for path in (site.folder / "warc").iterdir():
        path.unlink()
    with ingestor.open(site.folder / "config.toml") as archive, pytest.raises(CaptureLost):
        archive.captures(one.url)[0].body  # noqa: B018


@pytest.mark.every_store
def test_it_reads_while_others_write(place):
    """Each question is answered with what is there when it is asked."""
    database = filled(place, TEXTS[:1])
    with ingestor.open(place) as archive:
        assert len(archive.articles()) == 1
        with database.transaction() as connection:
            save_articles(connection, [arrival_of(1, *TEXTS[1])])
            assert len(archive.articles()) == 1
        assert [hit.id for hit in archive.search("石门", order="oldest")] == [1, 2]
    database.close()


@pytest.mark.every_store
def test_what_lands_is_yielded_once_and_in_order(place):
    """New articles and edits, of those that are waited for."""
    database = filled(place, TEXTS)
    with ingestor.open(place) as archive:
        landing = archive.follow("石门 -停产", quiet=1)

        def land() -> None:
            with database.transaction() as connection:
                save_articles(connection, [arrival_of(7, "石门新厂", "石门投产。")])
            with database.transaction() as connection:
                revisions.revise(connection, 1, edit_of(0, "石门改", "石门又改。", 9))
                revisions.revise(connection, 2, edit_of(1, "石门停", "石门停产了。", 9))

        writing = threading.Thread(target=land)
        writing.start()
        assert [(each.title, each.cause) for each in landing] == [
            ("石门新厂", "new"),
            ("石门改", "edit"),
        ]
        writing.join()
        every = list(archive.follow(after=0, quiet=0))
        assert [each.sequence for each in every] == sorted(each.sequence for each in every)
        assert [each.title for each in every][:3] == [title for title, _ in TEXTS]
    database.close()


def refused(path, error, words):
    """Open what is no archive: one clear error, and not a byte of it is another one."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ArchiveError, match=words) as raised:
        ingestor.open(path)
    assert isinstance(raised.value, error)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_what_is_no_archive_is_refused_and_left_as_it_is(tmp_path):
    """Missing, empty, a folder, garbage, cut, another program's, of another schema."""
    refused(tmp_path / "missing.db", NoArchiveYet, "no archive")
    assert list(tmp_path.iterdir()) == []
    refused(tmp_path, StorageFailed, "folder")
    (tmp_path / "empty.db").touch()
    refused(tmp_path / "empty.db", NoArchiveYet, "no archive")
    (tmp_path / "text.db").write_text("石门" * 5000)
    refused(tmp_path / "text.db", StorageFailed, "not an SQLite database")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE notes (a)")
    connection.close()
    refused(tmp_path / "other.db", StorageFailed, "another program")
    for name, schema, error, words in (
        ("newer.db", "9999", SchemaTooNew, "newer"),
        ("older.db", schemas(folder())[-2], StorageFailed, "older"),
    ):
        filled(tmp_path / name, TEXTS).close()
        with sqlite3.connect(tmp_path / name) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (schema,))
        connection.close()
        refused(tmp_path / name, error, words)
    whole = filled(tmp_path / "whole.db", TEXTS * 20)
    whole.close()
    data = (tmp_path / "whole.db").read_bytes()
    (tmp_path / "cut.db").write_bytes(data[: len(data) // 3])
    refused(tmp_path / "cut.db", StorageFailed, "damaged")
    with pytest.raises(ConfigError):
        ingestor.open("mysql://x/y")


def test_a_path_may_have_any_name(tmp_path):
    """What means something in an address means nothing in a path."""
    for name in ("a?b.db", "a#b%20c.db", "茅 台.db"):
        filled(tmp_path / "plain.db", TEXTS[:1]).close()
        (tmp_path / "plain.db").rename(tmp_path / name)
        with ingestor.open(str(tmp_path / name)) as archive:
            assert len(archive.articles()) == 1


def test_a_database_is_never_written(tmp_path):
    """Not even its journal mode: a copy stays the copy that it was."""
    path = tmp_path / "archive.db"
    filled(path, TEXTS).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    before = path.read_bytes()
    with ingestor.open(path) as archive:
        assert len(archive.articles()) == 3
        archive.search("石门")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["archive.db"]


@pytest.fixture
def tables(tmp_path):
    """Give an archive with a damaged day in it, and the schema of its export to Parquet."""
    database = filled(tmp_path / "archive.db", TEXTS)
    named = (Security("sh", "sh600001", "石门水泥"),)
    body = Body("<p>x</p>", "全文", (), named)
    article = Article("https://a.example/9", "x9", "具名", FIRST, body, keywords=("水泥",))
    with database.transaction() as connection:
        save_articles(
            connection, [ArticleUpsert(article, "作者", ("a",), "page", FIRST, feed_id=1)]
        )
        connection.exec_driver_sql("UPDATE articles SET date = '2024-99-99' WHERE id = 2")
    pq = pytest.importorskip("pyarrow.parquet")
    with (tmp_path / "a.parquet").open("wb") as file:
        parquet(exported(database, Filters()), file)
    database.close()
    with ingestor.open(tmp_path / "archive.db") as archive:
        yield archive, pq.read_table(tmp_path / "a.parquet")


def test_a_table_of_arrows_is_that_of_the_export(tables):
    """Column for column."""
    archive, exported_table = tables
    # Parquet has no seconds.
    assert archive.articles().to_arrow().cast(exported_table.schema).equals(exported_table)
    empty = archive.articles(media="无").to_arrow()
    assert empty.cast(exported_table.schema).num_rows == 0


def test_a_frame_of_pandas_has_types(tables):
    """Also where there is nothing in it."""
    pd = pytest.importorskip("pandas")
    archive, _ = tables
    frame = archive.articles().to_pandas()
    assert tuple(frame.columns) == COLUMNS
    assert frame.known_from.dt.tz is not None
    assert frame.symbols.map(len).sum() == 1
    assert frame.date.isna().sum() == 1
    assert frame[frame.date >= "2024-01-01"].id.tolist() == [1, 3, 4]
    empty = archive.search("没有").to_pandas()
    assert (len(empty), str(empty.score.dtype), str(empty.published_at.dtype)) == (
        0, "float64", str(pd.DatetimeTZDtype("us", "UTC")),
    )  # fmt: skip
    assert list(archive.captures(1).to_pandas().columns)[:3] == ["looked_at", "url", "final_url"]


def test_a_frame_of_polars_has_types(tables):
    """The same."""
    polars = pytest.importorskip("polars")
    archive, _ = tables
    frame = archive.articles().to_polars()
    assert frame.schema["symbols"] == polars.List(polars.String)
    assert frame.schema["known_from"] == polars.Datetime("us", "UTC")
    assert sorted(frame["id"].to_list()) == [1, 2, 3, 4]


@pytest.mark.slow
def test_a_library_that_is_not_there_is_named(tmp_path):
    """With what brings it."""
    filled(tmp_path / "archive.db", TEXTS).close()
    code = (
        "import sys, json, ingestor; from ingestor.errors import UsageError; said = []\n"
        "for name in ('pandas', 'polars', 'pyarrow'):\n"
        "    sys.modules[name] = None\n"
        "records = ingestor.open(sys.argv[1]).articles()\n"
        "for ask in (records.to_pandas, records.to_polars, records.to_arrow):\n"
        "    try: ask()\n"
        "    except UsageError as error: said.append(str(error))\n"
        "print(json.dumps(said))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "archive.db")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout) == [
        "this needs pandas: pip install 'sina-ingestor[pandas]'",
        "this needs polars: pip install 'sina-ingestor[polars]'",
        "this needs pyarrow: pip install 'sina-ingestor[parquet]'",
    ]

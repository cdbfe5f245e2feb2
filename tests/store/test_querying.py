"""The examples of docs/querying.md run, and SQL, pandas and DuckDB give the same answer."""

import re
import sqlite3
from datetime import date, timedelta

import pytest

from ingestor.maintenance.export import parquet
from ingestor.model import Article, Body, Security
from ingestor.store import ArticleUpsert, revisions
from ingestor.store.filters import Filters
from ingestor.store.stored_articles import exported
from tools import ROOT
from tools.filling import FEED, FIRST, filled, save_articles

duckdb = pytest.importorskip("duckdb")
pd = pytest.importorskip("pandas")

PAGE = (ROOT / "docs" / "querying.md").read_text("utf-8")
QUESTIONS = {
    found[1]: re.findall(r"```(sql|python)\n(.*?)```", found[2], re.DOTALL)
    for found in re.finditer(r"^### (.*?\?)\n(.*?)(?=^##)", PAGE, re.DOTALL | re.MULTILINE)
}
FULL = "石门酒业发布年度报告，全年营业收入增长，净利润下降，公司表示将继续扩大产能并且回购股份。"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with an archive and its exports: named, edited and copied articles."""
    folder = tmp_path_factory.mktemp("asked")
    named = (Security("sh", "sh600519", "石门酒业"),)
    texts = [(f"第{number}篇", f"第{number}篇的正文" * 3) for number in range(40)]
    database = filled(folder / "archive.db", texts, media="晨潮财讯")
    with database.transaction() as connection:
        for number, title in enumerate(["首发", "转载", "更正"]):
            moment = FIRST + timedelta(hours=2 * number)
            body = Body("<p>x</p>", FULL, (), named)
            one = Article(
                f"https://a.example/{number}", f"x{number}", title, moment, body, media="乙报"
            )
            seen = moment + timedelta(minutes=7 + number)
            arrival = ArticleUpsert(one, "作者", FEED.categories, "page", seen, feed_id=1)
            saved = save_articles(connection, [arrival])[0]
        later = Article(one.url, "x2", "更正后", moment, Body("<p>y</p>", FULL * 3, (), named))
        edit = ArticleUpsert(
            later, "作者", FEED.categories, "page", seen + timedelta(minutes=30), feed_id=1
        )
        revisions.revise(connection, saved.article_id, edit)
    for name, every in (("articles", False), ("history", True)):
        with (folder / f"{name}.parquet").open("wb") as file:
            parquet(exported(database, Filters(), every_revision=every), file)
    database.close()
    return folder


def plain(rows) -> list[tuple]:
    """Return rows as they compare: whatever a library calls a day, a number or a text."""
    return sorted(tuple(map(value, row)) for row in rows)


def value(one):
    if isinstance(one, date):
        return one.isoformat()[:10]
    return str(one) if isinstance(one, str) else round(float(one), 1)


def in_pandas(folder, code):
    archive = sqlite3.connect(f"{(folder / 'archive.db').as_uri()}?mode=ro", uri=True)
    names = {"pd": pd, "archive": archive}
    exec(code, names)
    archive.close()
    return plain(names["answer"].itertuples(index=False, name=None))


def in_sqlite(folder, code):
    archive = sqlite3.connect(folder / "archive.db")
    rows = archive.execute(code).fetchall()
    archive.close()
    return plain(rows)


def in_duckdb(folder, code):
    for name in ("articles", "history"):
        code = code.replace(f"'{name}.parquet'", f"'{folder}/{name}.parquet'")
    return plain(duckdb.connect().execute(code).fetchall())


def test_there_are_the_questions_that_people_have():
    """Seven, each in SQL and pandas, and all but stories in DuckDB."""
    assert len(QUESTIONS) == 7
    assert [len(one) for one in QUESTIONS.values()] == [3, 3, 3, 3, 3, 3, 2]


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_way_of_asking_gives_the_same_answer(folder, question):
    """And there is an answer."""
    (_, sql), (_, code), *more = QUESTIONS[question]
    answer = in_sqlite(folder, sql)
    assert answer
    assert in_pandas(folder, code) == answer
    for _, other in more:
        found = in_duckdb(folder, other)
        # The export has the names of securities beside their codes.
        narrow = [(row[0], row[-1]) for row in answer] if "AS symbol" in other else answer
        assert found == narrow


def test_the_beginning_for_pandas_runs(folder, monkeypatch):
    """As it is pasted, in the archive's folder."""
    monkeypatch.chdir(folder)
    (code,) = re.findall(r"```python\n(import .*?)```", PAGE, re.DOTALL)
    names = {}
    exec(code, names)
    assert names["archive"].execute("SELECT count(*) FROM articles").fetchone() == (43,)
    names["archive"].close()


def test_what_named_a_security_at_a_moment_is_the_same_in_every_way(folder, monkeypatch):
    """The examples of docs/point-in-time.md, at a moment after the archive's last edit."""
    page = (ROOT / "docs" / "point-in-time.md").read_text("utf-8")
    section = page.split("## Which articles named a security")[1].split("\n## ")[0]
    blocks = re.findall(r"```(?:sql|python)\n(.*?)```", section, re.DOTALL)
    sql, code, other = (block.replace("2024-03-11", "2030-03-11") for block in blocks)
    monkeypatch.chdir(folder)
    names = {}
    exec(code, names)
    answer = sorted(names["answer"].id)
    assert len(answer) == 3
    assert [row[0] for row in in_duckdb(folder, other)] == answer
    archive = sqlite3.connect(folder / "archive.db")
    assert sorted(row[1] for row in archive.execute(sql)) == answer
    archive.close()

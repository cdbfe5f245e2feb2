"""Revisions that turned out not to be the article, in the store: history, spans, index, stories."""

from datetime import timedelta

import pytest

from ingestor.model import Article, Body, Security
from ingestor.store import ArticleUpsert, revisions, stories
from ingestor.store.search import index
from tools.filling import FEED, FIRST, filled

pytestmark = pytest.mark.every_store

GOOD = "公司全年营业收入同比增长百分之十二，净利润创下历史新高。" * 9
FALSE = "请完成安全验证后继续访问，拖动滑块完成拼图即可。" * 9
LATER = FIRST + timedelta(days=3)


@pytest.fixture
def archive(tmp_path, store_url):
    """Give an archive with two articles."""
    database = filled(store_url or tmp_path / "a.db", [("甲", GOOD), ("乙", FALSE)])
    yield database
    database.close()


def read(text: str, *names: str, days: int = 1) -> ArticleUpsert:
    securities = tuple(Security("sh", "sh600519", name) for name in names)
    body = Body("<p>x</p>", text, securities=securities)
    moment = FIRST + timedelta(days=days)
    article = Article("https://finance.sina.com.cn/a/0.shtml", "doc0", "丙", FIRST, body)
    return ArticleUpsert(article, "作者", FEED.categories, "page", moment, feed_id=1)


def rows(database, sql):
    with database.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_the_revision_before_is_current_again(archive):
    """History stays, the sequence only grows, index, stories and codes are those of the good one."""
    with archive.transaction() as connection:
        revisions.revise(connection, 1, read(FALSE, "误"))
        revisions.revise(connection, 1, read(FALSE + "再", "误", days=2))
        assert revisions.withdraw(connection, 1, 2, LATER)
        assert revisions.withdraw(connection, 1, 3, LATER)
        assert index.of(connection).unindexed() == 0
    causes = "SELECT revision, cause FROM revisions WHERE article_id = 1 ORDER BY sequence"
    assert rows(archive, causes) == [(1, "new"), (2, "doubt"), (3, "doubt")]
    now = rows(archive, "SELECT title, revision, doubted_at, updated_at FROM articles WHERE id = 1")
    assert now == [("甲", 1, None, None)]
    assert rows(archive, "SELECT first_revision, last_revision FROM symbols ORDER BY 1") == [
        (2, 2),
        (3, 3),
    ]
    assert rows(archive, "SELECT * FROM articles_by_symbol") == []
    assert rows(archive, "SELECT story_id FROM stories ORDER BY article_id") == [(1,), (2,)]
    with archive.transaction() as connection:
        revisions.revise(connection, 1, read(GOOD + "更正", "真", days=4))
    spans = "SELECT name, first_revision, last_revision FROM symbols ORDER BY 2"
    assert rows(archive, spans) == [("误", 2, 2), ("误", 3, 3), ("真", 4, None)]
    assert rows(archive, causes)[-1] == (4, "edit")


def test_a_name_that_only_a_withdrawn_revision_had_stays_apart(archive):
    """Also when a later one is withdrawn, over which a good run goes."""
    with archive.transaction() as connection:
        for number, name in enumerate(("真", "误", "真", "误"), start=1):
            revisions.revise(connection, 1, read(GOOD * number, name, days=number))
        for number in (3, 5):
            revisions.withdraw(connection, 1, number, LATER)
            revisions.withdraw(connection, 1, number, LATER)
    spans = "SELECT name, first_revision, last_revision FROM symbols ORDER BY 2"
    assert rows(archive, spans) == [("真", 2, None), ("误", 3, 3), ("误", 5, 5)]


def test_one_with_nothing_good_is_doubted_until_it_is_an_article(archive):
    """It leaves index and story, and is back in both with what it says then."""
    with archive.transaction() as connection:
        assert not revisions.withdraw(connection, 2, 1, LATER)
        assert index.of(connection).unindexed() == 0
        assert stories.missing(connection) == 0
    doubted = "SELECT doubted_at IS NULL, next_check_at, file_sha256 FROM articles WHERE id = 2"
    assert [(bool(row[0]), *row[1:]) for row in rows(archive, doubted)] == [(False, None, None)]
    with archive.transaction() as connection:
        revisions.replace_doubted(connection, 2, read(GOOD, days=4), "new")
        assert index.of(connection).unindexed() == 0
    assert rows(archive, "SELECT story_id FROM stories ORDER BY article_id") == [(1,), (1,)]
    causes = "SELECT revision, cause FROM revisions WHERE article_id = 2 ORDER BY sequence"
    assert rows(archive, causes) == [(1, "doubt"), (2, "new")]
    with archive.transaction() as connection:
        assert not revisions.withdraw(connection, 2, 2, LATER)
    assert rows(archive, "SELECT story_id FROM stories ORDER BY article_id") == [(1,), (2,)]
    with archive.transaction() as connection:
        revisions.replace_doubted(connection, 2, read(GOOD, days=5), "new")
        assert index.of(connection).unindexed() == 0
    assert rows(archive, "SELECT story_id FROM stories ORDER BY article_id") == [(1,), (1,)]

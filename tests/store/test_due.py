"""Is anything due? The daemon asks that once a second, and each stage what is its own."""

from contextlib import closing
from datetime import UTC, datetime

import pytest

from ingestor.store.db.database import Database
from ingestor.store.due import is_anything_due, next_due
from tools.filling import FIRST, filled

NEVER = "2999-01-01T00:00:00Z"

QUIET = (
    f"UPDATE feeds SET next_poll_at = '{NEVER}'",
    f"UPDATE articles SET next_check_at = '{NEVER}', file_sha256 = 'x'",
    "INSERT INTO images (article_id, position, url) VALUES (1, 1, 'https://n.sinaimg.cn/1.jpg')",
    f"""INSERT INTO pictures (url, attempts, next_attempt_at)
        VALUES ('https://n.sinaimg.cn/1.jpg', 0, '{NEVER}')""",
    f"""INSERT INTO entries (feed_id, key, guid, url, title, summary, content, state, attempts,
                             next_attempt_at, error, seen_at)
        VALUES (1, 'k', 'g', 'https://a.example/', '', '', '', 'pending', 0,
                '{NEVER}', '', '{NEVER}')""",
)
DUE = {
    "a feed": "UPDATE feeds SET next_poll_at = '2024-03-01T00:00:00Z'",
    "an entry": "UPDATE entries SET next_attempt_at = '2024-03-01T00:00:00Z'",
    "a second look": "UPDATE articles SET next_check_at = '2024-03-01T00:00:00Z'",
    "a file": "UPDATE articles SET file_sha256 = NULL",
    "a picture": "UPDATE pictures SET next_attempt_at = '2024-03-01T00:00:00Z'",
}


@pytest.fixture
def quiet(store_url, tmp_path):
    """Give an archive in which everything is put off."""
    with closing(filled(store_url or tmp_path / "archive.db", [("题", "文")])) as database:
        with database.transaction() as connection:
            for statement in QUIET:
                connection.exec_driver_sql(statement)
        yield database


def asked(database, *, with_images: bool) -> bool:
    with database.reading() as connection:
        return is_anything_due(connection, FIRST, with_images=with_images)


@pytest.mark.every_store
@pytest.mark.parametrize("kind", DUE)
def test_each_kind_of_work_is_seen(quiet, kind):
    """And nothing while all of it is put off; pictures only where they are kept."""
    assert not asked(quiet, with_images=True)
    with quiet.transaction() as connection:
        connection.exec_driver_sql(DUE[kind])
    assert asked(quiet, with_images=True)
    assert asked(quiet, with_images=False) is (kind != "a picture")


@pytest.mark.every_store
def test_what_waits_for_a_feed_that_was_removed_is_no_work(quiet):
    """It would be looked up again and again, and never begun."""
    with quiet.transaction() as connection:
        connection.exec_driver_sql(DUE["an entry"])
        connection.exec_driver_sql("UPDATE feeds SET active = 0")
    assert not asked(quiet, with_images=True)


@pytest.mark.every_store
@pytest.mark.parametrize("kind", [kind for kind in DUE if kind != "a file"])
def test_it_is_known_when_the_next_work_comes(quiet, kind):
    """So that nobody has to ask before; a picture counts only where pictures are kept."""
    soon, never = (datetime(year, 1, 1, tzinfo=UTC) for year in (2888, 2999))

    def next_of(*, with_images: bool) -> datetime | None:
        with quiet.reading() as connection:
            return next_due(connection, FIRST, with_images=with_images)

    assert next_of(with_images=True) == never
    with quiet.transaction() as connection:
        connection.exec_driver_sql(DUE[kind].replace("2024-03-01", "2888-01-01"))
    assert next_of(with_images=True) == soon
    assert next_of(with_images=False) == (never if kind == "a picture" else soon)


def test_whatever_is_committed_changes_the_count(quiet):
    """Also what another program commits; what is only read does not, nor what is rolled back."""
    before = quiet.changes()
    asked(quiet, with_images=True)
    with quiet.rehearsal() as connection:
        connection.exec_driver_sql(DUE["a feed"])
        connection.rollback()
    assert quiet.changes() == before
    with closing(Database(quiet.url)) as other, other.transaction() as connection:
        connection.exec_driver_sql(DUE["a feed"])
    assert quiet.changes() != before

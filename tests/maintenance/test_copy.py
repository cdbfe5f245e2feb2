"""``ingest copy``: an archive from one database into another, whole, either way."""

from contextlib import closing
from dataclasses import replace

import pytest

from ingestor.clock import Clock
from ingestor.errors import UsageError
from ingestor.maintenance import copy
from ingestor.maintenance.copy import copy_archive
from ingestor.store.db.database import Database
from tools.filling import filled
from tools.made_up_sina import demo_articles, finance_page, made_up, publish
from tools.running import Site

TEXTS = [(f"题{number}", f"第{number}篇文章，\x00关于人民银行。") for number in range(5)]


@pytest.fixture
def full(site, net):
    """Give a site with articles on SQLite, of which one was edited."""
    articles = demo_articles()
    publish(net, articles)
    assert site.run("--once").returncode == 0
    first, *rest = articles[0].paragraphs
    edited = replace(articles[0], paragraphs=(first + "更正。", *rest))
    net.serve(edited.url, finance_page(edited))
    site.change(
        "UPDATE articles SET next_check_at = '2000-01-01T00:00:00Z' WHERE "
        f"id = {number_of(site, edited.url)}"
    )
    assert site.run("--once").returncode == 0
    return site


def number_of(site: Site, url: str) -> int:
    """Return an article's id: which of a pass's articles is saved first is chance."""
    ((number,),) = site.query(f"SELECT id FROM articles WHERE url = '{url}'")
    return number


def contents(url: str) -> dict[str, list[tuple]]:
    """Return everything that an archive's database holds."""
    with closing(Database(url)) as database, database.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select())]
            for table in copy.TABLES
        }


def file_of(site: Site, name: str = "archive.db") -> str:
    return f"sqlite:///{site.folder}/{name}"


def ordered(held: dict[str, list[tuple]]) -> dict[str, list[tuple]]:
    return {name: sorted(rows, key=repr) for name, rows in held.items()}


def test_an_archive_moves_to_postgresql_and_back(full, net, postgresql):
    """Every row as it was; the moved archive is searched, verified and goes on."""
    name = postgresql.empty()
    before = ordered(contents(file_of(full)))
    done = full.run("copy", "--from", file_of(full), "--to", postgresql.url(name))
    assert done.returncode == 0, done.stderr
    rows = sum(map(len, before.values()))
    assert done.stdout.endswith(
        f"{name}: {rows} rows, each as it was; files and WARC stay where they are\n"
    )
    assert ordered(contents(postgresql.url(name))) == before
    back = full.run("copy", "--from", postgresql.url(name), "--to", file_of(full, "back.db"))
    assert back.returncode == 0, back.stderr
    assert ordered(contents(file_of(full, "back.db"))) == before
    full.store = postgresql.url(name)
    full.configure()
    assert full.run("verify").stdout == "0 disagreements; 0 foreign files\n"
    assert number_of(full, demo_articles()[0].url) in full.matching("更正")
    publish(net, [*demo_articles(), made_up(77)])
    full.change("UPDATE feeds SET next_poll_at = NULL")
    assert full.run("--once").returncode == 0
    assert full.query("SELECT url FROM articles WHERE id > 10") == [(made_up(77).url,)]
    assert full.query("SELECT max(sequence) FROM revisions") == [(12,)]
    postgresql.drop(name)


def test_a_copy_that_was_interrupted_goes_on(tmp_path, postgresql):
    """After each part; meanwhile no other command takes the database."""
    name = postgresql.empty()
    source = filled(tmp_path / "archive.db", TEXTS)
    target = Database(postgresql.url(name))
    stops = 0
    with closing(source), closing(target):
        while True:
            clock = Clock()
            if copy_archive(source, target, clock, lambda _, clock=clock: clock.stop.set()):
                break
            stops += 1
            site = Site(tmp_path, None, store=postgresql.url(name))
            if stops == 3:
                (tmp_path / "config.toml").write_text(f'[store]\nurl = "{site.store}"\n')
                refused = Site.run(replace(site, net=Trusted), "status")
                assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
                assert "run the same `ingest copy` again" in refused.stderr
        assert stops >= 4
        cleaned = repr(ordered(contents(str(source.url)))).replace("\\x00", "")
        assert repr(ordered(contents(target.url))) == cleaned
    postgresql.drop(name)


class Trusted:
    """Stands for an internet that nobody asks."""

    ca_file = ""


def test_a_database_with_another_archive_is_refused(tmp_path, postgresql_url):
    """Whole or half: nothing of it is changed."""
    source = filled(tmp_path / "one.db", TEXTS)
    other = filled(tmp_path / "other.db", [("别的", "另一个档案。")])
    with closing(source), closing(other):
        with pytest.raises(UsageError, match="has an archive in it"):
            copy_archive(source, other, Clock(), print)
        with pytest.raises(UsageError, match="is what is copied from"):
            copy_archive(source, source, Clock(), print)
        with closing(Database(postgresql_url)) as target:
            clock = Clock()
            copy_archive(other, target, clock, lambda _: clock.stop.set())
            with target.transaction() as connection:
                connection.exec_driver_sql("UPDATE feeds SET kind = 'sina-roll'")
            with pytest.raises(UsageError, match="another archive in it: feeds"):
                copy_archive(other, target, Clock(), print)


def test_what_arrived_otherwise_is_found_at_the_end(tmp_path, full):
    """Every row is compared, not counted alone."""
    with (
        closing(full.database()) as source,
        closing(Database(f"sqlite:///{tmp_path}/b.db")) as target,
    ):
        seen = []

        def spoil(rows: int) -> None:
            seen.append(rows)
            with target.transaction() as connection:
                connection.exec_driver_sql("UPDATE articles SET title = 'x' WHERE id = 2")

        with pytest.raises(Exception, match="articles is not what was copied") as error:
            copy_archive(source, target, Clock(), spoil)
        assert type(error.value).__name__ == "StorageFailed"


def test_what_is_no_archive_is_not_copied(site, tmp_path):
    """One line, and nothing is made."""
    done = site.run("copy", "--from", f"sqlite:///{tmp_path}/no.db", "--to", file_of(site, "x.db"))
    assert (done.returncode, "there is no archive" in done.stderr) == (3, True)
    assert not (site.folder / "x.db").exists()

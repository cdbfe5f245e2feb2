"""Several writers of WARC files in one folder, on this machine and on others."""

import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from ingestor.archive.warc import reader, writer
from ingestor.archive.warc.writer import WarcArchive
from ingestor.config.values import ObjectAddress
from ingestor.maintenance.verify import RawComparison
from ingestor.model import Response
from ingestor.store.db.database import Database
from tools.made_up_sina import made_up, publish

WRITER = """
import sys
from pathlib import Path
from tests.archive.test_warc_shared import write_files
write_files(Path(sys.argv[1]), int(sys.argv[2]))
"""
DAYS_AGO = time.time() - 3 * 86400


def clock() -> datetime:
    return datetime(2024, 3, 11, 6, 0, tzinfo=UTC)


def response(body: bytes = b"text") -> Response:
    url = "https://finance.sina.com.cn/a.shtml"
    return Response(url, url, 200, (), body, clock())


def write_files(folder, count):
    """Begin and end many files, as many short runs would within one second."""
    for _ in range(count):
        archive = WarcArchive(folder, clock)
        archive.append(response())
        archive.close()


def left_by_another_machine(folder):
    """Give a file that was never closed, with the mark of another host."""
    archive = WarcArchive(folder, clock)
    archive.append(response())
    archive.sync()
    (path,) = folder.glob("*.warc.gz")
    torn = folder / path.name.replace("ingestor-", "ingestor-x")
    torn.write_bytes(path.read_bytes()[:-20])
    writer.mark_open(torn).write_text("another-machine\n", "utf-8")
    archive.close()
    path.unlink()
    return torn


@pytest.mark.slow
def test_two_writers_and_one_that_seals_never_meet(tmp_path):
    """Names do not collide, and a start beside them never cuts or removes what they write."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "25"]) for _ in range(2)
    ]
    while any(one.poll() is None for one in writers):
        for path in writer.unfinished(tmp_path):
            writer.close_unfinished(path, 0)
    assert [one.wait() for one in writers] == [0, 0]
    files = sorted(tmp_path.iterdir())
    assert {path.suffix for path in files} == {".gz"}
    assert len(files) == 50
    for path in files:
        assert len(list(reader.scan(path))) == 1


def test_a_mark_says_whose_file_it_is(tmp_path):
    archive = WarcArchive(tmp_path, clock)
    archive.append(response())
    (mark,) = tmp_path.glob("*.open")
    assert mark.read_text("utf-8") == f"{socket.gethostname()}\n"
    archive.recorded()
    archive.close()
    assert list(tmp_path.glob("*.open")) == []


def test_a_file_of_another_machine_is_left_to_it(tmp_path):
    """Its lock may not be seen from here."""
    path = left_by_another_machine(tmp_path)
    assert list(writer.unfinished(tmp_path)) == []
    assert writer.being_written(path)


def test_a_file_that_its_machine_abandoned_is_sealed_by_any_other(tmp_path):
    """After two days: the files of a writer that lives end with their day."""
    path = left_by_another_machine(tmp_path)
    for one in (path, writer.mark_open(path)):
        os.utime(one, (DAYS_AGO, DAYS_AGO))
    assert list(writer.unfinished(tmp_path)) == [path]
    assert not writer.being_written(path)
    assert writer.close_unfinished(path, 0) > 0


def test_a_mark_of_an_earlier_version_is_of_this_machine(tmp_path):
    """It was empty."""
    path = left_by_another_machine(tmp_path)
    writer.mark_open(path).write_text("", "utf-8")
    assert list(writer.unfinished(tmp_path)) == [path]


def test_a_file_ends_with_its_day_though_nothing_new_comes(tmp_path):
    """So that a mark of two days ago is nobody's."""
    now = [clock()]
    archive = WarcArchive(tmp_path, lambda: now[0])
    archive.append(response())
    archive.recorded()
    archive.roll()
    assert len(list(tmp_path.glob("*.open"))) == 1
    now[0] = datetime(2024, 3, 12, 0, 1, tzinfo=UTC)
    archive.roll()
    assert list(tmp_path.glob("*.open")) == []
    archive.close()


@pytest.fixture
def kept(site, net):
    """Give a site with one article and a database whose WARC is compared as on a server."""
    publish(net, [made_up(1)])
    assert site.run("--once").returncode == 0
    database = Database(f"sqlite:///{site.folder}/archive.db")
    yield site, database
    database.close()


def lines(database, location, settled):
    compared = RawComparison(database, location, clock(), alone=True, quiet_seconds=settled)
    return [one.line for one in compared.differences()]


def test_what_others_may_just_be_writing_is_no_difference(kept):
    """A record whose transaction is still to come, the end of a file; until it has lain still."""
    site, database = kept
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE captures SET warc_file = NULL WHERE id = 1")
    (path,) = (site.folder / "warc").iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    assert lines(database, site.folder / "warc", 3600) == []
    os.utime(path, (DAYS_AGO, DAYS_AGO))
    found = lines(database, site.folder / "warc", 3600)
    assert any("no capture points to it" in line for line in found)
    assert any("ends in the middle of a record" in line for line in found)


def test_what_may_be_in_another_machines_spool_is_not_missing(kept):
    """On an object store, for two days; what is older is lost."""
    site, database = kept
    spool = site.folder / "spool"
    away = ObjectAddress(f"memory://{site.folder.name}", "archive.raw_dir", spool)
    assert lines(database, away, 3600) == []
    assert any("is missing" in line for line in lines(database, away, 0))
    shutil.copytree(site.folder / "warc", spool)
    assert lines(database, away, 0) == []
    shutil.rmtree(spool)
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE captures SET warc_file = 'ingestor-20240311060000-x'")
    assert any("is missing" in line for line in lines(database, away, 3600))

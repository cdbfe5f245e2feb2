"""The folders of the archive: one contract on a file system, in memory, on a real S3 server."""

import os
import threading
from unittest import mock

import pytest

from ingestor.archive.object_storage import ObjectFolder
from ingestor.archive.storage import storage
from ingestor.config.values import ObjectAddress
from ingestor.errors import StorageFailed
from tests.support.s3_server import s3_server

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@pytest.fixture(scope="module")
def s3():
    """Give an S3 server with a bucket, and its credentials in the environment."""
    with s3_server() as server, mock.patch.dict(os.environ, server.environment):
        server.client.create_bucket(Bucket="kept")
        yield server


def a_path(tmp_path, request):
    return tmp_path / "folder"


def memory(tmp_path, request):
    return ObjectAddress(f"memory://{tmp_path.name}", "archive.dir")


def s3_bucket(tmp_path, request):
    request.getfixturevalue("s3")
    return ObjectAddress(f"s3://kept/some/{tmp_path.name}", "archive.dir")


def spool_and_memory(tmp_path, request):
    return ObjectAddress(f"memory://{tmp_path.name}", "archive.raw_dir", tmp_path / "spool")


FOLDERS = [a_path, memory, pytest.param(s3_bucket, marks=pytest.mark.slow), spool_and_memory]


@pytest.fixture(params=FOLDERS, ids=lambda kind: kind.__name__)
def folder(request, tmp_path):
    """Give an empty folder of each kind."""
    return storage(request.param(tmp_path, request))


def test_what_is_written_is_read_back(folder):
    """Whole, or a part of it; the name may be any that the archive gives."""
    name = "新浪财经/2024-03-11-上证 指数-a1.md"
    assert folder.write(name, b"hello") == HELLO
    assert folder.read(name) == b"hello"
    assert folder.read(name, 1, 3) == b"ell"
    assert folder.read(name, 2) == b"llo"
    assert folder.read(name, 3, 100) == b"lo"
    assert list(folder.names()) == [name]
    assert folder.size() == (1, 5)
    assert folder.age(name) < 3600


def test_a_file_is_replaced_by_its_next_version(folder):
    """A revised article keeps its path."""
    folder.write("a.md", b"first")
    folder.write("a.md", b"second, and longer")
    assert folder.read("a.md") == b"second, and longer"
    assert folder.size() == (1, 18)


def test_an_empty_file_is_a_file(folder):
    folder.write("empty", b"")
    assert folder.read("empty") == b""
    assert list(folder.names()) == ["empty"]


def test_many_files_at_once_keep_their_order(folder):
    """More than are written at a time."""
    contents = [(f"{number}.md", b"hello" if number % 2 else b"") for number in range(40)]
    hashes = folder.write_all(contents)
    assert [one == HELLO for one in hashes] == [bool(number % 2) for number in range(40)]
    names = [name for name, _ in contents]
    assert list(folder.hashes(names)) == hashes
    assert sorted(folder.names()) == sorted(names)


def test_what_is_not_there_is_said(folder, tmp_path):
    """As a missing file, wherever it would be: not as a store that cannot be asked."""
    folder.write("a.md", b"hello")
    for ask in (
        lambda: folder.read("b.md"),
        lambda: folder.read("b.md", 1, 2),
        lambda: folder.age("b.md"),
        lambda: folder.copy("b.md", tmp_path / "copied"),
        lambda: folder.local("b.md").__enter__().read_bytes(),
    ):
        with pytest.raises(FileNotFoundError):
            ask()
    assert not (tmp_path / "copied").exists()
    first, second = folder.hashes(["b.md", "a.md"])
    assert isinstance(first, FileNotFoundError)
    assert second == HELLO


def test_a_file_can_be_had_on_this_machine(folder, tmp_path):
    """Under its own name, which the WARC reader takes over."""
    folder.write("a.warc.gz", b"hello")
    with folder.local("a.warc.gz") as path:
        assert (path.name, path.read_bytes()) == ("a.warc.gz", b"hello")
    folder.copy("a.warc.gz", tmp_path / "copied")
    assert (tmp_path / "copied").read_bytes() == b"hello"


def test_a_reader_sees_a_whole_version_or_none(folder):
    """While another one is written over and over."""
    versions = [letter * 300_000 for letter in (b"a", b"b")]
    done = threading.Event()

    def write():
        for number in range(12):
            folder.write("a.md", versions[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        try:
            seen.append(folder.read("a.md"))
        except FileNotFoundError:
            continue
    writer.join()
    assert set(seen) <= set(versions)
    assert folder.read("a.md") == versions[1]
    assert list(folder.names()) == ["a.md"]
    assert folder.left_over(0) == []


def test_what_cannot_be_used_is_said_in_one_line(s3):
    """The key, what is wrong, and what to do; no secret."""
    no_bucket = ObjectFolder(ObjectAddress("s3://nobodys-bucket/x", "archive.dir"))
    with pytest.raises(StorageFailed, match=r"archive\.dir: s3://nobodys-bucket/x: .*create it"):
        no_bucket.read("a")
    for write in (no_bucket.is_there, lambda: no_bucket.write("a", b"")):
        with pytest.raises(StorageFailed, match="create it first"):
            write()

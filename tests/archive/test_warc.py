"""WARC files: what was received comes back byte for byte, through the standard's own reader."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from ingestor.archive import warc
from ingestor.archive.warc import WarcArchive
from ingestor.errors import StorageFailed
from ingestor.model import Response

MOMENT = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
BODIES = {
    "a page": "<html>正文</html>".encode("gbk"),
    "nothing": b"",
    "what looks like a header": b"HTTP/1.1 200 OK\r\n\r\nWARC/1.1\r\n",
    "every byte": bytes(range(256)) * 100,
}


def response(
    body: bytes, *, at: datetime = MOMENT, url: str = "https://a.example/文?q=1"
) -> Response:
    headers = (
        ("Content-Type", "text/html; charset=gb2312"),
        ("Content-Encoding", "gzip"),
        ("X-A", "é"),
    )
    return Response(url, url, 200, headers, body, at, (("User-Agent", "ingestor"),))


def records(folder) -> list[tuple[str, str, bytes]]:
    found = []
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            found += [
                (
                    one.rec_type,
                    one.rec_headers.get_header("WARC-Target-URI"),
                    one.content_stream().read(),
                )
                for one in ArchiveIterator(file)
            ]
    return found


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_was_received_comes_back(tmp_path, body):
    """From the place that the database is told, without reading anything before it."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    archive.append(response(b"first"))
    place = archive.append(response(body))
    archive.append(response(b"last"))
    archive.close()
    with (tmp_path / place.file).open("rb") as file:
        file.seek(place.offset)
        assert gzip.decompress(file.read(place.length)).startswith(b"WARC/1.1\r\n")
        file.seek(place.offset)
        record = next(iter(ArchiveIterator(file)))
        assert record.rec_type == "response"
        assert record.http_headers.get_statuscode() == "200"
        assert record.http_headers.get_header("Content-Type") == "text/html; charset=gb2312"
        assert record.content_stream().read() == body


def test_each_answer_has_its_request_and_each_file_its_info(tmp_path):
    """The order that WARC readers expect."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    archive.append(response(b"x"))
    archive.close()
    assert [kind for kind, _, _ in records(tmp_path)] == ["warcinfo", "response", "request"]


def test_the_standards_checker_finds_no_fault(tmp_path):
    """`warcio check`: every digest holds."""

    class Arguments:
        verbose = False

    archive = WarcArchive(tmp_path, lambda: MOMENT)
    for body in BODIES.values():
        archive.append(response(body))
    archive.close()
    Arguments.inputs = [str(path) for path in tmp_path.iterdir()]
    checker = Checker(Arguments)
    checker.process_all()
    assert checker.exit_value == 0


def test_a_new_day_begins_a_new_file(tmp_path):
    """And nothing of the day before is touched again."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    first = archive.append(response(b"x"))
    second = archive.append(response(b"y", at=MOMENT + timedelta(days=1)))
    archive.close()
    assert first.file != second.file


def test_a_new_run_begins_a_new_file(tmp_path):
    """A record that a crash tore is never appended to."""
    names = set()
    for _ in range(2):
        archive = WarcArchive(tmp_path, lambda: MOMENT)
        names.add(archive.append(response(b"x")).file)
        archive.close()
    assert len(names) == 2


def test_no_answer_no_file(tmp_path):
    """A pass in which nothing changed leaves nothing behind."""
    archive = WarcArchive(tmp_path / "warc", lambda: MOMENT)
    archive.sync()
    archive.close()
    assert not (tmp_path / "warc").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    """One line that names it."""
    (tmp_path / "warc").write_text("a file")
    archive = WarcArchive(tmp_path / "warc", lambda: MOMENT)
    with pytest.raises(StorageFailed, match="warc: cannot be written"):
        archive.append(response(b"x"))


def test_the_body_has_a_digest():
    """SHA-256 in hex, as `captures` and `feeds` keep it."""
    assert warc.body_sha256(response(b"")).startswith("e3b0c44298fc1c14")

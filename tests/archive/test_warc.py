"""WARC files: what was received comes back byte for byte, through the standard's own reader."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from ingestor import __version__
from ingestor.archive.warc import reader, writer
from ingestor.archive.warc import records as warc_records
from ingestor.archive.warc.writer import MOST_BYTES, WarcArchive
from ingestor.errors import CaptureLost, StorageFailed
from ingestor.model import Response, WarcPlace
from tests.support.shared import shared

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


def faults_in(folder) -> int:
    """Return what `warcio check` exits with for every file of a folder."""

    class Arguments:
        verbose = False
        inputs = tuple(map(str, sorted(folder.glob("*.warc.gz"))))

    assert Arguments.inputs
    checker = Checker(Arguments)
    checker.process_all()
    return checker.exit_value


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


def test_real_pages_come_back_and_shrink(tmp_path):
    """A third of their size at most, with headers and request; coming again, a hundredth."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    pages = [page.read_bytes() for page in sorted(shared("sina", "pages").glob("*-20*-*-*.html"))]
    pages = [page for page in pages if len(page) > 100_000]
    assert pages
    for page in pages:
        place = archive.append(response(page))
        kept = reader.read(tmp_path, place)
        assert kept.body == page
        again = archive.append(response(page), kept.record.original)
        assert place.length < len(page) / 3
        assert again.length < len(page) / 100
    archive.close()
    assert faults_in(tmp_path) == 0


def test_each_answer_has_its_request_and_each_file_its_info(tmp_path):
    """The order that WARC readers expect."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    archive.append(response(b"x"))
    archive.close()
    assert [kind for kind, _, _ in records(tmp_path)] == ["warcinfo", "response", "request"]


def test_the_standards_checker_finds_no_fault(tmp_path):
    """`warcio check`: every digest holds."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    for body in BODIES.values():
        place = archive.append(response(body))
        archive.append(response(body), reader.read(tmp_path, place).record.original)
    archive.close()
    assert faults_in(tmp_path) == 0


def test_a_damaged_record_is_found_by_its_digest(tmp_path):
    """A check that cannot fail says nothing."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    place = archive.append(response(b"what was received"))
    archive.close()
    path = tmp_path / place.file
    whole = path.read_bytes()
    record = gzip.decompress(whole[place.offset : place.offset + place.length])
    other = gzip.compress(record.replace(b"received", b"forged!!"))
    path.write_bytes(whole[: place.offset] + other)
    assert faults_in(tmp_path) == 1


def test_a_body_that_is_kept_is_referred_to_by_a_revisit_record(tmp_path):
    """WARC/1.1, 6.7.2: profile, what it refers to and the digest; no body, but the headers."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    body = BODIES["every byte"]
    first = archive.append(response(body))
    original = reader.read(tmp_path, first).record.original
    later = MOMENT + timedelta(hours=6)
    second = archive.append(response(body, at=later), original)
    archive.close()
    with (tmp_path / second.file).open("rb") as file:
        file.seek(first.offset)
        was = next(iter(ArchiveIterator(file))).rec_headers
        file.seek(second.offset)
        record = next(iter(ArchiveIterator(file)))
        headers = record.rec_headers
        assert record.content_stream().read() == b""
    assert record.rec_type == "revisit"
    assert record.http_headers.get_header("Content-Type") == "text/html; charset=gb2312"
    assert headers.get_header("WARC-Date") == "2024-05-01T18:00:00Z"
    profile = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    assert headers.get_header("WARC-Profile") == profile
    assert headers.get_header("WARC-Refers-To") == was.get_header("WARC-Record-ID")
    assert headers.get_header("WARC-Refers-To-Target-URI") == was.get_header("WARC-Target-URI")
    assert headers.get_header("WARC-Refers-To-Date") == was.get_header("WARC-Date")
    assert headers.get_header("WARC-Payload-Digest") == was.get_header("WARC-Payload-Digest")
    found = reader.read(tmp_path, second)
    assert (found.record.is_revisit, found.record.original) == (True, original)


def test_a_place_without_a_response_is_said(tmp_path):
    """A request, the middle of a record, behind the end, no file: one line that names it."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    place = archive.append(response(b"x"))
    archive.close()
    end = place.offset + place.length
    size = (tmp_path / place.file).stat().st_size
    for wrong in (
        WarcPlace(place.file, end, size - end),
        WarcPlace(place.file, place.offset + 1, place.length),
        WarcPlace(place.file, place.offset, place.length // 2),
        WarcPlace(place.file, size + 100, 10),
        WarcPlace("none.warc.gz", 0, 10),
    ):
        with pytest.raises(CaptureLost, match=wrong.file):
            reader.read(tmp_path, wrong)


def test_each_file_says_how_it_came_to_be(tmp_path):
    """The warcinfo fields of WARC/1.1, 6.2."""
    about = {"robots": "obey", "http-header-user-agent": "ingestor/9 (+me)"}
    archive = WarcArchive(tmp_path, lambda: MOMENT, about)
    place = archive.append(response(b"x"))
    archive.close()
    with (tmp_path / place.file).open("rb") as file:
        record = next(iter(ArchiveIterator(file)))
        lines = record.content_stream().read().decode().splitlines()
    assert record.rec_headers.get_header("WARC-Filename") == place.file
    assert record.rec_headers.get_header("WARC-Date") == "2024-05-01T12:00:00Z"
    fields = dict(line.split(": ", 1) for line in lines)
    assert fields["software"] == f"ingestor/{__version__}"
    assert fields["format"] == "WARC File Format 1.1"
    assert fields["conformsTo"].endswith("/warc-1.1/")
    assert about.items() <= fields.items()
    assert fields["hostname"]


def test_a_new_day_begins_a_new_file(tmp_path):
    """And an answer of the day before that comes late begins no third one."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    first = archive.append(response(b"x"))
    second = archive.append(response(b"y", at=MOMENT + timedelta(days=1)))
    third = archive.append(response(b"z"))
    archive.close()
    assert first.file != second.file
    assert second.file == third.file


def test_a_file_that_is_large_enough_is_followed_by_a_new_one(tmp_path):
    """By default a GiB; a record is never split."""
    assert MOST_BYTES == 1024**3
    archive = WarcArchive(tmp_path, lambda: MOMENT, most_bytes=2000)
    files = [archive.append(response(bytes([number]) * 9)).file for number in range(6)]
    archive.close()
    assert 1 < len(set(files)) < 6
    assert all(path.stat().st_size < 4000 for path in tmp_path.iterdir())
    assert faults_in(tmp_path) == 0


def torn(folder, cut: int):
    """Leave a file whose writer died in the middle of a record; return it and its first place."""
    archive = WarcArchive(folder, lambda: MOMENT)
    place = archive.append(response(b"first"))
    archive.append(response(b"last"))
    archive._file.close()
    path = folder / place.file
    path.write_bytes(path.read_bytes()[:cut])
    return path, place


@pytest.mark.parametrize("cut", [-1, -40, -500])
def test_a_torn_record_is_found_by_its_mark_and_cut_off(tmp_path, cut):
    """What is whole before it stays, and the file is one that the checker passes."""
    path, place = torn(tmp_path, cut)
    assert list(writer.unfinished(tmp_path)) == [path]
    assert writer.close_unfinished(path, place.offset + place.length) > 0
    assert list(writer.unfinished(tmp_path)) == []
    assert sorted(tmp_path.iterdir()) == [path]
    assert faults_in(tmp_path) == 0
    assert reader.read(tmp_path, place).body == b"first"


def test_a_file_in_which_nothing_is_whole_is_removed(tmp_path):
    """Nothing points to it."""
    path, _ = torn(tmp_path, 20)
    assert writer.close_unfinished(path, 0) == 20
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_lacks_what_is_pointed_to_is_left_as_it_is(tmp_path):
    """A crash does not do that: a person has to look."""
    path, _ = torn(tmp_path, -500)
    size = path.stat().st_size
    assert writer.close_unfinished(path, size + 1) is None
    assert path.stat().st_size == size


def test_a_file_that_is_being_written_is_nobodys_to_seal(tmp_path):
    """Its writer lives, and holds it."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    place = archive.append(response(b"x"))
    assert list(tmp_path.glob("*.open")) == [tmp_path / f"{place.file}.open"]
    assert list(writer.unfinished(tmp_path)) == []
    archive.recorded()
    archive.close()
    assert [path.name for path in tmp_path.iterdir()] == [place.file]


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
    assert warc_records.body_sha256(response(b"")).startswith("e3b0c44298fc1c14")


class FullDisk:
    """A file that takes half of what is written, and then no more."""

    def __init__(self, file) -> None:
        self.file = file

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_file_that_ends_in_half_a_record_keeps_its_mark_when_closed(tmp_path):
    """The disk was full: the next start finds it."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    place = archive.append(response(b"x"))
    archive._file = FullDisk(archive._file)
    with pytest.raises(StorageFailed, match="No space left"):
        archive.append(response(b"y" * 1000))
    archive.close()
    assert list(writer.unfinished(tmp_path)) == [tmp_path / place.file]
    assert writer.close_unfinished(tmp_path / place.file, 0) > 0
    assert faults_in(tmp_path) == 0


def test_a_record_says_which_address_was_asked(tmp_path):
    """Where it redirected, that is another one than answered."""
    archive = WarcArchive(tmp_path, lambda: MOMENT)
    straight = archive.append(response(b"x", url="https://a.example/1"))
    redirected = replace(response(b"y", url="https://a.example/2"), url="https://b.example/文")
    place = archive.append(redirected)
    archive.close()
    record = reader.read(tmp_path, place).record
    assert (record.asked, record.url) == ("https://b.example/%E6%96%87", "https://a.example/2")
    assert reader.read(tmp_path, straight).record.asked == "https://a.example/1"
    assert faults_in(tmp_path) == 0


def test_a_file_whose_records_have_no_captures_yet_keeps_its_mark(tmp_path):
    """The database was full: the next start finds it; so does nobody while it is written."""
    archive = WarcArchive(tmp_path, lambda: MOMENT, most_bytes=100)
    first, second = archive.append(response(b"x")), archive.append(response(b"y"))
    assert first.file != second.file
    assert list(writer.unfinished(tmp_path)) == []
    archive.close()
    assert {path.name for path in writer.unfinished(tmp_path)} == {first.file, second.file}


def test_what_is_damaged_before_a_record_that_can_be_read_is_not_cut_off(tmp_path):
    """Only the end is, where nothing can be read any more."""
    path, place = torn(tmp_path, -40)
    data = bytearray(path.read_bytes())
    data[place.offset + place.length // 2] ^= 0xFF
    path.write_bytes(data)
    whole = reader.whole_length(path, place.offset + place.length)
    assert writer.close_unfinished(path, place.offset) == len(data) - whole
    assert path.read_bytes() == data[:whole]

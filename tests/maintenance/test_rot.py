"""Damage to the WARC: a flipped byte costs the record in which it lies, and nothing else."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestor.archive.warc.reader import Record, scan
from tools.made_up_sina import made_up, publish
from tools.running import Site

KNOWN = "SELECT id FROM captures WHERE damaged IS NOT NULL ORDER BY id"
PLACES = "SELECT id, warc_file, warc_offset, warc_length FROM captures ORDER BY id"
ALL_OF_THEM = "SELECT id, url, final_url, status, sha256, fetched_at, warc_offset FROM captures"


@pytest.fixture
def full(site, net):
    """Give a site with a dozen articles, one of them looked at a second time."""
    publish(net, [made_up(number) for number in range(1, 13)])
    assert site.run("--once").returncode == 0
    look_again(site, 3)
    assert site.run("--once").returncode == 0
    return site


def look_again(site: Site, number: int) -> None:
    """Let an article's page be asked for, unconditionally."""
    site.change("UPDATE articles SET etag = '', last_modified = ''")
    site.make_due(where=f"id = {number}")


def warc_file(site: Site) -> Path:
    """Return the file of the first run."""
    ((name,),) = site.query("SELECT warc_file FROM captures ORDER BY id LIMIT 1")
    return site.folder / "warc" / name


def places(site: Site) -> list[tuple[int, int, int]]:
    """Return the captures in that file, by their offsets: id, offset, length."""
    name = warc_file(site).name
    rows = [
        (offset, number, length)
        for number, file, offset, length in site.query(PLACES)
        if file == name
    ]
    return [(number, offset, length) for offset, number, length in sorted(rows)]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x5A
    path.write_bytes(data)


def last_line(site: Site) -> str:
    """Return the last line of a verify that finds nothing to do."""
    again = site.run("verify")
    assert again.returncode == 0, again.stdout + again.stderr
    return again.stdout.splitlines()[-1]


def test_a_flipped_byte_costs_one_record(full):
    """The capture of that record is marked, keeps its place, and is known from then on."""
    before, (number, offset, length) = full.query(PLACES), places(full)[4]
    flip(warc_file(full), offset + length // 2)
    found = full.run("verify")
    assert found.returncode == 1
    assert found.stdout.count("\n") == 2
    assert f"capture {number}: the record at byte {offset}" in found.stdout
    assert full.query(KNOWN) == []
    assert full.run("verify", "--repair").returncode == 0
    assert full.query(KNOWN) == [(number,)]
    assert full.query(PLACES) == before
    again = full.run("verify")
    assert again.returncode == 0
    assert re.search(rf"capture {number}: .*; known\n", again.stdout)


def test_a_file_that_is_put_back_takes_the_mark_away(full):
    """Any verify does, and says so; a second repair undoes a first."""
    path, whole, rows = warc_file(full), warc_file(full).read_bytes(), full.query(ALL_OF_THEM)
    for _, offset, length in places(full)[2:5]:
        flip(path, offset + length - 3)
    full.run("verify", "--repair")
    assert len(full.query(KNOWN)) == 3
    path.write_bytes(whole)
    healed = full.run("verify")
    assert healed.returncode == 0
    assert healed.stdout.count("is whole again") == 3
    assert full.query(KNOWN) == []
    assert full.query(ALL_OF_THEM) == rows
    assert full.run("verify").stdout == "0 disagreements; 0 foreign files\n"


def test_a_missing_file_keeps_its_captures_and_heals_them_when_it_is_back(full):
    """Moved away, repaired, put back: nothing is lost."""
    path, rows = warc_file(full), full.query(ALL_OF_THEM)
    path.rename(full.folder / "elsewhere")
    assert full.run("verify").returncode == 1
    assert full.run("verify", "--repair").returncode == 0
    assert "is missing, with 13 records of pages; known" in full.run("verify").stdout
    assert full.query(ALL_OF_THEM) == rows
    (full.folder / "elsewhere").rename(path)
    full.run("verify")
    assert full.query(KNOWN) == []
    assert full.run("verify").stdout == "0 disagreements; 0 foreign files\n"


def a_chunk_is_cut_out(data: bytes, offset: int, length: int) -> bytes:
    return data[: offset + 20] + data[offset + length - 20 :]


def the_first_half_is_zeros(data: bytes, offset: int, length: int) -> bytes:
    return bytes(offset + 20) + data[offset + 20 :]


def bytes_are_put_between(data: bytes, offset: int, length: int) -> bytes:
    return data[: offset + 20] + b"\x1f\x8b\x08 is no record \x00" * 9 + data[offset + 20 :]


def the_end_is_cut_off(data: bytes, offset: int, length: int) -> bytes:
    return data[: offset + 20]


def all_is_one_member(data: bytes, offset: int, length: int) -> bytes:
    return data[:offset] + gzip.compress(b"no record") + data[offset + length :]


BROKEN = [
    a_chunk_is_cut_out,
    the_first_half_is_zeros,
    bytes_are_put_between,
    the_end_is_cut_off,
    all_is_one_member,
]


@pytest.mark.parametrize("damage", BROKEN, ids=lambda one: one.__name__)
def test_every_record_that_lies_in_a_broken_file_has_a_capture(
    full, damage: Callable[[bytes, int, int], bytes]
):
    """Also where the offsets have moved; what is lost is marked, and no row is lost."""
    path, (_, offset, length) = warc_file(full), places(full)[6]
    path.write_bytes(damage(path.read_bytes(), offset, length))
    rows = full.query("SELECT id, url, sha256 FROM captures")
    left = [found for found in scan(path) if isinstance(found, Record)]
    assert full.run("verify").returncode == 1
    assert full.run("verify", "--repair").returncode == 0
    assert last_line(full) == "0 disagreements; 0 foreign files"
    assert full.query("SELECT id, url, sha256 FROM captures") == rows
    marked = {number for (number,) in full.query(KNOWN)}
    whole = {at for number, at, _ in places(full) if number not in marked}
    assert whole == {record.place.offset for record in left}
    assert len(left) + len(marked) == len(places(full))


def test_damage_that_no_capture_points_to_is_known_too(full):
    """A request record: said once, noted, and forgotten when the file is put back."""
    path, whole = warc_file(full), warc_file(full).read_bytes()
    (_, offset, length), (_, following, _) = places(full)[3:5]
    flip(path, (offset + length + following) // 2)
    found = full.run("verify")
    assert found.returncode == 1
    assert f"bytes at byte {offset + length} cannot be read" in found.stdout
    assert full.run("verify", "--repair").returncode == 0
    assert full.query(KNOWN) == []
    assert full.run("verify").stdout.count("; known\n") == 1
    path.write_bytes(whole)
    assert "is damaged no more" in full.run("verify").stdout
    assert full.run("verify").stdout == "0 disagreements; 0 foreign files\n"


def test_an_archive_with_marked_captures_is_of_use(full, net):
    """Shown, searched, exported, backed up, read again, and looked at by the next pass."""
    number, offset, length = places(full)[4]
    flip(warc_file(full), offset + length // 2)
    full.run("verify", "--repair")
    ((article,),) = full.query(f"SELECT article_id FROM captures WHERE id = {number}")
    for command in (
        ("show", str(article)), ("search", "公司"), ("status",), ("export", "out"), ("backup", "copy"),
        ("reextract",),
    ):  # fmt: skip
        done = full.run(*command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert "a bug" not in done.stderr
    full.make_due()
    assert full.run("--once").returncode == 0
    assert last_line(full) == "0 disagreements; 0 foreign files"


def test_a_body_whose_record_is_damaged_is_kept_whole_when_it_comes_again(full):
    """A revisit would refer to nothing."""
    ((first,),) = full.query("SELECT min(id) FROM captures WHERE article_id = 5")
    ((offset, length),) = full.query(
        f"SELECT warc_offset, warc_length FROM captures WHERE id = {first}"
    )
    flip(warc_file(full), offset + length // 2)
    full.run("verify", "--repair")
    look_again(full, 5)
    assert full.run("--once").returncode == 0
    ((longest,),) = full.query(
        "SELECT max(warc_length) FROM captures WHERE article_id = 5 AND damaged IS NULL"
    )
    assert longest == pytest.approx(length, abs=100)


def test_a_revisit_of_a_damaged_record_is_not_damaged_itself(full):
    """It is its body that is lost, and that is said with the record that had it."""
    ids = [
        number
        for (number,) in full.query("SELECT id FROM captures WHERE article_id = 3 ORDER BY id")
    ]
    assert len(ids) == 2
    ((offset, length),) = full.query(
        f"SELECT warc_offset, warc_length FROM captures WHERE id = {ids[0]}"
    )
    flip(warc_file(full), offset + length // 2)
    assert full.run("verify", "--repair").returncode == 0
    assert full.query(KNOWN) == [(ids[0],)]
    assert last_line(full) == "0 disagreements; 0 foreign files"


def test_a_row_that_is_wrong_follows_its_record(full):
    """Hash, length and status are what the record says; nothing is marked."""
    rows = full.query(ALL_OF_THEM)
    full.change("UPDATE captures SET sha256 = 'x', warc_length = 7, status = 1 WHERE id = 4")
    assert full.run("verify", "--repair").returncode == 0
    assert full.query(ALL_OF_THEM) == rows
    assert full.run("verify").stdout == "0 disagreements; 0 foreign files\n"


def test_a_capture_of_another_record_is_marked_and_the_record_has_its_own(full):
    """Two places were swapped: each capture finds its own record again."""
    rows = full.query(ALL_OF_THEM)
    (_, one, _), (_, other, _) = places(full)[2:4]
    full.change(
        f"UPDATE captures SET warc_offset = -1 WHERE warc_offset = {one}",
        f"UPDATE captures SET warc_offset = {one} WHERE warc_offset = {other}",
        f"UPDATE captures SET warc_offset = {other} WHERE warc_offset = -1",
    )
    assert full.run("verify").returncode == 1
    assert full.run("verify", "--repair").returncode == 0
    assert full.query(ALL_OF_THEM) == rows
    assert full.run("verify").stdout == "0 disagreements; 0 foreign files\n"

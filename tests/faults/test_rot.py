"""Bytes that flip on the disk: in the WARC and in the database, at places chosen by chance."""

import random
import re
import shutil
from pathlib import Path

import pytest

from tests.faults.laboratory import SOAK, Driver, copy_of, output, said
from tools.made_up_sina import made_up, publish
from tools.running import Site

FEW = 6

PLACES = 200 if SOAK else FEW

EVERYTHING = "SELECT * FROM captures ORDER BY id"


@pytest.fixture
def archive(driver, site, net):
    """Give an archive that was looked at twice."""
    publish(net, [made_up(number) for number in range(1, 25)])
    assert driver.run(site, "--once") == 0
    site.change("UPDATE articles SET etag = '', last_modified = ''")
    site.make_due()
    assert driver.run(site, "--once") == 0
    return site


def flip(path: Path, chance: random.Random) -> None:
    """Flip some bits of a byte."""
    at, bits = chance.randrange(path.stat().st_size), chance.randrange(1, 256)
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ bits]))


def test_a_flipped_byte_of_the_warc_costs_one_capture_at_most(driver, archive, figures):
    """And none for good: with the file put back, everything is as it was."""
    chance, rows, hurt = random.Random(20240401), archive.query(EVERYTHING), 0
    for number in range(PLACES):
        path = chance.choice(sorted((archive.folder / "warc").glob("*.warc.gz")))
        whole = path.read_bytes()
        flip(path, chance)
        if number < FEW:
            # What is said before a repair is what is said with it.
            found = driver.run(archive, "verify")
            assert found in {0, 1}, f"place {number}: {output(archive)}"
        assert driver.run(archive, "verify", "--repair") == 0, f"place {number}"
        marked = archive.query("SELECT id FROM captures WHERE damaged IS NOT NULL")
        assert len(marked) <= 1, f"place {number}: {marked}"
        hurt += len(marked)
        places = "SELECT count(*) FROM captures WHERE warc_file IS NOT NULL"
        kept = sum(row[6] is not None for row in rows)
        assert archive.query(places) == [(kept,)]
        assert driver.run(archive, "verify") == 0, f"place {number}: {output(archive)}"
        path.write_bytes(whole)
        assert driver.run(archive, "verify") == 0, f"place {number}: {output(archive)}"
        assert archive.query(EVERYTHING) == rows, f"place {number}"
    figures(f"{PLACES} flipped bytes of the WARC: {hurt} cost one capture each, the others none")


COMMANDS = (
    ("verify",), ("status",), ("search", "公司"), ("show", "3"), ("export", "lines", "--format", "jsonl"),
    ("--once",), ("verify", "--repair"), ("verify",),
)  # fmt: skip


def test_a_flipped_byte_of_the_database_is_survived(driver, archive, tmp_path, figures):
    """Every command does what it can, or says in a line what is damaged; none falls over."""
    chance = random.Random(20240402)
    silent = 0
    for number in range(PLACES):
        victim = copy_of(archive, tmp_path / "victim")
        flip(victim.folder / "archive.db", chance)
        silent += outcomes(driver, victim, f"place {number}")
        shutil.rmtree(victim.folder)
    # Much of a file is empty, and a byte of a number is a number.
    assert silent < PLACES
    figures(
        f"{PLACES} flipped bytes of the database: verify names {PLACES - silent}; none felled it"
    )


def test_a_damaged_name_in_the_schema_is_said(driver, archive, tmp_path):
    """SQLite's own message holds the byte that is no text."""
    victim = copy_of(archive, tmp_path / "victim")
    path = victim.folder / "archive.db"
    whole = path.read_bytes()
    places = positions(whole, b"ix_keywords_keyword")
    assert places
    for at in places:
        path.write_bytes(whole[: at + 9] + b"\x92" + whole[at + 10 :])
        outcomes(driver, victim, f"byte {at}")
        assert driver.run(victim, "status") == 3
        assert f"{path}: is damaged; restore it from a backup" in said(victim)


def positions(data: bytes, part: bytes) -> list[int]:
    """Return where a part begins."""
    return [match.start() for match in re.finditer(re.escape(part), data)]


def outcomes(driver: Driver, victim: Site, name: str) -> bool:
    """Run every command on an archive with a flipped byte; return whether verify saw nothing."""
    codes = []
    for command in COMMANDS:
        shutil.rmtree(victim.folder / "lines", ignore_errors=True)
        codes.append(driver.run(victim, *command))
        where = f"{name}: {command}: {said(victim)}"
        assert codes[-1] in {0, 1, 3}, where
        assert "a bug" not in said(victim), where
        assert "Traceback" not in said(victim), where
        assert codes[-1] != 3 or "damaged" in said(victim), where
        (victim.folder / "lines").unlink(missing_ok=True)
    return codes[0] == 0

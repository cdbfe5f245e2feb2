"""What a release is made of: the version stands in one place, and every licence is known."""

from email.message import Message
from importlib.metadata import distribution
from types import SimpleNamespace

import pytest

from ingestor.version import __version__
from tools.release import TABLE_HEAD, changelog, licence, licence_table


def package(**told):
    message = Message()
    for name, value in told.items():
        message[name.replace("_", "-")] = value
    return SimpleNamespace(name="p", version="1", metadata=message)


SAID = {
    "as PEP 639 has it": ({"License_Expression": "MIT", "License": "x"}, "MIT"),
    "by a classifier": ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT License"),
    "in words, of which the first line is the name": ({"License": "BSD\nand so on"}, "BSD"),
}


@pytest.mark.parametrize(("told", "expected"), SAID.values(), ids=SAID)
def test_a_licence_is_what_the_metadata_says(told, expected):
    """In the order of how exact it is."""
    assert licence(package(**told)) == expected


def test_a_package_without_a_licence_stops_the_release():
    """Nobody may ship what nobody allowed."""
    with pytest.raises(ValueError, match="p 1: no licence in its metadata"):
        licence(package(Classifier="Private :: Do Not Upload"))


def test_the_table_of_licences_has_a_row_for_each_package():
    """Of what is installed here, for instance."""
    told = [distribution(name) for name in ("httpx", "sqlalchemy")]
    first, second = licence_table(told).removeprefix(TABLE_HEAD).splitlines()
    assert first == f"| httpx | {told[0].version} | BSD-3-Clause |"
    assert second.startswith("| SQLAlchemy | ")


def test_the_changelog_knows_this_version_or_what_comes_after():
    """`make release` looks for its section; what is under way stands above it."""
    assert f"## [{__version__}]" in changelog() or "## [Unreleased]" in changelog()

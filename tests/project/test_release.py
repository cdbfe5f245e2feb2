"""What a release is made of: the version stands in one place, and every licence is known."""

import re
from email.message import Message
from importlib.metadata import distribution
from types import SimpleNamespace

import pytest

from ingestor.version import __version__
from tools import ROOT
from tools.release import (
    TABLE_HEAD,
    changelog,
    disagreements,
    licence,
    licence_table,
    releases,
    tags,
)


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


WHEEL = f"sina_ingestor-{__version__}-py3-none-any.whl"


@pytest.mark.slow
def test_version_and_changelog_agree():
    """The newest section is this version's; what is under way stands above it."""
    text = changelog()
    sections = re.findall(r"^## \[(.*?)\]", text, re.MULTILINE)
    assert sections == ["Unreleased", *releases(text)]
    numbers = [tuple(map(int, version.split("."))) for version in releases(text)]
    assert numbers == sorted(set(numbers), reverse=True)
    assert disagreements(WHEEL, text, tags()) == ""


def test_the_changelog_does_not_compare_with_what_was_never_released():
    """The first release is new as a whole: nobody knew what came before it."""
    (first,) = re.findall(r"^## \[1\.0\.0\].*?(?=^## |\Z)", changelog(), re.MULTILINE | re.DOTALL)
    assert not re.search(
        r"\bbefore,|no longer|\bused to\b|\(was |any more\b|### (Changed|Fixed)", first
    )


def test_the_example_names_this_version():
    """In the `User-Agent` that a user completes with an address."""
    assert f'"ingestor/{__version__} (' in (ROOT / "config.example.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("wheel", "text", "tagged", "said"),
    [
        ("sina_ingestor-0.0.1-py3-none-any.whl", "", [], "is not version"),
        (WHEEL, "## [Unreleased]\n", [], "its newest release is not"),
        (WHEEL, f"## [{__version__}]\n", [], "its newest release is not"),
        (WHEEL, "## [99.0.0] - 2099-01-01\n", [], "its newest release is not"),
        (WHEEL, f"## [{__version__}] - 2026-11-28\n", ["v0.0.1"], "is tagged v0.0.1"),
    ],
)
def test_a_release_that_does_not_agree_with_itself_is_none(wheel, text, tagged, said):
    """`make release` ends with what is wrong."""
    assert said in disagreements(wheel, text, tagged)


def test_a_tag_of_this_version_among_others_is_right():
    """As where one commit is tagged twice."""
    text = f"## [{__version__}] - 2026-11-28\n"
    assert disagreements(WHEEL, text, ["v1", f"v{__version__}"]) == ""

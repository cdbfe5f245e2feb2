"""What the program is called where, and how it is installed: one truth, in pyproject.toml."""

import re
import tomllib

import pytest

from ingestor.version import DISTRIBUTION, install_line
from tools import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TEXTS = [
    path
    for pattern in ("*.md", "docs/*.md", "config.example.toml", "ingestor/**/*.py", "deploy/**/*")
    for path in sorted(ROOT.glob(pattern))
    if path.is_file() and path.name != "CHANGELOG.md"
]


def test_the_distribution_has_the_name_that_every_message_says():
    """The package and the command keep theirs."""
    assert PROJECT["name"] == DISTRIBUTION
    assert PROJECT["scripts"] == {"ingest": "ingestor.__main__:main"}
    assert install_line("parquet") == f"pip install '{PROJECT['name']}[parquet]'"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_install_line_is_of_this_name_and_of_an_extra_that_exists(path):
    """In the pages and in the messages."""
    text = path.read_text("utf-8")
    extras = PROJECT["optional-dependencies"]
    for name, extra in re.findall(r"pip install '([\w.{}-]*)\[(\w+)\]'", text):
        assert (name in {DISTRIBUTION, "{DISTRIBUTION}"}, extra in extras) == (True, True)
    for extra in re.findall(r"install_line\([\"'](\w+)[\"']\)", text):
        assert extra in extras
    assert not re.search(r"pip install '?ingestor\b", text)
    assert not re.search(r"(?<!-)\bingestor\[\w+\]", text)


def test_the_licence_is_the_one_that_is_named():
    """In the file, in the package's data and in both READMEs."""
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.startswith(f"{PROJECT['license']} License")
    assert PROJECT["license-files"] == ["LICENSE"]
    (author,) = PROJECT["authors"]
    assert author["name"] in text
    for name in ("README.md", "README.zh-CN.md"):
        assert f"[{PROJECT['license']}](LICENSE)" in (ROOT / name).read_text("utf-8")


def test_the_versions_of_python_are_the_same_everywhere():
    """In what pip refuses, in the classifiers, in make and on the pages."""
    lowest, highest = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    last = int(highest) - 1
    named = {
        line.rpartition(".")[2] for line in PROJECT["classifiers"] if ":: Python :: 3." in line
    }
    assert named == {str(minor) for minor in range(int(lowest), last + 1)}
    assert f"(3, {lowest}) <= sys.version_info[:2] <= (3, {last})" in (ROOT / "Makefile").read_text(
        "utf-8"
    )
    for name in ("README.md", "CONTRIBUTING.md"):
        assert f"Python 3.{lowest} to 3.{last}" in (ROOT / name).read_text("utf-8")

"""Feeds added to and taken out of a configuration file: all else in it stays to the byte."""

import stat
import tomllib
from pathlib import Path

import pytest

from ingestor.config import load
from ingestor.config.editor import add_feeds, remove_feed, rendered
from ingestor.errors import ConfigError
from tools import ROOT

EXAMPLE = (ROOT / "config.example.toml").read_text("utf-8")
NEW = {"name": '新的 "一"', "kind": "rss", "url": "https://a.example/f?a=1&b=2"}  # fmt: skip
HARD = '''# head
[[ feeds ]] # first
name = "a"
url = "https://a.example/1"
author = """
[[feeds]]
[store]
"""
categories = [
  "x", # why
]
# about b
[["feeds"]]
name = "b"
url = "https://a.example/2"
# the end of b

[schedule] # last
every = "9m"
'''


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    ["", "# only a comment", EXAMPLE, HARD, HARD.replace("\n", "\r\n"), f"\ufeff{EXAMPLE}"],
    ids=["empty", "no end of line", "the example", "hard", "Windows", "byte order mark"],
)
def test_a_feed_is_added_behind_all_that_is_there(text, tmp_path):
    """Comments, order, line ends and a mark stay."""
    path = write(tmp_path, text)
    settings = add_feeds(path, [NEW], {})
    after = path.read_bytes().decode()
    assert after.startswith(text)
    assert settings == load(path, {})
    assert settings.feeds[-1].name == NEW["name"]
    assert ("\r\n" in after[len(text) :]) == ("\r\n" in text)


def test_feeds_in_braces_stay_in_braces(tmp_path):
    """An array of tables has no sections to add to."""
    path = write(tmp_path, '# c\nfeeds = [{name="a", url="https://a.example/1"}] # d\n')
    add_feeds(path, [NEW], {})
    assert [feed.name for feed in load(path, {}).feeds] == ["a", NEW["name"]]
    remove_feed(path, "a", {})
    assert [feed.name for feed in load(path, {}).feeds] == [NEW["name"]]
    assert "# d" in path.read_text("utf-8")


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_feed_is_removed_and_the_comments_around_it_stay(name, tmp_path):
    """What looks like a section within a text is none."""
    path = write(tmp_path, HARD)
    remove_feed(path, name, {})
    after = path.read_text("utf-8")
    assert [feed.name for feed in load(path, {}).feeds] == [{"a": "b", "b": "a"}[name]]
    kept = ["# head", "# about b", "# the end of b", '[schedule] # last\nevery = "9m"']
    assert [part for part in kept if part not in after] == []


def test_what_was_added_can_be_removed_to_the_byte(tmp_path):
    """But for the blank line that stood before it."""
    path = write(tmp_path, EXAMPLE)
    add_feeds(path, [NEW], {})
    remove_feed(path, NEW["name"], {})
    assert path.read_text("utf-8").strip() == EXAMPLE.strip()


def test_a_change_that_would_be_no_configuration_leaves_the_file(tmp_path):
    """The second name is refused before anything is written."""
    path = write(tmp_path, EXAMPLE)
    with pytest.raises(ConfigError, match="two feeds are named"):
        add_feeds(path, [NEW, NEW], {})
    assert path.read_text("utf-8") == EXAMPLE
    assert list(tmp_path.iterdir()) == [path]


def test_rights_and_links_stay(tmp_path):
    """A file that only its owner may read stays such; a link goes on leading to it."""
    path = write(tmp_path, EXAMPLE)
    path.chmod(0o640)
    (tmp_path / "link.toml").symlink_to(path)
    add_feeds(tmp_path / "link.toml", [NEW], {})
    assert (tmp_path / "link.toml").is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert NEW["name"] in [feed.name for feed in load(path, {}).feeds]


def test_a_section_reads_as_what_it_was_rendered_from():
    """Whatever stands in it."""
    table = NEW | {"author": "a\\b\n'\"", "categories": ["一", 'two"']}
    assert tomllib.loads(rendered([table, NEW]))["feeds"] == [table, NEW]

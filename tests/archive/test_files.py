"""Writing files: whole or not at all, and never again without need."""

import hashlib
import os

import pytest

from ingestor.archive import storage
from ingestor.errors import StorageFailed


def test_a_file_is_written_with_its_folders(tmp_path):
    """The digest that comes back is that of what is on the disk."""
    digest = storage.write(tmp_path, "金融/新浪/a.md", "文\n")
    data = (tmp_path / "金融/新浪/a.md").read_bytes()
    assert data == "文\n".encode()
    assert digest == hashlib.sha256(data).hexdigest()


def test_the_same_text_again_leaves_the_file_alone(tmp_path):
    """Its modification time is the user's backup's business."""
    storage.write(tmp_path, "a.md", "x")
    os.utime(tmp_path / "a.md", (1, 1))
    storage.write(tmp_path, "a.md", "x")
    assert (tmp_path / "a.md").stat().st_mtime == 1


def test_other_text_replaces_it_and_leaves_nothing_behind(tmp_path):
    """No temporary file stays."""
    storage.write(tmp_path, "a.md", "x")
    storage.write(tmp_path, "a.md", "y")
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]
    assert (tmp_path / "a.md").read_text() == "y"


def test_a_name_of_the_longest_length_is_written(tmp_path):
    """The temporary name beside it must not be longer than the file system allows."""
    storage.write(tmp_path, "长" * 66 + ".md", "x")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_where_the_file_should_be_is_said(tmp_path):
    """One line that names the path."""
    (tmp_path / "a.md").mkdir()
    with pytest.raises(StorageFailed, match=r"a\.md: cannot be written"):
        storage.write(tmp_path, "a.md", "x")


def test_a_file_where_a_folder_should_be_is_said(tmp_path):
    """The same from the other side."""
    (tmp_path / "a").write_text("x")
    with pytest.raises(StorageFailed, match="cannot be written"):
        storage.write(tmp_path, "a/b.md", "x")

"""A shell completes commands, options and the names of feeds."""

import subprocess
import sys

import pytest

from tools import forked
from tools.running import feed

NAMES = ["新浪财经－國內", "新浪财经－7×24", "other"]


@pytest.fixture
def completed(site):
    """Give what a shell is told for a line up to its last, unfinished word."""
    site.configure(*(feed(f"https://{number}.example/", name) for number, name in enumerate(NAMES)))

    def ask(shell: str, line: str) -> str:
        words = line.split(" ")
        asked = {
            "_INGEST_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
        return forked.run((), site.folder, site.environment() | asked).stdout

    return ask


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_options_and_feeds_are_completed(completed, shell):
    """Of each command, and of the one without a name."""
    assert "status" in completed(shell, "ingest sta")
    assert "search" not in completed(shell, "ingest sta")
    assert "--order" in completed(shell, "ingest search --or")
    for line in (
        "ingest --feed",
        "ingest search --feed",
        "ingest retry --feed",
        "ingest feed remove",
    ):
        shown = completed(shell, f"{line} 新浪")
        assert all(name in shown for name in NAMES[:2]), (line, shown)
        assert NAMES[2] not in shown


def test_without_a_configuration_no_feed_is_completed(completed, site):
    """And nothing is said in the middle of a line; one that is named is read."""
    (site.folder / "config.toml").rename(site.folder / "mine.toml")
    assert completed("bash", "ingest retry --feed ").strip() == ""
    assert NAMES[2] in completed("bash", "ingest --config mine.toml retry --feed oth")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_where_the_shell_looks(site, shell):
    """For the shell that it is started from."""
    places = {
        "bash": ".bash_completions/ingest.sh",
        "zsh": ".zfunc/_ingest",
        "fish": ".config/fish/completions/ingest.fish",
    }
    # What a shell is told by its name: one that is not installed here is a copy of one that is.
    program = site.folder / shell
    program.symlink_to("/bin/bash")
    done = subprocess.run(
        [str(program), "-c", f'"{sys.executable}" -m ingestor --install-completion; exit $?'],
        cwd=site.folder,
        env=site.environment() | {"HOME": str(site.folder), "SHELL": str(program)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "_INGEST_COMPLETE" in (site.folder / places[shell]).read_text("utf-8")

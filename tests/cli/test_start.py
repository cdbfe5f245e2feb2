"""What a command may import: each only what it needs."""

import json
import subprocess
import sys

import pytest

from ingestor.cli import VERBS, load
from tools.made_up_sina import made_up, publish

_RUN_AND_SAY = """
import json, sys
from ingestor.cli import main
try:
    main(json.loads(sys.argv[1]))
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""

PIPELINE = {"httpx", "lxml", "warcio", "nh3", "readability", "ingestor.pipeline"}
"""What only those who ask publishers for something need."""

EXTRAS = {"prometheus_client", "datasette", "procrastinate", "pyarrow", "s3fs", "apscheduler"}

NOTHING = PIPELINE | EXTRAS | {"sqlalchemy", "alembic", "structlog", "rich", "pydantic", "sqlite3"}
"""What nobody waits for who asks how to use the program."""

MAY_NOT = {
    "--version": (["--version"], NOTHING),
    "--help": (["--help"], NOTHING),
    "no such option": (["--twice"], NOTHING),
    "no such command": (["frobnicate"], NOTHING),
    "options that do not go together": (["--json", "--force"], NOTHING - {"pydantic"}),
    "status": (["status"], PIPELINE | EXTRAS | {"alembic"}),
    "search": (["search", "公告"], PIPELINE | EXTRAS | {"alembic"}),
}


@pytest.mark.parametrize(("arguments", "forbidden"), MAY_NOT.values(), ids=MAY_NOT)
def test_a_command_imports_only_what_it_needs(site, net, arguments, forbidden):
    """A list, for times differ from machine to machine."""
    publish(net, [made_up(1)])
    site.run("--once")
    done = subprocess.run(
        [sys.executable, "-c", _RUN_AND_SAY, json.dumps(arguments)],
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    imported = json.loads(done.stderr.splitlines()[-1])
    assert sorted(forbidden & set(imported)) == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_table_of_commands_says_what_each_says_itself(verb):
    """The line under `ingest --help`, for which nothing is imported."""
    assert load(verb).get_short_help_str(limit=1000).rstrip(".") == VERBS[verb].rstrip(".")


def test_global_options_are_known_behind_every_command(site):
    """Where people type them, though its help does not repeat them."""
    assert "--config" not in site.run("status", "--help").stdout
    done = site.run("status", "--verbose", "--config", "none.toml")
    assert (done.returncode, "none.toml" in done.stderr) == (2, True)
    done = site.run("status", "--config")
    assert (done.returncode, "requires an argument" in done.stderr) == (2, True)

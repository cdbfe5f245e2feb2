"""What a command may import: each only what it needs."""

import json
import subprocess
import sys

import pytest

from ingestor.cli import VERBS, load
from ingestor.version import __version__
from tools.living import LONGEST
from tools.made_up_sina import made_up, publish

pytestmark = pytest.mark.slow

_RUN_AND_SAY = """
import json, sys
from ingestor.cli import main
try:
    main(json.loads(sys.argv[1]))
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""

PAGES = {"lxml", "nh3", "readability", "feedparser", "warcio", "yaml", "ingestor.extract"}
PAGES |= {"ingestor.pipeline.ingest", "ingestor.text.mentions", "ingestor.archive.front_matter"}
PAGES |= {"ingestor.sources._syndication", "ingestor.text.decode", "ingestor.text.written_dates"}
PAGES |= {"ingestor.witness.words"}
"""What only those need for whom something is new."""

PIPELINE = PAGES | {"httpx", "ingestor.fetch", "ingestor.pipeline", "ingestor.sources.rss"}
PIPELINE |= {"charset_normalizer", "multiprocessing"}
"""What only those who ask publishers for something need."""

EXTRAS = {"prometheus_client", "datasette", "procrastinate", "pyarrow", "s3fs", "apscheduler"}

RARE = EXTRAS | {"alembic", "structlog", "sqlalchemy.dialects.postgresql"}
"""What a command needs that upgrades a database, has something to log, or asks a server."""

READING = PIPELINE | RARE
NAMES = {"ingestor.text.securities", "ingestor.text.short_names"}
INDEX = {"ingestor.store.search.index", "ingestor.store.search"}
NOTHING = READING | NAMES | {"sqlalchemy", "rich", "pydantic", "sqlite3", "asyncio", "logging"}
NOTHING |= {"ingestor.model", "ingestor.config"}
"""What nobody waits for who asks how to use the program."""

MAY_NOT = {
    "--version": (["--version"], NOTHING),
    "--help": (["--help"], NOTHING),
    "no such option": (["--twice"], NOTHING),
    "no such command": (["frobnicate"], NOTHING),
    "options that do not go together": (["--json", "--force"], NOTHING),
    "a text without what it goes with": (["--feed", "x", "--since", "2024-01-01"], NOTHING),
    "init": (["init"], NOTHING),
    "status": (["status"], READING | NAMES | INDEX),
    "search": (["search", "公告"], READING | NAMES),
    "show": (["show", "1"], READING | NAMES | INDEX | {"rich"}),
    "retry": (["retry"], READING | NAMES | INDEX | {"rich"}),
    "a pass that finds nothing new": (["--once"], PAGES | RARE | NAMES),
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
        timeout=LONGEST,
        check=False,
    )
    imported = json.loads(done.stderr.splitlines()[-1])
    assert sorted(forbidden & set(imported)) == []


def test_the_package_alone_imports_nothing():
    """Programs that ask for its version, or begin to read, wait for nothing else."""
    code = (
        "import sys; before = set(sys.modules); import ingestor;"
        " print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=LONGEST, check=True
    )
    assert done.stdout == "['ingestor', 'ingestor.version']\n"


def test_the_version_alone_is_said_without_the_command_line():
    """By `ingest` as by `python -m ingestor`; beside anything else the command line says it."""
    code = (
        "import sys; from ingestor.__main__ import main; main();"
        " print('typer' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f"ingestor {__version__}\n", "False\n")
    whole = [sys.executable, "-m", "ingestor", "--quiet", "--version"]
    done = subprocess.run(whole, capture_output=True, text=True, timeout=LONGEST, check=True)
    assert done.stdout == f"ingestor {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_the_table_of_commands_says_what_each_says_itself(verb):
    """The line under `ingest --help`, for which nothing is imported."""
    assert load(verb).get_short_help_str(limit=1000).rstrip(".") == VERBS[verb].rstrip(".")


TAKEN = {
    "a number that is none": (("search", "x", "--limit", "many"), 2, "--limit"),
    "a number out of bounds": (("search", "x", "--limit", "0"), 2, "must be at least 1"),
    "a choice that is none": (("search", "x", "--order", "biggest"), 2, "--order"),
    "nothing where something is wanted": (("show",), 2, "Missing argument"),
    "an empty text": (("show", ""), 2, "neither the id of an article nor an address"),
    "the same option twice": (("search", "x", "--feed", "a", "--feed", "b"), 2, 'feed "a"'),
}


@pytest.mark.parametrize(("arguments", "code", "said"), TAKEN.values(), ids=TAKEN)
def test_values_are_still_looked_at(site, arguments, code, said):
    """What passes without Pydantic is only what is not given, and texts."""
    publish(site.net, [made_up(1)])
    site.run("--once")
    done = site.run(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr


def test_global_options_are_known_behind_every_command(site):
    """Where people type them, though its help does not repeat them."""
    assert "--config" not in site.run("status", "--help").stdout
    done = site.run("status", "--verbose", "--config", "none.toml")
    assert (done.returncode, "none.toml" in done.stderr) == (2, True)
    done = site.run("status", "--config")
    assert (done.returncode, "requires an argument" in done.stderr) == (2, True)


def test_pydantic_looks_for_no_plugins_and_garbage_is_collected_again():
    """The one reads the metadata of all that is installed, the other is off while it imports."""
    code = (
        "import gc, os\n"
        "from ingestor.cli import main\n"
        "try: main(['show', '1', '--config', 'none.toml'])\n"
        "except SystemExit: print(gc.isenabled(), os.environ['PYDANTIC_DISABLE_PLUGINS'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True __all__\n"


def test_a_worker_process_imports_nothing_of_the_network():
    """There may be many of them, and each has its own memory."""
    code = "import sys, ingestor.workers.tasks; print({'httpx', 'sqlalchemy', 'typer'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"

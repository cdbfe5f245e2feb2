"""The documentation cannot lie: what it shows is run."""

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.main import get_command

from ingestor import cli
from ingestor.config import load
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade
from tools import ROOT, reference
from tools.made_up_sina import demo_articles, publish

READMES = ["README.md", "README.zh-CN.md"]


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(
    ("name", "count"),
    [(name, 5) for name in READMES] + [("docs/point-in-time.md", 6), ("docs/querying.md", 9)],
)
def test_every_query_of_the_docs_runs(name, count, tmp_path):
    """On the schema as it is; those for DuckDB have a test of their own."""
    database = Database(f"sqlite:///{tmp_path}/a.db")
    upgrade(database)
    database.close()
    text = "".join(one for one in blocks(name, "sql") if "-- DuckDB" not in one)
    statements = [one for one in re.sub(r"--.*", "", text).split(";") if one.strip()]
    assert len(statements) == count
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        for statement in statements:
            connection.execute(statement)


def test_every_make_target_of_the_pages_exists():
    """With its help, in `make help`; in blocks and within sentences."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    asked = {
        (name, target)
        for name in [*shell_pages(), "CHANGELOG.md"]
        for target in re.findall(
            r"(?:^|`)(?:sudo )?make ([a-z-]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE
        )
    }
    assert len(asked) > 40
    lacking = {
        (name, target)
        for name, target in asked
        if not re.search(rf"^{target}:.*  ## ", makefile, re.MULTILINE)
    }
    assert lacking == set()


def shell_pages() -> list[str]:
    """Return the pages that may show lines for a shell."""
    docs = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
    return [*READMES, "CONTRIBUTING.md", *docs]


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_is_made_of_what_it_describes(name):
    """`make docs` writes it."""
    assert (ROOT / "docs" / f"{name}.md").read_text("utf-8") == reference.PAGES[name]()


def command_lines() -> list[tuple[str, str]]:
    """Return the lines of the pages that start ``ingest``, each with its page."""
    pages = [*READMES, *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    told = [(name, line) for name in pages for line in "".join(blocks(name, "sh")).splitlines()]
    # What installs something does so while it is being read.
    return [
        (name, line)
        for name, line in told
        if line.startswith("ingest") and "--install-completion" not in line
    ]


def test_the_pages_have_command_lines():
    """Else the next test would look at nothing."""
    assert len(command_lines()) > 60


@pytest.mark.parametrize(("name", "line"), command_lines())
def test_every_command_line_of_the_docs_is_understood(name, line):
    """Its commands and options exist, and take what they are given; nothing is run."""
    words = shlex.split(line, comments=True)[1:]
    command, context = get_command(cli.application()), None
    for end in ("|", ">"):
        words = words[: words.index(end)] if end in words else words
    called = "ingest"
    while True:
        context = command.make_context(called, list(words), parent=context)
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        if not hasattr(command, "commands") or not rest:
            break
        called, command, words = command.resolve_command(context, rest)
    assert command.name, name


SQLITE3 = f"""#!{sys.executable}
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]):
    print(*row, sep="|")
"""
"""What the tutorial asks of ``sqlite3``, for a machine that has no shell of SQLite's."""

TUTORIALS = ["docs/tutorial.md", "docs/tutorial.zh-CN.md"]


def test_both_tutorials_do_the_same():
    """Line by line."""
    english, chinese = (blocks(name, "sh") for name in TUTORIALS)
    assert english == chinese


@pytest.fixture
def archived(site, net):
    """Give the folder that ``make demo`` leaves, with the programs that the pages call."""
    publish(net, demo_articles())
    site.configure()
    assert site.run("--once").returncode == 0
    programs = site.folder / "bin"
    programs.mkdir()
    ingest = programs / "ingest"
    ingest.write_text(f'#!/bin/sh\nexec {sys.executable} -m ingestor "$@"\n')
    ingest.chmod(0o755)
    (programs / "sqlite3").write_text(SQLITE3)
    (programs / "sqlite3").chmod(0o755)
    return site


def shell(site, line: str) -> str:
    """Run a line of a page in a shell, in the archive's folder; return what it says."""
    here = f"{site.folder}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=site.folder,
        env=site.environment() | {"PATH": here, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (line, done.stderr)
    return done.stdout


@pytest.mark.slow
def test_the_tutorial_runs(archived):
    """Each line as it stands, in a shell, in the folder that ``make demo`` leaves."""
    shown = ""
    for line in "".join(blocks(TUTORIALS[0], "sh")).splitlines():
        answer = shell(archived, line)
        assert answer != "" or ">" in line, line
        shown += answer
    for seen in ("石门水泥", "sh600999", "first seen", "0 disagreements", "新浪财经－7×24"):
        assert seen in shown


@pytest.mark.slow
def test_the_kept_pages_open_as_the_page_says(archived):
    """docs/raw.md, with a file and an offset that are here."""
    [(file, offset)] = archived.query(
        "SELECT warc_file, warc_offset FROM captures ORDER BY id DESC LIMIT 1"
    )
    check, index, extract = blocks("docs/raw.md", "sh")[0].splitlines()
    assert shell(archived, check) == ""
    assert "finance.sina.com.cn" in shell(archived, index)
    example = "ingestor-20240311060000-0a1b2c3d.warc.gz 1423"
    assert example in extract
    shell(archived, extract.replace(example, f"{file} {offset}"))
    assert "<html" in (archived.folder / "page.html").read_text("utf-8").lower()


@pytest.mark.slow
def test_a_backup_is_restored_as_the_page_says(archived, tmp_path):
    """docs/backup.md, after the archive was lost; with another folder for the backups."""
    save, restore = (
        block.replace("/backups", f"{tmp_path}/backups") for block in blocks("docs/backup.md", "sh")
    )
    (tmp_path / "backups").mkdir()
    shell(archived, save)
    files = archived.files()
    shell(archived, "rm -r archive archive.db warc")
    assert "0 disagreements" in shell(archived, restore)
    assert archived.files() == files


@pytest.mark.slow
def test_the_way_back_to_an_older_version_is_as_the_page_says(archived):
    """docs/operations.md, but for what is the service manager's and pip's."""
    (block,) = [text for text in blocks("docs/operations.md", "sh") if "schema-<old>" in text]
    old = archived.folder / "archive.db.schema-0013"
    old.write_bytes(b"as it was")
    for line in block.replace("<old>", "0013").splitlines():
        if line.startswith(("rm ", "mv ", "cp ")):
            shell(archived, line)
    assert (archived.folder / "archive.db").read_bytes() == b"as it was"
    assert (archived.folder / "archive.db.newer").stat().st_size > 100_000


def configurations() -> list[tuple[str, str]]:
    """Return the pieces of configuration that the pages show, each with its page."""
    pages = [*READMES, *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    return [(name, text) for name in pages for text in blocks(name, "toml")]


@pytest.mark.parametrize(("name", "text"), configurations())
def test_every_configuration_of_the_docs_loads(name, text, tmp_path):
    """As it stands, beside a feed where it has none; the READMEs' is whole."""
    path = tmp_path / "config.toml"
    least = "" if "[[feeds]]" in text else configurations()[0][1]
    path.write_text(f"{text}\n{least}", encoding="utf-8")
    assert len(load(path, {}).feeds) == 1, name


@pytest.mark.parametrize(
    "command",
    [
        "init",
        "check",
        "feed",
        "preview",
        "status",
        "retry",
        "search",
        "stats",
        "follow",
        "show",
        "browse",
        "reextract",
        "verify",
        "backup",
        "import",
        "export",
    ],
)
def test_every_command_explains_itself_with_an_example(command, site):
    """Something to paste."""
    shown = site.run(command, "--help").stdout
    assert "Example: ingest" in " ".join(shown.split())


def test_both_readmes_show_the_same():
    """The commands and the queries of one are those of the other."""
    english, chinese = (
        re.findall(
            r"`(ingest [a-z-]+)|^(SELECT .*)$|^(make [a-z]+)",
            (ROOT / name).read_text("utf-8"),
            re.MULTILINE,
        )
        for name in READMES
    )
    assert english == chinese


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
OURS = r"(?:ingestor|tests|tools|benchmarks|migrations|deploy|docs)/"


def rows(title: str) -> list[tuple[str, str]]:
    """Return the two columns of the table under a heading of the page on the architecture."""
    _, _, section = ARCHITECTURE.partition(f"\n## {title}")
    lines = re.findall(r"^\| (.*?) \| (.*) \|$", section.partition("\n## ")[0], re.MULTILINE)
    return [line for line in lines if line[1].strip("-")][1:]


@pytest.mark.parametrize(("change", "places"), rows("I want to change"))
def test_every_change_has_a_place_to_look(change, places):
    """Each row names a file or a folder that is there."""
    named = re.findall(r"`([\w./-]+[./]\w*)`", places)
    assert named, change
    assert [place for place in named if not (ROOT / place).exists()] == []


def test_every_room_is_described():
    """Those of the program, and what stands beside it."""
    described = {room.strip("`") for room, _ in rows("The rooms")}
    inside = {path for path in (ROOT / "ingestor").iterdir() if any(path.glob("*.py"))}
    rooms = {f"ingestor/{path.name}/" for path in inside}
    beside = {"migrations", "tests", "tools", "benchmarks", "deploy"}
    assert described == rooms | {f"{name}/" for name in beside} | {"ingestor/*.py"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_in_a_page_leads_somewhere(page):
    """Files of ours that it names, and pages that it links; the changelog tells of the past."""
    text = "" if page.name == "CHANGELOG.md" else page.read_text("utf-8")
    named = {ROOT / path for path in re.findall(rf"`({OURS}[\w./-]*)`", text)}
    linked = {page.parent / path for path in re.findall(r"\]\((?!http)([^)#\s]+)", text)}
    assert sorted(str(path) for path in named | linked if not path.exists()) == []

"""The documentation cannot lie: what it shows is run."""

import re
import sqlite3
from contextlib import closing

import pytest

from ingestor.config import load
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade
from tools import ROOT

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


@pytest.mark.parametrize("name", READMES)
def test_every_make_target_of_the_readme_exists(name):
    """With its help, in `make help`."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"^make ([a-z]+)", "".join(blocks(name, "sh")), re.MULTILINE)):
        assert re.search(rf"^{target}:.*  ## ", makefile, re.MULTILINE)


def test_every_call_of_the_page_on_raw_files_is_one_that_exists(site):
    """docs/raw.md: its options are those of the command."""
    known = site.run("reextract", "--help").stdout
    calls = re.findall(
        r"^ingest reextract (.*?)(?:#|$)", "".join(blocks("docs/raw.md", "sh")), re.MULTILINE
    )
    assert len(calls) == 2
    for option in re.findall(r"--[a-z-]+", " ".join(calls)):
        assert option in known


@pytest.mark.parametrize("name", READMES)
def test_the_readmes_configuration_loads(name, tmp_path):
    """The least that works does."""
    (text,) = blocks(name, "toml")
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    assert len(load(tmp_path / "config.toml", {}).feeds) == 1


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

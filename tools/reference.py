"""Writes the reference, docs/{commands,configuration,metrics,schema}.md: ``make docs``.

Each page is made from what it describes, and a test says when one is out of date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from typer.main import get_command

from ingestor.cli import VERBS, application, load
from ingestor.clock import Clock
from ingestor.daemon.folder_sizes import FolderSize
from ingestor.daemon.metrics import Gauges, Metrics
from ingestor.store.cluster import ClusterState
from ingestor.store.overview import HealthSnapshot
from tools import ROOT, schema_page

MADE = "This page is made by `make docs`"


def commands() -> str:
    """Return the page on the commands, from the commands' own help."""
    lines = [
        "# Commands",
        "",
        f"{MADE} from the commands' own `--help`. The options of `ingest` that say",
        "how it runs (`--config`, `--verbose`, `--quiet`, `--debug`, `--log-format`) may stand",
        "behind a command as well.",
        "",
        *_command("ingest", get_command(application())),
    ]
    for verb in VERBS:
        command = load(verb)
        lines += _command(f"ingest {verb}", command)
        for name, inner in getattr(command, "commands", {}).items():
            lines += _command(f"ingest {verb} {name}", inner)
    return "\n".join(lines)


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    for paragraph in re.split(r"\n\s*\n|(?=\bExample: )", command.help or ""):
        said = " ".join(paragraph.split())
        yield f"    {said.removeprefix('Example: ')}" if said.startswith("Example: ") else said
        yield ""
    context = command.context_class(command, info_name=name)
    records = (parameter.get_help_record(context) for parameter in command.params)
    rows = [record for record in records if record and not record[0].startswith("-h")]
    if rows:
        yield from ("| | |", "|---|---|")
        yield from (f"| `{_cell(names)}` | {_cell(told)} |" for names, told in rows)
        yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_KEY = re.compile(r"(?P<name>\w+) = (?P<value>.+)")


def configuration() -> str:
    """Return the page on the configuration, from the commented example."""
    lines = ["# Configuration", ""]
    lines += [f"{MADE} from `config.example.toml`, which `ingest init` writes.", ""]
    told: list[str] = []
    in_table = False
    for line in (ROOT / "config.example.toml").read_text("utf-8").splitlines():
        if line.startswith("#"):
            told.append(line.lstrip("# "))
        elif line.startswith("["):
            lines += ["", f"## `{line}`", "", *_paragraph(told), "| key | as in the example | |"]
            lines += ["|---|---|---|"]
            told, in_table = [], True
        elif key := _KEY.fullmatch(line):
            told_of = _cell(" ".join(told))
            lines.append(f"| `{key['name']}` | `{_cell(key['value'])}` | {told_of} |")
            told = []
        elif told:
            # What stands for itself: about the file, or about the table that follows.
            lines += ["", *_paragraph(told)] if in_table else _paragraph(told)
            told = []
    return "\n".join([*lines, ""])


def _paragraph(told: list[str]) -> list[str]:
    return [*told, ""] if told else []


def metrics() -> str:
    """Return the page on the metrics, from what ``/metrics`` says of itself."""
    counted, gauges = _all_metrics()
    lines = ["# Metrics", "", f"{MADE} from what `/metrics` says of itself (`service.listen`).", ""]
    lines += ["| metric | type | |", "|---|---|---|"]
    families = [*counted.registry.collect(), *gauges.collect()]
    for family in sorted(families, key=lambda family: family.name):
        ending = "_total" if family.type == "counter" else ""
        lines.append(f"| `{family.name}{ending}` | {family.type} | {family.documentation} |")
    return "\n".join([*lines, ""])


def exposition() -> str:
    """Return what ``/metrics`` answers for an archive in which nothing has happened yet."""
    counted, gauges = _all_metrics()
    return counted.text(gauges).decode()


def _all_metrics() -> tuple[Metrics, Gauges]:
    heartbeat: Any = SimpleNamespace(
        snapshot=HealthSnapshot(0, 0, 0, 0, 0, 0),
        trouble="",
        database=SimpleNamespace(path=ROOT / "archive.db"),
    )
    freshness: Any = SimpleNamespace(late=list)
    folders: Any = SimpleNamespace(latest=lambda: {"archive": FolderSize(0, 0)})
    return Metrics(Clock()), Gauges(
        heartbeat, freshness, folders, lambda: ClusterState(0, (), {}, ())
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "configuration": configuration,
    "metrics": metrics,
    "schema": schema_page.page,
}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / "docs" / f"{name}.md").write_text(page(), encoding="utf-8")

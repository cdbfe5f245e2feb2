"""What is said to somebody who got the command line wrong, or asks for what cannot be."""

import json
import re

import pytest
from rich.cells import cell_len

from ingestor.cli import VERBS
from tools.made_up_sina import made_up, publish
from tools.running import feed

MISSING = {
    "--since 2024-01-01": "--since goes with --once, which is missing: ingest --once --since DAY",
    "--since 2024-01-01 --until 2024-01-02 --feed x": (
        "--feed and --since and --until go with --once, which is missing: "
        "ingest --once --feed NAME --since DAY --until DAY"
    ),
    "--json": "--json goes with --once, which is missing: ingest --once --json",
    "--once --until 2024-01-02": (
        "--until goes with --since, which is missing: ingest --once --until DAY --since DAY"
    ),
    "--once --force": "--force goes with --since, which is missing: ingest --once --force --since DAY",
    "--once status": "--once: options of `status` stand behind it: ingest status -h",
    "--feed x search y": "--feed: options of `search` stand behind it: ingest search -h",
}


def test_what_is_missing_is_said(site):
    """With the command as it would be right."""
    said = site.refusals(*MISSING)
    assert said == [f"ingest: {line}" for line in MISSING.values()]


WRONG_VALUES = {
    "search x --limit many": 'ingest: --limit: must be a whole number, not "many"',
    "browse --port http": 'ingest: --port: must be a whole number, not "http"',
    "browse --port 99999": 'ingest: --port: must be at most 65535, not "99999"',
    "stats --by year": "ingest: --by: 'year' is not one of 'day', 'week', 'month'.",
    "show http://": "ingest: not an absolute http or https address: http://",
}


def test_a_value_that_an_option_does_not_take_is_said(site, net):
    """In a line, and in the words that are used of a configuration."""
    publish(net, [made_up(1)])
    assert site.run("--once").returncode == 0
    said = [site.run(*line.split()) for line in WRONG_VALUES]
    assert [done.stderr.rstrip() for done in said] == list(WRONG_VALUES.values())
    assert [done.returncode for done in said] == [2] * len(said)


DASHED = {
    "—once": "; an option begins with two hyphens: --once",
    "––json": "; an option begins with two hyphens: --json",
    "－－since": "; an option begins with two hyphens: --since",
    "“search”": "",
    "": "",
}


def test_a_dash_for_the_hyphens_of_an_option_is_said(site):
    """As editors and input methods write it; other signs are no command."""
    said = [site.run(word) for word in DASHED]
    assert [done.returncode for done in said] == [2] * len(DASHED)
    assert [done.stderr for done in said] == [
        f'ingest: there is no command "{word}"{meant}\n' for word, meant in DASHED.items()
    ]


def test_a_backfill_of_feeds_without_a_past_is_a_note(site, net):
    """There is nothing to do, and nothing went wrong."""
    publish(net, [made_up(1)])
    site.configure(feed(name="甲"), feed("https://b.example/", name="乙"))
    done = site.run("--once", "--since", "2024-01-01", "--json")
    assert done.returncode == 0, done.stderr
    assert "feed 甲: a feed of kind rss has no past; left out" in done.stderr
    assert "nothing to walk: none of these feeds has a past" in done.stderr
    assert json.loads(done.stdout)["feeds"] == 0
    assert net.asked() == []


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_fits_eighty_columns(site, verb):
    """Also in a pipe."""
    done = site.run(*filter(None, [verb]), "--help")
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if cell_len(line) > 80] == []


def test_the_table_of_feeds_fits_a_terminal_of_eighty_columns(site, net):
    """A long name is folded, not cut."""
    name = "新浪财经－国内与国际宏观经济政策解读以及各部委公告"
    publish(net, [made_up(1)])
    site.configure(feed(name=name))
    site.run("--once")
    shown = site.on_a_terminal("status", COLUMNS="80", NO_COLOR="1")
    plain = re.sub(r"\x1b\[[0-9;]*m|\r", "", shown)
    lines = [line for line in plain.splitlines() if not line.startswith("archive ")]
    assert [line for line in lines if cell_len(line.rstrip()) > 80] == []
    assert name[:4] in shown

"""The labelled lines: what they must hold, and that the goal is reached on them."""

import pytest

from ingestor.text.securities import normalised
from tools.quality import mentions

LEAST = {"mentions precision": 0.99, "mentions recall": 0.95}


def test_the_set_is_large_and_varied_enough():
    """At least 300 lines, a third with none, each written once, every symbol in our form."""
    lines = list(mentions.lines())
    assert len(lines) >= 300
    assert sum(not line.symbols for line in lines) >= len(lines) / 3
    assert len({line.text for line in lines}) == len(lines)
    symbols = {symbol for line in lines for symbol in line.symbols}
    assert {symbol for symbol in symbols if normalised(symbol).symbol != symbol} == set()
    assert {symbol[:2] for symbol in symbols} == {"sh", "sz", "bj", "hk", "us"}


def test_the_goal_is_reached():
    """Precision and recall; those that are wrong are shown."""
    reached = mentions.score()
    too_low = {name for name, least in LEAST.items() if reached[name] < least}
    assert too_low == set(), "\n".join(mentions.wrong())


@pytest.mark.parametrize("find", [mentions.plain, mentions.ours], ids=lambda find: find.__name__)
def test_what_a_line_names_is_counted_once_a_symbol(find):
    """Also by the pattern that ours is compared with."""
    assert find("某酒（600999）与某酒（600999.SH）、某车（1211.HK）") == {"sh600999", "hk01211"}


def test_the_table_has_both():
    """The program's row is the better one."""
    assert mentions.scored(mentions.ours).f1 > mentions.scored(mentions.plain).f1
    head, _, first, second = mentions.table().splitlines()
    assert head.count("|") == first.count("|") == second.count("|") == 5

"""Copies of one text are told from two texts, and what lies between is said to."""

from itertools import combinations

import pytest

from ingestor.text.similarity import MOST_CHARACTERS, likeness, title_key
from tests.support.shared import shared
from tools.made_up_sina import made_up

ONE = "\n".join(made_up(1).paragraphs)
OTHER = "\n".join(made_up(2).paragraphs)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ONE, ONE.replace("　", " ").replace("。", ".").replace("，", " ,")),
        (ONE, f"{ONE}\n责任编辑：某某 SF014\n海量资讯、精准解读"),
        (ONE, ONE.replace("控制开支", "压缩开支")),
        (ONE, ONE.translate({ord("0") + n: ord("０") + n for n in range(10)})),
        ("短讯", "短讯。"),
        ("", ""),
        ("…", "…"),
    ],
)
def test_a_copy_is_the_same_text(first, second):
    """White space, width, punctuation, a line more, a word changed."""
    assert likeness(first, second) == likeness(second, first) == "same"


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (ONE, "央行今日未开展逆回购操作，当日有三百亿元到期。", "other"),
        (ONE[: len(ONE) // 4], ONE, "unsure"),
        (ONE[: len(ONE) // 2] + OTHER, ONE, "unsure"),
        ("", ONE, "unsure"),
        ("…", "！", "unsure"),
    ],
)
def test_what_is_not_certainly_the_same_is_not_called_so(first, second, found):
    """A flash that a report begins with, a text half of which is another."""
    assert likeness(first, second) == likeness(second, first) == found


def test_a_huge_text_is_compared_by_its_beginning():
    """What is held in memory is bounded."""
    assert likeness("文" + ONE * 300, "文" + ONE * 300 + OTHER) == "same"
    assert len(ONE * 300) > MOST_CHARACTERS


def test_a_title_that_became_a_file_name_is_the_same_title():
    """Quotes and colons became underscores; letters and digits stay what they are."""
    assert title_key("工厂：“出圈” 不得 5%") == title_key("工厂_出圈_不得５%")
    assert title_key("A股收评") != title_key("B股收评")


def test_real_articles_are_told_apart():
    """Of 276 pairs, one is a copy and one is left open; all others are two articles."""
    paths = sorted(shared("sina", "texts").iterdir())[16:40]
    texts = [path.read_text("utf-8").partition("\n")[2] for path in paths]
    found = [likeness(*pair) for pair in combinations(texts, 2)]
    assert (found.count("same"), found.count("unsure")) == (1, 1)

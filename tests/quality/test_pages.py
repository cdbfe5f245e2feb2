"""The labelled pages: each has its right answer, and real ones are read as well as they were."""

import pytest

from ingestor.text.written_dates import parse_date
from tests.support.shared import shared
from tools.quality.pages import FIELDS, PAGES, Cut, f1, made_up, ours, real, what_a_reader_sees

SAMPLES = made_up()
LEAST_OF_SINA, LEAST_OF_OTHERS = 0.995, 0.98


def test_each_page_has_its_right_answer():
    """A page without one would say nothing; there are enough of them to say something."""
    pages = {path.name.removesuffix(".html") for path in PAGES.glob("*.html")}
    answers = {path.name.removesuffix(".expected.json") for path in PAGES.glob("*.json")}
    assert pages == answers
    assert len(pages) >= 40


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_labelled_page_is_read_right(sample):
    """Its text, line for line, and every field."""
    reading = ours(sample.page)
    right = sample.right
    assert {name: reading.get(name) for name in ("text", *FIELDS)} == {
        name: right[name] for name in ("text", *FIELDS)
    }


@pytest.mark.parametrize(
    ("folder", "least"), [("pages", LEAST_OF_SINA), ("other", LEAST_OF_OTHERS)]
)
def test_a_real_page_comes_out_whole_and_alone(folder, least):
    """Neither a paragraph lost nor an advertisement kept."""
    names = {path.name for path in shared("sina", folder).iterdir()}
    samples = [sample for group in real().values() for sample in group if sample.name in names]
    assert samples
    assert {
        sample.name: figure
        for sample in samples
        if (figure := f1(ours(sample.page)["text"], sample.right["text"])) < least
    } == {}


def test_the_measure_sees_what_is_lost_and_what_is_too_much():
    """Half of a text, or twice as much, is far from one."""
    text = "新厂靠近主要市场，可以缩短交货时间"
    assert f1(text, text) == 1
    assert f1(text[:8], text) < 0.7
    assert f1(text + "扫二维码三分钟极速开户下载客户端", text) < 0.8


def test_what_a_reader_sees_is_cut_between_marks():
    """Without what is said to be out, scripts, comments and tags."""
    source = "头<div id='a'><p>甲&amp;</p><!-- 乙 --><b>丙</b><script>丁</script><i>戊</i><hr>尾"
    assert what_a_reader_sees(source, Cut("<div id='a'>", "<hr>", ("<i>.*?</i>",))) == "甲&丙"


def test_a_date_of_an_answer_is_a_moment():
    """Else two forms of one moment would differ."""
    assert parse_date("2024-03-11T08:30:00+08:00") == parse_date("2024-03-11T00:30:00Z")

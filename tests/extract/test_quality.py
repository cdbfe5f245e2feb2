"""How much of what a reader sees as the article comes out, on real pages: F1 over shingles.

The reference is selected from the page's source by hand-written cuts, by another route than
the extractor's: between the marks that Sina's templates put around the text.
"""

import html
import re
from collections import Counter
from itertools import pairwise

import pytest

from ingestor.extract import extract_article
from ingestor.model import Page
from tests.support.shared import shared

LEAST = 0.995

PAGES = {
    "finance-2018-12-28-hqfskcn2160999.html": ("<!-- 行情图end -->", "<!-- news_keyword_pub"),
    "news-2019-11-25-ihnzahi3275702.html": ('id="article">', '<p class="show_author">'),
    "tech-2019-09-11-icezzrq4972166.html": ('J_Video_Source">', "<!-- news_keyword_pub"),
}

FURNITURE = (
    "<script.*?</script>",
    "<style.*?</style>",
    '<div class="a-p-bd.*?mce-plugin-videoList2-->',
    "<!--.*?-->",
)
"""What a reader does not see between the marks, the list beside the video player included."""


def shingles(text: str) -> Counter:
    """Count the pairs of neighbouring characters, white space left out."""
    letters = "".join(text.split())
    return Counter(pairwise(letters))


def f1(found: str, wanted: str) -> float:
    """Return the harmonic mean of precision and recall over two-character shingles."""
    ours, theirs = shingles(found), shingles(wanted)
    common = sum((ours & theirs).values())
    return 2 * common / (sum(ours.values()) + sum(theirs.values()))


def what_a_reader_sees(source: str, begin: str, end: str) -> str:
    """Cut the text out between two marks: no scripts, no comments, no tags."""
    cut = source[source.index(begin) + len(begin) :]
    cut = cut[: cut.index(end)]
    for furniture in FURNITURE:
        cut = re.sub(furniture, "", cut, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", cut))


@pytest.mark.parametrize("name", PAGES)
def test_a_real_page_comes_out_whole_and_alone(name):
    """At least 0.995: neither a paragraph lost nor an advertisement kept."""
    source = shared("sina", "pages", name).read_text("utf-8")
    article = extract_article(
        Page("https://finance.sina.com.cn/x.shtml", source.encode(), "text/html")
    )
    score = f1(article.body.text, what_a_reader_sees(source, *PAGES[name]))
    assert score >= LEAST


def test_the_measure_sees_what_is_lost_and_what_is_too_much():
    """Half of a text, or twice as much, is far from one."""
    text = "新厂靠近主要市场，可以缩短交货时间"
    assert f1(text, text) == 1
    assert f1(text[:8], text) < 0.7
    assert f1(text + "扫二维码三分钟极速开户下载客户端", text) < 0.8

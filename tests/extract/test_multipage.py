"""Articles on several pages: all of them, joined, or none."""

import json
from dataclasses import replace

import pytest

from ingestor.extract import extract_article
from ingestor.extract.multipage import join
from ingestor.model import Page
from tests.support.several_pages import FEED, NEW, OLD, address, part, publish
from tools.running import feed


def extract(first: str, number: int, shown: list[int]):
    return extract_article(Page(address(first, number), part(first, number, shown).encode()))


def lines(*numbers: int) -> str:
    return "\n".join(f"第{number}页说的是第{number}件事，别无其他。" for number in numbers)


@pytest.fixture
def once(site):
    """Give a pass over the one feed, and its summary."""
    site.configure(feed(FEED, "a"))

    def run() -> dict:
        return json.loads(site.run("--once", "--json").stdout)

    return run


@pytest.mark.parametrize("first", [NEW, OLD], ids=["new address", "old address"])
def test_a_page_names_the_pages_of_its_article(first):
    """All of them in order, those between as well, from whichever page."""
    wanted = tuple(address(first, number) for number in (1, 2, 3, 4))
    assert extract(first, 1, [1, 2, 4]).parts == wanted
    assert extract(first, 4, [1]).parts == wanted
    assert extract(first, 1, []).parts == ()


OTHERS = {
    "another article's page": "/china/2024-03-11/doc-imadeup0000008_2.shtml",
    "another host's": "https://news.sina.com.cn/china/2024-03-11/doc-imadeup0000007_2.shtml",
    "itself": "#_2",
    "a picture": "/china/2024-03-11/doc-imadeup0000007_2.jpg",
    "no address": "https://[_2",
}


@pytest.mark.parametrize("href", OTHERS.values(), ids=OTHERS)
def test_other_links_name_no_page_of_it(href):
    """Only the article's own address with a number does."""
    page = part(NEW, 1, []).replace("<!-- 编辑", f'<a href="{href}">2</a><!-- 编辑', 1)
    assert extract_article(Page(NEW, page.encode())).parts == ()


def test_another_publishers_numbers_mean_nothing():
    """There, only the page itself is the article."""
    there = NEW.replace("finance.sina.com.cn", "publisher.example")
    page = part(there, 1, [2]).encode()
    assert extract_article(Page(there, page)).parts == ()


def test_a_page_that_says_the_same_again_adds_nothing():
    """Some numbers lead back to the first page."""
    first, second = extract(NEW, 1, [2]), extract(NEW, 2, [1])
    whole = join([first, second, replace(first, url=address(NEW, 3))])
    assert whole.body.text == lines(1, 2)
    assert (whole.url, whole.document_id, whole.parts) == (NEW, "imadeup0000007", ())


def test_all_pages_are_asked_for_and_joined(site, net, once):
    """One article; each page is in the WARC; the pager of page 3 names the last one."""
    publish(net, {NEW: {1: [2, 3], 2: [1, 3], 3: [2, 4], 4: [3]}})
    assert once()["articles_new"] == 1
    assert site.query("SELECT url, content_text, revision FROM articles") == [
        (NEW, lines(1, 2, 3, 4), 1)
    ]
    assert site.query("SELECT count(*) FROM captures WHERE url LIKE '%doc-imadeup%'") == [(4,)]
    shown = json.loads(site.run("preview", NEW, "--json").stdout)
    assert shown["content_text"] == lines(1, 2, 3, 4)


def test_a_page_that_is_announced_alone_brings_the_whole_article(site, net, once):
    """Under the first page's address; and a list of pages without end is no article."""
    endless = NEW.replace("0000007", "0000070")
    publish(net, {address(OLD, 2): {1: [2], 2: [1]}, endless: {1: [2, 61]}})
    summary = once()
    assert (summary["articles_new"], summary["entries_failed"]) == (1, 1)
    assert site.query("SELECT url, content_text FROM articles") == [
        (OLD.replace("http:", "https:"), lines(1, 2))
    ]
    ((error,),) = site.query("SELECT error FROM entries WHERE state = 'parked'")
    assert error == f"{endless}: a page of it is missing: it names more than 60 pages"


def test_an_article_of_which_a_page_is_missing_is_a_failure(site, net, once):
    """Neither the half of it nor the feed's text, which is the first page's; then all of it."""
    publish(net, {NEW: {1: [2, 3], 2: [1, 3]}}, full=True)
    summary = once()
    assert (summary["articles_new"], summary["entries_failed"]) == (0, 1)
    ((error, state),) = site.query("SELECT error, state FROM entries")
    assert error == f"{NEW}: a page of it is missing: {address(NEW, 3)}: HTTP 404"
    assert state == "pending"
    net.serve(address(NEW, 3), part(NEW, 3, [1, 2]))
    site.make_due("entries", "next_attempt_at")
    assert once()["articles_new"] == 1
    assert site.query("SELECT content_text FROM articles") == [(lines(1, 2, 3),)]


def test_an_edit_of_a_further_page_becomes_a_revision(site, net, once):
    """The pages are asked again together, when the first one is no longer what it was."""
    publish(net, {NEW: {1: [2], 2: [1]}})
    assert once()["articles_new"] == 1
    site.make_due("articles", "next_check_at")
    net.serve(NEW, part(NEW, 1, [2]) + "<!-- 另一条广告 -->")
    net.serve(address(NEW, 2), part(NEW, 2, [1], "　　第2页改过了，说明了更正的原因。"))
    assert once()["articles_revised"] == 1
    assert site.query("SELECT content_text FROM articles") == [
        (f"{lines(1)}\n第2页改过了，说明了更正的原因。",)
    ]
    assert site.query("SELECT count(*) FROM captures WHERE url LIKE '%0000007_2.shtml'") == [(2,)]


def test_reading_again_never_cuts_it_to_one_page(site, net, once):
    """Only the first page of it is read again: the article is left as it is, and counted."""
    publish(net, {NEW: {1: [1, 2], 2: [1, 2]}})
    assert once()["articles_new"] == 1
    done = site.run("reextract")
    assert (done.returncode, "1 article read again: 0 changed" in done.stdout) == (0, True)
    assert site.query("SELECT content_text, revision FROM articles") == [(lines(1, 2), 1)]

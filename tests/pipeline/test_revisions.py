"""Publishers edit: every revision is kept, with when it was seen."""

import json
from dataclasses import replace

import pytest

from tools.made_up_sina import finance_page, made_up, publish

pytestmark = pytest.mark.every_store


@pytest.fixture
def watched(site, net):
    """Give a site with one article, whose time to be looked at again has come."""
    site.configure(schedule='recheck = ["1h"]', archive='extra_front_matter = ["updated"]')
    one = replace(made_up(1), more={})
    publish(net, [one])
    site.run("--once")
    site.make_due()
    net.forget()
    return one


def test_an_unchanged_page_costs_one_conditional_request(site, net, watched):
    """304, and no revision."""
    done = json.loads(site.run("--once", "--json").stdout)
    assert [visit.status for visit in net.asked("doc-")] == [304]
    assert done["articles_revised"] == 0
    assert site.query("SELECT revision, checks FROM articles") == [(1, 1)]


def test_an_edit_is_a_revision_and_the_file_stays_where_it_is(site, net, watched):
    """The old text is kept, the file has the new one, a changed title does not move it."""
    before = site.files()
    edited = replace(
        watched, title="改过的标题", paragraphs=("　　改过的正文，只有一段，说明了更正的原因。",)
    )
    net.serve(watched.url, finance_page(edited))
    done = json.loads(site.run("--once", "--json").stdout)
    assert (done["articles_revised"], done["articles_new"]) == (1, 0)
    rows = site.query("SELECT revision, cause, title FROM revisions ORDER BY sequence")
    assert rows == [(1, "new", watched.title), (2, "edit", "改过的标题")]
    ((revision, updated),) = site.query("SELECT revision, updated_at FROM articles")
    assert revision == 2
    assert updated
    after = site.files()
    assert list(after) == list(before)
    assert "改过的正文" in "".join(after.values())
    assert site.matching("更正") == [1]


def test_furniture_and_white_space_are_no_edit(site, net, watched):
    """Another advertisement, another stamp: the same article."""
    page = (
        finance_page(watched).replace("看不见的广告", "别的广告").replace("　　晨潮", "　　 晨潮")
    )
    net.serve(watched.url, page + "<!-- 12:00:01 -->")
    done = json.loads(site.run("--once", "--json").stdout)
    assert (done["articles_revised"], done["articles_unchanged"]) == (0, 1)


@pytest.mark.parametrize("how", ["404", "500", "reset"])
def test_a_page_that_fails_later_is_no_edit(site, net, watched, how):
    """The article stays as it was."""
    net.fail(watched.url, how)
    done = json.loads(site.run("--once", "--json").stdout)
    assert done["articles_revised"] == 0
    assert site.query("SELECT revision FROM articles") == [(1,)]


def test_a_page_that_comes_back_replaces_the_feeds_text(site, net):
    """Archived from the feed when the page was missing; the page is the better witness."""
    one = made_up(1)
    publish(net, [one])
    net.fail(one.url, "404")
    site.run("--once")
    assert site.query("SELECT origin FROM articles") == [("feed",)]
    net.serve(one.url, finance_page(one))
    site.change("UPDATE entries SET next_attempt_at = NULL")
    site.run("--once")
    assert site.query("SELECT count(*), max(origin) FROM articles") == [(1, "page")]
    assert site.query("SELECT state FROM entries") == [("done",)]


def test_a_title_that_the_page_stops_saying_is_no_edit(site, net, watched):
    """The feed had said it at first; the archive does not forget it."""
    page = finance_page(watched).replace(watched.title, "")
    net.serve(watched.url, page)
    done = json.loads(site.run("--once", "--json").stdout)
    assert done["articles_revised"] == 0
    assert site.query("SELECT title, revision FROM articles") == [(watched.title, 1)]


def test_what_was_announced_decides_between_a_pages_titles_at_every_look(site, net):
    """A page without template has a short heading and a longer og:title; neither look is an edit."""
    one = replace(made_up(2), title="云岭铜业的第二座新厂", host="news.publisher.example")
    text = "".join(f"<p>{line}</p>" for line in one.paragraphs * 2)

    def page(more: str) -> str:
        return (
            f"<html><head><meta property='og:title' content='{one.title}'></head><body>"
            f"<h1>两年之后</h1><div>{text}{more}</div></body></html>"
        )

    site.configure(schedule='recheck = ["1h"]')
    publish(net, [one])
    for more in ("", "<!-- another stamp -->"):
        net.serve(one.url, page(more).replace("<head>", "<head><meta charset=utf-8>"))
        site.run("--once")
        assert site.query("SELECT title, revision FROM articles") == [(one.title, 1)]
        site.make_due()

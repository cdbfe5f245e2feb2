"""Feeds that reorder, rename and repeat their entries, and clocks that jump."""

import re
from dataclasses import replace

import pytest

from tests.faults.laboratory import DOUBLES, output, said
from tests.hostile.nasty_feeds import REFUSED, TAKEN
from tools.made_up_sina import FEED_URL, finance_page, made_up, publish, rsshub_feed
from tools.running import feed

pytestmark = pytest.mark.every_store

DAY = 86_400


@pytest.fixture
def five(driver, site, net):
    """Give five articles that are archived."""
    articles = [made_up(number) for number in range(1, 6)]
    publish(net, articles)
    assert driver.run(site, "--once") == 0
    return articles


def archived(site) -> tuple:
    assert all(site.query(sql) == [] for sql in DOUBLES.values())
    (counts,) = site.query(
        "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM revisions), (SELECT count(*) FROM sightings)"
    )
    return counts


def reordered(text: str) -> str:
    head, *items = text.split("<item>")
    *items, last = items
    tail = last.partition("</item>")[2]
    return head + "".join(f"<item>{one}" for one in [last.replace(tail, ""), *items]) + tail


ODD = {
    "another order": reordered,
    "other guids": lambda text: text.replace("</guid>", "#edited</guid>"),
    "http instead of https": lambda text: text.replace("<link>https", "<link>http"),
    "tracking parameters": lambda text: text.replace(
        "shtml</link>", "shtml?from=wap&amp;cre=x</link>"
    ),
    "every entry twice": lambda text: text.replace("<item>", "<!-- --><item>", 1).replace(
        "</channel>", text[text.index("<item>") : text.index("</channel>")] + "</channel>"
    ),
    "one guid for all": lambda text: re.sub(r"<guid[^>]*>[^<]*", "<guid>same", text),
    "no guids": lambda text: re.sub(r"<guid.*?</guid>", "", text),
    "no dates": lambda text: re.sub(r"<pubDate>.*?</pubDate>", "", text),
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_the_same_articles_in_another_dress_are_the_same(driver, site, five, change):
    """No second article, no revision, no page asked again."""
    assert archived(site) == (5, 5, 5)
    files = site.files()
    site.net.forget()
    site.net.serve(FEED_URL, change(rsshub_feed(five)))
    assert driver.run(site, "--once") == 0, said(site)
    assert archived(site) == (5, 5, 5)
    assert site.files() == files
    assert site.net.asked("doc-") == []


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_a_first_look_at_an_odd_feed_loses_nothing(driver, site, net, change):
    """Five articles, whatever the feed calls them."""
    articles = [made_up(number) for number in range(1, 6)]
    publish(net, articles)
    net.serve(FEED_URL, change(rsshub_feed(articles)))
    assert driver.run(site, "--once") == 0, said(site)
    assert archived(site) == (5, 5, 5)


def test_a_clock_that_jumps_back_a_day_loses_nothing(driver, site, net, five):
    """What is due later stays due, what is new is archived, known moments stay in order."""
    edited = replace(five[0], title="更正后的标题")
    net.serve(edited.url, finance_page(edited))
    assert driver.run(site, "--once", clock_shift=2 * DAY) == 0
    publish(net, [*five, made_up(6)])
    again = replace(five[0], title="又一次更正")
    net.serve(again.url, finance_page(again))
    assert driver.run(site, "--once", clock_shift=DAY) == 0
    assert driver.run(site, "--once", clock_shift=4 * DAY) == 0
    assert archived(site)[0] == 6
    backwards = site.query(
        "SELECT * FROM known_revisions WHERE known_until IS NOT NULL AND known_until < known_from"
    )
    assert backwards == []


def test_a_clock_that_was_years_ahead_stops_nothing(driver, site, net, five):
    """What it put off is due again once it is right: polls and tries."""
    late, failing = made_up(6), made_up(7)
    publish(net, [*five, failing], full=False)
    net.fail(failing.url, "500")
    assert driver.run(site, "--once", clock_shift=3650 * DAY) == 1
    publish(net, [*five, late, failing])
    assert driver.run(site, "--once") == 0, said(site)
    assert "clock_was_ahead" in said(site)
    assert archived(site) == (7, 7, 7)


def test_a_clock_behind_the_archive_is_said(driver, site, five):
    """What is seen from now on would be dated before what is known already."""
    site.change("UPDATE articles SET first_seen_at = '2036-01-01T00:00:00Z' WHERE id = 1")
    assert driver.run(site, "--once") == 0
    assert "clock_is_behind" in said(site)


def test_a_failing_entry_is_tried_again_after_a_clock_jumped_back(driver, site, net):
    """Its next attempt may lie in what is now the future, but not for ever."""
    one = made_up(1)
    publish(net, [one], full=False)
    net.fail(one.url, "500")
    driver.run(site, "--once", clock_shift=DAY)
    net.serve(one.url, finance_page(one))
    assert driver.run(site, "--once", clock_shift=0) in {0, 1}
    assert driver.run(site, "--once", clock_shift=DAY + 3600) == 0
    assert archived(site) == (1, 1, 1)


def test_thousands_of_entries_are_written_down_in_pieces_and_none_is_lost(driver, site, net):
    """The feed counts as read with the last piece: a kill before it makes it be read again."""
    item = "<item><title>第{0}条</title><guid>{0}</guid><description>&lt;p&gt;正文{0}，够长的一段文字。&lt;/p&gt;</description></item>"
    items = "".join(item.format(number) for number in range(3_000))
    body = f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'
    net.serve(FEED_URL, body, content_type="application/xml")
    site.configure(feed(more='content = "feed"'), archive='raw = "off"')
    written = killed = 0
    while not written:
        killed += 1
        written = entries_after_a_kill(driver, site, killed)
    assert written < 3_000
    assert site.query("SELECT body_sha256 FROM feeds") == [("",)]
    while written < 3_000:
        killed += 8 if site.store else 3
        written = entries_after_a_kill(driver, site, killed)
    assert site.query("SELECT body_sha256 <> '' FROM feeds") == [(1,)]


def entries_after_a_kill(driver, site, number):
    """Run until the kill point of that number; return how many entries are written down."""
    assert driver.run(site, "--once", kill_at=number) == -9
    made = site.store or (
        (site.folder / "archive.db").exists()
        and site.query("SELECT 1 FROM sqlite_master WHERE name = 'entries'")
    )
    return site.query("SELECT count(*) FROM entries")[0][0] if made else 0


def test_a_pass_over_nasty_feeds_writes_down_what_they_announce(driver, site, net):
    """Whatever is in their texts fits into the database; what is no feed, or cut off, fails alone."""
    feeds = []
    small = {name: body for name, (body, _) in (TAKEN | REFUSED).items() if len(body) < 50_000}
    for number, (name, body) in enumerate(small.items()):
        url = f"https://rsshub.example/nasty/{number}"
        data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        net.serve(url, data, content_type="application/xml")
        feeds.append(feed(url, name, 'content = "feed"'))
    site.configure(*feeds, fetch='timeout = "30s"')
    assert driver.run(site, "--once") == 1, said(site)
    assert "bug" not in said(site)
    failing = site.query("SELECT name FROM feeds WHERE failures > 0")
    cut = {name for name in TAKEN if name.startswith("cut off")}
    assert {name for (name,) in failing} - cut == small.keys() & REFUSED.keys()
    announced = {name for name in small if name in TAKEN and TAKEN[name][1] != []}
    written = site.query("SELECT DISTINCT f.name FROM entries e JOIN feeds f ON f.id = e.feed_id")
    assert {name for (name,) in written} == announced
    assert driver.run(site, "verify") == 0, output(site)
    assert driver.run(site, "status") == 1, said(site)

"""A feed or a page never holds up the others; counted in what gets done meanwhile, not in time."""

from tools.living import Daemon, wait_for
from tools.made_up_sina import FEED_URL, finance_page, made_up, publish, rsshub_feed
from tools.running import feed
from tools.starvation import COSTLY_URL, PAGES, archived, costs, lags, starved

SLOW = 500.0
"""Seconds that a costly page takes: longer than all else here."""

MANY = 3_000


def test_a_good_feed_is_on_time_beside_slow_pages(site, net):
    """Not one costly page is read until the good articles are in; told to stop, it stops.

    What was under way is pending still.
    """
    with starved(site, SLOW, busy=False) as daemon:
        wait_for(lambda: net.asked("//costly.example/"))
        polls = len(net.asked(FEED_URL))
        assert len(lags(site, 4)) == 4
        assert len(net.asked(FEED_URL)) >= polls + 4
        assert not any("costly" in url or "hanging" in url for url in archived(site))
        assert daemon.stop() == 0
    # Had the stop waited for it, it would have been tried.
    waiting = "state = 'pending' AND attempts = 0 AND url LIKE '%//costly.example/%'"
    assert site.query(f"SELECT count(*) FROM entries WHERE {waiting}") == [(PAGES,)]


def test_a_page_that_costs_much_holds_up_no_other_of_its_feed(site, net):
    """Announced first, and read last."""
    articles = [made_up(number) for number in range(1, 8)]
    publish(net, articles)
    slow = "https://costly.example/1.shtml"
    text = rsshub_feed(articles).replace(articles[0].url, slow)
    net.serve(FEED_URL, text, content_type="application/xml")
    net.serve(slow, finance_page(articles[0]))
    site.configure(feed(more='every = "1s"'), schedule='jitter = "0s"', fetch="robots = false")
    with Daemon(site, environment=costs(site.folder, SLOW, busy=False), whole=True) as daemon:
        wait_for(lambda: len(archived(site)) == 6)
        assert slow not in archived(site)
        more = [*articles[1:], *(made_up(number) for number in range(8, 11))]
        publish(net, more)
        wait_for(lambda: len(archived(site)) == 9)
        assert daemon.stop() == 0


def test_a_feed_that_announces_thousands_holds_up_no_poll(site, net):
    """They are written down in pieces, each once, while the other feed's news come in."""
    publish(net, [made_up(1)])
    many = [made_up(number) for number in range(20_000, 20_000 + MANY)]
    net.serve(COSTLY_URL, rsshub_feed(many, full=False), content_type="application/xml")
    site.configure(
        feed(COSTLY_URL, "many", 'every = "1h"'),
        feed(more='every = "1s"'),
        schedule='jitter = "0s"',
        fetch='robots = false\ntimeout = "30s"',
    )
    with Daemon(site, ("--quiet",)) as daemon:
        assert len(lags(site, 3)) == 3
        wait_for(lambda: entries_of(site, "many") == MANY)
        assert daemon.stop() == 0


def entries_of(site, name: str) -> int:
    query = "SELECT count(*) FROM entries JOIN feeds ON feeds.id = feed_id WHERE feeds.name = '{}'"
    return site.query(query.format(name))[0][0]

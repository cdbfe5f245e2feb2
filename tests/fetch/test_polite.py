"""A polite guest, read off the access log of the sites that were visited."""

import json
import threading
import time
from collections import defaultdict
from urllib.parse import urlsplit

import pytest

from tools.fake_internet import Answer
from tools.living import LONGEST
from tools.made_up_sina import FEED_URL, finance_page, made_up, publish, rsshub_feed
from tools.running import feed

SITE_FEED = "https://feeds.sina.example/rss"
OTHER_FEED = "https://feeds.sina.example/other"
NEW_URL = "https://new.example/rss"


def numbers(done) -> dict:
    return json.loads(done.stdout)


def serve_feed(net, url, articles, **more):
    net.serve(url, rsshub_feed(articles), content_type="application/rss+xml", **more)


def test_requests_to_a_host_keep_their_distance(site, net):
    """Over two feeds and the robots.txt files: never closer than the pause, never too many."""
    articles = [made_up(number) for number in range(1, 13)]
    publish(net, articles)
    serve_feed(net, OTHER_FEED, articles[6:])
    site.configure(
        feed(),
        feed(OTHER_FEED, "other"),
        fetch='delay_per_host = "200ms"\nconnections_per_host = 2',
    )
    began = time.monotonic()
    assert site.run("--once").returncode == 0
    visits = defaultdict(list)
    for visit in net.visits:
        visits[urlsplit(visit.url).hostname].append(visit.at)
    assert max(len(times) for times in visits.values()) >= 12
    for times in visits.values():
        # Requests are begun so far apart; one that is late on its way comes close to the next.
        assert max(times) - began >= 0.2 * (len(times) - 1)


def test_no_more_than_the_allowed_number_at_a_time(site, net):
    """Counted while the pages are being answered; of one feed there are half of them, rounded up.

    A page that is asked behind robots.txt gets its slot anew, whatever is left.
    """
    articles = [made_up(number) for number in range(1, 13)]
    publish(net, articles)
    lock, running, most, two = threading.Lock(), [0], [0], threading.Event()
    pages = {urlsplit(one.url).path: finance_page(one) for one in articles}

    def slowly(url, _headers):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
            if running[0] == 2:
                two.set()
        # The first waits for a second one, however late it is; then there may be too many.
        two.wait(LONGEST)
        threading.Event().wait(0.05)
        with lock:
            running[0] -= 1
        return Answer(pages[urlsplit(url).path].encode())

    for one in articles:
        net.remove(one.url)
        net.serve_function(one.url, slowly)
    site.configure(feed(), fetch="connections_per_host = 3")
    assert site.run("--once").returncode == 0
    assert 2 <= most[0] <= 3


def test_everything_asked_again_is_asked_conditionally(site, net):
    """Feeds, and robots.txt when it has grown old; an unchanged feed is answered by 304."""
    publish(net, [made_up(1)])
    assert site.run("--once").returncode == 0
    net.forget()
    assert site.run("--once").returncode == 0
    asked = net.asked()
    assert [one.status for one in asked] == [304]
    assert "If-None-Match" in asked[0].headers
    assert all("gzip" in one.headers["Accept-Encoding"] for one in asked)


def test_what_robots_txt_forbids_is_never_asked(site, net):
    """The entry is parked with the reason; nothing below the forbidden folder was asked."""
    article = made_up(1)
    publish(net, [article])
    host = urlsplit(article.url)
    net.serve(f"https://{host.netloc}/robots.txt", "User-agent: *\nDisallow: /\n")
    done = site.run("--once")
    assert "robots.txt" in done.stderr
    assert net.asked(host.netloc) == []


def test_a_crawl_delay_is_kept(site, net):
    """robots.txt asks for more than the configuration."""
    articles = [made_up(number) for number in range(1, 4)]
    publish(net, articles)
    host = urlsplit(articles[0].url).netloc
    net.serve(f"https://{host}/robots.txt", "User-agent: *\nCrawl-delay: 1\n")
    began = time.monotonic()
    assert site.run("--once").returncode == 0
    times = sorted(one.at for one in net.asked(host))
    assert len(times) == 3
    assert times[-1] - began >= 2


def test_a_host_that_asks_for_a_pause_gets_it_over_all_runs(site, net):
    """One 429 with Retry-After: nothing else is asked of that host, now or by the next run."""
    articles = [made_up(number) for number in range(1, 9)]
    publish(net, articles)
    for one in articles:
        net.pages[urlsplit(one.url).netloc + urlsplit(one.url).path] = Answer(
            b"slow down", status=429, headers={"Retry-After": "3600"}
        )
    host = urlsplit(articles[0].url).netloc
    site.configure(feed(), fetch="connections_per_host = 1")
    done = site.run("--once", "--json")
    assert done.returncode == 1
    assert len(net.asked(host)) == 1
    assert numbers(done)["entries_pending"] == 8
    assert numbers(done)["entries_failed"] == 1
    assert site.query("SELECT attempts, count(*) FROM entries GROUP BY 1 ORDER BY 1") == [
        (0, 7),
        (1, 1),
    ]
    publish(net, [*articles, made_up(9)])
    again = site.run("--once", "--json")
    assert len(net.asked(host)) == 1
    assert numbers(again)["entries_failed"] == 0
    status = site.run("status")
    assert f"paused  {host}: until " in status.stdout
    assert list(json.loads(site.run("status", "--json").stdout)["hosts_paused"]) == [host]


@pytest.mark.parametrize("url", [FEED_URL, SITE_FEED], ids=["RSSHub", "public site"])
def test_an_rsshub_route_stands_for_itself_and_a_site_for_all(site, net, url):
    """PEERS: a failing route froze a whole RSSHub instance."""
    other = url.rsplit("/", 1)[0] + "/other"
    net.pages[urlsplit(url).netloc + urlsplit(url).path] = Answer(
        b"x", status=503, headers={"Retry-After": "600"}
    )
    serve_feed(net, other, [])
    site.configure(feed(url, "first"), feed(other, "second"), fetch="connections_per_host = 1")
    done = site.run("--once", "--json")
    assert numbers(done)["feeds_failed"] == (1 if url == FEED_URL else 2)
    assert len(net.asked(other)) == (1 if url == FEED_URL else 0)
    net.forget()
    done = site.run("--once")
    assert "feed_postponed" in done.stderr
    assert "not asked before" in done.stderr or "not to be asked before" in done.stderr
    assert net.asked(urlsplit(url).path) == []
    failures = site.query("SELECT failures, retry_at IS NOT NULL FROM feeds ORDER BY id")
    assert failures == [(1, 1), (0, 0)]


def test_a_feed_moves_after_three_redirects_for_good(site, net):
    """It is then asked at its new address, says so in status, and comes back if that fails."""
    serve_feed(net, NEW_URL, [])
    net.redirect(SITE_FEED, NEW_URL, 301)
    site.configure(feed(SITE_FEED, "feed"))
    for _ in range(3):
        assert site.run("--once").returncode == 0
    net.forget()
    assert site.run("--once").returncode == 0
    assert [one.url for one in net.asked()] == [NEW_URL]
    assert f"feed: is asked at {NEW_URL} now" in site.run("status").stdout
    net.remove(NEW_URL)
    net.remove(SITE_FEED)
    serve_feed(net, SITE_FEED, [])
    assert site.run("--once").returncode == 1
    assert site.run("--once").returncode == 0
    assert site.query("SELECT moved_to, moved_polls, url FROM feeds") == [("", 0, SITE_FEED)]


def test_a_temporary_redirect_moves_nothing(site, net):
    """302 says that the old address stays the right one; also in a chain with a 301."""
    serve_feed(net, NEW_URL, [])
    net.redirect(SITE_FEED, OTHER_FEED, 301)
    net.redirect(OTHER_FEED, NEW_URL, 302)
    site.configure(feed(SITE_FEED, "feed"))
    for _ in range(4):
        assert site.run("--once").returncode == 0
    assert len(net.asked(SITE_FEED)) == 4
    assert site.query("SELECT moved_to, moved_polls FROM feeds") == [("", 0)]


def test_a_feed_that_is_gone_for_good_is_stopped(site, net):
    """410: not asked any more, said in status, asked again by `ingest retry`."""
    net.fail(SITE_FEED, "410")
    site.configure(feed(SITE_FEED, "feed"))
    assert site.run("--once").returncode == 1
    net.forget()
    site.run("--once")
    assert net.asked() == []
    status = site.run("status")
    assert status.returncode == 1
    assert "stopped feed: HTTP 410" in status.stdout
    serve_feed(net, SITE_FEED, [])
    assert "1 stopped feed is asked again" in site.run("retry", "--feed", "feed").stdout
    assert site.run("--once").returncode == 0
    assert site.run("status").returncode == 0


def test_quiet_feeds_are_asked_less_and_busy_ones_more(site, net):
    """The interval in the table follows the news, between every and slowest."""
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "100s"'), schedule='slowest = "1h"\njitter = "0s"')
    intervals = []
    for step in range(4):
        if step == 3:
            publish(net, [made_up(1), made_up(2)])
        site.run("--once")
        intervals += site.query("SELECT interval_s FROM feeds")
    # The made-up feed asks for five minutes (ttl); unchanged answers do not repeat it.
    assert intervals == [(300,), (375,), (469,), (300,)]


def test_a_feed_may_ask_for_fewer_polls(site, net):
    """Cache-Control is a lower bound, also on a 304, up to ``slowest``."""
    serve_feed(net, SITE_FEED, [], headers={"Cache-Control": "max-age=86400"})
    site.configure(feed(SITE_FEED, "feed"), schedule='slowest = "2h"')
    for _ in range(2):
        assert site.run("--once").returncode == 0
        assert site.query("SELECT interval_s FROM feeds") == [(7200,)]

"""``ingest feed`` and ``ingest init --channel``, as their users run them."""

import json
import tomllib

import pytest

from ingestor.config.channels import channel_named, channel_of_rsshub, channels, shortest_name
from tests.support.feeds import rss
from tools.made_up_sina import FEED_URL, demo_articles, publish, roll_answer
from tools.running import feed

ITEM = "<item><title>水泥</title><link>https://news.example/1</link></item>"
PAGE = "https://news.example/list.html"
FEED = "https://news.example/feeds/all.xml"


def configured(site) -> list[dict]:
    return tomllib.loads((site.folder / "config.toml").read_text("utf-8"))["feeds"]


def serve_page(net, links: str) -> None:
    net.serve(
        PAGE, f"<!doctype html><html><head><title>n</title>{links}</head><body>x</body></html>"
    )
    net.serve(FEED, rss(ITEM), content_type="application/xml")


def test_the_feed_that_a_page_names_is_found_looked_at_and_written(site, net):
    """Named by its own title; nothing else of the file is touched."""
    serve_page(
        net, '<base href="/feeds/"><link REL="Alternate" type="application/rss+xml" href=all.xml>'
    )
    before = (site.folder / "config.toml").read_text("utf-8")
    done = site.run("feed", "add", PAGE, "--every", "15m")
    assert done.returncode == 0, done.stderr
    assert '"c", 1 entry' in done.stdout
    assert configured(site)[-1] == {"name": "c", "kind": "rss", "url": FEED, "every": "15m"}
    assert (site.folder / "config.toml").read_text("utf-8").startswith(before)
    assert site.run("check").returncode in {0, 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((PAGE,), "is there already, as"),
        ((FEED,), "is there already, as"),
        ((FEED, "--name", "c"), "there is a feed"),
        (("https://news.example/other.xml", "--every", "5 parsecs"), "every: a duration such as"),
        (("https://news.example/other.xml", "--kind", "rrs"), 'there is none "rrs"'),
        (("news.example/feed",), "is not an address"),
        (("--channel", "宏观经"), 'did you mean "宏观经济"'),
        ((), "give either an address or --channel"),
    ],
)  # fmt: skip
def test_what_is_there_or_makes_no_sense_is_refused(site, net, arguments, said):
    """Exit 2, one line, and the file as it was."""
    serve_page(net, f'<link rel="alternate" type="application/atom+xml" href="{FEED}">')
    net.serve("https://news.example/other.xml", rss(ITEM), content_type="application/xml")
    assert site.run("feed", "add", PAGE).returncode == 0
    before = (site.folder / "config.toml").read_bytes()
    done = site.run("feed", "add", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (site.folder / "config.toml").read_bytes() == before


def test_what_is_no_feed_is_not_written(site, net):
    """Exit 1, and why: not a feed, nothing named, an address inside, nothing that answers."""
    serve_page(net, "")
    before = (site.folder / "config.toml").read_bytes()
    for url, said in (
        (PAGE, "it names no feed either"),
        ("http://127.0.0.1:1/feed", "inside"),
        ("https://gone.example/feed", "HTTP 404"),
    ):
        done = site.run("feed", "add", url)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert said in done.stderr
    assert (site.folder / "config.toml").read_bytes() == before


def test_what_moved_for_good_is_known_where_it_is(site, net):
    """And a feed that is cut off is a feed, which is said."""
    serve_page(net, "")
    net.redirect("https://news.example/old", FEED, 301)
    assert site.run("feed", "add", "https://news.example/old").returncode == 0
    assert configured(site)[-1]["url"] == FEED
    net.serve("https://news.example/cut", rss(ITEM).partition("</item>")[0] + "</item><item><ti")
    done = site.run("feed", "add", "https://news.example/cut")
    assert (done.returncode, configured(site)[-1]["url"]) == (0, "https://news.example/cut")
    assert "cut off after item 1" in done.stderr


def test_a_channel_is_added_by_its_name_or_by_the_address_of_its_interface(site, net):
    """Its numbers stand in the table of channels."""
    net.serve_function("https://feed.mix.sina.com.cn/api/roll/get", roll_answer_of(demo_articles()))
    done = site.run("feed", "add", "--channel", "宏观经济")
    assert done.returncode == 0, done.stderr
    added = {"name": "新浪财经－宏观经济", "kind": "sina-roll", "channel": "宏观经济"}
    assert configured(site)[-1] == added
    url = "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1687&num=50"
    assert "is there already" in site.run("feed", "add", url).stderr


def roll_answer_of(articles):
    def answer(url, _headers):
        from tools.fake_internet.pages import Answer

        return Answer(roll_answer(articles).encode(), "application/json")

    return answer


def test_feeds_are_listed_removed_exported_and_imported(site, net):
    """What was exported is there already when it is imported; elsewhere it is added."""
    assert FEED_URL in site.run("feed", "list").stdout
    assert json.loads(site.run("feed", "list", "--json").stdout)[0]["url"] == FEED_URL
    assert site.run("feed", "export", "a.opml").returncode == 0
    assert site.run("feed", "export", "a.opml").returncode == 2
    done = site.run("feed", "import", "a.opml")
    assert done.stdout == "1 feed: 0 added, 1 already here, 0 broken\n"
    name = configured(site)[0]["name"]
    assert site.run("feed", "remove", name).returncode == 0
    assert "feeds" not in tomllib.loads((site.folder / "config.toml").read_text("utf-8"))
    assert site.run("feed", "remove", name).returncode == 2
    assert site.run("feed", "import", "a.opml").returncode == 0
    assert [feed["name"] for feed in configured(site)] == [name]


def test_a_list_of_5000_feeds_of_which_three_are_broken(site):
    """4,997 are added, each broken one has its line, and the same list again adds nothing."""
    addresses = [f"https://{number}.example/feed?a=1&b=2" for number in range(5_000)]
    addresses[7], addresses[70], addresses[700] = "", "ftp://x.example/f", "http:///no host"
    outlines = "".join(f'<outline text="same" type="rss" xmlUrl="{url}"/>' for url in addresses)
    (site.folder / "f.opml").write_text(f"<opml><body>{outlines}</body></opml>", "utf-8")
    done = site.run("feed", "import", "f.opml")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 3), done.stderr[-2000:]
    assert done.stdout == "5000 feeds: 4997 added, 0 already here, 3 broken\n"
    assert len(configured(site)) == 4_998
    again = site.run("feed", "import", "f.opml", "--dry-run")
    assert again.stdout == "5000 feeds: 0 would be added, 4997 already here, 3 broken\n"


def test_channels_are_listed_and_searched(site):
    """By name, section or number; what there is not names the nearest."""
    assert "pageid=155 lid=1687" in site.run("feed", "channels", "宏观").stdout
    (found,) = json.loads(site.run("feed", "channels", "1687", "--json").stdout)
    assert (found["channel"], found["pageid"], found["lid"]) == ("宏观经济", 155, 1687)
    assert len(site.run("feed", "channels").stdout.splitlines()) == len(channels()) + 1
    done = site.run("feed", "channels", "宏观经齐")
    assert done.returncode == 2
    assert "宏观经济" in done.stderr


def test_init_writes_the_channels_that_are_asked_for(site):
    """And only known ones."""
    (site.folder / "config.toml").unlink()
    wrong = site.run("init", "--channel", "国内滚")
    assert (wrong.returncode, (site.folder / "config.toml").exists()) == (2, False)
    assert 'did you mean "国内滚动"' in wrong.stderr
    assert site.run("init", "--channel", "国内滚动", "--channel", "7x24").returncode == 0
    listed = json.loads(site.run("feed", "list", "--json").stdout)
    assert [(feed["name"], feed["kind"]) for feed in listed] == [
        ("新浪财经－国内滚动", "sina-roll"),
        ("新浪财经－7×24", "sina-live"),
    ]


def test_check_hints_at_the_own_kind_for_what_rsshub_serves(site, net):
    """One line for it; the feed is ok all the same."""
    publish(net, demo_articles())
    done = site.run("check")
    assert done.returncode == 0
    hints = [line for line in done.stdout.splitlines() if line.startswith("hint")]
    assert len(hints) == 1
    assert 'kind = "sina-roll" with channel = "国内滚动"' in hints[0]


@pytest.mark.parametrize(
    ("url", "numbers"),
    [
        ("https://rsshub.app/sina/finance/china", "pageid=155 lid=1686"),
        ("http://10.0.0.1:1200/sina/finance/china/1687/50", "pageid=155 lid=1687"),
        ("https://hub.example/sina/finance/rollnews/2674?limit=9", "pageid=384 lid=2674"),
        ("https://hub.example/x/sina/rollnews", "pageid=153 lid=2509"),
        ("https://hub.example/sina/zhibo/", "zhibo_id=152 tag=0"),
        ("https://hub.example/sina/finance/china/9999", "pageid=155 lid=9999"),
        ("https://rsshub.app/sina/csj", None),
        ("https://finance.sina.com.cn/sina/finance/china", None),
        ("https://rsshub.app/weibo/user/1", None),
    ],
)
def test_which_channel_an_rsshub_serves(url, numbers):
    """At whatever host."""
    channel = channel_of_rsshub(url)
    assert (channel and channel.numbers) == numbers


@pytest.mark.parametrize("channel", channels(), ids=lambda channel: channel.full_name)
def test_every_channel_is_found_by_its_shortest_name(channel):
    """And by its full one."""
    assert channel_named(shortest_name(channel), channel.kind).numbers == channel.numbers
    assert channel_named(channel.full_name) == channel


def test_the_same_address_under_two_names_is_said(site):
    """By check and by a pass: it works, and asks for the same twice."""
    site.configure(feed(), feed(name="乙"), feed(FEED_URL.replace("https", "http"), name="丙"))
    for command in ("check", "--once"):
        said = site.run(command).stderr
        assert (
            'feeds "新浪财经－國內" and "乙" have the same address, which is asked twice: ' in said
        )
        assert 'feeds "新浪财经－國內" and "丙" have the same address' in said
    site.configure(feed(), feed(FEED_URL + "/other", name="乙"))
    assert "same address" not in site.run("--once").stderr

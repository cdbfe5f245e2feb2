"""What a page must not do to the archive: verification, removal, home pages, another's text."""

import json
from dataclasses import replace
from datetime import timedelta
from html import escape

import pytest

from tools.fake_internet import Answer
from tools.made_up_sina import FEED_URL, finance_page, made_up, publish, rsshub_feed
from tools.made_up_sina.article import CHINA
from tools.running import feed

HOME = "https://finance.sina.com.cn/"


def notice(title: str, text: str) -> str:
    return (
        f'<html><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><div><h3>{title}</h3><p>{text}</p></div></body></html>"
    )


CAPTCHA = notice(
    "安全验证",
    "检测到您所在的网络访问过于频繁，请拖动滑块完成验证，验证通过后即可继续浏览本站内容。",
)
BLOCKED = notice("访问提示", "该网站内容违规，已被运营商拦截，如有疑问请联系网站管理员处理。")
MAINTENANCE = notice("系统维护", "本站正在进行系统升级维护，预计两小时后恢复访问，敬请谅解。")
SOFT_404 = notice("提示", "抱歉，您访问的内容不存在或已被删除，请返回首页查看更多精彩内容。")
FRONT = (
    '<html><head><meta charset="utf-8"><title>新浪财经_新浪网</title></head><body><ul>'
    + "".join(
        f'<li><a href="https://finance.sina.com.cn/roll/{number}.shtml">'
        f"{escape(made_up(number).title)}</a></li>"
        for number in range(200, 260)
    )
    + "</ul></body></html>"
)
FALSE = {"captcha": CAPTCHA, "blocked": BLOCKED, "maintenance": MAINTENANCE, "front": FRONT}
READINGS = "SELECT reading, reason FROM captures WHERE url LIKE '%doc-%' ORDER BY id"


def numbers(done) -> dict:
    return json.loads(done.stdout)


@pytest.mark.parametrize("page", FALSE.values(), ids=FALSE)
def test_what_is_no_article_never_becomes_one(site, net, page):
    """The entry waits, the exit code says so, and the page is kept to be looked into."""
    article = made_up(1)
    publish(net, [article])
    net.serve(article.url, page)
    done = site.run("--once", "--json")
    assert done.returncode == 1
    assert (numbers(done)["articles_new"], numbers(done)["entries_pending"]) == (0, 1)
    ((reading, reason),) = site.query(READINGS)
    assert reading in {"none", "doubtful"}, reason
    net.serve(article.url, finance_page(article))
    site.make_due("entries", "next_attempt_at")
    site.run("--once")
    assert site.query("SELECT title, origin FROM articles") == [(article.title, "page")]


@pytest.mark.parametrize("body", [b"", b" \r\n", b'{"code":403,"msg":"forbidden"}'])
def test_an_empty_answer_is_asked_for_again(site, net, body):
    """A server that stumbles says nothing, or an error as JSON, with status 200."""
    article = made_up(1)
    publish(net, [article], full=False)
    net.serve(article.url, body)
    assert site.run("--once").returncode == 1
    assert site.query("SELECT state, next_attempt_at IS NULL FROM entries") == [("pending", 0)]
    net.serve(article.url, finance_page(article))
    site.make_due("entries", "next_attempt_at")
    site.run("--once")
    assert site.query("SELECT title, origin FROM articles") == [(article.title, "page")]


def test_a_soft_404_gives_the_feeds_text_its_place(site, net):
    """Where the feed carries the text; else nothing is archived."""
    with_text, without = made_up(1), made_up(2)
    publish(net, [with_text])
    short = rsshub_feed([without], full=False).split("<item>")[1].split("</channel>")[0]
    net.serve(
        FEED_URL,
        rsshub_feed([with_text]).replace("</channel>", f"<item>{short}</channel>"),
        content_type="application/xml",
    )
    net.serve(with_text.url, SOFT_404)
    # Word for word the same twice is furniture of the site, which is another test's.
    net.serve(without.url, SOFT_404.replace("抱歉", "非常抱歉"))
    assert site.run("--once").returncode == 1
    assert site.query("SELECT title, origin FROM articles") == [(with_text.title, "feed")]


@pytest.mark.every_store
def test_a_second_look_never_takes_the_good_text_away(site, net):
    """Captcha, home page, soft 404, another article: the look is recorded, the article stays."""
    articles = [made_up(number) for number in range(1, 6)]
    publish(net, articles)
    assert site.run("--once").returncode == 0
    before = site.files()
    net.serve(articles[0].url, CAPTCHA)
    net.redirect(articles[1].url, HOME)
    net.serve(HOME, FRONT)
    net.serve(articles[2].url, SOFT_404)
    net.serve(articles[3].url, finance_page(made_up(99)))
    net.fail(articles[4].url, "404")
    site.make_due()
    assert site.run("--once").returncode == 1
    assert site.query("SELECT count(*), max(revision) FROM articles") == [(5, 1)]
    assert site.files() == before
    gone = "SELECT count(*) FROM articles_gone"
    assert site.query(gone) == [(2,)]
    shown = site.run("show", articles[0].url).stdout
    assert "looked: verification page, not believed" in shown
    for article in articles:
        net.serve(article.url, finance_page(article))
    site.make_due()
    site.run("--once")
    assert site.query(gone) == [(0,)]
    assert site.files() == before


def test_a_day_that_moved_makes_no_second_article(site, net):
    """Document id and page say that it is the same: a word changed, and the feed's day did."""
    article = made_up(3)
    publish(net, [article])
    site.run("--once")
    first, *rest = article.paragraphs
    edited = replace(article, paragraphs=(f"{first}（更正）", *rest))
    moved = replace(edited, published_at=article.published_at + timedelta(days=1))
    net.serve(article.url, finance_page(edited))
    feed = rsshub_feed([moved]).replace(moved.url, article.url)
    net.serve(FEED_URL, feed, content_type="application/xml")
    site.run("--once")
    day = article.published_at.astimezone(CHINA).date().isoformat()
    assert site.query("SELECT date, revision FROM articles") == [(day, 2)]


def test_an_address_that_names_its_article_in_the_query_is_its_own(site, net):
    """Where the page is one script behind `?id=`, each item is an article."""
    flashes = [made_up(number) for number in range(1, 5)]
    address = "https://finance.sina.com.cn/7x24/notification.shtml?id={}"
    feed = rsshub_feed(flashes)
    for number, flash in enumerate(flashes, start=4000):
        feed = feed.replace(flash.url, address.format(number) + "&amp;from=wap")
        net.serve(address.format(number) + "&from=wap", finance_page(flash))
        net.serve(address.format(number), finance_page(flash))
    net.serve(FEED_URL, feed, content_type="application/xml")
    site.run("--once")
    assert site.query("SELECT count(DISTINCT url), count(*) FROM articles") == [(4, 4)]
    assert site.query("SELECT count(*) FROM articles WHERE url LIKE '%from=%'") == [(0,)]


def serve_every_tenth(net, articles) -> list:
    """Let every tenth address answer with a captcha, the home page or a soft 404, in turn."""
    chosen = articles[::10]
    net.serve(HOME, FRONT)
    for number, article in enumerate(chosen):
        if number % 3 == 1:
            net.redirect(article.url, HOME)
        else:
            net.serve(article.url, CAPTCHA if number % 3 == 0 else SOFT_404)
    return chosen


def test_a_bad_day_brings_no_false_article_and_loses_none(site, net):
    """First looks, then second ones: every tenth answer is a captcha, a home page or a soft 404."""
    articles = [made_up(number) for number in range(1, 61)]
    publish(net, articles)
    titles = sorted(article.title for article in articles)
    bad = serve_every_tenth(net, articles)
    site.run("--once")
    archived = {title for (title,) in site.query("SELECT title FROM articles")}
    assert archived <= set(titles)
    for article in bad:
        net.serve(article.url, finance_page(article))
    site.make_due("entries", "next_attempt_at")
    site.make_due()
    site.run("--once")
    assert sorted(title for (title,) in site.query("SELECT title FROM articles")) == titles
    before = site.files()
    serve_every_tenth(net, articles)
    site.make_due()
    site.run("--once")
    assert site.files() == before
    query = "SELECT count(*), sum(CASE WHEN doubted_at IS NULL THEN 0 ELSE 1 END) FROM articles"
    assert site.query(query) == [(60, 0)]


def test_status_names_a_host_that_gives_nothing_else(site, net):
    """Its feed's health says so after an hour; the doubts are counted by host and reason."""
    article = made_up(1)
    publish(net, [article])
    net.serve_function("https://finance.sina.com.cn/", lambda *_: Answer(CAPTCHA.encode()))
    net.remove(article.url)
    site.run("--once")
    document = json.loads(site.run("status", "--json").stdout)
    (doubt,) = document["doubts"]
    assert (doubt["host"], doubt["looks"]) == ("finance.sina.com.cn", 1)
    assert document["feeds_doubted"] == {}
    site.change(
        "UPDATE captures SET fetched_at = replace(fetched_at, substr(fetched_at, 1, 13), "
        "strftime('%Y-%m-%dT%H', fetched_at, '-2 hours')) WHERE reading <> ''"
    )
    site.make_due("entries", "next_attempt_at")
    site.run("--once")
    done = site.run("status")
    assert done.returncode == 1
    assert "doubted" in done.stdout
    assert "finance.sina.com.cn gave no page that is believed since" in done.stdout
    assert "2 pages in a day: verification" in done.stdout


def test_status_says_whose_times_are_set_right(site, net):
    """A feed that is eight hours late by its own clock."""
    articles = [made_up(number) for number in range(1, 4)]
    late = [replace(one, published_at=one.published_at + timedelta(hours=8)) for one in articles]
    publish(net, articles)
    newest = max(one.published_at for one in articles)
    feed = rsshub_feed(late)
    for one, moved in zip(articles, late, strict=True):
        feed = feed.replace(moved.url, one.url)
    start, rest = feed.split("<lastBuildDate>")
    stamp = rsshub_feed([replace(articles[0], published_at=newest + timedelta(seconds=7))])
    built = stamp.split("<lastBuildDate>")[1].split("</lastBuildDate>")[0]
    feed = f"{start}<lastBuildDate>{built}</lastBuildDate>{rest.split('</lastBuildDate>')[1]}"
    net.serve(FEED_URL, feed, content_type="application/xml", headers={})
    site.run("--once")
    assert site.query("SELECT zone_shift_s FROM feeds") == [(8 * 3600,)]
    assert "times set right by 8 h: its source reads its zone wrongly" in site.run("status").stdout


def test_each_look_is_on_record_also_where_nothing_is_kept_as_received(site, net):
    """``raw = "off"``: what each look was taken for, with a page that is as it was (304)."""
    article = made_up(1)
    publish(net, [article])
    site.configure(archive='raw = "off"')
    assert site.run("--once").returncode == 0
    site.make_due()
    assert site.run("--once").returncode == 0
    net.serve(article.url, CAPTCHA)
    site.make_due()
    assert site.run("--once").returncode == 1
    assert site.query("SELECT reading, reason, warc_file FROM captures") == [
        ("article", "", None),
        ("unchanged", "304", None),
        ("none", "verification", None),
    ]
    shown = site.run("show", article.url).stdout
    assert "looked: unchanged" in shown
    assert "looked: verification page, not believed" in shown
    assert "verification" in site.run("status").stdout
    assert site.run("verify").returncode == 0


def test_items_that_are_parts_of_one_page_are_several_articles(site, net):
    """In a feed of texts, links that differ in their fragment name different items."""
    items = "".join(
        f"<item><title>第{number}条快讯</title><guid isPermaLink='false'>one</guid>"
        f"<link>https://live.example/today#{number}</link>"
        f"<description>&lt;p&gt;第{number}条快讯的正文，够长的一段文字。&lt;/p&gt;</description></item>"
        for number in range(1, 4)
    )
    body = f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'
    net.serve(FEED_URL, body, content_type="application/xml")
    site.configure(feed(more='content = "feed"'))
    assert site.run("--once").returncode == 0
    assert site.query("SELECT count(*), max(revision) FROM articles") == [(3, 1)]


def test_a_page_without_a_template_behind_a_redirect_stays_believed(site, net):
    """The second look asks the address that the first was led to: of a page without a template."""
    article = made_up(1)
    asked, page = "https://www.news.example/?p=4411", "https://www.news.example/archives/4411.html"
    feed_body = rsshub_feed([article], full=False).replace(article.url, asked)
    net.serve(FEED_URL, feed_body, content_type="application/xml")
    net.redirect(asked, page)
    text = "".join(f"<p>{paragraph}</p>" for paragraph in article.paragraphs)
    net.serve(page, f"<title>{article.title}</title><h1>{article.title}</h1><div>{text}</div>")
    assert site.run("--once").returncode == 0
    site.make_due()
    assert site.run("--once").returncode == 0
    assert site.query("SELECT count(*), count(doubted_at) FROM articles") == [(1, 0)]


def test_items_of_one_link_without_a_guid_are_told_apart_by_their_headlines(site, net):
    """In a feed of texts: none is folded into another, also when a second one comes later."""
    link = "https://live.example/today"
    items = [
        f"<item><title>第{number}条快讯</title><link>{link}</link>"
        f"<description>&lt;p&gt;第{number}条快讯的正文，够长的一段文字。&lt;/p&gt;</description></item>"
        for number in range(1, 6)
    ]

    def serve(*shown: str) -> None:
        body = f'<rss version="2.0"><channel><title>t</title>{"".join(shown)}</channel></rss>'
        net.serve(FEED_URL, body, content_type="application/xml")

    site.configure(feed(more='content = "feed"'))
    serve(items[0])
    site.run("--once")
    for shown in (items[:3], items[1:4], items[3:4], items[4:], items):
        serve(*shown)
        assert site.run("--once").returncode == 0
    titles = site.query("SELECT title FROM articles ORDER BY title")
    assert titles == [(f"第{number}条快讯",) for number in range(1, 6)]


def test_a_page_behind_a_redirect_is_no_copy_of_itself(site, net):
    """Its text under the address that was asked for is not another page's."""
    article = made_up(1)
    there = "https://finance.sina.com.cn/%E6%96%87%E7%AB%A0/%E4%B8%80.shtml"
    net.serve(FEED_URL, rsshub_feed([replace(article, title="甲")], full=False))
    net.redirect(article.url, there, 301)
    text = "".join(f"<p>{paragraph}</p>" for paragraph in article.paragraphs)
    net.serve(
        there,
        f'<html><head><meta charset="utf-8"><meta name="mediaid" content="晨潮财讯"></head><body>'
        f'<h1 class="main-title">{article.title}</h1><div id="artibody">{text}</div></body></html>',
    )
    assert numbers(site.run("--once", "--json"))["articles_new"] == 1


def test_a_guid_that_changes_makes_no_second_article(site, net):
    """In a feed of texts: one link and text is one article, seen twice; an edit stays with it."""

    def serve(guid: str, text: str, title: str = "石门快讯", day: int = 8) -> None:
        item = (
            f"<item><title>{title}</title><link>https://live.example/1</link>"
            f"<guid isPermaLink='false'>{guid}</guid><pubDate>Thu, {day:02} Oct 2026 03:00:00 GMT</pubDate>"
            f"<description>&lt;p&gt;{text}&lt;/p&gt;</description></item>"
        )
        body = f'<rss version="2.0"><channel><title>t</title>{item}</channel></rss>'
        net.serve(FEED_URL, body, content_type="application/xml")
        site.make_due("feeds", "next_poll_at") if (site.folder / "archive.db").exists() else None
        assert site.run("--once").returncode == 0

    site.configure(feed(more='content = "feed"'))
    serve("a1", "新窑今起点火，年产量可以增加一成。")
    serve("tag:live.example,2026:1", "新窑今起点火，年产量可以增加一成。")
    assert site.query("SELECT count(*), max(revision) FROM articles") == [(1, 1)]
    assert site.query("SELECT count(*), count(DISTINCT article_id) FROM entries") == [(2, 1)]
    serve("tag:live.example,2026:1", "新窑今起点火，年产量可以增加两成。")
    assert site.query("SELECT count(*), max(revision) FROM articles") == [(1, 2)]
    serve("b2", "旧窑昨日熄火，工人转到新窑。", "旧窑熄火")
    assert site.query("SELECT count(*) FROM articles") == [(2,)]

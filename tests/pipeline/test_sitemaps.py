"""Feeds of kind ``sitemap`` as a pass walks them: parts of an index, conditions, backfills."""

import json

from tools.made_up_sina import demo_articles, finance_page
from tools.running import Site

INDEX = "https://finance.sina.com.cn/sitemaps/index.xml"
DAYS = "https://finance.sina.com.cn/sitemaps/news-{}.xml"
FEED = f'name = "地图"\nkind = "sitemap"\nurl = "{INDEX}"\nevery = "1m"\n'


def serve(net, *days: str, lastmod: str = "") -> None:
    """Serve a page for each article, a sitemap for each day of theirs, and an index of these."""
    articles = [article for article in demo_articles() if day_of(article) in days or not days]
    by_day: dict[str, str] = {}
    for article in articles:
        net.serve(article.url, finance_page(article))
        by_day.setdefault(day_of(article), "")
        by_day[day_of(article)] += f"<url><loc>{article.url}</loc></url>"
    listed = ""
    for day, urls in by_day.items():
        net.serve(DAYS.format(day), f"<urlset>{urls}</urlset>", content_type="text/xml")
        listed += f"<sitemap><loc>{DAYS.format(day)}</loc><lastmod>{day}</lastmod></sitemap>"
    net.serve(INDEX, f"<sitemapindex>{listed}</sitemapindex>", content_type="text/xml")


def day_of(article) -> str:
    return article.url.split("/")[-2]


def once(site: Site, *more: str) -> dict:
    done = site.run("--once", "--json", *more)
    return json.loads(done.stdout) | {"code": done.returncode, "said": done.stderr}


def test_the_parts_of_an_index_are_read_and_their_pages_archived(site, net):
    """Titles come from the pages: the sitemap has none."""
    serve(net)
    site.configure(FEED)
    summary = once(site)
    assert (summary["code"], summary["articles_new"]) == (0, len(demo_articles())), summary
    titles = {title for (title,) in site.query("SELECT title FROM articles")}
    assert titles == {article.title for article in demo_articles()}


def test_pages_without_a_template_have_their_own_titles_too(site, net):
    """Of a plain sitemap nobody announces a title; what is no article is not archived."""
    prose = "".join(
        f"<p>第{number}段，县城的超市在秋天换了招牌，店主说生意比去年好些。</p>"
        for number in range(9)
    )
    page = "<html><head><title>{0}</title></head><body><h1>{0}</h1><article>{1}</article></body></html>"
    net.serve("https://n.example/1.html", page.format("一家县城超市的秋天", prose))
    net.serve("https://n.example/list.html", "<html><body>" + '<a href="/1.html">一</a> ' * 50)
    urls = "".join(f"<url><loc>https://n.example/{name}.html</loc></url>" for name in ("1", "list"))
    net.serve("https://n.example/map.xml", f"<urlset>{urls}</urlset>", content_type="text/xml")
    site.configure('name = "n"\nkind = "sitemap"\nurl = "https://n.example/map.xml"\n')
    once(site)
    assert site.query("SELECT title FROM articles") == [("一家县城超市的秋天",)]


def test_an_index_is_polled_as_often_as_its_parts_have_news(site, net):
    """News of a part is news of the feed; what is known brings nothing, and is asked conditionally."""
    serve(net)
    site.configure(FEED, schedule='slowest = "1h"')
    once(site)
    ((new_at, interval),) = site.query("SELECT last_new_at, interval_s FROM feeds")
    assert (new_at is not None, interval) == (True, 60)
    net.forget()
    assert once(site)["entries_new"] == 0
    asked = [
        visit
        for visit in net.asked("news-")
        if "if-modified-since" in map(str.lower, visit.headers)
    ]
    assert len(asked) == len({day_of(article) for article in demo_articles()})
    ((interval,),) = site.query("SELECT interval_s FROM feeds")
    assert interval > 60


def test_a_part_that_is_missing_is_said_and_the_others_are_read(site, net):
    """One line for it."""
    serve(net)
    days = sorted({day_of(article) for article in demo_articles()})
    net.remove(DAYS.format(days[0]))
    site.configure(FEED)
    summary = once(site)
    lost = sum(day_of(article) == days[0] for article in demo_articles())
    assert summary["articles_new"] == len(demo_articles()) - lost
    assert f"a part of it, {DAYS.format(days[0])}" in summary["said"]


def test_an_index_that_names_itself_or_goes_in_a_circle_ends(site, net):
    """Nothing is asked twice, and it is said."""
    other = "https://finance.sina.com.cn/sitemaps/other.xml"
    entry = "<sitemap><loc>{}</loc></sitemap>"
    net.serve(INDEX, f"<sitemapindex>{entry.format(INDEX)}{entry.format(other)}</sitemapindex>")
    net.serve(other, f"<sitemapindex>{entry.format(INDEX)}</sitemapindex>")
    site.configure(FEED)
    summary = once(site)
    assert summary["code"] == 1
    assert "the index of sitemaps names itself" in summary["said"]
    assert "names a sitemap that was asked already" in summary["said"]
    assert len(net.asked("sitemaps/")) == 2


def test_a_backfill_asks_only_the_parts_of_its_days(site, net):
    """As their addresses name them; run again, nothing is asked."""
    serve(net)
    site.configure(FEED)
    days = sorted({day_of(article) for article in demo_articles()})
    span = ("--since", days[-1], "--until", days[-1])
    summary = once(site, *span)
    there = sum(day_of(article) == days[-1] for article in demo_articles())
    assert (summary["code"], summary["articles_new"]) == (0, there), summary
    assert {visit.url for visit in net.asked("news-")} == {DAYS.format(days[-1])}
    net.forget()
    assert once(site, *span)["articles_new"] == 0
    assert net.asked("sitemaps/") == []


def test_a_backfill_of_an_index_without_days_is_said(site, net):
    """In one line; nothing is asked of its parts."""
    net.serve(INDEX, "<sitemapindex><sitemap><loc>/a.xml</loc></sitemap></sitemapindex>")
    site.configure(FEED)
    summary = once(site, "--since", "2024-01-01", "--until", "2024-01-03")
    assert summary["code"] == 1
    assert "its index names none of these days" in summary["said"]

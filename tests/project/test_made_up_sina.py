"""The made-up Sina: it looks like Sina's pages and feeds, and says what a reader sees on them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import feedparser
import httpx
import pytest
from lxml import html

from ingestor.extract import extract_article, extract_fragment
from ingestor.identity import document_id
from ingestor.model import Page
from tests.support.shared import shared
from tools.demo import columns, shortened
from tools.made_up_sina import (
    ARTICLES,
    CHINA,
    FEED_URL,
    body_html,
    finance_page,
    made_up,
    mobile_page,
    news_page,
    picture,
    publish,
    roll_answer,
    rsshub_feed,
)

PAGES = [finance_page, news_page, mobile_page]
DESKTOP = {finance_page: "artibody", news_page: "article"}
SOME = [*ARTICLES, made_up(1), made_up(2)]


def titled(article) -> str:
    return article.document_id


def test_there_are_ten_articles_that_differ():
    """Ids, titles and addresses: what they are told apart by."""
    assert len(ARTICLES) == 10
    for name in ("document_id", "title", "url", "mobile_url", "expected_text"):
        assert len({getattr(one, name) for one in ARTICLES}) == 10


HELD = {
    "a picture without a caption": 'alt="" data-mcesrc',
    "a security with its quote": 'id="quote_sz009902">(31.07',
    "a table": "<th>季度</th>",
    "a list": "<li>",
    "a video": 'class="video-2017"',
    "emphasis": "strong-Bold",
    "a template's braces": "{% raw %}",
    "an emoji": "🙂",
    "an escaped sign": "&lt; 1.70%",
}


@pytest.mark.parametrize("what", HELD.values(), ids=HELD)
def test_the_ten_hold_what_is_difficult(what):
    """At least one of them each."""
    assert any(what in body_html(one) for one in ARTICLES)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("one", SOME, ids=titled)
def test_the_text_expected_is_what_the_extractor_reads(one, page):
    """On every template: text, pictures and securities, to the character."""
    url = one.mobile_url if page is mobile_page else one.url
    article = extract_article(Page(url, page(one).encode()))
    assert article.body.text == one.expected_text
    assert [found.url for found in article.body.pictures] == one.picture_urls
    assert [found.symbol for found in article.body.securities] == one.symbols.split("&") * bool(
        one.symbols
    )
    assert (article.title, article.document_id, article.media) == (
        one.title,
        one.document_id,
        one.media,
    )


@pytest.mark.parametrize("one", SOME, ids=titled)
def test_the_feed_carries_the_same_text(one):
    """What RSSHub cuts out of the page."""
    assert extract_fragment(body_html(one), one.url).text == one.expected_text


PARTS = [
    "//h1[@class='main-title']",
    "//div[@class='date-source']/span[@class='date']",
    "//div[@class='date-source']/a[contains(@class,'ent-source')]",
    "//div[contains(@class,'appendQr_wrap')]",
    "//div[@class='app-kaihu-qr']",
    "//div[contains(@class,'second-title')]",
    "//div[@id='share_more']",
    "//div[@id='keywords'][@data-wbkey]/a",
    "//div[contains(@class,'blk-comment')]",
    "//comment()[contains(.,'article_adlist[')]",
    "//comment()[contains(.,'news_keyword_pub,stock,sh609901')]",
    "//meta[@name='publishid'][@content='madeup9000003']",
    "//meta[@property='article:published_time'][@content='2024-03-11T08:12:40+08:00']",
    "//meta[@name='weibo: article:create_at'][@content='2024-03-11 08:12:40']",
    "//meta[@name='mobile-agent'][starts-with(@content,'format=html5; url=http://finance.sina.cn/')]",
]


@pytest.mark.parametrize(("page", "identifier"), DESKTOP.items())
def test_a_desktop_page_has_sinas_parts(page, identifier):
    """Each where the template has it, and the body but once, whatever scripts say."""
    tree = html.fromstring(page(ARTICLES[0]))
    assert [part for part in PARTS if not tree.xpath(part)] == []
    assert len(tree.xpath(f"//*[@id='{identifier}']")) == 1
    assert tree.xpath(f"//*[@id='{identifier}']//style")
    assert 20_000 < len(page(ARTICLES[0]).encode()) < 100_000


@pytest.mark.parametrize(
    ("page", "saved"),
    [
        (finance_page, "finance-2018-12-28-hqfskcn2160999.html"),
        (news_page, "news-2019-11-25-ihnzahi3275702.html"),
    ],
)
def test_a_desktop_page_is_built_like_a_real_one(page, saved):
    """Every meta element and every class around the text that we use stands on the saved page."""
    real = shared("sina", "pages", saved).read_text("utf-8", errors="replace")
    tree = html.fromstring(page(ARTICLES[0]))
    names = set(tree.xpath("//meta/@name | //meta/@property"))
    if page is finance_page:
        assert names - set(re.findall(r'<meta (?:name|property)="([^"]+)"', real)) <= {"referrer"}
    for mark in ("main-title", "second-title", "date-source", "top-bar-wrap", "share-more-list"):
        assert mark in real
        assert tree.xpath(f"//*[contains(@class,'{mark}')]")


def test_no_word_of_the_text_is_a_real_articles():
    """Fixtures are written, not copied: no run of twelve characters is shared with the data."""
    ours = {
        line[start : start + 12]
        for one in ARTICLES
        for line in one.expected_text.split("\n")
        for start in range(len(line) - 11)
    }
    files = [*shared("sina", "texts").iterdir(), *shared("sina", "posts").iterdir()]
    real = "".join(path.read_text("utf-8", errors="replace") for path in files)
    assert [run for run in ours if run in real] == []


def test_feedparser_reads_the_feed():
    """Without a complaint, and with what RSSHub gives."""
    feed = feedparser.parse(rsshub_feed(ARTICLES), sanitize_html=False)
    assert (feed.bozo, feed.version, feed.feed.title) == (False, "rss20", "新浪财经－國內")
    assert feed.feed.ttl == "5"
    for entry, one in zip(feed.entries, ARTICLES, strict=True):
        assert (entry.title, entry.link, entry.id) == (one.title, one.url, one.url)
        assert entry.author == one.media
        assert datetime(*entry.published_parsed[:6], tzinfo=UTC) == one.published_at
        assert entry.description.count('referrerpolicy="no-referrer"') == len(one.picture_urls) + 2


def test_a_feed_can_come_without_texts_or_without_entries():
    """Both occur."""
    assert feedparser.parse(rsshub_feed(ARTICLES, full=False)).entries[0].get("description") == ""
    assert feedparser.parse(rsshub_feed([], title="空")).feed.title == "空"


def test_the_roll_answer_has_the_apis_form():
    """Numbers as text, the mobile twin, and a page past the end with no data."""
    result = json.loads(roll_answer(ARTICLES, total=384))["result"]
    assert (result["status"]["code"], result["total"], len(result["data"])) == (0, 384, 10)
    item = result["data"][0]
    assert (item["url"], item["wapurl"]) == (ARTICLES[0].url, ARTICLES[0].mobile_url)
    assert datetime.fromtimestamp(int(item["ctime"]), UTC) == ARTICLES[0].published_at
    assert json.loads(item["hqChart"]) == {"stockCode": "sh609901"}
    assert json.loads(roll_answer([], total=384))["result"]["data"] == []


def test_any_number_is_an_article_and_always_the_same():
    """A thousand of them, told apart by their ids."""
    thousand = [made_up(number) for number in range(1000)]
    assert thousand == [made_up(number) for number in range(1000)]
    assert (
        len({one.url for one in thousand}) == len({one.expected_text for one in thousand}) == 1000
    )
    assert all(document_id(one.url) == one.document_id for one in thousand)


def test_a_day_can_be_chosen():
    """For backfills: the address, too, is that day's."""
    day = datetime(2023, 1, 2, tzinfo=CHINA)
    one = made_up(5, day)
    assert day <= one.published_at < day + timedelta(days=1)
    assert "/2023-01-02/" in one.url


def test_everything_that_is_published_can_be_fetched(net):
    """The feed, the pages, their mobile twins, and the pictures."""
    publish(net, ARTICLES)
    with httpx.Client(proxy=net.proxy_url, trust_env=False) as client:

        def get(url):
            answer = client.get(url.replace("https:", "http:"))
            assert answer.status_code == 200
            return answer

        assert get(FEED_URL).text == rsshub_feed(ARTICLES)
        for one in ARTICLES:
            assert get(one.url).text == finance_page(one)
            assert get(one.mobile_url).text == mobile_page(one)
            assert all(get(url).content == picture(url) for url in one.picture_urls)


def test_the_demos_tables_know_how_wide_chinese_is():
    """Two columns a character, and never wider than allowed."""
    assert columns("新浪 a") == 6
    assert columns(shortened("新" * 60)) <= 48
    assert shortened("短") == "短"

"""A time is believed only from where a page says when it was published."""

import json
from datetime import UTC, datetime

import pytest

from ingestor.extract import extract_article
from ingestor.model import Page, StatedDate
from ingestor.policy import believed_publication

TITLE = "云岭水泥将在南方新建一座工厂"
TEXT = "".join(
    f"<p>这一段是为测试写的，说的是工厂第{at}条生产线怎样安装，并没有别的意思。</p>"
    for at in range(5)
)
PLAIN = "https://www.paper.example/n/17.html"
SINA = "https://finance.sina.com.cn/roll/2024-03-05/doc-imadeup0000017.shtml"
WANTED = datetime(2024, 3, 5, 0, 30, tzinfo=UTC)


def article(body: str, head: str = "", url: str = PLAIN):
    page = (
        f"<html><head><meta charset='utf-8'><title>{TITLE}</title>{head}</head>"
        f"<body>{body}</body></html>"
    )
    return extract_article(Page(url, page.encode(), "text/html"))


def stated(body: str, head: str = "", url: str = PLAIN) -> list[tuple[str, str]]:
    """Return each witness with its moment."""
    dates = article(body, head, url).stated_dates
    return [(date.witness, f"{date.moment:%Y-%m-%d %H:%M}") for date in dates]


def linked(**values) -> str:
    data = {"@context": "https://schema.org", "@type": "NewsArticle"} | values
    return script(data)


def script(data) -> str:
    return f'<script type="application/ld+json">{json.dumps(data, ensure_ascii=False)}</script>'


PUBLISHED = "2024-03-05T08:30:00+08:00"
OTHER = "2018-01-02T09:00:00+08:00"
MAIN = f"<div class='wrap'><h1>{TITLE}</h1><div class='content'>{TEXT}</div></div>"


def below(line: str) -> str:
    """Return a page with a line between title and text."""
    return f"<div class='wrap'><h1>{TITLE}</h1>{line}<div class='content'>{TEXT}</div></div>"


NO_WITNESS = {
    "a sentence that begins with one": f"<h1>{TITLE}</h1><p>2019年3月5日，公司宣布了这一计划。</p>{TEXT}",
    "a short sentence": f"<h1>{TITLE}</h1><p>2019年3月5日消息</p>{TEXT}",
    "a dateline": f"<h1>{TITLE}</h1><p>本报上海2019年3月5日电 记者张三</p>{TEXT}",
    "a sentence in the middle": MAIN + "<p>公司成立于2019年3月5日。</p>",
    "related articles": MAIN
    + "<div class='rel'><ul><li><a href='/x'>旧闻一则</a> 2018-01-02</li></ul></div>",
    "related articles below the title": below(
        "<div class='related'><a href='/x'>旧闻</a> <span>2018-01-02 09:00</span></div>"
    ),
    "a list of articles below the title": below(
        "<ul><li><a href='/x'>一家公司多年以前的旧闻一则</a> <span>2018-01-02</span></li></ul>"
    ),
    "an aside": below("<aside><span>2018-01-02 09:00</span></aside>"),
    "a footer": MAIN + "<div class='footer'>备案时间 2010-03-04 版权所有</div>",
    "a copyright below the title": below("<p>版权所有 2010-03-04</p>"),
    "a script": below("<script>var time = '2018-01-02 09:00';</script>"),
    "a day until which something runs": below("<p>有效期至 2018-01-02</p>"),
    "a span of days": below("<p>2018年1月2日-1月5日</p>"),
    "a comment's time": MAIN + "<div class='comments'><time datetime='2018-01-02'>旧</time></div>",
    "no heading": f"<div>{TEXT}</div><p>2018-01-02 09:00</p>",
}


@pytest.mark.parametrize("body", NO_WITNESS.values(), ids=NO_WITNESS)
def test_a_date_of_something_else_bears_no_witness(body):
    """The page states none of its own."""
    assert stated(body) == []
    assert article(body).published_at is None


NO_STRUCTURE = {
    "another article's object": linked(
        headline="旧闻一则", url="https://a.example/x", datePublished=OTHER
    ),
    "a list of articles": script(
        {"@type": "ItemList", "itemListElement": [{"@type": "Article", "datePublished": OTHER}]}
    ),
    "what an object mentions": linked(
        headline=TITLE, mentions={"@type": "Article", "datePublished": OTHER}
    ),
    "a film": script({"@type": "VideoObject", "datePublished": OTHER}),
    "broken data": '<script type="application/ld+json">{"datePublished": "2018-01-02"</script>',
    "a script's variable": f"<script>var datePublished = '{OTHER}';</script>",
    "microdata of related articles": (
        f"<div class='related'><meta itemprop='datePublished' content='{OTHER}'></div>"
    ),
}


@pytest.mark.parametrize("data", NO_STRUCTURE.values(), ids=NO_STRUCTURE)
def test_structured_data_of_others_bears_no_witness(data):
    """Only the article's own object does."""
    assert stated(MAIN + data) == []


STRUCTURED = {
    "a meta element": f'<meta property="article:published_time" content="{PUBLISHED}">',
    "a publisher's own meta element": '<meta name="publishdate" content="2024-03-05 08:30:00">',
    "the article's object": linked(headline=TITLE, datePublished=PUBLISHED),
    "an object with this address": linked(url=PLAIN, datePublished=PUBLISHED),
    "an object in a graph": script(
        {"@graph": [{"@type": "WebSite"}, {"@type": ["Article"], "datePublished": PUBLISHED}]}
    ),
    "Baidu's form": script(
        {
            "@context": "https://ziyuan.baidu.com/contexts/cambrian.jsonld",
            "title": TITLE,
            "pubDate": "2024-03-05T08:30:00",
        }
    ),
    "microdata": f"<meta itemprop='datePublished' content='{PUBLISHED}'>",
    "a day in digits": "<meta name='pubdate' content='20240305083000'>",
}


@pytest.mark.parametrize("head", STRUCTURED.values(), ids=STRUCTURED)
def test_structured_data_of_the_article_bears_witness(head):
    """Whatever its form, and before a line on the page that is much later."""
    near = below("<p class='time'>2024-03-06 10:00</p>")
    assert stated(near, head) == [
        ("structured", "2024-03-05 00:30"),
        ("near-title", "2024-03-06 02:00"),
    ]
    assert article(near, head).published_at == WANTED


NEAR = {
    "a line of its own": below("<p>2024-03-05 08:30</p>"),
    "a line with the medium": below("<p>来源：某报 2024年3月5日 08:30 编辑：张三</p>"),
    "a label before it": below("<span>发布时间：2024年03月05日 8:30</span>"),
    "the half of the day": below("<span>2024年3月5日 上午8:30</span>"),
    "day and time in two elements": below("<i>2024-03-05</i> <i>08:30</i>"),
    "an element of time": below(f"<time datetime='{PUBLISHED}'>今天</time>"),
    "in front of the medium's link": below("<p>2024-03-05 08:30 来源：<a>某报</a></p>"),
    "above the title": f"<div><p>2024-03-05 08:30</p><h1>{TITLE}</h1>{TEXT}</div>",
    "below share buttons": below("<ul><li>分享</li><li>微博</li></ul><p>2024-03-05 08:30</p>"),
}


@pytest.mark.parametrize("body", NEAR.values(), ids=NEAR)
def test_a_date_by_itself_near_the_title_bears_witness(body):
    """It is the last to be asked."""
    assert stated(body) == [("near-title", "2024-03-05 00:30")]


DATED = """<div class="main-content"><h1 class="main-title">{title}</h1>
<div class="date-source"><span class="date">{date}</span></div>
<div id="artibody">{text}</div></div>
<ul class="related"><li><div class="date-source"><span class="date">2018年1月2日</span></div></li></ul>
<div class="time-source"><a href="/x">一家公司多年以前的旧闻一则</a></div>"""


def sina(date: str) -> str:
    return DATED.format(title=TITLE, date=date, text=TEXT)


MEDIUM = '<meta name="mediaid" content="某报">'


def test_the_templates_own_place_comes_first_and_the_address_last():
    """The address only knows the day."""
    head = MEDIUM + f'<meta property="article:published_time" content="{OTHER}">'
    page = article(sina("2024年3月5日 08:30"), head, SINA)
    assert page.stated_dates == (
        StatedDate("template", WANTED),
        StatedDate("structured", datetime(2018, 1, 2, 1, tzinfo=UTC)),
        StatedDate("address", datetime(2024, 3, 4, 16, tzinfo=UTC), is_day=True),
    )
    assert page.published_at == WANTED


def test_structured_data_tells_the_seconds_of_what_the_template_says():
    """Sina's pages show the minute, and state the second."""
    head = MEDIUM + '<meta property="article:published_time" content="2024-03-05T08:31:12+08:00">'
    page = article(sina("2024年3月5日 08:30"), head, SINA)
    assert [date.witness for date in page.stated_dates] == ["structured", "template", "address"]
    assert page.published_at == datetime(2024, 3, 5, 0, 31, 12, tzinfo=UTC)


def test_a_template_without_a_date_does_not_take_one_from_related_articles():
    """The day of the address is all that the page says."""
    page = article(sina(""), MEDIUM, SINA)
    assert [date.witness for date in page.stated_dates] == ["address"]
    assert page.published_at is None


ADDRESSES = {
    "https://finance.sina.com.cn/roll/2024-03-05/doc-imadeup0000017.shtml": True,
    "https://finance.sina.com.cn/roll/20240305/08301234567.shtml": True,
    "https://www.paper.example/n1/2024/0305/c1004-17.html": True,
    "https://www.paper.example/2024/03/05/17.html": True,
    "https://www.paper.example/2024-13-05/17.html": False,
    "https://www.paper.example/20240305.html": False,
    "https://www.paper.example/17.html?day=/2024-03-05/": False,
    "https://www.paper.example/120240305/17.html": False,
}


@pytest.mark.parametrize(("url", "has_day"), ADDRESSES.items(), ids=ADDRESSES)
def test_the_day_of_an_address_is_a_folder_of_it(url, has_day):
    """Other digits are numbers."""
    assert [date.witness for date in article(MAIN, url=url).stated_dates] == ["address"] * has_day


def test_a_day_alone_says_so():
    """Its time may come from elsewhere."""
    days = ("2024-03-05", "20240305", "2024年3月5日")
    for day in days:
        page = article(MAIN, f"<meta name='publishdate' content='{day}'>")
        assert [date.is_day for date in page.stated_dates] == [True]
    page = article(MAIN, "<meta name='publishdate' content='2024-03-05T00:00:00+08:00'>")
    assert [date.is_day for date in page.stated_dates] == [False]


def test_a_sidebar_that_the_whole_page_is_named_after_hides_nothing():
    """WordPress names the body after what stands in it."""
    body = below("<p>2024-03-05 08:30</p>").replace("class='wrap'", "class='has-sidebar'")
    page = article(f"<div class='page has-sidebar'>{body}</div>")
    assert [date.witness for date in page.stated_dates] == ["near-title"]


SITE = "<meta name='date' content='2011-04-01 08:00:00'>"
OWN = "<meta name='date' content='2024-03-05 08:30:00'>"


def test_a_meta_of_the_sites_template_comes_after_the_feed():
    """Somebody wrote it there when the template was made."""
    dates = article(MAIN, SITE).stated_dates
    announced = datetime(2024, 3, 6, 1, 0, tzinfo=UTC)
    looked = datetime(2024, 3, 6, 2, 0, tzinfo=UTC)
    assert believed_publication(dates, announced, looked).published_at == announced
    alone = believed_publication(dates, None, looked)
    assert (alone.published_at, alone.witness) == (datetime(2011, 4, 1, tzinfo=UTC), "near-title")


@pytest.mark.parametrize(
    ("body", "url"),
    [
        (below("<p>2024-03-05 08:30</p>"), PLAIN),
        (MAIN, "https://www.paper.example/2024/0305/17.html"),
        (MAIN + linked(headline=TITLE, datePublished=PUBLISHED), PLAIN),
    ],
    ids=["near the title", "in the address", "in structured data"],
)
def test_a_meta_that_the_page_bears_out_is_its_own(body, url):
    """Then it is believed before the feed, to the minute."""
    dates = article(body, OWN, url).stated_dates
    later = datetime(2024, 3, 6, 1, 0, tzinfo=UTC)
    assert believed_publication(dates, later, None).published_at == WANTED
    other = article(body, SITE, url).stated_dates
    day = believed_publication(other, later, None).published_at.date()
    assert day != datetime(2011, 4, 1, tzinfo=UTC).date()

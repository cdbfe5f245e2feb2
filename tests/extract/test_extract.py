"""From a page to an article: fixtures of our own, hostile input, and real pages where they are."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor import extract as extract_module
from ingestor.errors import Gone, NoArticle
from ingestor.extract import extract_article, extract_fragment
from ingestor.extract.template import templates
from ingestor.model import Page
from ingestor.text.securities import normalised
from tests.support.shared import shared
from tools.made_up_sina import demo_articles, finance_page, made_up, news_page

PAGES = Path(__file__).with_name("pages")
URL = "https://finance.sina.com.cn/china/gncj/2024-03-11/doc-imadeup0000001.shtml"


def extract(html: str | bytes, url: str = URL, content_type: str = "text/html"):
    body = html.encode() if isinstance(html, str) else html
    return extract_article(Page(url, body, content_type))


def fields(article) -> dict:
    """Return an article as the expected results write it."""
    return {
        "template": article.template,
        "url": article.url,
        "document_id": article.document_id,
        "title": article.title,
        "published_at": article.published_at.isoformat() if article.published_at else None,
        "updated_at": article.updated_at.isoformat() if article.updated_at else None,
        "media": article.media,
        "editor": article.editor,
        "keywords": list(article.keywords),
        "pictures": [[one.url, one.caption] for one in article.body.pictures],
        "symbols": [[one.symbol, one.name] for one in article.body.securities],
        "parts": list(article.parts),
        "html": article.body.html.split("\n"),
    }


def test_each_saved_page_has_its_expected_result():
    """A page without one would test nothing."""
    assert {path.stem for path in PAGES.glob("*.html")} == {
        path.stem for path in PAGES.glob("*.json")
    }


def test_each_template_has_a_saved_page():
    """A rule without one could be lost without anybody's seeing it."""
    read = {json.loads(path.read_text("utf-8"))["template"] for path in PAGES.glob("*.json")}
    assert {template.name for template in templates()} | {"generic"} == read


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.html")), ids=lambda path: path.stem)
def test_a_saved_page_gives_its_expected_result(path):
    """Every field, and the HTML line for line."""
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    body = path.read_text("utf-8").encode(expected.pop("charset", "utf-8"))
    assert fields(extract(body, expected.pop("asked"))) == {"parts": []} | expected


@pytest.mark.parametrize("page", [finance_page, news_page])
def test_the_two_main_templates_give_everything(page):
    """Title, times, medium, editor, keywords, pictures with captions, and nothing else."""
    one = made_up(3)
    article = extract(page(one), one.url)
    assert article.title == one.title
    assert article.published_at == one.published_at
    assert (article.media, article.editor, article.keywords) == (
        one.media,
        one.editor,
        one.keywords,
    )
    assert [(one.url, one.caption) for one in article.body.pictures] == [
        (f"https:{url}", note) for url, note in one.pictures
    ]
    captions = [note for _, note in one.pictures]
    assert article.body.text.split("\n") == [
        *captions,
        *(line.strip("　") for line in one.paragraphs),
    ]
    assert article.document_id == one.document_id
    assert one.mobile_url in article.aliases


def test_a_template_is_found_by_its_file_alone():
    """No list has to be edited."""
    folder = Path(extract_module.__file__).with_name("sites")
    assert len(templates()) == len(
        [path for path in folder.glob("*.py") if path.stem != "__init__"]
    )


def test_the_days_quotes_are_not_the_article():
    """The name of the security stays, and is known with its code."""
    one = demo_articles()[8]
    article = extract(finance_page(one), one.url)
    assert "12.30" not in article.body.text
    assert [(one.symbol, one.name) for one in article.body.securities] == [("sh600999", "石门水泥")]


CODES = {
    "sh600519": "sh600519",
    "SZ000001": "sz000001",
    "bj830799": "bj830799",
    "hk00700": "hk00700",
    "hk0700": "hk00700",
    "us:BABA": "us:BABA",
    "600519": "sh600519",
    "000001": "sz000001",
}


@pytest.mark.parametrize(("code", "symbol"), CODES.items())
def test_a_security_has_one_name(code, symbol):
    """With its market, however Sina writes it."""
    assert normalised(code).symbol == symbol


@pytest.mark.parametrize("code", ["", "1", "sh60051", "茅台", "us:TOOLONG1", "700000000"])
def test_what_is_no_code_is_no_security(code):
    """Nothing is invented."""
    assert normalised(code) is None


NO_ARTICLE = {
    "nothing": b"",
    "white space": b" \n ",
    "a PDF": b"%PDF-1.7 x",
    "JSON": b'{"a": 1}',
    "a menu": "<html><body><ul><li>首页</li></ul></body></html>".encode(),
    "a comment": b"<!-- x -->",
    "zero bytes": b"\x00" * 100,
    "an empty body of a template": b"<h1 class='main-title'>t</h1><div id='artibody'> <script>x</script></div>",
}


@pytest.mark.parametrize("body", NO_ARTICLE.values(), ids=NO_ARTICLE)
def test_a_page_without_an_article_is_said(body):
    """One line with the address; never an empty article."""
    with pytest.raises(NoArticle, match=re.escape(URL)):
        extract(body)


def test_a_removed_page_is_gone_also_with_status_200():
    """And an article that quotes the words is not."""
    with pytest.raises(Gone):
        extract(
            "<html><title>页面没有找到</title><body><p>页面没有找到 5秒钟之后将会带您进入新浪首页</p></body></html>"
        )
    quoting = finance_page(made_up(1)).replace(
        "<p cms-style", "<p>　　网友说：“页面没有找到”。</p><p cms-style", 1
    )
    assert "页面没有找到" in extract(quoting).body.text


def test_a_page_cannot_claim_another_publishers_identity():
    """A stranger's og:url and publishid do not make it Sina's article."""
    article = extract(finance_page(made_up(1)), "https://stranger.example/a.html")
    assert article.url == "https://stranger.example/a.html"
    assert article.document_id == "imadeup0000001@stranger.example"
    assert article.aliases == ()


def test_deep_nesting_does_not_crash():
    """Five thousand levels are no article, and 250 are: never half of one."""
    for levels, expected in ((250, "文" * 50), (300, None), (5000, None)):
        deep = "<p>首段</p>" + "<div>" * levels + "文" * 50 + "</div>" * levels
        page = f"<h1 class='main-title'>t</h1><div id='artibody'>{deep}</div>"
        for read in (lambda page: extract(page).body, lambda page: extract_fragment(page, URL)):
            try:
                assert expected in read(page).text
            except NoArticle as error:
                assert expected is None
                assert f"{URL}: the page passes a bound: Excessive depth" in str(error)


HOSTILE = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<div>",
            "</div>",
            "<table><tr><td>",
            "</table>",
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<a href='javascript:alert(1)'>",
            "<a href=' java\tscript:x'>",
            "</a>",
            "<iframe src=//a.example>",
            "<svg onload=x>",
            "<style>*{}</style>",
            "<meta http-equiv=refresh>",
            "<form action=x>",
            "<!-- x -->",
            "<!--[if IE]>",
            "<ul><li>",
            "</ul>",
            "<blockquote>",
            "文字",
            "&lt;script&gt;",
            "<math><mi//xlink:href='data:x'>",
            "<noscript><p title='</noscript><img src=x onerror=x>'>",
            "<br>",
            "<a href='data:text/html,x'>",
            "<p style='background:url(//a.example)' onclick=x>",
            "<h2>",
            "</h2>",
            "\x00",
            "<img src='data:image/png;base64,x'>",
            "<object data=x>",
            "<base href='//a.example/'>",
            "<xmp>",
            "<plaintext>",
        ]
    ),
    max_size=25,
).map("".join)


@given(HOSTILE)
@settings(max_examples=300, deadline=None)
def test_what_comes_out_is_inert(html):
    """No script, style, handler, frame, form, comment or strange address, whatever comes in."""
    found = extract_fragment(html, URL).html
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z!][\w-]*)", found))
    allowed = {
        "p",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "table",
        "tr",
        "td",
        "th",
        "tbody",
        "figure",
        "figcaption",
        "img",
        "a",
        "strong",
        "em",
        "u",
        "del",
        "sup",
        "sub",
        "code",
    }
    assert tags <= allowed
    for tag in re.findall(r"<[^>]*>", found):
        names = set(re.findall(r"\s([\w-]+)=", tag))
        assert names <= {"href", "src", "referrerpolicy", "colspan", "rowspan"}
        assert not re.search(r"(?i)(?:href|src)=\"(?!https?:|mailto:)", tag)


@given(HOSTILE)
@settings(max_examples=200, deadline=None)
def test_cleaning_twice_changes_no_word(html):
    """What was cleaned is clean."""
    once = extract_fragment(html, URL)
    assert extract_fragment(once.html, URL).text == once.text


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_any_bytes_are_an_article_or_none(body):
    """Nothing else comes out of the extractor."""
    try:
        extract(body)
    except (NoArticle, Gone) as error:
        assert URL in str(error)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


REAL = json.loads((Path(__file__).parent / "real_pages.json").read_text("utf-8"))


@pytest.mark.parametrize("name", REAL)
def test_a_real_page_extracts_to_what_a_person_reads_there(name):
    """Fields as they are; the text by its length and the digests of its first and last line."""
    body = shared("sina", *name.split("/")).read_bytes()
    article = extract(body, REAL[name]["asked"])
    lines = article.body.text.split("\n")
    assert {
        "asked": REAL[name]["asked"],
        "template": article.template,
        "title": digest(article.title),
        "published_at": article.published_at.isoformat(),
        "media": article.media,
        "editor": article.editor,
        "keywords": list(article.keywords),
        "pictures": len(article.body.pictures),
        "characters": len(article.body.text),
        "first": digest(lines[0]),
        "last": digest(lines[-1]),
    } == REAL[name]


LISTS = {
    "gbk/search_1.html": "https://search.sina.com.cn/?c=news&q=%B9%C9",
    "gbk/search_2.html": "https://search.sina.com.cn/?c=news&q=%B9%C9&page=2",
    "gbk/stock_news_list_sh600519_2026.html": "https://vip.stock.finance.sina.com.cn/corp/view/vCB_AllNewsStock.php?symbol=sh600519",
}
FRAGMENTS = {"pages/fragment-2015-stock-mentions.html"}


@pytest.mark.parametrize("name", LISTS)
def test_a_real_list_of_articles_is_no_article(name):
    """A search's answer, and a company's news: not even for readability."""
    body = shared("sina", *name.split("/")).read_bytes()
    with pytest.raises(NoArticle, match=re.escape(LISTS[name])):
        extract(body, LISTS[name])


FOUND = "".join(
    f"<div class='box-result'><h2><a href='https://finance.sina.com.cn/doc-imadeup000000{number}.shtml'>"
    f"石门水泥第{number}号窑点火，年产量可以增加一成</a></h2><p>{'公司周一说，新窑将在六月点火。' * 5}</p></div>"
    for number in range(5)
)


def test_a_search_of_sinas_under_a_foreign_address_is_no_article():
    """A mirror's, or an archive's; another site's boxes of the same name lead elsewhere."""
    page = f"<title>石门_新浪搜索</title><div id='result'>{FOUND}</div>"
    with pytest.raises(NoArticle, match="a list of articles"):
        extract(page.encode(), "https://mirror.example/?q=1")
    own = page.replace("finance.sina.com.cn", "news.example")
    assert extract(own.encode(), "https://news.example/1.html").template == "generic"


def test_every_real_page_is_read_or_explained():
    """As an article, as a list, or as the fragment that it is."""
    root = shared("sina")
    found = {
        f"{folder}/{path.name}"
        for folder in ("pages", "gbk", "other")
        for path in (root / folder).iterdir()
    }
    assert found == set(REAL) | set(LISTS) | FRAGMENTS


def test_a_list_elsewhere_than_at_sina_is_judged_by_what_it_says():
    """The marks are Sina's."""
    one = "<p>　　这是一段足够长的正文，说的是一家并不存在的公司和它的季度报告。</p>" * 8
    page = f"<html><body><h1>标题标题</h1><ul class='list_009'><li>a</li><li>b</li><li>c</li></ul>{one}</body></html>"
    assert "季度报告" in extract(page, "https://publisher.example/1.html").body.text
    with pytest.raises(NoArticle, match="a list of articles"):
        extract(page)


PROSE = "<p>　　这是一段足够长的正文，说的是一家并不存在的公司和它的季度报告。</p>" * 8
ITEMS = "".join(
    f"<li><a href='/{n}.html'>第{n}家公司公布了它的季度报告，利润好于预期</a></li>"
    for n in range(40)
)
FRONT_PAGES = {
    "a front page with a lead": ("https://publisher.example/", f"<h1>今日头条新闻</h1>{PROSE}<ul>{ITEMS}</ul>"),
    "by its file": ("https://publisher.example/index.html", f"<h1>今日头条新闻</h1>{PROSE}"),
    "of a channel, nothing but links": ("https://publisher.example/finance/", f"<div><ul>{ITEMS}</ul></div>"),
    "paragraphs that are links": (
        "https://publisher.example/finance/list.html",
        "<h1>季度报告</h1><div>"
        + "".join(f"<p><a href='/{n}.html'>第{n}家公司公布了它的季度报告，利润好于预期</a> 03-11</p>" for n in range(40))
        + "<p>共四十条，更新于今天上午。</p></div>",
    ),
    "a list of a day": ("https://publisher.example/2024/0311/", f"<h1>三月十一日</h1><div><ul>{ITEMS}</ul></div>"),
}  # fmt: skip


@pytest.mark.parametrize(("url", "body"), FRONT_PAGES.values(), ids=FRONT_PAGES)
def test_a_front_page_and_a_list_are_no_articles(url, body):
    """On any host."""
    with pytest.raises(NoArticle, match=r"not an article|no article was found"):
        extract(f"<html><head><title>河口新闻网</title></head><body>{body}</body></html>", url)


def test_an_article_at_a_root_says_so():
    """Sites of one article exist; an address that names it by a parameter is no root either."""
    said = "<meta property='article:published_time' content='2024-03-11T09:00:00+08:00'>"
    page = f"<html><head><title>季度报告</title>{said}</head><body><h1>季度报告</h1>{PROSE}</body></html>"
    assert extract(page, "https://publisher.example/").title == "季度报告"
    assert extract(page.replace(said, ""), "https://publisher.example/?id=7").title == "季度报告"


def test_what_only_toutiao_is_told_is_told_us_too():
    """``bytedance:published_time`` and ``name=author``, with a template and without."""
    said = "<meta property='bytedance:published_time' content='2024-03-11T09:00:00+08:00'>"
    said += "<meta property='bytedance:updated_time' content='2024-03-11T10:00:00+08:00'>"
    said += "<meta name='author' content='临川日报'>"
    for url, mark in ((URL, "artibody"), ("https://publisher.example/1.html", "text")):
        page = f"""<html><head><title>季度报告</title>{said}</head><body>
        <h1 class='main-title'>季度报告</h1><div id='{mark}'>{PROSE}</div></body></html>"""
        article = extract(page, url)
        assert article.published_at.isoformat() == "2024-03-11T01:00:00+00:00"
        assert article.updated_at.isoformat() == "2024-03-11T02:00:00+00:00"
        assert article.media == "临川日报"


ODD_SLIDES = {
    "no JSON": "var slide_data = {images: [{download_img: 'x'}]};",
    "half of it": 'var slide_data = {"images":[{"download_img":"//n.sinaimg.cn/a.jpg"',
    "no pictures": 'var slide_data = {"images":[], "a":"download_img"};',
    "a list": 'var slide_data = [{"download_img":"x"}];',
}


@pytest.mark.parametrize("script", ODD_SLIDES.values(), ids=ODD_SLIDES)
def test_slides_that_cannot_be_read_are_said(script):
    """Neither silence nor a traceback."""
    with pytest.raises(NoArticle):
        extract(
            f"<html><head><title>图</title></head><body><script>{script}</script></body></html>"
        )


def test_slides_without_a_head_have_the_pages():
    """Title and time from the usual marks; the pictures are the article."""
    page = """<html><head><title>货轮下水_高清图集_新浪网</title>
        <meta property="article:published_time" content="2024-03-12T09:40:00+08:00"></head><body>
        <script>var slide_data = {"images":[{"download_img":"//n.sinaimg.cn/1.jpg","intro":"甲"},
        {"download_img":"//n.sinaimg.cn/2.jpg","intro":""}]} ; var a = 1;</script></body></html>"""
    article = extract(page, "https://slide.tech.sina.com.cn/d/slide_5_1_2.html")
    assert (article.template, article.title) == ("sina-slide", "货轮下水")
    assert article.published_at.isoformat() == "2024-03-12T01:40:00+00:00"
    assert [(one.url, one.caption) for one in article.body.pictures] == [
        ("https://n.sinaimg.cn/1.jpg", "甲"),
        ("https://n.sinaimg.cn/2.jpg", ""),
    ]


def test_what_a_script_carries_is_not_trusted():
    """A caption is text, a picture's address is an address."""
    data = {"images": [{"download_img": "javascript:alert(1)", "intro": "甲"},
                       {"download_img": "//n.sinaimg.cn/\ufffea\1.jpg", "intro": "<img src=x onerror=y>乙<script>z</script>"}]}  # fmt: skip
    script = json.dumps(data).replace("</", "<\\/")
    page = f"<html><body><script>var slide_data = {script};</script></body></html>"
    article = extract(page, "https://slide.tech.sina.com.cn/slide_5_1_2.html")
    assert [one.url for one in article.body.pictures] == ["https://n.sinaimg.cn/a.jpg"]
    assert not re.search("onerror|script|javascript", article.body.html)


def test_real_stock_mentions_of_2015_are_read():
    """Attributes without quotes."""
    html = shared("sina", "pages", "fragment-2015-stock-mentions.html").read_text("utf-8")
    symbols = [one.symbol for one in extract_fragment(html, URL).securities]
    assert symbols == ["sz300075", "sz002405", "sz300053", "sz002383", "sz002465", "sz300036"]


def test_the_samples_text_comes_out_without_furniture():
    """The body of the sample, as RSSHub carried it."""
    text = next(shared("sample").iterdir()).read_text("utf-8").partition("<div>")[2]
    body = extract_fragment(text.replace("&#123;", "{").replace("&#125;", "}"), URL)
    lines = body.text.split("\n")
    assert (len(lines), len(body.pictures)) == (10, 1)
    assert not re.search("责任编辑|海量资讯|appendQr", body.text)
    assert body.html.count("<strong>") >= 8

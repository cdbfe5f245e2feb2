"""What a page without a template is called, who wrote it and who edited it."""

import pytest

from ingestor.extract import extract_article
from ingestor.extract.headline import titled
from ingestor.model import Page

URL = "https://news.publisher.example/2024/0311/1.html"
PARAGRAPH = "石门水泥周一说，新窑将在六月点火，年产量可以增加一成，旧窑将会继续使用到明年。"
BODY = f"<div class='content'>{f'<p>{PARAGRAPH}</p>' * 5}</div>"


def read(head: str = "", above: str = "", below: str = ""):
    page = f"<html><head>{head}</head><body>{above}{BODY}{below}</body></html>"
    return extract_article(Page(URL, page.encode(), "text/html; charset=utf-8"))


def og(title: str) -> str:
    return f"<meta property='og:title' content='{title}'>"


TITLES = {
    "1-10月德清县固定资产投资增长": ("<title>1-10月德清县固定资产投资增长</title>", ""),
    "1-10月德清县工业增长一成": ("<title>1-10月德清县工业增长一成-德清县统计局</title>", ""),
    "新窑点火 狂奔的石门“暗伤”曝露？": (
        '<meta property="og:title" content="新窑点火 狂奔的石门">',
        "<h1>新窑点火 狂奔的石门“暗伤”曝露？</h1>",
    ),
    '石门的"新窑"六月点火': (
        '<title>石门的"新窑"六月点火_临川新闻网</title><meta property="og:title" content="石门的"新窑"六月点火">',
        "",
    ),
    "石门水泥的新窑六月点火": (
        "<title>石门水泥的新窑六月点火_临川新闻网</title>" + og("临川新闻网"),
        "<h1>临川新闻网</h1>",
    ),
    "两家工厂的新窑": (
        "<title>两家工厂的新窑_财经频道_临川新闻网</title>",
        "<h1><a href='/'>临川新闻网</a></h1><h1>两家工厂的新窑</h1>",
    ),
    "果农学做期货": ("<title>临川日报_果农学做期货</title><meta property='og:site_name' content='临川日报'>", ""),
    "铜价回落——三个原因": ("<title>铜价回落——三个原因 - 临川财经</title>", ""),
    "A-B轮融资完成": ("<title>A-B轮融资完成|北岸科技网</title>", ""),
    "老厂房改成市集": ("<title>老厂房改成市集</title>" + og("老厂房改成市集 - 临川日报"), "<h1>老厂房改成市集</h1>"),
    "航线增班": ("<title>首页</title>", "<h1>公告详情</h1><h1>航线增班</h1>"),
    "【深度】新窑为什么晚了三年": (
        "<title>【深度】新窑为什么晚了三年_界北新闻</title>" + og("【深度】新窑为什么晚了三年"),
        "<h1>深度</h1>",
    ),
    "石门水泥：新窑点火": (og("石门水泥：新窑点火"), "<h2>石门水泥：新窑点火</h2>"),
}  # fmt: skip


@pytest.mark.parametrize(("title", "page"), TITLES.items())
def test_a_title_is_what_the_witnesses_agree_on(title, page):
    """Whole, and without the site's name."""
    assert read(*page).title == title


def test_what_was_announced_decides_between_a_pages_titles():
    """Where its own do not agree; a title that is not the page's changes nothing."""
    article = read(og("石门：新窑六月点火，产量增一成"), "<h1>点火在即</h1>")
    for announced in article.titles:
        assert titled(article, announced).title == announced
    assert {"石门：新窑六月点火，产量增一成", "点火在即"} <= set(article.titles)
    assert titled(article, "别的标题") == titled(article, "") == article


MEDIA = {
    "in the line": ("", "<div>2024-03-11 08:30 来源：临川日报 作者：何一</div>"),
    "in an element of its own": ("", "<p><span>来源：</span><span class='s'><a href='/x'>临川日报</a></span></p>"),
    "in the next element but one": ("", "<p><b>来源：</b> <i> </i><a href='/x'>临川日报</a></p>"),
    "by the name of a class": ("", "<span class='author-name'>临川日报</span>"),
    "by the name of an element": ("", "<span id='source_baidu'>来源：<a href='/x'>临川日报</a></span>"),
    "beside the date": ("", "<h1>新窑点火</h1><div><span>2024-03-11</span><a href='/x'>临川日报</a></div>"),
    "behind its author": ("", "<h1>新窑点火</h1><p>何一/临川日报</p><p>2024-03-11 08:30</p>"),
    "in a meta element": ("<meta name='source' content='来源：临川日报 原创稿'>", ""),
    "as the author": ("<meta name='author' content='临川日报'>", ""),
}  # fmt: skip


@pytest.mark.parametrize("page", MEDIA.values(), ids=MEDIA)
def test_the_medium_is_read_where_publishers_write_it(page):
    """A name, not the label before it."""
    assert read(f"<title>新窑点火</title>{page[0]}", page[1]).media == "临川日报"


@pytest.mark.parametrize(
    "head", ["<meta name='author' content='104363'>", "<meta name='author' content=' '>"]
)
def test_a_number_is_no_medium(head):
    """Some sites state the author's."""
    assert read(f"<title>新窑点火</title>{head}").media == ""


EDITORS = {
    "（责任编辑：何一 HN666）": "何一",
    "(责编：何一、丁二)": "何一、丁二",
    "责任编辑：何一_NB12556": "何一",
    "编辑：何一": "何一",
    "（责任编辑： HN666）": "",
}


@pytest.mark.parametrize(("line", "name"), EDITORS.items())
def test_the_editor_is_who_stands_at_the_end(line, name):
    """Without the code; the line itself is no text."""
    page = f"<html><title>新窑点火</title><body><h1>新窑点火</h1><div>{f'<p>{PARAGRAPH}</p>' * 5}<p>{line}</p></div>"
    article = extract_article(Page(URL, page.encode(), "text/html"))
    assert (article.editor, article.body.text.split("\n")[-1]) == (name, PARAGRAPH)

"""Promotional lines go from the margins of a body; the same words in its middle stay."""

import pytest

from ingestor.extract import extract_article, extract_fragment
from ingestor.extract.boilerplate import Block, is_promotion, trimmed
from ingestor.model import Page

URL = "https://finance.sina.com.cn/china/gncj/2024-03-11/doc-imadeup0000001.shtml"
FIRST = "石门水泥周一说，新窑将在六月点火，年产量可以增加一成。"
LAST = "公司没有说旧窑何时停下，也没有说会有多少人因此换岗。"

TAIL = (
    "进入【新浪财经股吧】讨论",
    "进入 【新浪财经股吧】 讨论",
    "股市回暖，抄底炒股先开户！智能定投、条件单、个股雷达……送给你>>",
    "查看更多董秘问答>>",
    "免责声明：本信息由新浪财经从公开信息中摘录，不构成任何投资建议。",
    "我要反馈",
    "我要反馈 新浪直播 百位牛人在线解读股市热点",
    "文章关键词： 水泥 基建",
    "更多精彩内容，请登录手机新浪网 sina.cn",
    "海量资讯、精准解读，尽在新浪财经APP",
    "责任编辑：何一 SF104",
    "（责任编辑：何一）",
    "编辑：何一",
    "编辑 何一 校对 丁二",
    "扫二维码，3分钟极速开户>>",
    "长按识别二维码，关注我们",
    "微信扫一扫，关注本报公众号",
    "新浪财经APP",
    "新浪声明：新浪网登载此文出于传递更多信息之目的，并不意味着赞同其观点。",
    "版权声明：未经授权，不得转载。",
    "打印 关闭窗口",
    "【打印】 【关闭】",
    "分享到： 微信 新浪微博 QQ空间",
    "上一篇：果农的期货课",
    "返回搜狐，查看更多",
    "本网站使用Cookie来改善您的体验，继续浏览即表示同意。",
    "文明上网，理性发言，登录后评论",
    "已有 12 条评论",
    "THE END",
    "郑重声明：临川财富发布此内容旨在传播更多信息，与本站立场无关。",
    "平台声明：该文观点仅代表作者本人，临川号系信息发布平台。",
    "【免责声明】本文仅代表作者本人观点，与临川网无关。",
    "打开APP阅读全文",
    "更多精彩内容，请关注临川财经微信公众号",
    "举报/反馈",
    "责任编辑：何一 010-12345678",
)
ENDS = (
    "未经股东大会同意，公司不得对外提供担保。",
    "未经许可擅自使用他人商标，罚款五万元。",
    "这篇报道被广泛转载，与此同时公司股价应声下跌。",
    "分析师强调，这仅代表短期观点，长期仍看好。",
    "说明：本文所用数据均为2023年年报数据，单位为亿元。",
    "版权所有者有权要求平台下架侵权内容。",
    "Copyright infringement cases rose 30 percent last year.",
    "扫码加入会员的顾客占比超过六成。",
    "登录后用户可以在评论区发布内容，平台日活因此大增。",
)
HEAD = (
    "热点栏目 自选股 数据中心 行情中心 资金流向 模拟交易 客户端",
    "炒股就看金麒麟分析师研报，权威，专业，及时，全面，助您挖掘潜力主题机会！",
    "股市回暖，抄底炒股先开户！",
    "新浪财经App：直播上线 博主一对一指导",
    "登录新浪财经APP 搜索【信披】查看更多考评等级",
    "【线索征集令！】你吐槽，我倾听；爆料联系邮箱：made-up@example.com",
    "您所在的位置： 首页 > 快讯 > 公司",
    "2024-03-11 08:30 来源：临川日报 作者：何一 字号：大 中 小",
    "发布时间：2024年03月11日　来源：省统计局　【字体：大 中 小】　打印",
    "字号：大 中 小",
)
BEGINNINGS = (
    "热点栏目不断涌现，市场活跃。",
    "当前位置：A股正处于底部区域。",
    "语音播报功能成为标配。",
    "登录新浪财经APP的用户突破一亿。",
)
PROSE = (
    "编辑：你怎么看今年的市场？",
    "编辑：那风险在哪里？",
    "拼多多APP",
    "北辰手机发布新版APP",
    "央行开通微信公众号",
    "警方提醒：扫码下载不明APP，小心被骗",
    "扫描二维码后，他的钱被人转走了。",
    "免责声明：这四个字救不了一家平台",
    "分享经济的账本",
    "责任编辑：一个正在消失的岗位",
    "2024-03-11，新窑点火",
    "来源：临川日报",
    "关注我们身边的手机新浪网",
    "手机新浪网上线新版首页，点击量大增",
    "编辑部的故事",
    "支付宝APP",
    "微博",
    "扫码点餐惹争议",
    "下一步：加强监管",
    "版权归属之争",
)


def lines_of(*lines: str) -> list[str]:
    return extract_fragment("".join(f"<p>{line}</p>" for line in lines), URL).text.split("\n")


@pytest.mark.parametrize("line", TAIL)
def test_a_promotional_line_at_the_end_goes(line):
    """And what went is said."""
    html = f"<p>{FIRST}</p><p>{LAST}</p><p>{line.replace('>', '&gt;')}</p>"
    body = extract_fragment(html, URL)
    assert body.text.split("\n") == [FIRST, LAST]
    assert [(gone.text, gone.why) for gone in body.dropped] == [(" ".join(line.split()), "tail")]


@pytest.mark.parametrize("line", HEAD)
def test_a_promotional_line_at_the_beginning_goes(line):
    """And what went is said."""
    body = extract_fragment(f"<p>{line.replace('>', '&gt;')}</p><p>{FIRST}</p><p>{LAST}</p>", URL)
    assert body.text.split("\n") == [FIRST, LAST]
    assert [gone.why for gone in body.dropped] == ["head"]


@pytest.mark.parametrize("line", [*TAIL, *HEAD, *PROSE])
def test_in_the_middle_of_the_prose_nothing_is_judged_by_its_words(line):
    """Whatever it says."""
    shown = " ".join(line.split())
    assert lines_of(FIRST, line.replace(">", "&gt;"), LAST) == [FIRST, shown, LAST]


@pytest.mark.parametrize("line", PROSE)
def test_prose_stays_at_the_margins_too(line):
    """A question of an interview, a warning, a heading: none says what a promotion says."""
    assert lines_of(line, FIRST, LAST)[0] == line
    assert lines_of(FIRST, LAST, line)[-1] == line


def test_an_interview_keeps_its_last_question_and_loses_its_editor():
    """``编辑：`` is who asks where it is said more than once."""
    talk = ["编辑：您怎么看？", "嘉宾：会更好。", "编辑：谢谢您", "责任编辑：何一"]
    assert lines_of(*talk) == talk[:3]


def test_several_promotions_go_with_the_code_between_them():
    """But a picture before the first of them is the article's."""
    html = f"""<p>{FIRST}</p><p>{LAST}</p><img src="//n.sinaimg.cn/real.jpg">
    <p>扫码下载新浪财经APP</p><img src="//n.sinaimg.cn/code.png"><p>责任编辑：何一</p>"""
    body = extract_fragment(html, URL)
    assert [picture.url for picture in body.pictures] == ["https://n.sinaimg.cn/real.jpg"]
    assert len(body.dropped) == 3


def test_a_line_that_is_a_link_goes_wherever_it_stands():
    """If it is one of those that lead into the site; a link in a sentence stays."""
    html = f"""<p>{FIRST}</p><p><a href="/app">下载新浪财经APP</a></p>
    <p><a href="/b">点击进入专题</a></p><p>他<a href="/c">点击查看</a>了一遍。</p><p>{LAST}</p>"""
    assert extract_fragment(html, URL).text.split("\n") == [FIRST, "他点击查看了一遍。", LAST]


@pytest.mark.parametrize("name", ["related", "related-list", "box related_news"])
def test_a_list_whose_markup_says_related_goes_from_the_middle_too(name):
    """The name is the site's own; prose stands before and behind it."""
    html = f"""<p>{FIRST}</p><ul class="{name}"><li><a href="/1">甲厂停产检修，六月重开</a></li></ul>
    <p>{LAST}</p>"""
    body = extract_fragment(html, URL)
    assert body.text.split("\n") == [FIRST, LAST]
    assert [gone.text for gone in body.dropped] == ["甲厂停产检修，六月重开"]


RELATED = {
    "under a heading": "<p>相关阅读：</p><ul><li><a href='/1'>甲厂停产</a></li><li><a href='/2'>乙厂开工</a></li></ul>",
    "with their dates": "<ul>"
    + "".join(
        f"<li><a href='/{n}'>第{n}家工厂开工</a> <span>2024-03-0{n}</span></li>" for n in (1, 2, 3)
    )
    + "</ul>",
    "as paragraphs": "<p>延伸阅读</p><p><a href='/1'>甲厂停产</a></p><p><a href='/2'>乙厂开工</a></p>",
    "with their beginnings": "<p>推荐阅读</p><p><a href='/1'>甲厂</a>甲厂昨天停产。<a href='/1'>【详细】</a></p>",
}


@pytest.mark.parametrize("html", RELATED.values(), ids=RELATED)
def test_a_list_of_other_articles_at_the_end_goes(html):
    """It is another article's headline, and would be found in a search."""
    assert extract_fragment(f"<p>{FIRST}</p><p>{LAST}</p>{html}", URL).text == f"{FIRST}\n{LAST}"


def test_links_that_are_the_article_stay():
    """A list of sources without dates and without such a heading."""
    html = f"<p>{FIRST}</p><p>资料来自：</p><ul><li><a href='/1'>统计局公报</a></li></ul>"
    assert "统计局公报" in extract_fragment(html, URL).text


def test_an_article_that_looks_like_nothing_else_is_kept():
    """A page that says nothing but such a line has to say something."""
    assert lines_of("编辑：何一") == ["编辑：何一"]


def test_the_title_above_the_text_is_not_said_twice():
    """Unless it stands in the text itself."""
    page = f"""<meta name="publishid" content="madeup0000001"><h1 class="main-title">新窑点火</h1>
    <div id="artibody"><h1>新窑点火</h1><p>{FIRST}</p><p>新窑点火</p><p>{LAST}</p></div>"""
    article = extract_article(Page(URL, page.encode(), "text/html"))
    assert article.body.text.split("\n") == [FIRST, "新窑点火", LAST]


def test_markup_of_its_own_is_named():
    """The element, its class, and what it said; scripts said nothing."""
    html = f"""<p>{FIRST}</p><div class="appendQr_wrap"><style>.a{{}}</style>尽在新浪财经APP</div>
    <script>var a = 1;</script><p>{LAST}</p>"""
    gone = extract_fragment(html, URL).dropped
    assert [(line.text, line.why) for line in gone] == [("尽在新浪财经APP", "div appendQr_wrap")]


def test_a_caption_that_is_a_promotion_goes():
    """It has markup of its own, in the middle as well."""
    html = f"""<p>{FIRST}</p><img src="//n.sinaimg.cn/a.jpg"><span class="img_descr">扫码下载新浪财经APP</span>
    <p>{LAST}</p>"""
    assert extract_fragment(html, URL).text == f"{FIRST}\n{LAST}"


@pytest.mark.parametrize(
    "line", ["字" * 600, "分享" * 200 + "。", "缩小字体" * 70 + "甲", "，" * 450]
)
def test_hostile_lines_cost_no_time(line):
    """A pattern that tried every way to read them would not end."""
    blocks = [Block(f"<p>{line}</p>", line)] * 40
    assert not is_promotion(line) or trimmed(blocks, "")


@pytest.mark.parametrize("line", ENDS)
def test_a_last_sentence_with_such_words_stays(line):
    """It says something of the world, and nothing to the reader of the page."""
    body = extract_fragment(f"<p>{FIRST}</p><p>{LAST}</p><p>{line}</p>", URL)
    assert body.text.split("\n")[-1] == line


@pytest.mark.parametrize("line", BEGINNINGS)
def test_a_first_sentence_with_such_words_stays(line):
    """Also at the beginning."""
    body = extract_fragment(f"<p>{line}</p><p>{FIRST}</p><p>{LAST}</p>", URL)
    assert body.text.split("\n")[0] == line


@pytest.mark.parametrize("line", ["阅读理解在高考中的变化", "更多城市放开限购", "免费医疗何时到来"])
def test_a_headline_that_is_a_link_stays(line):
    """Only what bids to click is furniture."""
    link = f'<p><a href="https://a.example/1">{line}</a></p>'
    body = extract_fragment(f"<p>{FIRST}</p>{link}<p>{LAST}</p>", URL)
    assert line in body.text

"""A made-up Sina: articles that never were, on pages after Sina's templates, for tests and the demo."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from html import escape

from tests.fake_internet import FakeInternet

FEED_URL = "https://rsshub.example/sina/finance/china"
CHINA = timezone(timedelta(hours=8))

_WHO = [
    "云岭铜业",
    "海棠证券",
    "北辰电池",
    "青禾农机",
    "星渡航运",
    "白鹭银行",
    "石门水泥",
    "东篱药业",
]
_DID = [
    "公布季度报告",
    "宣布回购股份",
    "签下长期供货合同",
    "上调全年指引",
    "完成新厂房封顶",
    "更换董事长",
    "发行绿色债券",
]
_WHY = [
    "受需求回暖推动",
    "尽管原料价格上涨",
    "在行业整体放缓之际",
    "得益于海外订单",
    "为降低融资成本",
    "应监管部门要求",
]
_SAID = [
    "管理层表示，下半年将控制开支",
    "分析人士认为，影响有限",
    "公司称，具体金额以公告为准",
    "当地主管部门正在核实",
    "市场对此反应平淡",
]


@dataclass(frozen=True)
class MadeUp:
    """An article of the made-up Sina."""

    document_id: str
    title: str
    published_at: datetime
    paragraphs: tuple[str, ...]
    """HTML of each paragraph."""
    media: str = "晨潮财讯"
    editor: str = "林小满"
    keywords: tuple[str, ...] = ("公司", "财报")
    pictures: tuple[tuple[str, str], ...] = ()
    symbols: str = ""
    host: str = "finance.sina.com.cn"
    more: dict[str, str] = field(default_factory=dict)

    @property
    def day(self) -> str:
        return self.published_at.astimezone(CHINA).date().isoformat()

    @property
    def url(self) -> str:
        return f"https://{self.host}/china/gncj/{self.day}/doc-{self.document_id}.shtml"

    @property
    def mobile_url(self) -> str:
        return f"https://finance.sina.cn/china/gnxw/{self.day}/detail-{self.document_id}.d.html"


def made_up(number: int, day: datetime | None = None) -> MadeUp:
    """Return article ``number``: the same number is always the same article."""
    chance = random.Random(number)
    who, did = chance.choice(_WHO), chance.choice(_DID)
    moment = (day or datetime(2024, 3, 11, 1, 0, tzinfo=UTC)) + timedelta(minutes=7 * number % 600)
    lines = [
        f"　　晨潮财讯（第{number}号稿）{who}{chance.choice(_WHY)}，{did}，涉及金额{chance.randint(2, 980)}亿元。{chance.choice(_SAID)}。"
        for _ in range(chance.randint(3, 8))
    ]
    pictures = (
        ((f"//n.sinaimg.cn/made-up/{number}.jpg", f"{who}厂区（资料图）"),) if number % 2 else ()
    )
    return MadeUp(
        f"imadeup{number:07d}", f"{who}{did}（{number}）", moment, tuple(lines), pictures=pictures
    )


def finance_page(one: MadeUp) -> str:
    """Return a page after the template of finance, tech, sports and ent."""
    return _page(one, "artibody", f'<p class="article-editor">责任编辑：{one.editor} SF014</p>')


def news_page(one: MadeUp) -> str:
    """Return a page after the template of news and mil.news."""
    return _page(one, "article", f'<p class="show_author">责任编辑：{one.editor} </p>')


def body_html(one: MadeUp) -> str:
    """Return what stands inside the body, furniture included."""
    pictures = "".join(
        f'<div class="img_wrapper"><img src="{url}" alt="{escape(note)}"><span class="img_descr">{escape(note)}</span></div>\n'
        for url, note in one.pictures
    )
    text = "\n".join(f'<p cms-style="font-L">{line}</p>' for line in one.paragraphs)
    return f"""{pictures}{text}<!-- news_keyword_pub,stock,{one.symbols} -->
<!--article_adlist[<p>看不见的广告</p>]article_adlist-->
<div class="app-kaihu-qr"><img src="//n.sinaimg.cn/qr.png">扫二维码，3分钟极速开户</div>
<style>.appendQr_wrap{{border:1px solid #E6E6E6}}</style>
<div class="clearfix appendQr_wrap"><img src="//n.sinaimg.cn/qr2.png"><div>海量资讯、精准解读，尽在新浪财经APP</div></div>"""


def _page(one: MadeUp, identifier: str, editor: str) -> str:
    local = one.published_at.astimezone(CHINA)
    furniture = "\n".join(
        f'<li><a href="/other/{n}.shtml">别的新闻第{n}条</a></li>' for n in range(60)
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8">
<title>{escape(one.title)}|{"，".join(one.keywords)}_新浪财经_新浪网</title>
<meta name="keywords" content="{",".join(one.keywords)}"><meta name="tags" content="{",".join(one.keywords)}">
<meta name="description" content="{escape(one.title)}的摘要">
<meta property="og:title" content="{escape(one.title)}"><meta property="og:url" content="{one.url}">
<meta name="weibo: article:create_at" content="{local:%Y-%m-%d %H:%M:%S}">
<meta name="weibo: article:update_at" content="{one.more.get("update_at", "")}">
<meta name="publishid" content="{one.document_id[1:]}"><meta name="mediaid" content="{one.media}">
<meta name="mobile-agent" content="format=html5; url={one.mobile_url.replace("https", "http")}">
<meta property="article:published_time" content="{local.isoformat()}">
<meta property="article:author" content="{one.media}"></head><body>
<ul class="nav">{furniture}</ul>
<h1 class="main-title">{escape(one.title)}</h1>
<div class="top-bar"><div class="second-title">{escape(one.title)}</div>
<div class="date-source"><span class="date">{local:%Y年%m月%d日 %H:%M}</span>
<a href="http://media.example/" class="source ent-source">{one.media}</a></div></div>
<div class="article-content-left"><div class="ad top-ad"><ins class="sinaads"></ins></div>
<div class="article" id="{identifier}">
{body_html(one)}
<!-- 编辑姓名及工作代码 -->{editor}
</div>
<div class="article-bottom" id="article-bottom"><div class="keywords" id="keywords" data-wbkey="{",".join(one.keywords)}">
<label>文章关键词：</label>{"".join(f"<a>{word}</a>" for word in one.keywords)}</div></div>
<div class="blk-comment">网友评论</div></div><script>var x = {{}};</script></body></html>"""


def rsshub_feed(articles: list[MadeUp], *, title: str = "新浪财经－國內", full: bool = True) -> str:
    """Return the feed as RSSHub makes it."""
    items = "\n".join(
        f"""<item><title>{escape(one.title)}</title><link>{one.url}</link><guid isPermaLink="false">{one.url}</guid>
<pubDate>{format_datetime(one.published_at, usegmt=True)}</pubDate><author>{one.media}</author>
<description>{"<![CDATA[" + body_html(one) + "]]>" if full else ""}</description></item>"""
        for one in articles
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{title}</title><link>https://finance.sina.com.cn/</link><ttl>5</ttl>{items}</channel></rss>'


def publish(
    net: FakeInternet, articles: list[MadeUp], *, feed_url: str = FEED_URL, full: bool = True
) -> None:
    """Put the feed and every page on the fake internet."""
    net.serve(
        feed_url, rsshub_feed(articles, full=full), content_type="application/xml; charset=utf-8"
    )
    for one in articles:
        net.serve(one.url, finance_page(one))


def demo_articles() -> list[MadeUp]:
    """Return ten articles; some have what is difficult."""
    ten = [made_up(number) for number in range(1, 9)]
    difficult = MadeUp(
        "imadeup9000001",
        "“{{ 试验 }}”: 石门水泥's 公告 📈",
        datetime(2024, 3, 11, 3, 30, tzinfo=UTC),
        (
            '　　<span id="stock_sh600999"><a class="keyword" href="https://finance.sina.com.cn/realstock/company/sh600999/nc.shtml">石门水泥</a></span><span id="quote_sh600999">(12.30, 0.10)</span>公布了公告，<font cms-style="font-L strong-Bold">净利润增长</font>。',
            "　　模板写作{{ x }}与{% raw %}，原样保留。",
        ),
        symbols="sh600999",
    )
    table = MadeUp(
        "imadeup9000002",
        "北辰电池分季度数据一览",
        datetime(2024, 3, 11, 4, 0, tzinfo=UTC),
        (
            "　　数据见下表。<table><tr><th>季度</th><th>收入</th></tr><tr><td>一</td><td>12亿元</td></tr></table>",
        ),
    )
    return [*ten, difficult, table]

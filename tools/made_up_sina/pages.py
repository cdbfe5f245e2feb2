"""The pages of the made-up Sina, after Sina's templates of 2017 on."""

from __future__ import annotations

from html import escape

from tools.made_up_sina import furniture
from tools.made_up_sina.article import CHINA, MadeUpArticle


def finance_page(one: MadeUpArticle) -> str:
    """Return a page after the template of finance, tech, sports and ent."""
    return _page(one, "artibody", f'<p class="article-editor">责任编辑：{one.editor} SF014</p>')


def news_page(one: MadeUpArticle) -> str:
    """Return a page after the template of news and mil.news."""
    return _page(one, "article", f'<p class="show_author">责任编辑：{one.editor} </p>')


def mobile_page(one: MadeUpArticle) -> str:
    """Return the mobile page of an article, without most of the furniture."""
    local = one.published_at.astimezone(CHINA)
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(one.title)}_手机新浪网</title>
<link rel="canonical" href="{one.url}">
{_metas(one)}
</head><body>
<nav class="hd_nav"><a href="https://sina.cn/">手机新浪网</a><a href="https://finance.sina.cn/">财经</a></nav>
<article class="art_box"><h1 class="art_tit_h1">{escape(one.title)}</h1>
<div class="art_title_op"><time class="art_time">{local:%Y.%m.%d %H:%M}</time>
<cite class="art_cite">{escape(one.media)}</cite></div>
<section class="art_pic_card art_content" data-sudaclick="kandian_a">
{body_html(one)}
<p class="article-editor">责任编辑：{one.editor} </p>
</section></article>
<div class="art_app_down">打开新浪财经客户端，看更多</div>
{furniture.SCRIPT}
</body></html>"""


def body_html(one: MadeUpArticle) -> str:
    """Return what stands inside the body, furniture included, the editor left out."""
    blocks = "\n".join(block.html for block in one.blocks)
    return f"{blocks}\n{furniture.body_end(one)}"


def _metas(one: MadeUpArticle) -> str:
    """Return the ``<meta>`` elements that say who the article is."""
    local, identifier = one.published_at.astimezone(CHINA), one.document_id[1:]
    words = ",".join(one.keywords)
    mobile = one.mobile_url.replace("https", "http")
    metas = {
        "keywords": words,
        "tags": words,
        "description": one.summary,
        "weibo: article:create_at": f"{local:%Y-%m-%d %H:%M:%S}",
        "weibo: article:update_at": f"{local:%Y-%m-%d %H:%M:%S}",
        "stencil": "PGLS000526",
        "publishid": identifier,
        "comment": f"cj:comos-{identifier}",
        "sudameta": f"comment_channel:cj;comment_id:comos-{identifier}",
        "mediaid": one.media,
        "mobile-agent": f"format=html5; url={mobile}",
    } | dict(one.more)
    properties = {
        "og:type": "news",
        "og:title": one.title,
        "og:description": one.title,
        "og:url": one.url,
        "og:image": one.picture_urls[0].removeprefix("https:") if one.picture_urls else "",
        "article:published_time": local.isoformat(),
        "article:author": one.media,
    }
    named = [f'<meta name="{key}" content="{escape(value)}">' for key, value in metas.items()]
    return "\n".join(
        named
        + [f'<meta property="{key}" content="{escape(text)}">' for key, text in properties.items()]
    )


def _page(one: MadeUpArticle, identifier: str, editor: str) -> str:
    local = one.published_at.astimezone(CHINA)
    return f"""<!DOCTYPE html>
<!-- [ published at {local:%Y-%m-%d %H:%M:%S} ] -->
<html><head><meta charset="utf-8"><meta content="always" name="referrer">
<title>{escape(one.title)}|{"，".join(one.keywords)}_新浪财经_新浪网</title>
{_metas(one)}
{furniture.SCRIPT}
{furniture.STYLE}
</head><body>
{furniture.navigation()}
<h1 class="main-title">{escape(one.title)}</h1>
<div class="top-bar-wrap" id="top_bar_wrap"><div class="top-bar ani" id="top_bar"><div class="top-bar-inner clearfix">
<div class="second-title">{escape(one.title)}</div>
<div class="date-source" data-sudaclick="content_media_p"><span class="date">{local:%Y年%m月%d日 %H:%M}</span>
<a href="https://media.example/" target="_blank" class="source ent-source" rel="nofollow">{one.media}</a></div>
{furniture.tools(one)}
</div></div></div>
<div class="article-content clearfix article-18" id="article_content"><div class="article-content-left">
<div class="ad top-ad"><ins class="sinaads" data-ad-pdps="PDPS000000060745"></ins>{furniture.SCRIPT}</div>
<div class="new_style_article"><p>“年度县域经济人物”评选进行中【<a href="https://vote.example/">点击投票</a>】</p></div>
<!-- 正文 start -->
<div class="article" id="{identifier}">
<!-- 行情图begin -->
<!-- 行情图end -->
{body_html(one)}
<!-- 编辑姓名及工作代码 -->
{editor}
<!-- 编辑姓名及工作代码-->
</div>
<!-- 正文 end -->
{furniture.below(one)}
</div>
{furniture.right_column()}
</div>
{furniture.FOOTER}
{furniture.SCRIPT * 6}
</body></html>"""

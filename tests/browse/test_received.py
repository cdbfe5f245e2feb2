"""A page as it was received, and every look at an article: shown, and inert."""

import base64
import re
from dataclasses import replace

import lxml.html
import pytest

pytest.importorskip("datasette", reason="the extra [browse] is not installed")

from ingestor.browse.page_html import article_html, picture_type, received_html
from tests.browse.asking import browsing
from tools.fake_internet import FakeInternet
from tools.made_up_sina import finance_page, made_up, publish
from tools.running import Site

PAGE = "https://finance.sina.com.cn/china/page.shtml"
PNG = b"\x89PNG\r\n\x1a\n made up"
KEPT = "https://n.sinaimg.cn/kept.png"
PATH = f"ab/{'ab' * 32}.png"

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<iframe src=https://evil.example/></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=https://evil.example/ ping=https://evil.example/>x</a>",
    "<form action=https://evil.example/><input name=a formaction=https://evil.example/></form>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<link rel=dns-prefetch href=//evil.example>",
    "<base href=https://evil.example/>",
    "<object data=https://evil.example/x.swf></object><embed src=https://evil.example/x>",
    "<video src=https://evil.example/x poster=https://evil.example/y></video>",
    "<body background=https://evil.example/x.png onload=alert(1)>",
    "<table background=https://evil.example/x.png><tr><td>x</table>",
    "<img srcset='https://evil.example/x 2x' src=https://evil.example/y>",
    "<img src=data:image/svg+xml,<svg/onload=alert(1)>>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></math>",
    "<noscript><img src=https://evil.example/x></noscript>",
    "<template><script>alert(1)</script></template>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
]


def shown(html: str, content_type: str = "text/html; charset=utf-8"):
    pictures = {KEPT: ("image/png", PNG)}
    return received_html(html.encode(), content_type, PAGE, pictures.get)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_page_as_received_neither_acts_nor_asks(attack):
    """No element that does anything, no attribute that leads anywhere; the text around stays."""
    html = shown(f"<html><head><title>页</title></head><body><p>之前</p>{attack}<p>之后</p></body>")
    root = lxml.html.document_fromstring(html)
    assert "之前" in root.text_content()
    assert "之后" in root.text_content()
    tags = {element.tag for element in root.iter() if isinstance(element.tag, str)}
    assert tags.isdisjoint(
        ["script", "iframe", "object", "embed", "link", "base", "video", "svg", "math", "template"]
    )
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag != "meta" or set(element.attrib) == {"charset"}
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name not in {"href", "action", "formaction", "srcset", "poster", "background"}
            assert "evil.example" not in value
            assert "alert" not in value


def test_a_page_as_received_has_the_pictures_that_are_kept():
    """In itself: nothing is asked for them, nor for those that are loaded by a script."""
    html = shown(
        f'<body><img src="{KEPT}"><img src="//n.sinaimg.cn/gone.png" alt="一张图">'
        f'<img src="https://x.example/blank.gif" data-src="{KEPT}"></body>'
    )
    assert html.count(f"data:image/png;base64,{base64.b64encode(PNG).decode()}") == 2
    assert "▧ 一张图" in html
    assert "sinaimg" not in html


@pytest.mark.parametrize("body", ['{"a": "<b>"}', "", "   ", "no markup at all"])
def test_what_is_no_page_is_none(body):
    """A feed's JSON is shown as text."""
    assert shown(body, "application/json" if "{" in body else "text/html") is None


def test_only_pictures_as_they_are_kept_have_a_type():
    """No path leaves the folder, no SVG is shown."""
    assert picture_type(PATH) == "image/png"
    for path in ("../config.toml", "ab/x.png", PATH.replace("png", "svg"), f"/{PATH}", f"{PATH}\n"):
        assert picture_type(path) == ""


def test_an_articles_pictures_come_from_the_archive():
    """Those that are kept; the others are marks, until they are asked for."""
    html = f'<p>文</p><img src="{KEPT}"><img src="https://n.sinaimg.cn/else.png" alt="图">'
    here, others = article_html(html, {KEPT: "/picture/x.png"}, pictures=False)
    assert 'src="/picture/x.png"' in here
    assert "sinaimg" not in here
    assert others == 1
    both, _ = article_html(html, {KEPT: "/picture/x.png"}, pictures=True)
    assert "n.sinaimg.cn/else.png" in both
    assert "n.sinaimg.cn/kept.png" not in both


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory):
    """Give a browser over two articles with kept pictures, one of them edited, and its id."""
    with FakeInternet() as net:
        site = Site(tmp_path_factory.mktemp("looked"), net)
        site.configure(archive="images = true")
        articles = [made_up(1), made_up(2)]
        publish(net, articles)
        site.run("--once")
        first, *rest = articles[0].paragraphs
        edited = replace(articles[0], paragraphs=(f"{first}更正如上。", *rest))
        net.serve(edited.url, finance_page(edited))
        site.make_due()
        site.run("--once")
        ((number,),) = site.query(f"SELECT id FROM articles WHERE url = '{edited.url}'")
    folders = {"raw": site.folder / "warc", "images": site.folder / "images"}
    with browsing(site.folder / "archive.db", **folders) as asking:
        yield asking, number


@pytest.mark.slow
def test_every_look_is_listed_and_shown_as_received(looked_at):
    """In a sandbox, by its header and its frame; the page around it says what it was taken for."""
    ask, number = looked_at
    page = ask(f"/article/{number}").text
    assert "2 looks at its page" in page
    looks = re.findall(rf'href="(/article/{number}/look/\d+)"', page)
    assert len(looks) == 2
    around = ask(looks[1])
    assert "an edit of it" in around.text
    assert "frame-src 'self'" in around.headers["content-security-policy"]
    (frame,) = re.findall(r'<iframe sandbox src="([^"]+)"', around.text)
    received = ask(frame)
    policy = received.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "script-src" not in policy
    assert "allow-" not in policy
    assert "更正如上" in received.text
    assert "更正如上" not in ask(looks[0].replace("look", "raw")).text
    assert "<script" not in received.text
    assert not re.search(r'(?:src|href)="(?!data:)', received.text)


@pytest.mark.slow
def test_a_look_belongs_to_its_article(looked_at):
    """Another article's, none at all, and numbers of any size are not there."""
    ask, number = looked_at
    own = re.findall(r"/look/(\d+)", ask(f"/article/{number}").text)
    other = 3 - number
    for way in ("look", "raw"):
        for look in (own[0], "999", "0", "9" * 19):
            assert ask(f"/article/{other}/{way}/{look}").status_code == 404
        assert ask(f"/article/{'9' * 19}/{way}/1").status_code == 404


@pytest.mark.slow
def test_the_banner_says_how_often_it_changed_and_any_two_revisions_are_compared(looked_at):
    """Before the title; and what changed, forwards and backwards."""
    ask, number = looked_at
    page = ask(f"/article/{number}").text
    assert page.index("Changed once by its publisher") < page.index("<h1>")
    backwards = ask(f"/article/{number}?from=2&to=1").text.partition('id="difference"')[2]
    assert "更正如上" in "".join(re.findall(r"<del>(.*?)</del>", backwards))
    assert ask(f"/article/{number}?from=1&to=9").status_code == 404
    assert ask(f"/article/{number}?from=1").status_code == 404


@pytest.mark.slow
def test_a_kept_picture_is_shown_from_the_archive(looked_at):
    """With its type, as nothing but a picture; no other file is."""
    ask, _ = looked_at
    pages = [ask(f"/article/{number}").text for number in (1, 2)]
    pictures = {path for page in pages for path in re.findall(r'src="(/picture/[^"]+)"', page)}
    assert pictures
    for path in pictures:
        answer = ask(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("..%2farchive.db", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", f"ff/{'ff' * 32}.png"):
        assert ask(f"/picture/{path}").status_code == 404

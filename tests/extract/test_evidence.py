"""From a page as it came to what it is taken for: pages that we wrote, each of one kind."""

import pytest

from ingestor.errors import Gone, NoArticle
from ingestor.extract import extract_article
from ingestor.extract.evidence import evidence_of, link_share
from ingestor.extract.tree import parse
from ingestor.identity import document_id, fingerprint
from ingestor.model import Page
from ingestor.text.decode import decode_page
from ingestor.text.similarity import alphanumerics
from ingestor.witness import judge
from ingestor.witness.looks import (
    Announcement,
    AnotherArticle,
    Believed,
    Doubtful,
    Edited,
    KnownArticle,
    Look,
    NotAnArticle,
    PageGone,
    Redirected,
)
from ingestor.witness.words import WORDS, doubt_words
from tests.support.shared import shared
from tools.made_up_sina import made_up
from tools.made_up_sina.pages import finance_page, mobile_page, news_page

ARTICLE = made_up(1)
TEXT = "\n".join(ARTICLE.paragraphs)
DAY = "2024-03-05"
ELSEWHERE = "https://www.news.example.cn/a/20240305/1.html"


def page(title, body, head=""):
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f"<body>{body}</body></html>"
    )


def links(count, text="这是首页上的一条新闻标题，比较长一些，第"):
    items = "".join(f'<li><a href="/c/{at}.shtml">{text}{at}条</a></li>' for at in range(count))
    return f"<div><ul>{items}</ul></div>"


def shown(html, url=ARTICLE.url):
    """Return the evidence of a page, whether there is an article on it or not."""
    body = html.encode() if isinstance(html, str) else html
    try:
        article = extract_article(Page(url, body, "text/html"))
    except (NoArticle, Gone):
        article = None
    return evidence_of(parse(decode_page(body, "text/html"), url), article)


def seen(html, announced, known=(), *, url=ARTICLE.url, kind="first", final_url="", **more):
    """Return what a page is taken for."""
    evidence = shown(html, final_url or url)
    came = Look(kind, url, document_id(url), 200, final_url or url, evidence, **more)
    return judge(announced, known, came)


STORED = KnownArticle(
    1,
    ARTICLE.url,
    document_id(ARTICLE.url),
    f"{ARTICLE.published_at:%Y-%m-%d}",
    frozenset({f"{ARTICLE.published_at:%Y-%m-%d}"}),
    ARTICLE.title,
    TEXT,
    "sina-article",
    fingerprint(ARTICLE.title, TEXT),
)

VERIFICATION = NotAnArticle("verification")
BLOCKED = NotAnArticle("blocked")
MAINTENANCE = NotAnArticle("maintenance")
LOGIN = NotAnArticle("login")
EMPTY = NotAnArticle("empty")
FRONT = NotAnArticle("front page or list")
GONE = PageGone("the page says so")

PAGES = {
    "a slider": (
        page("访问验证", "<h3>请完成安全验证</h3><p>系统检测到您的网络环境存在异常，请拖动下方滑块完成验证后继续。</p>"),
        VERIFICATION,
    ),
    "too many requests": (
        page("提示", "<div>抱歉，您的访问过于频繁，请输入验证码后继续访问本站的全部内容。</div><img src='/v.png'><input name=c>"),
        VERIFICATION,
    ),
    "the visitor system": (
        page("Sina Visitor System", "<span id=message></span><script>var url='/visitor'</script>"),
        VERIFICATION,
    ),
    "a browser check": (
        page("Just a moment...", "<h1>finance.example.com</h1><p>Verifying you are human. This may take a few seconds.</p><p>finance.example.com needs to review the security of your connection before proceeding.</p>"),
        VERIFICATION,
    ),
    "attention required": (
        page("Attention Required! | Cloudflare", "<h1>Sorry, you have been blocked</h1><p>You are unable to access finance.example.com</p><p>This website is using a security service to protect itself from online attacks.</p><p>Cloudflare Ray ID: 0123456789abcdef</p>"),
        BLOCKED,
    ),
    "access denied": (
        page("Access Denied", "<h1>Access Denied</h1><p>You don't have permission to access \"http://finance.example.com/\" on this server.</p><p>Reference #18.2d351ab8.1557333295</p>"),
        BLOCKED,
    ),
    "a firewall": (
        page("405", "<div class=message>很抱歉，由于您访问的URL有可能对网站造成安全威胁，您的访问被阻断。<div>您的请求ID是: <strong>276aedd4</strong></div></div>"),
        BLOCKED,
    ),
    "a carrier": (
        page("提示", "<p>该网站内容违规，已被运营商拦截，请联系网站管理员处理后重新访问，感谢您的配合与理解。</p>"),
        BLOCKED,
    ),
    "an unregistered domain": (
        page("TestPage", "<p>该网站未备案或未接入，根据相关法律法规暂时无法访问，请联系网站管理员。</p>"),
        BLOCKED,
    ),
    "maintenance": (
        page("系统维护", "<h1>系统维护中</h1><p>尊敬的用户，本站正在进行系统升级维护，预计两小时后恢复访问，敬请谅解。</p>"),
        MAINTENANCE,
    ),
    "a broken gateway with status 200": (
        page("502 Bad Gateway", "<center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>"),
        MAINTENANCE,
    ),
    "a parked domain": (
        page("example.cn", "<h1>example.cn</h1><p>该域名正在出售。This domain is for sale. Buy this domain today.</p>"),
        MAINTENANCE,
    ),
    "a login": (
        page("登录", "<form><p>请先登录，登录后继续浏览全部内容</p><input name=u><input type=password name=p><a href=/r>立即注册</a></form>"),
        LOGIN,
    ),
    "a cookie wall": (
        page("Before you continue", "<p>We use cookies and data to deliver our services. Accept all cookies to continue.</p>"),
        LOGIN,
    ),
    "a script's shell": (
        page("新浪财经", "<noscript>You need to enable JavaScript to run this app.</noscript><div id=root></div><script src=/a.js></script>"),
        EMPTY,
    ),
    "a refresh": (
        page("新浪财经", "", '<meta http-equiv="refresh" content="0;url=/x.html">'),
        EMPTY,
    ),
    "the frame with nothing in it": (
        page(f"{ARTICLE.title}_新浪财经_新浪网", f'<h1 class="main-title">{ARTICLE.title}</h1><div id="artibody"></div>'),
        EMPTY,
    ),
    "the front page": (
        page("新浪首页", f"<h1>新浪首页</h1>{links(60)}", '<meta property="og:title" content="新浪首页">'),
        FRONT,
    ),
    "a soft 404": (
        page("提示信息", "<h2>抱歉，您访问的内容不存在或已被删除</h2><p>您可能输入了错误的网址，或者该网页已被删除或者移动，请返回首页继续浏览其他内容。</p>"),
        GONE,
    ),
    "a column that was removed": (
        page("新浪财经头条", "<div class=nofound><p>该文章已被作者删除，或者因为违反相关规定已被系统屏蔽，您可以返回首页浏览其他精彩内容。</p></div>"),
        GONE,
    ),
    "a soft 404 with related news": (
        page("页面没有找到", f"<h1>页面没有找到</h1><p>5秒后自动跳转</p><h2>相关新闻</h2>{links(30)}"),
        GONE,
    ),
    "an English soft 404": (
        page("Page Not Found", "<h1>404</h1><p>The page you are looking for does not exist or has been removed.</p>"),
        GONE,
    ),
    "the frame of what was removed": (
        page(f"{ARTICLE.title}_新浪财经_新浪网", f'<h1 class="main-title">{ARTICLE.title}</h1><div id="artibody"><p>抱歉，该文章已被删除。</p></div>'),
        GONE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fed", ["", TEXT], ids=["without feed text", "with feed text"])
@pytest.mark.parametrize("looked", ["first", "second", "reextract"])
@pytest.mark.parametrize(("html", "verdict"), PAGES.values(), ids=PAGES)
def test_what_is_no_article_is_called_by_its_name(html, verdict, looked, fed):
    """At every look, and whatever the feed carries."""
    known = () if looked == "first" else (STORED,)
    assert seen(html, Announcement(ARTICLE.title, fed), known, kind=looked) == verdict


@pytest.mark.parametrize("make", [finance_page, news_page, mobile_page])
def test_an_article_in_each_template_is_believed(make):
    """Under its headline, under another, and without one."""
    for title in (ARTICLE.title, "一个与此毫无关系的标题", ""):
        assert isinstance(seen(make(ARTICLE), Announcement(title)), Believed)


def test_another_article_in_its_place_is_doubted():
    """Its page states another document id."""
    for known in ((), (STORED,)):
        verdict = seen(finance_page(made_up(2)), Announcement(ARTICLE.title), known)
        assert isinstance(verdict, Doubtful)


def test_another_article_at_the_end_of_a_redirect_is_that_article():
    """It is a sighting of that one."""
    other = made_up(2)
    verdict = seen(finance_page(other), Announcement(ARTICLE.title), (STORED,), final_url=other.url)
    assert verdict == Redirected(other.url, document_id(other.url))


def test_the_page_of_another_publisher_is_believed_under_its_headline():
    """No template, no id, and a headline that is the announced one."""
    body = "".join(f"<p>{line}</p>" for line in ARTICLE.paragraphs)
    html = page(f"{ARTICLE.title} - 某报", f"<h1>{ARTICLE.title}</h1><div>{body}</div>{links(8)}")
    assert isinstance(seen(html, Announcement(ARTICLE.title), url=ELSEWHERE), Believed)
    assert isinstance(seen(html, Announcement("另一个标题说的是天气"), url=ELSEWHERE), Doubtful)
    assert isinstance(seen(html, Announcement("另一个标题", TEXT), url=ELSEWHERE), Believed)
    assert isinstance(seen(html, None, url=ELSEWHERE), Believed)


def test_a_teaser_yields_to_the_feed_that_carries_the_whole():
    """It shares text with it, and is the beginning before a wall."""
    html = page(
        ARTICLE.title,
        f"<h1>{ARTICLE.title}</h1><p>{ARTICLE.paragraphs[0]}</p><p>剩余内容请登录后阅读</p>",
    )
    assert isinstance(seen(html, Announcement(ARTICLE.title, TEXT * 2), url=ELSEWHERE), Doubtful)


def test_a_page_states_its_ids_addresses_and_day():
    """From its metas, its canonical link and its mobile twin."""
    evidence = shown(finance_page(ARTICLE))
    assert evidence.document_ids == {document_id(ARTICLE.url)}
    assert ARTICLE.url in evidence.addresses
    assert evidence.day_is_stated
    assert evidence.article_marks


def test_a_page_speaks_for_no_other_publisher():
    """An address of another host is not taken for its own, and none that is no address."""
    head = (
        '<link rel="canonical" href="https://other.example/1"><meta property="og:url" content="::">'
    )
    assert shown(page("标题", "<p>正文</p>", head), ELSEWHERE).addresses == frozenset()


def test_links_are_measured_in_letters():
    """Punctuation and markup do not count."""
    assert link_share("") == 0
    assert link_share("<p>一二三四</p>") == 0
    assert link_share('<p><a href="/x">一，二<strong>三</strong></a>四</p>') == 0.75
    assert link_share('<p><a href="/x">all</a></p>') == 1


def test_no_word_is_so_short_that_prose_is_full_of_it():
    """And none that says nothing once its punctuation is gone."""
    assert [
        word for words in WORDS.values() for word in words if len(alphanumerics(word)) < 3
    ] == []


def test_words_are_found_without_case_width_and_space():
    """The kind with the most letters comes first; letters that two words share count once."""
    found = doubt_words("ＡＣＣＥＳＳ　denied！请 输入 验证码")
    assert found.categories == ("blocked", "verification")
    assert found.share == 1
    assert doubt_words("").share == 0
    assert doubt_words("今日沪指收涨").categories == ()


CASES = {
    "01-interstitial-archived/cap": VERIFICATION,
    "01-interstitial-archived/isp": BLOCKED,
    "01-interstitial-archived/mnt": MAINTENANCE,
    "03-soft404-and-home-archived/s404": GONE,
    "03-soft404-and-home-archived/col": GONE,
    "03-soft404-and-home-archived/home": FRONT,
}


@pytest.mark.parametrize(("name", "verdict"), CASES.items())
def test_the_shared_cases_at_a_first_look(name, verdict):
    """None of these is an article."""
    folder, _, file = name.partition("/")
    html = shared("cases", folder, "site", f"{file}.html").read_bytes()
    url = f"https://finance.sina.com.cn/china/{DAY}/doc-inabugx00000000.shtml"
    assert seen(html, Announcement("真标题0", "", DAY), url=url) == verdict
    assert seen(html, Announcement("甲", TEXT, DAY), url=url) == verdict


@pytest.mark.parametrize("letters_", ["inabug", "inabugx"], ids=["no id", "an id"])
def test_the_shared_case_of_a_second_look(letters_):
    """A good article with a text that its neighbours have too, and what came instead of it."""
    site = shared("cases", "02-recheck-overwrites", "site")
    good = (site / "g3.html").read_bytes()
    url = f"https://finance.sina.com.cn/china/{DAY}/doc-{letters_}00000013.shtml"
    announced = Announcement("好文3", "", DAY)
    assert seen(good, announced, url=url, same_text_elsewhere=3) == Believed(DAY)
    article = extract_article(Page(url, good, "text/html"))
    print_ = fingerprint(article.title, article.body.text)
    stored = KnownArticle(
        1, url, document_id(url), DAY, frozenset({DAY}), "好文3", article.body.text,
        "sina-article", print_,
    )  # fmt: skip
    later = {
        "cap": VERIFICATION,
        "s404": GONE,
        "home": FRONT,
    }
    for name, verdict in later.items():
        html = (site / f"{name}.html").read_bytes()
        assert seen(html, announced, (stored,), url=url, kind="second") == verdict
    other = url.replace("13.shtml", "99.shtml")
    html = (site / "other.html").read_bytes()
    verdict = seen(html, announced, (stored,), url=url, kind="second", final_url=other)
    assert verdict == Redirected(other, document_id(other))


@pytest.mark.parametrize("letters_", ["inabug", "inabugx"], ids=["no id", "an id"])
def test_the_shared_case_of_a_moved_pubdate(letters_):
    """One article in two revisions, though the feed now claims the next day."""
    site = shared("cases", "10-pubdate-bumped", "site")
    url = f"https://finance.sina.com.cn/china/{DAY}/doc-{letters_}00000042.shtml"
    first = extract_article(Page(url, (site / "1.html").read_bytes(), "text/html"))
    stored = KnownArticle(
        1, url, document_id(url), DAY, frozenset({DAY}), first.title, first.body.text,
        "sina-article", fingerprint(first.title, first.body.text),
    )  # fmt: skip
    second = (site / "2.html").read_bytes()
    assert seen(second, Announcement("甲", "", "2024-03-06"), (stored,), url=url) == Edited(1)


def test_a_column_of_three_days_is_three_articles():
    """Each day's page stands at the same address, and states its own day."""
    url = "https://finance.sina.com.cn/column/morning.shtml"
    known = []
    for at in range(1, 4):
        body = "".join(f"<p>{line}</p>" for line in made_up(at + 10).paragraphs)
        html = page(
            "早评_新浪财经_新浪网",
            f'<h1 class="main-title">早评</h1><div id="artibody">{body}</div>',
            f'<meta property="article:published_time" content="2024-03-0{at}T08:00:00+08:00">',
        )
        day = f"2024-03-0{at}"
        verdict = seen(html, Announcement("早评", "", day), known, url=url)
        assert verdict == (AnotherArticle(day) if known else Believed(day))
        article = extract_article(Page(url, html.encode(), "text/html"))
        known.append(
            KnownArticle(
                at,
                url,
                "",
                day,
                frozenset({day}),
                article.title,
                article.body.text,
                article.template,
                fingerprint(article.title, article.body.text),
            )
        )

"""What a page is taken for: the table of ``ingestor.witness``, row by row and look by look."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.extract import extract_article
from ingestor.extract.evidence import evidence_of
from ingestor.extract.tree import parse
from ingestor.identity import document_id, fingerprint
from ingestor.model import Page
from ingestor.text.decode import decode_page
from ingestor.witness import REPEATED, judge
from ingestor.witness.looks import (
    Announcement,
    AnotherArticle,
    Believed,
    Doubtful,
    Edited,
    Evidence,
    KnownArticle,
    Look,
    NotAnArticle,
    PageGone,
    Redirected,
    Unchanged,
)
from ingestor.witness.placement import REWRITTEN
from ingestor.witness.signs import LEAST_CHARACTERS, landing, same_title, text_share, title_in_text
from ingestor.witness.words import doubt_words
from tests.support.shared import shared
from tools.made_up_sina import made_up

ID = "inabugxz1234567"
URL = f"https://finance.sina.com.cn/china/2024-03-05/doc-{ID}.shtml"
OTHER_ID = "inabugxz7654321"
OTHER_URL = f"https://finance.sina.com.cn/china/2024-03-05/doc-{OTHER_ID}.shtml"
COLUMN = "https://finance.sina.com.cn/column/morning.shtml"
ELSEWHERE = "https://www.news.example.cn/a/20240305/1.html"
DAY, NEXT_DAY = "2024-03-05", "2024-03-06"

TITLE, TEXT = made_up(1).title, "\n".join(made_up(1).paragraphs)
OTHER_TITLE = "苹果公司宣布下月推出折叠手机"
OTHER_TEXT = """\
记者昨日从多名供应商处获悉，苹果公司计划于下月推出首款折叠手机，屏幕由韩国厂商独家供应。
分析师认为，这款产品的定价可能超过一万五千元，首批备货约三百万台，高于此前市场的预期。
受此消息影响，多只概念股昨日午后直线拉升。有投资者表示，产业链的景气度有望延续到明年。
"""
FLASH = "央行今日开展百亿元七天期逆回购操作，中标利率持平，当日有三百亿元到期。"

SINA = Evidence(
    "sina-article", TITLE, TEXT, frozenset({ID}), frozenset({URL}), DAY, day_is_stated=True
)
UNSTATED = replace(SINA, document_ids=frozenset(), addresses=frozenset())
PLAIN = Evidence("generic", TITLE, TEXT, day=DAY)
REWRITE = replace(SINA, title=OTHER_TITLE, text=OTHER_TEXT)
EDIT = replace(SINA, text=f"{TEXT}\n更正：上文的数字有误。")


def notice(title, text, category, share=0.5, **more):
    return Evidence("generic", title, text, words=(category,), words_share=share, **more)


CAPTCHA = notice(
    "访问验证", "系统检测到您的网络环境存在异常，请拖动下方滑块完成验证。", "verification"
)
BLOCK = notice("提示", "该网站内容违规，已被运营商拦截，请联系网站管理员处理。", "blocked")
MAINTENANCE = notice("系统维护", "本站正在进行系统升级维护，预计两小时后恢复访问。", "maintenance")
REMOVED = notice(
    "提示", "抱歉，您访问的内容不存在或已被删除，请返回首页。", "removed", removed=True
)
LOGIN = notice("登录", "请先登录，扫码登录或密码登录。", "login", password_form=True)
SHELL = notice("新浪", "请启用JavaScript后继续。", "shell")
EMPTY = Evidence("generic", "", "")
FRAME = replace(SINA, text="")
FRONT = Evidence("generic", "新浪首页", OTHER_TEXT * 3, link_share=0.99)


def known(article_id=1, title=TITLE, text=TEXT, day=DAY, **more):
    given_ = {
        "url": URL,
        "document_id": ID,
        "days": frozenset({day}),
        "template": "sina-article",
        "fingerprint": fingerprint(title, text),
    } | more
    return KnownArticle(article_id=article_id, title=title, text=text, day=day, **given_)


def look(evidence, kind="first", url=URL, **more):
    rest = {"status": 200, "final_url": url} | more
    return Look(kind=kind, url=url, document_id=document_id(url), evidence=evidence, **rest)


@dataclass(frozen=True)
class Row:
    """One kind of answer, and what it is at each look; ``None``: as at the first look."""

    evidence: Evidence | None
    first: object
    fed: object = None
    """At a first look, where the feed carries the article's text."""
    second: object = None
    reextract: object = None
    look: dict = field(default_factory=dict)


GONE = PageGone("the page says so")
DOUBTFUL = Doubtful
REDIRECTED = Redirected(OTHER_URL, OTHER_ID)

TABLE = {
    "the article": Row(SINA, Believed(DAY), second=Unchanged(1), reextract=Unchanged(1)),
    "the article that states no id": Row(
        UNSTATED, Believed(DAY), second=Unchanged(1), reextract=Unchanged(1)
    ),
    "the article that no template reads": Row(
        PLAIN, Believed(DAY), second=Unchanged(1), reextract=Unchanged(1)
    ),
    "an edit": Row(EDIT, Believed(DAY), second=Edited(1), reextract=Edited(1)),
    "an edit that claims another day": Row(
        replace(EDIT, day=NEXT_DAY), Believed(NEXT_DAY), second=Edited(1), reextract=Edited(1)
    ),
    "another headline": Row(
        replace(SINA, title=OTHER_TITLE), Believed(DAY), second=Edited(1), reextract=Edited(1)
    ),
    "a full rewrite under its id and template": Row(
        REWRITE, Believed(DAY), second=Edited(1, REWRITTEN), reextract=Edited(1, REWRITTEN)
    ),
    "a full rewrite that states no id and no title": Row(
        replace(REWRITE, document_ids=frozenset(), addresses=frozenset()),
        Believed(DAY),
        fed=DOUBTFUL,
        second=DOUBTFUL,
        reextract=DOUBTFUL,
    ),
    "tomorrow's column": Row(
        replace(REWRITE, day=NEXT_DAY),
        Believed(NEXT_DAY),
        second=AnotherArticle(NEXT_DAY),
        reextract=AnotherArticle(NEXT_DAY),
    ),
    "another article in its place": Row(
        replace(REWRITE, document_ids=frozenset({OTHER_ID}), addresses=frozenset()), DOUBTFUL
    ),
    "a redirect to another article": Row(
        replace(REWRITE, document_ids=frozenset({OTHER_ID}), addresses=frozenset({OTHER_URL})),
        REDIRECTED,
        look={"final_url": OTHER_URL},
    ),
    "a redirect to another article with the same text": Row(
        UNSTATED, REDIRECTED, look={"final_url": OTHER_URL}
    ),
    "a redirect to the mobile twin": Row(
        UNSTATED,
        Believed(DAY),
        second=Unchanged(1),
        reextract=Unchanged(1),
        look={"final_url": f"https://finance.sina.cn/2024-03-05/detail-{ID}.d.html"},
    ),
    "a redirect to the root": Row(
        FRONT, NotAnArticle("front page or list"), look={"final_url": "https://www.sina.com.cn/"}
    ),
    "a redirect to a section": Row(
        replace(FRONT, link_share=0.1),
        NotAnArticle("front page or list"),
        look={"final_url": "https://finance.sina.com.cn/china/"},
    ),
    "a redirect to a login": Row(
        LOGIN, NotAnArticle("login"), look={"final_url": "https://passport.weibo.com/signin?u=1"}
    ),
    "a redirect to the visitor system": Row(
        EMPTY,
        NotAnArticle("verification"),
        look={"final_url": "https://visit.weibo.com/visitor/visitor?a=enter"},
    ),
    "a redirect to a page for errors": Row(
        FRONT,
        PageGone("led to a page for errors"),
        look={"final_url": "https://www.sina.com.cn/404.html"},
    ),
    "a redirect to another host's page of another text": Row(
        replace(PLAIN, title=OTHER_TITLE, text=OTHER_TEXT), DOUBTFUL, look={"final_url": ELSEWHERE}
    ),
    "a front page in its place": Row(FRONT, NotAnArticle("front page or list")),
    "a list in its place": Row(
        Evidence("generic", "新闻搜索", OTHER_TEXT, is_list=True),
        NotAnArticle("front page or list"),
    ),
    "a verification": Row(CAPTCHA, NotAnArticle("verification")),
    "a block page": Row(BLOCK, NotAnArticle("blocked")),
    "maintenance": Row(MAINTENANCE, NotAnArticle("maintenance")),
    "a login": Row(LOGIN, NotAnArticle("login")),
    "a page that a script fills": Row(SHELL, NotAnArticle("empty")),
    "an empty page": Row(EMPTY, NotAnArticle("empty")),
    "the frame without a text": Row(FRAME, NotAnArticle("empty")),
    "nothing to read": Row(None, NotAnArticle("empty")),
    "a soft 404": Row(REMOVED, GONE),
    "a soft 404 with related news": Row(
        Evidence("generic", "页面不存在", OTHER_TEXT, link_share=0.9, removed=True), GONE
    ),
    "a soft 404 in the article's frame": Row(
        replace(SINA, text="该文章已被删除", words=("removed",), words_share=0.4, removed=True),
        GONE,
    ),
    "a line of no list in the article's frame": Row(
        replace(UNSTATED, title="新浪财经", text="有话好商量，这一篇先放一放"), DOUBTFUL
    ),
    "a line of no list that states the id": Row(
        replace(SINA, title="新浪财经", text="有话好商量，这一篇先放一放"), DOUBTFUL
    ),
    "a line of no list under the headline": Row(
        replace(UNSTATED, text="有话好商量，这一篇先放一放"), DOUBTFUL
    ),
    "… of another day": Row(
        replace(UNSTATED, text="有话好商量，这一篇先放一放", day=NEXT_DAY), DOUBTFUL
    ),
    "a few words that no template read": Row(replace(PLAIN, text="首页 登录 注册"), DOUBTFUL),
    "a 404": Row(None, PageGone("404"), look={"status": 404}),
    "a 410": Row(None, PageGone("410"), look={"status": 410}),
    "a 403": Row(CAPTCHA, NotAnArticle("blocked"), look={"status": 403}),
    "a 503": Row(MAINTENANCE, NotAnArticle("maintenance"), look={"status": 503}),
    "a teapot": Row(SINA, NotAnArticle("other"), look={"status": 418}),
    "a 304": Row(None, DOUBTFUL, second=Unchanged(1), reextract=Unchanged(1), look={"status": 304}),
    "boilerplate": Row(
        Evidence("generic", "欢迎光临", OTHER_TEXT),
        NotAnArticle("boilerplate"),
        look={"same_text_elsewhere": 3},
    ),
    "boilerplate under the announced title": Row(
        replace(PLAIN, text=OTHER_TEXT),
        NotAnArticle("boilerplate"),
        look={"same_text_elsewhere": 3},
    ),
    "one story in two places": Row(
        SINA,
        Believed(DAY),
        second=Unchanged(1),
        reextract=Unchanged(1),
        look={"same_text_elsewhere": 1},
    ),
    "one story in two places, under a new headline and text": Row(
        REWRITE, DOUBTFUL, look={"same_text_elsewhere": 1}
    ),
    "a generic page that shares nothing": Row(
        replace(PLAIN, title=OTHER_TITLE, text=OTHER_TEXT), DOUBTFUL
    ),
    "… doubted before": Row(
        replace(PLAIN, title=OTHER_TITLE, text=OTHER_TEXT), DOUBTFUL, look={"doubted_before": True}
    ),
    "… that states the id": Row(
        replace(PLAIN, title=OTHER_TITLE, text=OTHER_TEXT, document_ids=frozenset({ID})), DOUBTFUL
    ),
    "… that states the id, doubted before": Row(
        replace(PLAIN, title=OTHER_TITLE, text=OTHER_TEXT, document_ids=frozenset({ID})),
        Believed(DAY, REPEATED),
        second=Edited(1, REPEATED),
        reextract=Edited(1, REPEATED),
        look={"doubted_before": True},
    ),
    "no template on a host that always has one": Row(
        replace(PLAIN, text="免责声明 联系我们 关于本站 网站地图"),
        DOUBTFUL,
        look={"host_uses_templates": True},
    ),
    "a new design on a host that always had a template": Row(
        PLAIN,
        Believed(DAY),
        second=Unchanged(1),
        reextract=Unchanged(1),
        look={"host_uses_templates": True},
    ),
    "a teaser": Row(
        replace(UNSTATED, text=TEXT[: len(TEXT) // 4], words=("login",), words_share=0.02),
        Believed(DAY),
        fed=DOUBTFUL,
        second=DOUBTFUL,
        reextract=DOUBTFUL,
    ),
}

LOOKS = ("first", "fed", "second", "reextract")


def agrees(verdict, expected):
    """Whether a verdict is the expected one; a doubt may have any reason."""
    return isinstance(verdict, expected) if isinstance(expected, type) else verdict == expected


@pytest.mark.parametrize("when", LOOKS)
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_every_kind_of_answer_at_every_look(row, when):
    """The table: what came, at a first look, with the feed's text, at a later look, read again."""
    announced = Announcement(TITLE, TEXT if when == "fed" else "", DAY)
    kind = "first" if when == "fed" else when
    articles = [known()] if when in {"second", "reextract"} else []
    expected = getattr(row, when) or row.first
    verdict = judge(announced, articles, look(row.evidence, kind, **row.look))
    assert agrees(verdict, expected), verdict


def test_a_headline_that_changed_is_believed_under_template_and_id():
    """The feed's words are not on the page, but the page is what was asked for."""
    assert judge(Announcement(OTHER_TITLE), [], look(SINA)) == Believed(DAY)
    assert judge(Announcement(OTHER_TITLE), [], look(UNSTATED)) == Believed(DAY)


def test_a_short_flash_in_a_template_is_believed():
    """Thirty letters can be news."""
    assert judge(
        Announcement(FLASH[:20]), [], look(replace(SINA, title=FLASH, text=FLASH))
    ) == Believed(DAY)


@pytest.mark.parametrize("text", [TEXT, OTHER_TEXT], ids=["its own text", "another"])
def test_a_long_article_may_quote_any_word(text):
    """Prose about captchas and removals is no captcha, and nothing was removed."""
    quoting = replace(
        PLAIN,
        title="一篇文章怎样写到验证码、访问被拒绝与系统维护",
        text=f"{text}\n页面上写着“验证码”和“访问被拒绝”，随后又写“系统维护中”。" * 3,
        words=("verification", "blocked", "maintenance"),
        words_share=0.1,
    )
    assert judge(Announcement(quoting.title), [], look(quoting, url=ELSEWHERE)) == Believed(DAY)
    assert judge(None, [], look(quoting, url=ELSEWHERE)) == Believed(DAY)


def test_an_announcement_of_maintenance_is_an_article():
    """The headline itself speaks of it, and the template is the article's."""
    title = "某券商：周末进行系统维护"
    text = "某券商公告，周末进行系统维护，期间网上交易暂停，周一恢复访问。"
    page = replace(SINA, title=title, text=text, words=("maintenance",), words_share=0.3)
    assert judge(Announcement(title), [], look(page)) == Believed(DAY)


def test_a_page_that_nobody_announced_is_believed_for_its_prose():
    """Without a headline to compare, sentences have to do."""
    assert judge(None, [], look(PLAIN, url=ELSEWHERE)) == Believed(DAY)
    assert judge(Announcement(""), [], look(PLAIN, url=ELSEWHERE)) == Believed(DAY)
    menu = replace(PLAIN, text="首页 财经 股票 基金 滚动")
    assert agrees(judge(None, [], look(menu, url=ELSEWHERE)), Doubtful)


def test_a_short_post_of_another_archive_is_merged():
    """What another archive believed needs no more than not to be a notice."""
    post = Evidence("import", FLASH, FLASH, day=DAY)
    assert judge(None, [], look(post, "import", url=ELSEWHERE)) == Believed(DAY)
    assert judge(None, [], look(replace(CAPTCHA, template="import"), "import")) == NotAnArticle(
        "verification"
    )


@pytest.mark.parametrize(
    "announced",
    [f"{TITLE[:12]}...", f"快讯：{TITLE}", f"{TITLE}（附股）", TITLE.upper(), f"　{TITLE}　"],
)
def test_a_headline_may_be_cut_or_dressed(announced):
    """RSSHub cuts it; prefixes and suffixes come and go."""
    assert judge(Announcement(announced), [], look(PLAIN, url=ELSEWHERE)) == Believed(DAY)


def test_a_moved_pubdate_makes_no_second_article():
    """Page and document id say that it is the same, whatever the feed now claims."""
    later = Announcement(TITLE, "", NEXT_DAY)
    assert judge(later, [known()], look(EDIT)) == Edited(1)
    assert judge(later, [known()], look(replace(UNSTATED, text=OTHER_TEXT))) == Edited(1, REWRITTEN)


COLUMN_PAGE = Evidence("sina-article", "早评", TEXT, day=DAY, day_is_stated=True)
YESTERDAY = known(url=COLUMN, document_id="", title="早评")


@pytest.mark.parametrize("template", ["sina-article", "generic"])
@pytest.mark.parametrize("kind", ["first", "second"])
def test_a_daily_column_is_another_article_every_day(kind, template):
    """One address, three days, three texts, three articles."""
    today = replace(COLUMN_PAGE, template=template, text=OTHER_TEXT, day=NEXT_DAY)
    verdict = judge(Announcement("早评", "", NEXT_DAY), [YESTERDAY], look(today, kind, url=COLUMN))
    assert verdict == AnotherArticle(NEXT_DAY)


def test_a_column_whose_page_states_no_day_goes_by_the_feed():
    """The feed announces it under a day of no known article."""
    today = replace(COLUMN_PAGE, text=OTHER_TEXT, day="", day_is_stated=False)
    verdict = judge(Announcement("早评", "", NEXT_DAY), [YESTERDAY], look(today, url=COLUMN))
    assert verdict == AnotherArticle(NEXT_DAY)


@pytest.mark.parametrize(
    "part", [TEXT[:40], f"{TEXT[:60]}……点击展开全文", "\n".join(TEXT.split("\n")[:1])]
)
def test_a_page_that_ends_in_the_middle_replaces_no_text(part):
    """It is doubted; under its document id it is an edit once it stays."""
    cut = replace(SINA, text=part)
    assert len(part) < len(TEXT) / 2
    assert agrees(judge(Announcement(TITLE), [known()], look(cut, "second")), Doubtful)
    stays = look(cut, "second", doubted_before=True)
    assert agrees(judge(Announcement(TITLE), [known()], stays), Edited(1, REPEATED))


ENGLISH_TITLE = "Fed Holds Rates Steady, Signals Two Cuts This Year"
ENGLISH_TEXT = (
    "The Federal Reserve held interest rates steady on Wednesday. It signaled that two cuts remain "
    "likely this year, as inflation cools and hiring slows. Stocks rose after the announcement."
)
ENGLISH_WALLS = [
    (
        "We're sorry, this content cannot be shown where you are. If you believe that this is a mistake, "
        "please write to our support team, and name the reference number that stands below this line."
    ),
    (
        "We and our partners store information on your device to improve your experience. By clicking "
        "accept you agree to this. You may change your mind at any time in the settings of this site."
    ),
]


@pytest.mark.parametrize("wall", ENGLISH_WALLS)
def test_english_pages_are_compared_by_their_words(wall):
    """Any two English texts share most of their pairs of letters."""
    announced = Announcement(ENGLISH_TITLE)
    article = Evidence("generic", "Markets", ENGLISH_TEXT)
    page = Evidence("generic", "News", wall, article_marks=True)
    before = known(title=ENGLISH_TITLE, text=ENGLISH_TEXT, url=ELSEWHERE, document_id="")
    asked = {"url": ELSEWHERE}
    assert agrees(judge(announced, [], look(article, **asked)), Believed)
    assert agrees(judge(announced, [], look(page, **asked)), Doubtful)
    assert agrees(
        judge(Announcement(ENGLISH_TITLE, ENGLISH_TEXT), [], look(page, **asked)), Doubtful
    )
    assert agrees(judge(announced, [before], look(page, "second", **asked)), Doubtful)


def test_of_several_articles_at_one_address_the_nearest_is_meant():
    """What is edited is the article whose text it was, whatever day is claimed."""
    both = [YESTERDAY, known(2, "早评", OTHER_TEXT, NEXT_DAY, url=COLUMN, document_id="")]
    edited = replace(COLUMN_PAGE, text=f"{TEXT}\n更正一处。")
    for order in (both, both[::-1]):
        assert judge(Announcement("早评", "", NEXT_DAY), order, look(edited, url=COLUMN)) == Edited(
            1
        )


def test_the_announced_column_that_is_not_out_yet_is_yesterdays():
    """The feed was sooner than the page: nothing new stands there."""
    early = judge(Announcement("早评", "", NEXT_DAY), [YESTERDAY], look(COLUMN_PAGE, url=COLUMN))
    assert early == Unchanged(1)


def test_an_address_without_an_id_that_leads_to_the_article_is_the_article():
    """Trackers and short links redirect to what they announce."""
    short = "https://feeds.example.com/~r/1"
    assert judge(Announcement(TITLE), [], look(SINA, url=short, final_url=URL)) == Believed(DAY)
    assert judge(Announcement(OTHER_TITLE), [], look(SINA, url=short, final_url=URL)) == Redirected(
        URL, ID
    )


@pytest.mark.parametrize("kind", ["first", "second"])
def test_an_address_without_an_id_that_leads_to_its_neighbour_is_the_neighbour(kind):
    """It may share all of its text: what the announced one is called stands nowhere on it."""
    first, second = (COLUMN.replace("morning", f"202403050{at}") for at in (1, 2))
    page = Evidence("sina-article", OTHER_TITLE, TEXT, day=DAY, day_is_stated=True)
    stored = known(url=first, document_id="")
    verdict = judge(Announcement(TITLE), [stored], look(page, kind, url=first, final_url=second))
    assert verdict == Redirected(second, "")


@pytest.mark.parametrize("kind", ["first", "second"])
def test_an_article_that_moved_keeps_its_headline(kind):
    """A publisher changes the form of its addresses."""
    moved = "https://www.news.example.cn/2024/03/05/a-slug-1"
    stored = known(url=ELSEWHERE, document_id="", template="generic")
    came = look(PLAIN, kind, url=ELSEWHERE, final_url=moved)
    assert judge(Announcement(TITLE), [stored], came) == Unchanged(1)
    assert judge(Announcement(TITLE), [], came) == Believed(DAY)


def test_a_front_page_that_lists_the_headline_is_not_the_article():
    """What is inside links does not bear witness."""
    listing = replace(FRONT, text=f"{TITLE}\n{TEXT[:80]}\n{OTHER_TEXT}")
    for kind, articles in (("first", []), ("second", [known()])):
        verdict = judge(Announcement(TITLE, TEXT), articles, look(listing, kind))
        assert verdict == NotAnArticle("front page or list")


@pytest.mark.parametrize("day", [DAY, NEXT_DAY])
def test_a_column_that_states_an_id_a_day_is_never_an_edit_of_another_id(day):
    """The address has none; the pages have."""
    stored = known(url=COLUMN, document_id=ID, title="早评")
    today = replace(
        COLUMN_PAGE, text=f"{TEXT}\n一处。", day=day, document_ids=frozenset({OTHER_ID})
    )
    verdict = judge(Announcement("早评", "", day), [stored], look(today, "second", url=COLUMN))
    assert agrees(verdict, Doubtful if day == DAY else AnotherArticle(NEXT_DAY))


def test_a_line_in_the_place_of_the_text_is_no_rewrite_until_it_stays():
    """What waits for approval comes back; a publisher who took the text away did not."""
    stub = replace(SINA, text="内容审核中")
    assert agrees(judge(None, [known()], look(stub, "second")), Doubtful)
    stayed = look(stub, "second", doubted_before=True)
    assert judge(None, [known()], stayed) == Edited(1, REPEATED)


REMOVALS = [
    "您所查看的稿件因故撤下，给您添麻烦了。",
    "该文章已下架",
    "此文章因版权原因暂不提供浏览，请阅读其他文章。",
    "作者已将此文设为不可见",
    "您要找的新闻去火星了，五秒后带您回到新浪财经。",
    "应相关方要求，本条内容不再展示，您可以阅读为您推荐的其他资讯。",
    "Sorry, this story has been withdrawn by the editors.",
    "This page isn’t available right now.",
]


@pytest.mark.parametrize("text", REMOVALS)
def test_a_removal_is_known_in_words_of_its_own(text):
    """What is gone, and how one says that, stand near each other."""
    assert doubt_words(text).categories[:1] == ("removed",)


def test_prose_that_tells_of_a_removal_is_none():
    """Its headline is in its text, or it is long."""
    title = "某平台下架三款游戏"
    text = "某平台周一宣布下架三款游戏，称其内容违反社区规则，玩家可在月底前申请退款。"
    words = doubt_words(f"{title}\n{text}")
    page = replace(
        UNSTATED, title=title, text=text, words=words.categories, words_share=words.share
    )
    assert judge(Announcement(title), [], look(page)) == Believed(DAY)


SHORT = "石门水泥新窑点火，今起投产。"


@pytest.mark.parametrize(
    ("announced", "page"),
    [
        (Announcement("石门水泥新窑今起投产"), replace(PLAIN, title="快讯", text=SHORT)),
        (Announcement("快讯", SHORT), replace(PLAIN, title="快讯", text=SHORT)),
        (
            Announcement("石门水泥新窑点火"),
            replace(PLAIN, title="石门水泥新窑点火", text="图集", pictures=4),
        ),
    ],
    ids=["a flash of the headline", "the feed's few words", "a gallery"],
)
def test_a_few_words_are_the_article_that_was_announced(announced, page):
    """No template reads them, but what was announced is there."""
    assert len(page.text) < LEAST_CHARACTERS
    assert judge(announced, [], look(page, url=ELSEWHERE)) == Believed(DAY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "首页 登录 注册",
        "请输入验证码",
        TITLE,
        "您的访问疑似由程序发出，请点出图中的交通灯，然后提交。",
    ],
)
def test_a_title_alone_makes_no_article_of_a_few_words(text):
    """A shell has it as well; nor does a stay of an hour."""
    for before in (False, True):
        shell = replace(PLAIN, text=text, pictures=1 if len(text) < 10 else 0)
        verdict = judge(Announcement(TITLE), [], look(shell, doubted_before=before))
        assert isinstance(verdict, Doubtful | NotAnArticle), verdict


def test_a_feed_that_only_says_read_on_bears_no_witness():
    """Its words stand on every page of the site."""
    wall = notice("登录", "点击查看全文 请先登录", "login")
    verdict = judge(Announcement(TITLE, "点击查看全文"), [], look(wall, url=ELSEWHERE))
    assert verdict == NotAnArticle("login")


def test_the_feed_text_beats_a_frame_that_says_less():
    """Where the feed carries the article, a line that shares nothing with it is not it."""
    frame = replace(UNSTATED, text="点击上方蓝字关注我们的公众号")
    assert agrees(judge(Announcement(TITLE, TEXT), [], look(frame)), Doubtful)


texts = st.sampled_from([TEXT, OTHER_TEXT, FLASH, "", TEXT[:60], CAPTCHA.text, "甲"])
titles = st.sampled_from([TITLE, OTHER_TITLE, "", "甲", "访问验证"])
days = st.sampled_from(["", DAY, NEXT_DAY])
categories = st.lists(
    st.sampled_from(["verification", "blocked", "maintenance", "login", "shell"]), unique=True
).map(tuple)
shares = st.sampled_from([0.0, 0.1, 0.5, 1.0])
evidences = st.builds(
    Evidence,
    template=st.sampled_from(["generic", "sina-article", "import"]),
    title=titles,
    text=texts,
    document_ids=st.sets(st.sampled_from([ID, OTHER_ID, "column-1-abcdef"])).map(frozenset),
    addresses=st.sets(st.sampled_from([URL, OTHER_URL, ELSEWHERE])).map(frozenset),
    day=days,
    day_is_stated=st.booleans(),
    link_share=shares,
    pictures=st.integers(0, 2),
    removed=st.booleans(),
    words=categories,
    words_share=shares,
    is_list=st.booleans(),
    password_form=st.booleans(),
    article_marks=st.booleans(),
)
announcements = st.none() | st.builds(Announcement, title=titles, text=texts, day=days)
articles = st.lists(
    st.builds(known, st.integers(1, 9), titles, texts, st.sampled_from([DAY, NEXT_DAY])), max_size=3
)
looks = st.builds(
    look,
    st.none() | evidences,
    st.sampled_from(["first", "second", "reextract", "import"]),
    st.sampled_from([URL, COLUMN, ELSEWHERE]),
    status=st.sampled_from([200, 200, 200, 200, 206, 304, 403, 404]),
    final_url=st.sampled_from([URL, OTHER_URL, COLUMN, ELSEWHERE, "https://www.sina.com.cn/"]),
    host_uses_templates=st.booleans(),
    same_text_elsewhere=st.integers(0, 2),
    doubted_before=st.booleans(),
)


@given(announcements, articles, looks)
def test_every_answer_gets_one_verdict_and_always_the_same(announced, known_articles, came):
    """The decision is total, and a function of what it is given."""
    verdict = judge(announced, known_articles, came)
    assert judge(announced, list(known_articles), replace(came)) == verdict
    if not known_articles:
        assert not isinstance(verdict, Edited | Unchanged)
    else:
        assert not isinstance(verdict, Believed)
    if isinstance(verdict, Edited | Unchanged):
        assert verdict.article_id in {article.article_id for article in known_articles}


@given(announcements, articles, looks)
def test_a_page_that_states_another_id_is_no_edit(announced, known_articles, came):
    """Whatever else it shows, it says that it is another article."""
    page = replace(
        came.evidence or PLAIN, document_ids=frozenset({OTHER_ID}), addresses=frozenset()
    )
    asked = replace(came, url=URL, document_id=ID, evidence=page)
    assert not isinstance(
        judge(announced, known_articles, asked), Edited | Believed | AnotherArticle
    )


@given(announcements, articles, looks, categories)
def test_words_alone_never_decide(announced, known_articles, came, words):
    """A text that is no notice is taken for the same with and without words of doubt."""
    page = replace(came.evidence or PLAIN, removed=False, text=OTHER_TEXT * 4, words=())
    plain = judge(announced, known_articles, replace(came, evidence=page))
    worded = replace(came, evidence=replace(page, words=words, words_share=0.9))
    assert judge(announced, known_articles, worded) == plain


@given(announcements, articles, looks)
def test_nothing_without_a_text_is_ever_taken(announced, known_articles, came):
    """Neither an article nor an edit is made of an empty page."""
    empty = replace(came.evidence or PLAIN, text="", pictures=0)
    verdict = judge(announced, known_articles, replace(came, evidence=empty))
    assert not isinstance(verdict, Believed | Edited | AnotherArticle)


@given(articles, looks)
def test_without_the_id_a_doubt_stays_a_doubt(known_articles, came):
    """However often it comes: only a page that states the id is believed for staying the same."""
    page = replace(came.evidence or PLAIN, document_ids=frozenset(), addresses=frozenset())
    verdicts = {
        judge(
            Announcement(TITLE), known_articles, replace(came, evidence=page, doubted_before=again)
        )
        for again in (False, True)
    }
    assert len(verdicts) == 1


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://www.sina.com.cn/", "front"),
        ("https://www.sina.com.cn", "front"),
        ("https://finance.sina.com.cn/index.shtml", "front"),
        ("https://finance.sina.com.cn/china/", "section"),
        ("https://finance.sina.com.cn/roll/index.d.html", "section"),
        ("https://passport.weibo.com/visitor/visitor?a=enter", "login"),
        ("https://login.sina.com.cn/sso/x.php", "login"),
        ("https://example.cn/captcha?u=1", "verification"),
        ("https://www.sina.com.cn/404.html", "missing"),
        ("https://www.sina.com.cn/?from=wap", "front"),
        ("https://example.com/?p=12", "page"),
        ("https://example.com/why-the-market-fell", "page"),
        ("https://finance.sina.com.cn/stock/20160316/12345678.shtml", "page"),
        (URL, "page"),
    ],
)
def test_an_address_says_what_kind_of_page_it_is(url, kind):
    """A redirect there is judged by it."""
    assert landing(url) == kind


def real_text(path):
    """Return the headline and the text of a real article."""
    title, *lines = (line.strip() for line in path.read_text("utf-8").split("\n"))
    return title, "\n".join(line for line in lines if line != title)


def test_the_figures_beside_the_thresholds_hold():
    """On 224 real articles, each compared with itself and with ten others."""
    texts_ = [real_text(path) for path in sorted(shared("sina", "texts").iterdir())]
    pairs = [
        (texts_[at], texts_[(at + step) % len(texts_)])
        for at in range(len(texts_))
        for step in range(7, 77, 7)
    ]
    assert sum(title_in_text(title, text) for title, text in texts_) >= 0.8 * len(texts_)
    found = sum(title_in_text(first[0], other[1]) for first, other in pairs)
    assert found <= 0.02 * len(pairs)
    assert sum(same_title(first[0], other[0]) for first, other in pairs) <= 0.002 * len(pairs)
    assert sum(text_share(first[1], other[1]) >= 0.3 for first, other in pairs) <= 0.002 * len(
        pairs
    )


def real_pages():
    """Give each whole page of ../shared as its address, its evidence and its body."""
    for folder in ("pages", "other"):
        for path in sorted(shared("sina", folder).glob("*[!s].html")):
            if path.name.startswith("fragment"):
                continue
            body = path.read_bytes()
            url = f"https://www.{path.stem}.example.cn/a/1.html"
            if folder == "pages":
                url = "https://finance.sina.com.cn/x.shtml"
            article = extract_article(Page(url, body, "text/html"))
            yield article, evidence_of(parse(decode_page(body, "text/html"), url), article)


def test_real_pages_are_believed_under_their_own_headline_alone():
    """Each of eleven real pages is the article that was announced, and no other one."""
    pages = list(real_pages())
    assert len(pages) == 11
    for article, evidence in pages:
        asked = look(evidence, url=article.url)
        assert agrees(judge(Announcement(article.title), [], asked), Believed)
        for other, _ in pages:
            if other.title != article.title and evidence.template == "generic":
                assert agrees(judge(Announcement(other.title), [], asked), Doubtful)
    stated = [bool(evidence.document_ids) for _, evidence in pages]
    assert sum(stated) == 3
    assert max(evidence.link_share for _, evidence in pages) < 0.1
    assert not any(evidence.words for _, evidence in pages)

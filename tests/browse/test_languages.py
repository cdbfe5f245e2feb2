"""What the pages say, in Chinese and English: the catalogue, dates, sentences, whole pages."""

import re
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import get_args
from urllib.parse import urljoin

import lxml.html
import pytest

pytest.importorskip("datasette", reason="the extra [browse] is not installed")

from ingestor.browse.languages import chosen, spoken
from ingestor.model import Body, Security
from ingestor.store import revisions, schema
from ingestor.witness.looks import Reason
from tests.browse.asking import browsing
from tools import messages
from tools.filling import FIRST, arrival_of, filled


@pytest.mark.parametrize(
    ("accepted", "cookie", "asked", "code"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "", "zh"),
        ("en;q=0.5, zh-Hant;q=0.7", "", "", "zh"),
        ("de-DE,de;q=0.9,en;q=0.2,zh;q=0.1", "", "", "en"),
        ("zh;q=0, en", "", "", "en"),
        ("", "", "", "en"),
        ("*", "", "", "en"),
        ("fr", "", "", "en"),
        (";;;q=x,,q=9.9.9", "", "", "en"),
        ("en", "zh", "", "zh"),
        ("zh", "zh", "en", "en"),
        ("zh", "xx", "yy", "zh"),
    ],
)
def test_the_language_is_the_one_that_is_wished_for(accepted, cookie, asked, code):
    """By the address, the cookie that it sets, the browser; English for others."""
    assert chosen(asked, cookie, accepted).code == code


def test_everything_that_is_said_is_translated():
    """`make messages` leaves the catalogue as it is, and finds nothing wrong in it."""
    known = messages.catalogue()
    said = {message.id for message in known if message.id}
    assert said == messages.spoken()
    assert list(messages.faults(known)) == []
    assert messages.updated(known) == messages.updated(messages.catalogue())


def test_what_is_missing_wrong_or_not_said_any_more_is_named():
    """A message without a translation, one that loses a value; one of long ago goes."""
    known = messages.catalogue()
    known["Newest"].string = ""
    known["This is revision %(number)s."].string = "这是一个版本。"
    known.add("Said long ago", "从前的话")
    assert set(messages.faults(known)) == {
        "not translated: Newest",
        "other values in its translation: This is revision %(number)s.",
    }
    assert b"Said long ago" not in messages.updated(known)


def test_dates_and_numbers_are_written_as_each_language_does():
    """Of China's day."""
    english, chinese = spoken()["en"], spoken()["zh"]
    at = datetime(2024, 3, 10, 17, 2, tzinfo=UTC)
    assert english.moment(at) == "11 March 2024, 01:02"
    assert chinese.moment(at) == "2024年3月11日 01:02"
    assert english.ngettext("%(count)s article", "%(count)s articles", 1) == "1 article"
    assert english.ngettext("%(count)s article", "%(count)s articles", 12345) == "12,345 articles"
    assert chinese.ngettext("%(count)s article", "%(count)s articles", 1) == "1 篇文章"
    assert chinese.day("damaged") == "damaged"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("https://a.example/f.xml: the packed body is cut off", "https://a.example/f.xml：压缩的内容被截断"),
        ("gone: the page says so", "已消失：网页如此说明"),
        ("verification page, not believed", "验证页，不予采信"),
        (
            "doubtful, not believed: the same text at 3 other addresses",
            "可疑，不予采信：另外 3 个地址有相同的正文",
        ),
        (
            "a.example gave no page that is believed since 2024-02-29T16:00:00Z (2 looks: less than half of what the feed carries, and bids to log in, a notice)",
            "自2024年3月1日 00:00起，a.example 没有给出可采信的网页（查看 2 次：不到订阅源所载内容的一半，并要求登录、是一则告示）",
        ),
        (
            "https://a.example/f: the feed is cut off after item 3; items that cannot be read: 4, 5",
            "https://a.example/f：订阅源在第 3 条之后被截断；无法读取的条目：4, 5",
        ),
        (
            "http://a.example/robots.txt: HTTP 503; its pages are not asked meanwhile",
            "http://a.example/robots.txt：HTTP 503；在此期间不访问该站的网页",
        ),
        (
            'https://a.example/f: an HTML page (title: "系统维护"), not a feed',
            "https://a.example/f：是 HTML 网页（标题：“系统维护”），不是订阅源",
        ),
        (
            "https://a.example/s.xml: 3 lines of it are no addresses, and nothing else",
            "https://a.example/s.xml：其中 3 行不是地址，此外什么也没有",
        ),
        ("https://a.example/f: [Errno 111] Connection refused", "https://a.example/f：[Errno 111] 连接被拒绝"),
        ("https://a.example/f: words, of a library: 3; others", None),
        ("100% of %(it)s", None),
        ("", None),
    ],
)  # fmt: skip
def test_what_the_archive_says_in_english_is_retold(english, chinese):
    """Sentences that are put together, with their values; what is no sentence of ours stays."""
    assert spoken()["zh"].retell(english) == (chinese or english)
    assert spoken()["en"].retell(english) == english


def test_every_reason_that_the_program_can_give_has_a_chinese_text():
    """Each sentence in the code, its values filled in: of the English nothing is left."""
    known = spoken()["zh"]
    for message in messages.sentences():
        for english in [message] if isinstance(message, str) else message:
            said = messages.PLACEHOLDER.sub("7", english)
            retold = known.retell(said)
            assert re.sub(r"[^A-Za-z]", "", said) == "HTTP" or retold != said, said
            ours = re.findall(r"[a-z]{3,} [a-z]{2,}", re.sub(r"\bingest [a-z]+", "", retold))
            assert ours == [], said


def test_a_strangers_text_is_no_work_to_speak_of(monkeypatch):
    """However many separators it has: as many comparisons as a few sentences take."""
    from ingestor.browse import languages

    compared = []
    known = spoken()["zh"]
    values = languages.Sentence.values
    monkeypatch.setattr(
        languages.Sentence, "values", lambda self, text: compared.append(1) or values(self, text)
    )
    for text in ("a: b; c, " * 300, "https://x: " * 300, "more than 3 redirects, " * 100):
        known.retell(text)
    assert len(compared) < 200 * len(known.sentences)


CHINESE = {"accept-language": "zh-CN,zh;q=0.9"}
NOW = FIRST + timedelta(days=3)

FEEDS = {
    "停用": {"active": 0},
    "永久消失": {"stopped": "HTTP 410: its publisher says that it is gone for good"},
    "失败": {"failures": 3, "last_error": "https://x.example/f: not a feed: '维护'"},
    "未查询": {"last_ok_at": None},
    "正常": {},
}

LOOKS = [
    *(("none", reason) for reason in get_args(Reason)),
    *((reading, "") for reading in messages.READINGS),
    ("gone", "404"),
    ("gone", "led to a page for errors"),
    ("none", "https://x.example/a: it unpacks to more than 100 times its size"),
    ("doubtful", "less than half of the text that is known"),
    ("doubtful", "no prose"),
]


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """Give the file of an archive with feeds in every state and looks of every kind."""
    path = tmp_path_factory.mktemp("troubled") / "archive.db"
    texts = [(f"第{number}号石门水泥快讯", "石门水泥上调出厂价。" * 5) for number in range(60)]
    named = Body("<p>否认</p>", "石门水泥否认上调。", (), (Security("sh", "sh600001", "石门水泥"),))
    edit = arrival_of(0, *texts[0], media="虚构日报")
    edit = replace(
        edit, article=replace(edit.article, body=named), seen_at=NOW, note="rewritten throughout"
    )
    with closing(filled(path, texts, media="虚构日报")) as database:
        with database.transaction() as connection:
            assert revisions.revise(connection, 1, edit).outcome == "revised"
        with database.transaction() as connection:
            row = connection.execute(schema.feeds.select()).mappings().one()
            for number, (name, state) in enumerate(FEEDS.items(), 2):
                new = {**row, "id": number, "name": name, "last_ok_at": NOW, **state}
                connection.execute(schema.feeds.insert().values(new))
            for number, (reading, reason) in enumerate(LOOKS):
                look = {"url": "https://finance.sina.com.cn/a/0.shtml", "status": 200}
                look |= {"final_url": look["url"], "sha256": "0" * 64, "reading": reading}
                look |= {"reason": reason, "fetched_at": NOW - timedelta(minutes=5 * number)}
                connection.execute(schema.captures.insert().values(**look, article_id=1))
            connection.execute(
                schema.articles.update().values(gone_at=NOW).where(schema.articles.c.id == 2)
            )
    return path


OURS = re.compile(r"/(?!tables|style|.*lang=en)")

ALLOWED = re.compile(
    r"""
    https?://\S+ | \b[a-z]+\.example\b | \b(?:ingest|sh|sz|hk|us:)\s?[\w-]+ | [0-9a-f]{64}
    | [\w/]+\.md | \b(?:SQL|CSV|JSON|Atom|Markdown|sha256|ingestor|English|yesterday|never|nobody|HTTP|OR|UTC|localhost)\b
    """,
    re.VERBOSE,
)
"""Names, addresses and codes: English on a Chinese page too."""


def said(html: str) -> list[str]:
    """Return what a page says: its texts, and the attributes that a person is told."""
    root = lxml.html.document_fromstring(html)
    for element in root.xpath("//script | //style"):
        element.drop_tree()
    names = ("title", "aria-label", "placeholder", "alt", "value")
    told = [
        element.get(name, "")
        for element in root.iter()
        for name in names
        if element.tag != "input" or name != "value"
    ]
    return [*root.itertext(), *told]


def test_no_chinese_page_has_a_word_of_english(troubled):
    """But for names, addresses and codes: pages, errors and refusals, in every state there is."""
    wrong = (
        "/none", "/search?since=yesterday", "/search?q=-茅台", "/search?q=OR 茅台", "/search?symbol=茅",
        "/edits?day=never", "/article/999", "/article/1/look/999", "/search?q=nobody",
    )  # fmt: skip
    pages: dict[str, str] = {}
    waiting = ["/", "/search", "/article/1", *wrong]
    with browsing(troubled, at=NOW) as ask:
        while waiting and len(pages) < 150:
            address = waiting.pop()
            page = ask(address, headers=CHINESE, follow_redirects=True)
            if address in pages or "text/html" not in page.headers["content-type"]:
                continue
            pages[address] = page.text
            links = (
                urljoin(address, unescape(link))
                for link in re.findall(r'href="([^"#]+)', page.text)
            )
            waiting = [*(link for link in links if OURS.match(link)), *waiting]
        refused = ask("/", headers=CHINESE | {"host": "evil.example"}).text
        cited = ask("/article/1.md", headers=CHINESE).text
    assert len(pages) == 150
    words = {
        (address, text.strip())
        for address, page in {**pages, "refused": f"<p>{refused}", "cited": f"<p>{cited}"}.items()
        for text in said(page)
        if re.search(r"[A-Za-z]{2}", ALLOWED.sub("", text))
    }
    assert sorted(words) == []
    front, article = pages["/"], pages["/article/1"]
    for state in ("未配置", "已停止", "失败 3×", "尚未查询", "正常", "发布方表示它已永久消失"):
        assert state in front
    for outcome in (
        "已消失：被转到报错页",
        "解压后超过原大小的 100 倍",
        "可疑，不予采信：没有成段的文字",
        "全文改写",
    ):
        assert outcome in article

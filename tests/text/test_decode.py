"""Bytes to text, where what is declared and what the bytes are do not agree."""

import pytest

from ingestor.text.decode import decode_feed, decode_page

SIMPLE = "<html><body><p>央行周一开展逆回购操作，市场的流动性仍然合理充裕。</p></body></html>"
TRADITIONAL = "<html><body><p>中央銀行宣布調整利率，市場流動性維持穩定。</p></body></html>"
FRENCH = "<p>Les élèves étaient déjà fatigués à l’été; ÀÉÈ, façade naïve, cœur</p>"
RUSSIAN = "<p>Банк России сохранил ключевую ставку на прежнем уровне</p>"
LATIN = "text/html; charset=ISO-8859-1"

PAGES = {
    "GBK under Latin-1": (SIMPLE.encode("gbk"), LATIN, SIMPLE),
    "GBK under windows-1252": (SIMPLE.encode("gbk"), "text/html; charset=windows-1252", SIMPLE),
    "GBK under us-ascii": (SIMPLE.encode("gbk"), "text/html; charset=us-ascii", SIMPLE),
    "GBK with a stray byte": (SIMPLE.encode("gbk") + b"\xff", LATIN, SIMPLE + "\ufffd"),
    "Big5 under Latin-1": (TRADITIONAL.encode("big5"), LATIN, TRADITIONAL),
    "Big5 under nothing": (TRADITIONAL.encode("big5"), "", TRADITIONAL),
    "UTF-8 under Latin-1": (SIMPLE.encode(), LATIN, SIMPLE),
    "HZ, declared": (SIMPLE.encode("hz"), "text/html; charset=hz-gb-2312", SIMPLE),
    "HZ under nothing": (SIMPLE.encode("hz"), "", SIMPLE),
    "HZ under Latin-1": (SIMPLE.encode("hz"), LATIN, SIMPLE),
    "GBK declared as HZ": (SIMPLE.encode("gbk"), "text/html; charset=hz-gb-2312", SIMPLE),
    "French in Latin-1": (FRENCH.encode("cp1252"), LATIN, FRENCH),
    "Russian in windows-1251": (
        RUSSIAN.encode("cp1251"),
        "text/html; charset=windows-1251",
        RUSSIAN,
    ),
    "Russian in KOI8-R": (RUSSIAN.encode("koi8-r"), "text/html; charset=koi8-r", RUSSIAN),
    "GBK declared as UTF-16": (SIMPLE.encode("gbk"), "text/html; charset=utf-16", SIMPLE),
    "UTF-8 declared as UTF-16": (SIMPLE.encode(), "text/html; charset=utf-16le", SIMPLE),
    "UTF-16": (SIMPLE.encode("utf-16-le"), "text/html; charset=utf-16le", SIMPLE),
    "GBK declared as Big5": (SIMPLE.encode("gbk"), "text/html; charset=big5", SIMPLE),
    "Big5 declared as GBK": (TRADITIONAL.encode("big5"), "text/html; charset=gbk", TRADITIONAL),
    "GBK behind a mark of UTF-8": (b"\xef\xbb\xbf" + SIMPLE.encode("gbk"), "", SIMPLE),
    "two rare characters in GBK": (
        "<p>囧堃</p>".encode("gbk"),
        "text/html; charset=gbk",
        "<p>囧堃</p>",
    ),
    "a tilde and a brace": (b"<p>a ~{ b: 1 ~} c</p>", "", "<p>a ~{ b: 1 ~} c</p>"),
}


@pytest.mark.parametrize(("body", "header", "text"), PAGES.values(), ids=PAGES)
def test_the_bytes_decide_where_a_declaration_says_nothing(body, header, text):
    """A server's default is no declaration; a Russian page's is."""
    assert decode_page(body, header) == text


FOREIGN = ["shift_jis", "euc-jp", "euc-kr", "windows-1251", "windows-1256", "windows-874"]


@pytest.mark.parametrize("declared", FOREIGN)
@pytest.mark.parametrize("text", [SIMPLE, TRADITIONAL], ids=["GBK", "Big5"])
def test_chinese_bytes_under_a_foreign_declaration_are_chinese(declared, text):
    """In the header, in a meta and in an XML declaration."""
    body = text.encode("gbk" if text is SIMPLE else "big5")
    assert decode_page(body, f"text/html; charset={declared}") == text
    meta = f'<meta charset="{declared}">'
    assert decode_page(meta.encode() + body, "text/html") == meta + text
    declaration = f'<?xml version="1.0" encoding="{declared}"?>'.encode()
    assert decode_feed(declaration + body, "") == text


OTHERS = {
    "shift_jis": "<p>今日の東京株式市場で日経平均株価は続伸し、終値は前日比百円高でした。</p>",
    "euc-jp": "<p>今日の東京株式市場で日経平均株価は続伸し、終値は前日比百円高でした。</p>",
    "euc-kr": "<p>오늘 코스피 지수는 외국인 매수에 힘입어 상승 마감했다.</p>",
    "windows-1256": "<p>ارتفعت الأسهم اليوم في البورصة وسط توقعات بتحسن الأرباح.</p>",
    "windows-874": "<p>วันนี้ตลาดหุ้นไทยปรับตัวขึ้นตามแรงซื้อหุ้นธนาคาร</p>",
}


@pytest.mark.parametrize(("declared", "text"), OTHERS.items(), ids=OTHERS)
def test_another_language_is_read_as_it_is_declared(declared, text):
    """Though its bytes are those of Chinese characters, too."""
    body = text.encode({"windows-874": "cp874", "windows-1256": "cp1256"}.get(declared, declared))
    assert decode_page(body, f"text/html; charset={declared}") == text


@pytest.mark.parametrize("meta", ["iso-8859-1", "windows-1252"])
def test_a_meta_by_an_editor_that_was_not_told_gives_way_too(meta):
    """Old editors write one into every page."""
    page = f'<meta charset="{meta}">{SIMPLE}'
    assert decode_page(page.encode("gbk"), "") == page


def test_a_feed_under_latin_1_is_chinese():
    """With the header alone, and where its XML declaration says so, too."""
    item = "<title>央行周一开展逆回购操作</title>"
    for declaration in ("", '<?xml version="1.0" encoding="ISO-8859-1"?>'):
        body = f"{declaration}<rss>{item}</rss>".encode("gbk")
        assert decode_feed(body, "text/xml; charset=ISO-8859-1") == f"<rss>{item}</rss>"

"""Which article is it: addresses, document ids, days, and when two are the same."""

import gzip
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor import identity
from ingestor.errors import Forbidden
from ingestor.identity import canonical_url, document_id
from ingestor.identity_parameters import NAMING, SINA_TRACKING, STATIC_TRACKING, TRACKING
from ingestor.model import Entry, Feed
from tests.support.shared import shared

DOC = "https://finance.sina.com.cn/china/2022-04-14/doc-imcwipii4221122.shtml"
LIVE = "https://finance.sina.com.cn/7x24/notification.shtml"
WRAPPER = "https://cj.sina.cn/article/norm_detail?url="
FEED = Feed("f", "rss", "https://rsshub.example/feed", ("a", "b"), "c")
TEXTS = replace(FEED, content="feed")

SAME = {
    "over http": (DOC.replace("https", "http"), DOC),
    "with a tracking parameter": (f"{DOC}?from=wap", DOC),
    "with Sina's recommendation marks": (f"{DOC}?cre=tianyi&mod=pcpager_fin&loc=3&r=9", DOC),
    "with a pager mark": (f"{DOC}?finpagefr=p_104", DOC),
    "with a fragment": (f"{DOC}#comments", DOC),
    "with a default port": (DOC.replace(".cn/", ".cn:443/"), DOC),
    "with an upper-case host": (DOC.replace("finance.sina", "Finance.SINA"), DOC),
    "with a dot behind the host": (DOC.replace(".cn/", ".cn./"), DOC),
    "with white space around": (f"  {DOC}\n", DOC),
    "with a user name": (DOC.replace("//", "//me:pw@"), DOC),
    "in Sina's reader wrapper": (
        "https://cj.sina.cn/article/norm_detail?url=https%3A%2F%2Ffinance.sina.com.cn%2Fchina%2F2022-04-14%2Fdoc-imcwipii4221122.shtml",
        DOC,
    ),
    "a column on another of its hosts": (
        "http://t.cj.sina.com.cn/articles/view/1738690784/v67a250e0019013tli?finpagefr=p_104",
        "https://cj.sina.com.cn/articles/view/1738690784/v67a250e0019013tli",
    ),
    "with an unknown parameter behind a document id": (f"{DOC}?x=1&page=2", DOC),
    "with doubled slashes": (DOC.replace("/china/", "//china///"), DOC),
    "with a slash behind the page": (f"{DOC}/", DOC),
    "with a query that was escaped once too often": (f"{DOC}%3Ffrom%3Dwap", DOC),
    "with a session": (f"{DOC};jsessionid=0A1B2C?from=wap", DOC),
    "with slashes behind the page and a mark": (f"{DOC}//?from=wap", DOC),
    "with the mobile site's marks": (
        "http://finance.sina.cn/7x24/2024-08-27/detail-imadeup0000001.d.html?vt=4&cid=76524&node_id=76524&autocallup=no&isfromsina=no",
        "https://finance.sina.cn/7x24/2024-08-27/detail-imadeup0000001.d.html",
    ),
    "an address of before 2016 with what nobody knows": (
        "http://finance.sina.com.cn//roll/20100510/01307902229_2.shtml/?x=1",
        "https://finance.sina.com.cn/roll/20100510/01307902229_2.shtml",
    ),
    "a live item with a mark": (
        "http://finance.sina.com.cn/7x24/notification.shtml?from=wap&id=3100000",
        f"{LIVE}?id=3100000",
    ),
    "a live item whose mark a feed escaped twice": (
        f"{LIVE}?id=3100000&amp;from=wap",
        f"{LIVE}?id=3100000",
    ),
    "a wrapper that is marked": (
        f"{WRAPPER}{quote(DOC, safe='')}&from=redirect&autocallup=no",
        DOC,
    ),
    "a wrapper whose address is not escaped": (f"{WRAPPER}{DOC}?from=wap", DOC),
    "a wrapper that escapes twice": (f"{WRAPPER}{quote(quote(DOC, safe=''), safe='')}", DOC),
    "a wrapper in a wrapper": (
        f"{WRAPPER}{quote(WRAPPER + quote(DOC, safe=''), safe='')}",
        DOC,
    ),
    "a partner's wrapper": (
        f"https://partners.sina.cn/html/uc/toutiao/article?docUrl={DOC}?cre=tianyi&loc=1&wm=6079",
        DOC,
    ),
    "a wrapper around a parameter that names": (
        f"{WRAPPER}{quote(f'{LIVE}?id=3100000&from=wap', safe='')}",
        f"{LIVE}?id=3100000",
    ),
    "a wrapper around nothing": (
        f"{WRAPPER}javascript:alert(1)",
        f"{WRAPPER}javascript%3Aalert%281%29",
    ),
    "words in GBK": (
        "http://search.sina.com.cn/?q=%b9%c9&from=x",
        "https://search.sina.com.cn/?q=%B9%C9",
    ),
    "another site's doubled slashes": ("https://a.example//b", "https://a.example//b"),
    "another site's share button": (
        "https://a.example/x.html?isappinstalled=0&from=timeline&mod=1&spm=a.b",
        "https://a.example/x.html?mod=1",
    ),
    "another site's campaign": ("http://a.example/x?utm_source=s&id=3", "https://a.example/x?id=3"),
    "another site's query in another order": (
        "https://a.example/?b=2&a=1",
        "https://a.example/?a=1&b=2",
    ),
    "no path": ("https://a.example", "https://a.example/"),
    "a port that is named decides who answers": (
        "http://a.example:8080/x",
        "http://a.example:8080/x",
    ),
    "a Chinese host": ("http://例子.中国/文", "https://xn--fsqu00a.xn--fiqs8s/%E6%96%87"),
}


@pytest.mark.parametrize(("url", "canonical"), SAME.values(), ids=SAME)
def test_forms_of_an_address_are_one(url, canonical):
    """Every way to write the address of an article leads to one."""
    assert canonical_url(url) == canonical


@pytest.mark.parametrize("url", [case[0] for case in SAME.values()], ids=SAME)
def test_a_canonical_address_is_its_own(url):
    """Doing it twice changes nothing more."""
    assert canonical_url(canonical_url(url)) == canonical_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "/a/b",
        "ftp://a.example/",
        "javascript:alert(1)",
        "http://",
        "http://a:x/",
        "http://[::1/",
        "https://a.example/" + "x" * 2000,
    ],
)
def test_what_is_no_web_address_is_refused(url):
    """A line that says so, never a traceback."""
    with pytest.raises(Forbidden):
        canonical_url(url)


@given(st.text(max_size=200))
def test_any_text_is_an_address_or_refused(text):
    """Feeds are written by strangers: nothing else may come out."""
    for url in (text, f"https://a.example/{text}", f"https://{text}/x"):
        try:
            canonical = canonical_url(url)
        except Forbidden:
            continue
        assert canonical.startswith(("http://", "https://"))


DOCUMENTS = {
    "desktop": (DOC, "imcwipii4221122"),
    "mobile": (
        "https://finance.sina.cn/x/gsxw/2021-04-06/detail-ikmyaawa7727256.d.html",
        "ikmyaawa7727256",
    ),
    "the mobile twin's i": (
        "https://news.sina.cn/gn/2019-11-25/detail-iihnzahi3275702.d.html",
        "iihnzahi3275702",
    ),
    "a columnist's page": (
        "https://finance.sina.com.cn/zl/china/2016-04-14/zl-ifxriqqx2396326.shtml",
        "ifxriqqx2396326",
    ),
    "a column": (
        "https://cj.sina.com.cn/articles/view/1738690784/v67a250e0019013tli",
        "column-1738690784-67a250e0019013tli",
    ),
    "a column as mobile sites link it": (
        "https://cj.sina.com.cn/articles/view/1738690784/m67a250e0019013tli",
        "column-1738690784-67a250e0019013tli",
    ),
    "a column of the news site": (
        "https://k.sina.com.cn/article_1738690784_67a250e0019013tli.html?from=finance",
        "column-1738690784-67a250e0019013tli",
    ),
    "a column of the mobile news site": (
        "https://k.sina.cn/article_1738690784_v67a250e0019013tli.html",
        "column-1738690784-67a250e0019013tli",
    ),
    "a column with a p before its id": (
        "https://cj.sina.cn/articles/view/1738690784/p67a250e0027013tli",
        "column-1738690784-p67a250e0027013tli",
    ),
    "a blog": (
        "http://blog.sina.com.cn/s/blog_4404091b0100dpga.html?tj=1",
        "blog-4404091b0100dpga",
    ),
    "a blog on the mobile site": (
        "https://blog.sina.cn/dpool/blog/s/blog_4404091b0100dpga.html?md=gd",
        "blog-4404091b0100dpga",
    ),
    "a short address of nothing": ("http://doc.sina.cn/?id=comos:", ""),
    "a short address of a document": (
        "http://doc.sina.cn/?id=comos:mcwipii4221122",
        "imcwipii4221122",
    ),
    "a short address whose id begins with an i": (
        "https://doc.sina.cn/?from=x&id=comos%3Aihnzahi3275702",
        "iihnzahi3275702",
    ),
    "a short address of another catalogue": ("http://doc.sina.cn/?id=gsps:42-4-252116", ""),
    "a wrapped document": (f"{WRAPPER}{quote(DOC, safe='')}", "imcwipii4221122"),
    "a document with slashes": (f"{DOC.replace('/china', '//china')}/", "imcwipii4221122"),
    "no address": ("http://[::1/", ""),
    "another site's blog": ("https://a.example/s/blog_4404091b0100dpga.html", ""),
    "a research report": (
        "https://stock.finance.sina.com.cn/stock/go.php/vReport_Show/kind/lastest/rptid/835629288440/index.phtml",
        "report-835629288440",
    ),
    "an address of before 2016": ("https://finance.sina.com.cn/20100118/06433186042.shtml", ""),
    "another site": ("https://a.example/doc-imcwipii4221122.shtml", "imcwipii4221122@a.example"),
    "a site that looks like Sina": (
        "https://sina.com.cn.a.example/doc-imcwipii4221122.shtml",
        "imcwipii4221122@sina.com.cn.a.example",
    ),
}


@pytest.mark.parametrize(("url", "expected"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_document_id_is_the_publishers(url, expected):
    """Desktop and mobile have it in common; no other site can claim one of Sina's."""
    assert document_id(url) == expected


@pytest.mark.parametrize("url", [case[0] for case in DOCUMENTS.values()], ids=DOCUMENTS)
def test_all_forms_of_an_address_have_one_document_id(url):
    """What the canonical address says, the one that was announced says as well."""
    try:
        canonical = canonical_url(url)
    except Forbidden:
        return
    assert document_id(canonical) == document_id(url)
    assert document_id(url.replace("https:", "http:") + "#x") == document_id(url)


PAGES_WITHOUT_A_NUMBER = (
    LIVE,
    "https://finance.sina.com.cn/stock/",
    "https://finance.sina.cn/zt/index.html",
    "https://zhibo.sina.com.cn/x.php",
    "https://live.video.sina.com.cn/play/finance/chatshow/238.html",
)
PAGES_WITH_A_NUMBER = (
    "https://finance.sina.com.cn/20100118/06433186042.shtml",
    "https://mil.news.sina.com.cn/s/2010-04-21/1319591391.html",
    "https://slide.news.sina.com.cn/z/slide_1_64237_394078.html",
)
MARKS = sorted(
    SINA_TRACKING | {"utm_source", "UTM_Medium", "spm", "fbclid", "nsukey", "Share_Token"}
)


@pytest.mark.parametrize("page", [*PAGES_WITHOUT_A_NUMBER, *PAGES_WITH_A_NUMBER])
@pytest.mark.parametrize("name", sorted(NAMING))
def test_a_parameter_that_names_the_article_stays(page, name):
    """Two values are two articles, also behind .shtml and .html."""
    addresses = [canonical_url(f"{page}?{name}={value}&from=wap") for value in "12"]
    assert addresses == [f"{page}?{name}={value}" for value in "12"]


@pytest.mark.parametrize("page", PAGES_WITHOUT_A_NUMBER)
def test_a_parameter_that_nobody_knows_stays_where_the_path_has_no_number(page):
    """Dropping it might join entries of one feed."""
    assert canonical_url(f"{page}?xyz=2&mod=1") == f"{page}?xyz=2"


@pytest.mark.parametrize("page", PAGES_WITH_A_NUMBER)
def test_a_parameter_that_nobody_knows_goes_where_the_path_has_a_number(page):
    """The path tells these pages apart."""
    assert canonical_url(f"{page}?xyz=2&mod=1") == page


def test_no_parameter_both_names_and_tracks():
    """The lists do not contradict each other, and are in lower case."""
    assert not NAMING & (SINA_TRACKING | STATIC_TRACKING)
    assert not [name for name in NAMING if TRACKING.fullmatch(name)]
    assert all(name == name.lower() for name in NAMING | SINA_TRACKING)


names = st.one_of(
    st.sampled_from([*sorted(NAMING | SINA_TRACKING), "xyz", "", "amp;from"]), st.text(max_size=8)
)
pairs = st.lists(st.tuples(names, st.text(max_size=12)), max_size=6)
pages = st.sampled_from(
    [DOC, *PAGES_WITHOUT_A_NUMBER, *PAGES_WITH_A_NUMBER, "https://a.example/x.html", WRAPPER[:-5]]
)


@given(pages, pairs)
def test_canonical_twice_is_canonical_once(page, query):
    """Whatever parameters there are: empty, twice, unknown."""
    once = canonical_url(f"{page}?{urlencode(query)}")
    assert canonical_url(once) == once
    assert document_id(once) == document_id(f"{page}?{urlencode(query)}")


@given(pages, pairs, st.lists(st.tuples(st.sampled_from(MARKS), st.text(max_size=8))), st.randoms())
def test_a_mark_never_changes_the_address(page, query, marks, chance):
    """Wherever in the query it stands."""
    if "sina" not in page:
        marks = [mark for mark in marks if mark[0].lower() not in SINA_TRACKING]
    marked = query + marks
    chance.shuffle(marked)
    assert canonical_url(f"{page}?{urlencode(marked)}") == canonical_url(
        f"{page}?{urlencode(query)}"
    )


@given(
    st.sampled_from([*PAGES_WITHOUT_A_NUMBER, *PAGES_WITH_A_NUMBER]),
    pairs,
    st.sampled_from(sorted(NAMING)),
    st.sets(st.text(max_size=8), min_size=2, max_size=4),
)
def test_a_name_always_changes_the_address(page, query, name, values):
    """Whatever else stands in the query."""
    queries = [urlencode([*query, (name, value)]) for value in values]
    assert len({canonical_url(f"{page}?{query}") for query in queries}) == len(values)


@given(st.integers(1, 12), st.integers(1, 4))
def test_a_wrapper_ends(depth, escapes):
    """However often an address is wrapped and escaped: it is found, or the whole is too long."""
    url = DOC
    for _ in range(depth):
        for _ in range(escapes):
            url = quote(url, safe="")
        url = f"{WRAPPER}{url}"
    if len(url) <= identity.MOST_URL_CHARACTERS:
        assert canonical_url(url) == DOC
    else:
        with pytest.raises(Forbidden):
            canonical_url(url)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("hqfskcn2160999", "ihqfskcn2160999"),
        ("ihqfskcn2160999", "ihqfskcn2160999"),
        ("ihnzahi3275702", "iihnzahi3275702"),
        (" hqfskcn2160999 ", "ihqfskcn2160999"),
        ("x", ""),
        ("", ""),
    ],
)
def test_a_pages_publishid_is_the_document_id_without_its_i(stated, expected):
    """Also where the id itself begins with an i."""
    assert identity.scoped_document_id(stated, DOC) == expected


def test_a_foreign_pages_publishid_is_its_own():
    """A page elsewhere that states Sina's id does not become Sina's article."""
    assert (
        identity.scoped_document_id("hqfskcn2160999", "https://a.example/")
        == "ihqfskcn2160999@a.example"
    )


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2022, 4, 14, 15, 59, 59, tzinfo=UTC), "2022-04-14"),
        (datetime(2022, 4, 14, 16, 0, tzinfo=UTC), "2022-04-15"),
    ],
    ids=["a second before midnight in China", "midnight in China"],
)
def test_the_publication_day_is_chinas(moment, day):
    """The day turns at 16:00 UTC."""
    assert identity.publication_day(moment) == day


def entry(**values) -> Entry:
    defaults = {
        "guid": "g",
        "url": DOC,
        "title": "t",
        "published_at": datetime(2022, 4, 14, 3, tzinfo=UTC),
    }
    return Entry(**(defaults | values))


SAME_ENTRY = {
    "another guid": {"guid": "other"},
    "another headline": {"title": "other"},
    "a tracking parameter": {"url": f"{DOC}?from=rss"},
    "another hour of the day": {"published_at": datetime(2022, 4, 14, 9, tzinfo=UTC)},
}
OTHER_ENTRY = {
    "another document": {"url": DOC.replace("1122", "1123")},
    "another day": {"published_at": datetime(2022, 4, 15, 3, tzinfo=UTC)},
    "no address": {"url": ""},
}


@pytest.mark.parametrize("change", SAME_ENTRY.values(), ids=SAME_ENTRY)
def test_an_entry_stays_itself(change):
    """The document and the day decide, not what an edit changes."""
    assert identity.entry_key(FEED, entry(**change)) == identity.entry_key(FEED, entry())


@pytest.mark.parametrize("change", OTHER_ENTRY.values(), ids=OTHER_ENTRY)
def test_another_entry_is_another(change):
    """One guid on many entries loses none of them."""
    assert identity.entry_key(FEED, entry(**change)) != identity.entry_key(FEED, entry())


def text_entry(**values) -> Entry:
    defaults = {"url": "https://a.example/0.html", "content": "<p>文</p>"}
    return entry(**(defaults | values))


SAME_TEXT = {
    "a guid that went to https": ({"guid": "http://x.example/1"}, {"guid": "https://x.example/1"}),
    "a link that went to https": (
        {"url": "http://a.example/0.html"},
        {"url": "https://a.example/0.html"},
    ),
    "guid and link that went to https": (
        {"guid": DOC.replace("https", "http"), "url": DOC.replace("https", "http")},
        {"guid": DOC, "url": DOC},
    ),
    "a mark behind guid and link": (
        {"guid": f"{DOC}?from=rss", "url": f"{DOC}?from=rss"},
        {"guid": DOC, "url": DOC},
    ),
    "another headline": ({"title": "one"}, {"title": "other"}),
    "no guid, and another text": ({"guid": ""}, {"guid": "", "content": "<p>别的</p>"}),
}
OTHER_TEXT = {
    "one guid, another link": (
        {"guid": "SAME"},
        {"guid": "SAME", "url": "https://a.example/1.html"},
    ),
    "one guid, another part of the page": (
        {"guid": "SAME", "url": "https://a.example/0.html#1"},
        {"guid": "SAME", "url": "https://a.example/0.html#2"},
    ),
    "one guid, another live item": (
        {"guid": "SAME", "url": f"{LIVE}?id=3100000&from=wap"},
        {"guid": "SAME", "url": f"{LIVE}?id=3100001&from=wap"},
    ),
    "one guid that is an address, another link": (
        {"guid": DOC, "url": DOC},
        {"guid": DOC, "url": DOC.replace("1122", "1123")},
    ),
    "one link, another guid": ({"guid": "1"}, {"guid": "2"}),
    "guids that differ in their fragment": (
        {"guid": "https://a.example/0.html#1"},
        {"guid": "https://a.example/0.html#2"},
    ),
    "guids that only look like one address": ({"guid": "http://["}, {"guid": "https://["}),
    "another day": ({}, {"published_at": datetime(2022, 4, 15, 3, tzinfo=UTC)}),
}


@pytest.mark.parametrize(("first", "second"), SAME_TEXT.values(), ids=SAME_TEXT)
def test_a_text_of_the_feed_stays_itself(first, second):
    """One link and one guid, however both are written."""
    keys = {identity.entry_key(TEXTS, text_entry(**values)) for values in (first, second)}
    assert len(keys) == 1


@pytest.mark.parametrize(("first", "second"), OTHER_TEXT.values(), ids=OTHER_TEXT)
def test_another_text_of_the_feed_is_another(first, second):
    """Either guid or link tells them apart: none is lost for another."""
    keys = {identity.entry_key(TEXTS, text_entry(**values)) for values in (first, second)}
    assert len(keys) == 2


ORDINARY = {
    "a guid that is the link": (TEXTS, {"guid": DOC, "url": DOC}, f"{DOC} 2022-04-14"),
    "no link": (TEXTS, {"guid": "77", "url": ""}, "77 2022-04-14"),
    "no guid": (TEXTS, {"guid": "", "url": DOC}, "imcwipii4221122 2022-04-14"),
    "a live item": (
        replace(TEXTS, kind="sina-live"),
        {"guid": "5132355", "url": DOC},
        "5132355 2022-04-14",
    ),
    "a document of a feed of pages": (
        FEED,
        {"url": f"{DOC}?from=rss"},
        "imcwipii4221122 2022-04-14",
    ),
    "a page of before 2016": (
        FEED,
        {"url": "http://finance.sina.com.cn/20100118/06433186042.shtml"},
        "https://finance.sina.com.cn/20100118/06433186042.shtml 2022-04-14",
    ),
}


@pytest.mark.parametrize(("feed", "values", "key"), ORDINARY.values(), ids=ORDINARY)
def test_ordinary_entries_have_the_keys_that_databases_hold(feed, values, key):
    """An upgrade announces none of them anew."""
    assert identity.entry_key(feed, entry(**values)) == key


def test_a_live_item_stays_itself_when_its_page_comes():
    """Its number is its own."""
    live = replace(TEXTS, kind="sina-live")
    first, later = entry(guid="5132355", url=""), entry(guid="5132355", url=DOC)
    assert identity.entry_key(live, first) == identity.entry_key(live, later)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_entry_has_a_key_that_an_index_takes(guid, url):
    """Feeds are written by strangers: neither a guid nor a link may stop one."""
    for prefix in ("", "https://", "http://["):
        key = identity.entry_key(TEXTS, entry(guid=f"{prefix}{guid}", url=f"{prefix}{url}"))
        assert 0 < len(key.encode("utf-8", "replace")) < 2_700


def test_a_monstrous_guid_and_link_make_a_short_key():
    """PostgreSQL's indexes take 2,704 bytes; the names stay apart all the same."""
    long = [f"https://a.example/{'x' * 1900}{number}" for number in range(3)]
    keys = {identity.entry_key(TEXTS, entry(guid=long[0], url=link)) for link in long[1:]}
    assert len(keys) == 2
    assert max(map(len, keys)) < 100


def test_entries_that_share_their_address_are_kept_apart_by_their_guids():
    """A guid that only changes its scheme leads to the same address."""
    addresses = [
        identity.entry_address(TEXTS, text_entry(guid=guid), shared=True)
        for guid in ("http://x.example/1", "https://x.example/1", "https://x.example/2")
    ]
    assert addresses[0] == addresses[1] != addresses[2]
    assert all(address.startswith("https://a.example/0.html#") for address in addresses)


def test_parts_of_one_page_under_one_guid_have_addresses_of_their_own():
    """Where neither guid nor page tells, the fragment does."""
    addresses = {
        identity.entry_address(TEXTS, text_entry(url=f"https://a.example/#{part}"), shared=True)
        for part in "123"
    }
    assert len(addresses) == 3


@pytest.mark.parametrize(
    ("title", "text"),
    [("标题", "一　二\n三"), ("标 题", "一二三"), ("标题 ", "一二\n\n三")],
)
def test_white_space_is_no_edit(title, text):
    """Templates change their spaces; that is no news."""
    assert identity.fingerprint(title, text) == identity.fingerprint("标题", "一二三")


@pytest.mark.parametrize(
    ("title", "text"), [("标题", "一二四"), ("标题二", "一二三"), ("标", "题一二三")]
)
def test_a_changed_word_is_an_edit(title, text):
    """In the title or in the text, and moving a word between them as well."""
    assert identity.fingerprint(title, text) != identity.fingerprint("标题", "一二三")


def real_addresses() -> list[str]:
    with gzip.open(shared("sina", "urls.txt.gz"), "rt", encoding="utf-8") as file:
        return file.read().split()


def test_real_addresses_are_told_apart():
    """None of Sina's 30,037 real addresses is refused, and none falls together with another."""
    urls = set(real_addresses())
    articles = defaultdict(set)
    for url in urls:
        articles[document_id(url) or canonical_url(url)].add(url)
    assert len(articles) == len({canonical_url(url) for url in urls}) == len(urls) > 30_000
    assert sum(not name.startswith("https:") for name in articles) > 3_800


def test_real_addresses_written_otherwise_fall_together_and_no_further():
    """Each in one of three ways, a tenth in all three: they are as many articles as before."""
    sinas = [url for url in sorted(set(real_addresses())) if "sina.com.cn/" in url]
    articles = set()
    for number, url in enumerate(sinas):
        path = url.partition("//")[2].partition("?")[0]
        variants = (
            f"http://{path}",
            f"https://{path.replace('/', '//')}?cre=tianyi&mod=pcpager_fin&loc=3&tj=none#x",
            f"{WRAPPER}{quote(f'http://{path}', safe='')}",
        )
        chosen = variants if number % 10 == 0 else variants[number % 3 :][:1]
        names = {document_id(variant) or canonical_url(variant) for variant in chosen}
        assert len(names) == 1, url
        articles |= names
    assert len(articles) == len(sinas) > 25_000

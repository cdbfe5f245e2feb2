"""Searching: exactly what a scan of the texts would find, ranked, in part, and from plain SQL."""

import csv
import io
import json
import os
import random
import sqlite3
import unicodedata
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.errors import UsageError
from ingestor.model import Security
from ingestor.store.filters import Filters
from ingestor.store.search import Order, Query, match, parse, tokens
from ingestor.store.search.candidates import Bounds, statement
from ingestor.store.search.hits import marks, search, snippet
from ingestor.store.search.index import FULL_TEXT_INDEX
from ingestor.text.normalize import normalize
from tests.support.shared import shared
from tools import forked
from tools.filling import FIRST, filled
from tools.made_up_sina import made_up, publish

TEXTS = [
    ("贵州茅台提价", "白酒龙头贵州茅台（600519）宣布提价。\n市场反应平淡。"),
    ("白酒板块走强", "今日白酒板块走强，茅台、五粮液领涨。"),
    ("５Ｇ芯片量产", "某公司 5G 芯片量产，RCEP 市场受益。"),
    ("电信诈骗案告破", "警方破获一起电信诈骗案，涉案 1.5 亿元。"),
    ("茅台酒厂招聘", "茅台茅台茅台。"),
    ("指数收涨 0.53%", "上证指数涨0.53%，𠮷野家——无关。"),
]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def archive(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("search") / "archive.db"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        place = server.url(server.migrated())
    database = filled(place, TEXTS)
    yield database
    database.close()


@pytest.fixture
def place(tmp_path, store_url):
    """Give where to make an archive: a file, or a database on the server."""
    return store_url or tmp_path / "archive.db"


def ids(database, query, order=Order.NEWEST, limit=10_000, **filters):
    with database.reading() as connection:
        found = search(connection, query, Filters(**filters), order=order, limit=limit)
    return [hit.id for hit in found]


def scanned(texts, *words):
    folded = [(normalize(title), normalize(text)) for title, text in texts]
    return scan(folded, *map(normalize, words))


def scan(folded, *words):
    """Return the numbers of the texts with all these words, the last text first."""
    return [
        number
        for number, one in reversed(list(enumerate(folded, start=1)))
        if all(any(word in text for text in one) for word in words)
    ]


@pytest.mark.parametrize(
    "query",
    ["茅台", "茅", "600519", "5G芯片", "5g", "５Ｇ", "rcep", "RCEP", "电信诈骗", "0.53%", "1.5 亿", "——",
     "𠮷", "吉", "，", "台", "领涨", "茅台 提价", "无此词", "，茅台、五粮液"],
)  # fmt: skip
def test_words_of_any_length_are_found(archive, query):
    """Two characters, one, digits, Latin in any case and width, marks."""
    asked = Query((normalize(query),)) if query == "1.5 亿" else parse(query)
    assert ids(archive, asked) == scanned(TEXTS, *asked.wanted)


@pytest.mark.every_store
def test_everything_that_a_scan_finds_is_found(place):
    """Random parts of one to twelve characters of made-up articles: all of them, nothing else."""
    texts = [(one.title, "\n".join(one.paragraphs)) for one in map(made_up, range(120))]
    database = filled(place, texts)
    recall(database, texts, 150)
    database.close()


@pytest.mark.slow
def test_everything_is_found_in_real_texts(place):
    """The same over the real texts, where they are."""
    files = sorted(shared("sina", "texts").glob("*.txt"))
    texts = [(path.stem, path.read_text("utf-8")) for path in files]
    database = filled(place, texts)
    recall(database, texts, 150)
    database.close()


def recall(database, texts, tries):
    chance = random.Random(7)
    folded = [(normalize(title), normalize(text)) for title, text in texts]
    tried = 0
    while tried < tries:
        text = chance.choice(texts)[1]
        start = chance.randrange(len(text))
        part = normalize(text[start : start + chance.randint(1, 12)])
        expected = scan(folded, part)
        if not part.strip() or not expected:
            # Folded apart from its neighbours it may become what stands nowhere.
            continue
        tried += 1
        assert ids(database, Query((part,))) == expected, part


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), max_size=4),
    st.data(),
)
def test_any_part_of_any_text_is_found(texts, data):
    """Also of scripts and marks that SQLite's tables do not know: what is indexed is asked for."""
    folded = [unicodedata.normalize("NFKC", text).casefold() for text in texts]
    whole = data.draw(st.sampled_from(folded)) if folded else ""
    start = data.draw(st.integers(0, len(whole)))
    part = whole[start : data.draw(st.integers(start, len(whole)))]
    if terms := match((part,)):
        expected = {number for number, text in enumerate(folded) if part in text}
        assert expected <= candidates(texts, terms)


def candidates(texts, terms):
    """Return the numbers of the texts that the index alone finds."""
    rows = [(number, tokens(text)) for number, text in enumerate(texts)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(FULL_TEXT_INDEX)
        connection.executemany(
            "INSERT INTO articles_fts(rowid, title, content) VALUES (?, '', ?)", rows
        )
        found = connection.execute(
            "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ?", (terms,)
        )
        return {row[0] for row in found}


@given(
    st.text(
        st.sampled_from(
            "aZß…　，。“”《》【】·—中國～Ａ９！＂e\u0301가각ﬁ①㈱½\u212b\u1100\u1161々〇ー"
        )
        | st.characters(exclude_categories=["Cs"])
    )
)
def test_folding_is_unicodes(text):
    """The quick way for Chinese news says what NFKC says."""
    assert normalize(text) == unicodedata.normalize("NFKC", text).casefold()


def test_every_single_character_is_folded_as_unicode_folds_it():
    """One by one, and behind a letter."""
    for one in map(chr, range(0x10000)):
        if not 0xD800 <= ord(one) < 0xE000:
            assert normalize(f"a{one}") == unicodedata.normalize("NFKC", f"a{one}").casefold(), one


def test_the_title_weighs_more_and_often_is_more(archive):
    """Relevance: in the title and often, in the title, in the text only."""
    assert ids(archive, parse("茅台"), Order.RELEVANCE) == [5, 1, 2]
    assert ids(archive, parse("茅台"), Order.NEWEST) == [5, 2, 1]
    assert ids(archive, parse("茅台"), Order.OLDEST) == [1, 2, 5]
    assert ids(archive, parse("茅台"), Order.RELEVANCE, limit=1) == [5]


def test_words_may_be_unwanted_and_spaces_wanted(archive):
    """A minus, and quotation marks of either kind."""
    assert ids(archive, parse("茅台 -提价")) == [5, 2]
    assert ids(archive, parse('"5G 芯片"')) == [3]
    assert ids(archive, parse("“5G 芯片”")) == [3]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ('""', "is empty"),
        ("-茅台", "only says what is not wanted"),
        ("长" * 1001, "more than 1000 characters"),
    ],
)
def test_a_bad_query_is_explained(query, words):
    """In a line that says what to do."""
    with pytest.raises(UsageError, match=words):
        parse(query)


@pytest.mark.parametrize(
    "query",
    [
        "AND",
        "or NOT",
        '"OR" NOT',
        "NEAR(茅台)",
        "title:茅台",
        "茅台*",
        "a^b",
        "'; DROP TABLE",
        ")(",
        "\\",
        "%_",
    ],
)
def test_nothing_in_a_query_is_syntax(archive, query):
    """What FTS5 and SQL give a meaning is searched for as it stands, in both ways of searching."""
    asked = parse(query)
    assert ids(archive, asked) == scanned(TEXTS, *asked.wanted)
    assert by_sql(archive, asked) == scanned(TEXTS, *asked.wanted)


EITHER = [
    ("茅台 OR 诈骗", [5, 4, 2, 1]),
    ("茅台 OR 诈骗 提价", [1]),
    ("提价 茅台 OR 诈骗", [1]),
    ("茅台 OR 诈骗 OR 芯片 -招聘", [4, 3, 2, 1]),
    ("-招聘 茅台 OR RCEP", [3, 2, 1]),
    ('"1.5 亿元" OR "5G 芯片"', [4, 3]),
    ("白酒 OR 茅台 五粮液 OR 提价", [2, 1]),
    ("茅 OR 吉", [5, 2, 1]),
    ("𠮷 OR 诈骗案", [6, 4]),
    ("—— OR 芯片", [6, 3]),
    ("% OR ——", [6]),
    ("无此词 OR 也无此词", []),
    ("茅台 OR 茅台", [5, 2, 1]),
    ('茅台 OR "OR"', [5, 2, 1]),
    ('茅台 "" OR 芯片', [5, 3, 2, 1]),
]


@pytest.mark.parametrize(("query", "expected"), EITHER, ids=[query for query, _ in EITHER])
def test_one_word_or_another(archive, query, expected):
    """OR binds closer than a space; in every order, by the index alone and by plain SQL."""
    asked = parse(query)
    assert ids(archive, asked) == expected
    assert ids(archive, asked, Order.OLDEST) == expected[::-1]
    assert sorted(ids(archive, asked, Order.RELEVANCE), reverse=True) == expected
    if "5G" not in query:
        # Plain SQL does not fold the width.
        assert by_sql(archive, asked) == expected


@pytest.mark.parametrize(
    "query",
    ["OR", "OR OR", "茅台 OR", "OR 茅台", "茅台 OR OR 芯片", "-茅台 OR 芯片", "茅台 OR -芯片",
     '茅台 OR ""', "茅台 -芯片 OR 诈骗"],
)  # fmt: skip
def test_an_or_without_two_words_is_explained(query):
    """Rather than guessed at."""
    with pytest.raises(UsageError, match="OR stands between two words"):
        parse(query)


@pytest.mark.every_store
def test_either_of_many_words_is_what_a_scan_finds(place):
    """Random alternatives of one to six characters, beside words that must occur and must not."""
    texts = [(one.title, "\n".join(one.paragraphs)) for one in map(made_up, range(120))]
    database = filled(place, texts)
    chance = random.Random(11)
    folded = [(normalize(title), normalize(text)) for title, text in texts]

    def part() -> str:
        text = chance.choice(texts)[1]
        start = chance.randrange(len(text))
        return normalize(text[start : start + chance.randint(1, 6)]).strip() or "的"

    for _ in range(60):
        either = tuple(
            tuple(part() for _ in range(chance.randint(2, 4))) for _ in range(chance.randint(1, 2))
        )
        wanted, unwanted = ((part(),) if chance.random() < 0.4 else () for _ in range(2))
        asked = Query(wanted, unwanted, either)
        expected = [
            number
            for number, one in reversed(list(enumerate(folded, start=1)))
            if all(any(word in text for text in one) for word in wanted)
            and all(any(word in text for word in group for text in one) for group in either)
            and not any(word in text for word in unwanted for text in one)
        ]
        assert ids(database, asked) == expected, asked
        for bounds in (Bounds(listed=0), Bounds(listed=0, many=0, days_of=20, close=5)):
            with database.reading() as connection:
                found = search(
                    connection, asked, Filters(), order=Order.NEWEST, limit=200, bounds=bounds
                )
            assert [hit.id for hit in found] == expected, (asked, bounds)
    database.close()


def by_sql(database, query, **filters):
    kind = database.engine.dialect.name
    asked = statement(query, Filters(**filters), order=Order.NEWEST, limit=100, kind=kind)
    if kind == "postgresql":
        connection = psycopg.connect(database.url.replace("+psycopg", ""))
    else:
        connection = sqlite3.connect(database.path)
    with closing(connection):
        return [row[0] for row in connection.execute(asked)]


@pytest.mark.parametrize("query", ["茅台", "电信诈骗", "RCEP -提价", "茅", "——"])
def test_the_printed_statement_finds_the_same(archive, query):
    """But for full width, which plain SQL does not fold."""
    assert by_sql(archive, parse(query)) == ids(archive, parse(query))


def test_two_character_words_work_as_they_are_typed(archive):
    """In the sqlite3 shell, without a function of ours."""
    if archive.path is None:
        pytest.skip("numbers stand for pairs on PostgreSQL: `ingest search --sql` says them")
    connection = sqlite3.connect(archive.path)
    rows = connection.execute("SELECT rowid FROM articles_fts WHERE articles_fts MATCH '茅台'")
    assert sorted(row[0] for row in rows) == [1, 2, 5]
    connection.close()


@pytest.mark.every_store
def test_filters_narrow_it_down(place):
    """Days, securities, media and feeds; in both ways of searching."""
    moutai = Security("sh", "sh600519", "贵州茅台")
    database = filled(place, TEXTS, media="晨潮财讯")
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "INSERT INTO symbols (article_id, first_revision, market, symbol)"
            f" VALUES (1, 1, '{moutai.market}', '{moutai.symbol}')"
        )
    day = (FIRST + timedelta(hours=8)).date().isoformat()
    for filters, expected in (
        ({"symbol": "sh600519"}, [1]),
        ({"media": "晨潮财讯"}, [5, 2, 1]),
        ({"media": "别家"}, []),
        ({"feeds": ("新浪财经－國內",)}, [5, 2, 1]),
        ({"since": day, "until": day}, [5, 2, 1]),
        ({"until": "2024-02-01"}, []),
        ({"since": "2024-04-01"}, []),
    ):
        assert ids(database, parse("茅台"), **filters) == expected, filters
        assert by_sql(database, parse("茅台"), **filters) == expected, filters
    database.close()


def test_a_snippet_shows_the_word_in_its_surroundings():
    """In one line, with where the words stand, in the text's own characters."""
    text = "第一段。\n" + "长" * 100 + "\n这里说到ＲＣＥＰ与茅台。" + "尾" * 200
    part = snippet(text, (normalize("RCEP"), "茅台"))
    assert "\n" not in part.text
    assert part.text.startswith("…")
    assert part.text.endswith("…")
    assert [part.text[start:end] for start, end in part.marks] == ["ＲＣＥＰ", "茅台"]
    assert snippet("没有", ("茅台",)).text == "没有"


def test_marks_do_not_overlap():
    """Words inside each other are one mark; ligatures and ß keep their place."""
    assert marks("贵州茅台酒", ("茅台", "州茅")) == ((1, 4),)
    assert marks("ﬁn Straße", ("fin", "strasse")) == ((0, 2), (3, 9))


@pytest.mark.every_store
def test_search_on_the_command_line(site, net):
    """A table, JSON, SQL; exit 1 and a line where nothing is found."""
    publish(net, [made_up(1), made_up(2)])
    assert site.run("--once").returncode == 0
    word = made_up(1).title[:4]
    shown = site.run("search", word)
    assert shown.returncode == 0, shown.stderr
    assert made_up(1).title in shown.stdout
    found = json.loads(site.run("search", word, "--json").stdout)
    assert [one["title"] for one in found] == [made_up(1).title]
    start, end = found[0]["marks"][0]
    assert found[0]["snippet"][start:end] == word
    printed = site.run("search", "--sql", word).stdout
    assert [row[3] for row in site.query(printed)] == [made_up(1).title]
    nothing = site.run("search", "没有这个词")
    assert (nothing.returncode, nothing.stdout) == (1, "No article has all of this.\n")
    for wrong in (
        ["search"],
        ["search", "-a"],
        ["search", "--bogus", "a"],
        ["search", "a", "--since", "x"],
        ["search", "a", "--feed", "x"],
    ):
        done = site.run(*wrong)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Give ``ingest search`` over four articles, its output piped."""
    folder = tmp_path_factory.mktemp("asked")
    texts = [
        ("石门水泥提价", "石门水泥上调出厂价。" * 20),
        ("石门水泥停产", "石门水泥停产检修，附广告。"),
        ("=1+1", "公式。"),
        ("半截“引号", "只有一个。"),
    ]
    filled(folder / "archive.db", texts, media="虚构日报").close()
    (folder / "config.toml").write_text(
        f'[store]\nurl = "sqlite:///{folder}/archive.db"\n[archive]\ndir = "{folder}/archive"\n'
        '[[feeds]]\nname = "x"\nurl = "https://a.example/"\ncategories = ["a", "b"]\nauthor = "c"\n'
    )

    def search_for(*words):
        return forked.run(["search", *words], folder, os.environ)

    return search_for


@pytest.mark.slow
def test_a_word_that_is_not_wanted_begins_with_a_minus(asked):
    """It is no option; and an option that there is not is none of the words."""
    assert asked("水泥", "-广告", "--titles").stdout == "1\t2024-03-01\t石门水泥提价\n"
    assert "no such option: --bogus" in asked("水泥", "--bogus").stderr


@pytest.mark.slow
def test_one_word_or_another_on_the_command_line(asked):
    """With both marked; an OR without two words is one line."""
    assert asked("停产", "OR", "公式", "--titles").stdout.splitlines() == [
        "2\t2024-03-01\t石门水泥停产",
        "3\t2024-03-01\t=1+1",
    ]
    (hit,) = json.loads(asked("石门 提价 OR 公式", "--json").stdout)
    assert [hit["snippet"][slice(*span)] for span in hit["marks"]][:1] == ["石门"]
    for lonely in (["OR"], ["停产", "OR"], ["-停产", "OR", "公式"]):
        done = asked(*lonely)
        assert (done.returncode, done.stdout) == (2, "")
        assert "OR stands between two words" in done.stderr


@pytest.mark.slow
def test_filters_alone_say_what_is_meant(asked):
    """The newest first, and how many there are."""
    found = asked("--media", "虚构日报", "--limit", "2")
    assert found.stdout.splitlines()[1] == "半截“引号"
    assert found.stdout.endswith("The first 2 of 4; --limit shows more.\n")
    oldest = asked("--since", "2024-01-01", "--order", "oldest", "--titles", "--limit", "1")
    assert oldest.stdout == "1\t2024-03-01\t石门水泥提价\n"
    assert asked("--until", "2020-01-01").returncode == 1


@pytest.mark.slow
def test_a_hit_has_its_address_and_file_and_a_pipe_its_lines_whole(asked):
    """However long they are."""
    lines = asked("提价").stdout.splitlines()
    assert lines[:2] == ["1\t2024-03-01\t虚构日报", "石门水泥提价"]
    assert len(lines[2]) > 90
    assert lines[3] == "https://finance.sina.com.cn/a/0.shtml"
    assert lines[4].endswith("2024-03-01-石门水泥提价-doc0.md")


@pytest.mark.slow
def test_a_cell_that_a_spreadsheet_would_run_is_a_text(asked):
    """And every cell is in one row."""
    head, row = csv.reader(io.StringIO(asked("公式", "--csv").stdout))
    assert dict(zip(head, row, strict=True))["title"] == "'=1+1"


@pytest.mark.slow
def test_a_quotation_mark_without_another_is_a_character(asked):
    """As people paste it."""
    assert asked("半截“引号", "--titles").stdout.endswith("半截“引号\n")
    assert asked('水泥"', "--titles").returncode == 1

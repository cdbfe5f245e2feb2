"""``ingest export``: what is in the archive, for other programs, whole or not at all."""

import csv
import hashlib
import json
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO

import pyarrow.parquet
import pytest
from warcio.archiveiterator import ArchiveIterator

from ingestor.errors import StorageFailed, UsageError
from ingestor.maintenance.export import (
    NO_MONTH,
    comma_separated,
    json_lines,
    parquet,
    write_file,
    write_partitions,
    write_tree,
)
from ingestor.model import Article, Body, Picture, Security
from ingestor.pipeline.files import write_files
from ingestor.store import ArticleUpsert
from ingestor.store.filters import Filters
from ingestor.store.stored_articles import ARTICLES_A_PART, COLUMNS, count, exported
from tests.support.other_archives import Archive
from tools import ROOT
from tools.filling import save_articles
from tools.made_up_sina import finance_page, made_up, publish

FIRST = datetime(2024, 3, 11, 1, tzinfo=UTC)
NAME = "新浪财经－國內"


def arrival(number: int, text: str = "", **more) -> ArticleUpsert:
    """Return an article of the day ``number // 10``; the hundredth names a security."""
    published = FIRST + timedelta(days=number // 10)
    securities = (Security("sh", "sh600519", "某酒"),) if number % 100 == 0 else ()
    picture = Picture(f"https://n.sinaimg.cn/made-up/{number}.jpg")
    body = Body(f"<p>正文{number}{text}</p>", f"正文{number}{text}", (picture,), securities)
    article = Article(
        url=f"https://finance.sina.com.cn/doc-imadeup{number:07d}.shtml",
        document_id=f"imadeup{number:07d}",
        title=f"标题{number}",
        published_at=published,
        body=body,
        keywords=("乙", "甲"),
    )
    seen_at = FIRST + timedelta(days=400, seconds=number)
    return replace(
        ArticleUpsert(article, "作者", ("金融", NAME), "page", seen_at, feed_id=1), **more
    )


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def full(request, tmp_path_factory):
    """Give an archive with 450 articles, one of which was edited, and one that was adopted."""
    store = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        store = server.url(server.migrated())
    place = Archive(tmp_path_factory.mktemp("full"), None, store=store)
    edit = arrival(7, "改过", seen_at=FIRST + timedelta(days=401))
    adopted = arrival(900, feed_id=None, origin="import", categories=("金融", "旧档"))
    with place.database.transaction() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO feeds(id, name, kind) VALUES (1, '{NAME}', 'rss'), (2, 'b_', 'rss')"
        )
        for first in range(0, 450, 50):
            save_articles(connection, [arrival(first + number) for number in range(50)])
        save_articles(connection, [edit])
        save_articles(connection, [arrival(449, feed_id=2)])
        save_articles(connection, [adopted])
    yield place
    place.close()


def titles(place, **filters):
    return [int(one.title.removeprefix("标题")) for one in place.articles(**filters)]


def test_every_article_comes_once_by_day(full):
    """Over the parts that are read, within one day as well."""
    found = full.articles()
    assert [(one.date, one.id) for one in found] == sorted((one.date, one.id) for one in found)
    assert len({one.id for one in found}) == len(found) == 451
    assert {one.revision for one in found} == {1, 2}
    assert all(one.known_until is None for one in found)


def test_filters_choose(full):
    """Days included; a security; a feed that announced it, or under whose name it was adopted."""
    assert titles(full, since="2024-03-12", until="2024-03-12") == list(range(10, 20))
    assert titles(full, symbol="sh600519", until="2024-04-30") == [0, 100, 200, 300, 400]
    assert titles(full, symbol="sh60051") == []
    assert titles(full, feeds=("b_",)) == [449]
    assert titles(full, feeds=("旧档",)) == [900]
    assert titles(full, feeds=("b_", "旧档")) == [449, 900]
    assert titles(full, feeds=("档",)) == []
    assert titles(full, limit=3) == [0, 1, 2]
    assert titles(full, limit=250)[-1] == 249
    for filters in (
        Filters(),
        Filters(limit=3),
        Filters(symbol="sh600519"),
        Filters(feeds=("b_",)),
    ):
        assert count(full.database, filters) == len(list(exported(full.database, filters)))


def test_articles_are_read_a_part_at_a_time(full):
    """However many there are: the first comes before the second part is read."""
    ours = exported(full.database, Filters())
    first = next(ours)
    with full.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE articles SET summary = 'read late'")
    rest = list(ours)
    with full.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE articles SET summary = ''")
    late = [one for one in rest if one.summary == "read late"]
    assert first.summary == ""
    assert len(late) == 451 - ARTICLES_A_PART


def test_revisions_say_when_each_held(full):
    """The older one until the newer one was seen."""
    query = exported(full.database, Filters(until="2024-03-11"), every_revision=True)
    found = [one for one in query if one.title == "标题7"]
    assert [(one.revision, one.cause, one.content_text) for one in found] == [
        (1, "new", "正文7"),
        (2, "edit", "正文7改过"),
    ]
    assert found[0].known_until == found[1].known_from == FIRST + timedelta(days=401)
    assert found[1].known_until is None


def test_json_lines_hold_every_key(full):
    """In order, with lists and ISO moments, one object a line, also for odd characters."""
    file = BytesIO()
    assert json_lines(exported(full.database, Filters(limit=1)), file) == 1
    (line,) = file.getvalue().decode().splitlines()
    one = json.loads(line)
    assert list(one) == list(COLUMNS)
    assert one["published_at"] == "2024-03-11T01:00:00Z"
    assert one["known_until"] is None
    assert (one["categories"], one["feeds"]) == (["金融", NAME], [NAME])
    assert (one["symbols"], one["keywords"]) == (["sh600519"], ["乙", "甲"])
    assert one["images"] == ["https://n.sinaimg.cn/made-up/0.jpg"]
    assert one["content_html"] == "<p>正文0</p>"


def test_every_key_is_documented():
    """docs/import-export.md has a row for each, in the order in which they are written."""
    page = (ROOT / "docs" / "import-export.md").read_text("utf-8")
    table = page.partition("### The keys")[2].partition("| key |")[2].partition("\n\n")[0]
    keys = [name for row in table.splitlines()[2:] for name in row.split("|")[1].split(",")]
    assert [key.strip(" `") for key in keys] == list(COLUMNS)


def test_parquet_holds_the_same(full):
    """With types: moments in UTC, a date, lists; in groups of rows."""
    file = BytesIO()
    assert parquet(exported(full.database, Filters()), file, rows_a_group=100) == 451
    read = pyarrow.parquet.ParquetFile(file)
    assert read.metadata.num_row_groups == 5
    table = read.read()
    assert table.column_names == list(COLUMNS)
    expected = list(exported(full.database, Filters()))
    for row, one in zip(table.to_pylist(), expected, strict=True):
        assert row["published_at"] == one.published_at
        assert row["date"].isoformat() == one.date
        assert (row["title"], row["content_text"]) == (one.title, one.content_text)
        assert tuple(row["symbols"]) == one.symbols
        assert row["document_id"] == one.document_id


def test_a_folder_of_months_is_one_table(full, tmp_path):
    """To DuckDB and to Arrow; each month has its articles."""
    duckdb = pytest.importorskip("duckdb")
    where = tmp_path / "months"
    writer = partial(parquet, columns=("id", "date", "title", "symbol_names"))
    assert write_partitions(where, iter(full.articles()), writer, force=False) == 451
    months = sorted({one.date[:7] for one in full.articles()})
    assert sorted(path.name for path in where.iterdir()) == [f"month={each}" for each in months]
    rows = duckdb.sql(
        f"SELECT id, strftime(date, '%Y-%m') = month FROM read_parquet('{where}/*/*.parquet',"
        " hive_partitioning = true, hive_types = {'month': VARCHAR}) ORDER BY date, id"
    ).fetchall()
    assert rows == [(one.id, True) for one in full.articles()]
    assert pyarrow.parquet.read_table(where).num_rows == 451
    with pytest.raises(UsageError, match="is there already"):
        write_partitions(where, iter(full.articles()), writer, force=False)
    again = write_partitions(where, iter(full.articles()), writer, force=True)
    assert (again, pyarrow.parquet.read_table(where).num_rows) == (451, 451)
    damaged = (replace(one, date="2024-99-99") for one in full.articles(limit=1))
    write_partitions(tmp_path / "damaged", damaged, writer, force=False)
    assert [path.name for path in (tmp_path / "damaged").iterdir()] == [f"month={NO_MONTH}"]
    assert write_partitions(tmp_path / "none", iter(()), writer, force=False) == 0
    assert duckdb.sql(f"SELECT * FROM '{tmp_path}/none/*/*.parquet'").fetchall() == []


def test_files_are_those_of_the_archive(full, tmp_path):
    """To the byte, also for a part of it; a folder with something in it is not touched."""
    chosen = Filters(since="2024-03-12", until="2024-03-12")
    with full.database.transaction() as connection:
        # The others' files are not needed, and each is a wait for the disk.
        connection.exec_driver_sql(
            "UPDATE articles SET file_sha256 = '' WHERE date <> '2024-03-12'"
        )
    write_files(full.database, full.settings)
    there = {path.name: path.read_bytes() for path in full.settings.dir.rglob("*.md")}
    folder = tmp_path / "tree"
    assert write_tree(folder, exported(full.database, chosen), full.settings, force=False) == 10
    written = list(folder.rglob("*.md"))
    assert len(written) == 10
    assert all(path.read_bytes() == there[path.name] for path in written)
    written[0].write_text("changed", "utf-8")
    (folder / "mine.md").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="is there already"):
        write_tree(folder, exported(full.database, chosen), full.settings, force=False)
    assert written[0].read_text("utf-8") == "changed"
    assert write_tree(folder, exported(full.database, chosen), full.settings, force=True) == 10
    assert written[0].read_bytes() == there[written[0].name]
    assert (folder / "mine.md").read_text("utf-8") == "mine"


def test_what_fails_half_way_leaves_nothing(full, tmp_path):
    """No file, no folder, and what was there before stays."""

    def breaks():
        yield from exported(full.database, Filters(limit=1))
        raise OSError(28, "No space left on device")

    target = tmp_path / "a.jsonl"
    with pytest.raises(StorageFailed, match="No space left"):
        write_file(target, lambda file: json_lines(breaks(), file), force=False)
    assert list(tmp_path.iterdir()) == []
    target.write_text("before", "utf-8")
    with pytest.raises(StorageFailed):
        write_file(target, lambda file: json_lines(breaks(), file), force=True)
    with pytest.raises(UsageError, match="--force replaces it"):
        write_file(target, lambda file: json_lines([], file), force=False)
    assert target.read_text("utf-8") == "before"
    with pytest.raises(StorageFailed, match="No space left"):
        write_tree(tmp_path / "tree", breaks(), full.settings, force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_the_command_writes_where_it_is_told(site):
    """Standard output, and nothing else on it; a closed pipe is no reason to shout."""
    ours = Archive(site.folder, None)
    with ours.database.transaction() as connection:
        for number in (1, 2):
            save_articles(connection, [arrival(number, feed_id=None)])
    ours.close()
    done = site.run("export", "-", "--limit", "1", "--since", "2024-03-11")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["title"] == "标题1"
    assert done.stderr == ""
    shell = f"{sys.executable} -m ingestor export - --format jsonl | head -c 1"
    piped = subprocess.run(
        ["bash", "-c", shell],
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        check=False,
    )
    assert (piped.stdout, piped.stderr) == (b"{", b"")


def test_a_folder_of_months_is_written_by_the_command(site):
    """--partition says that it is Parquet."""
    ours = Archive(site.folder, None)
    with ours.database.transaction() as connection:
        for number in (1, 400):
            save_articles(connection, [arrival(number, feed_id=None)])
    ours.close()
    done = site.run("export", "months", "--partition", "--columns", "id,date")
    assert (done.returncode, done.stdout) == (0, "months: 2 articles\n"), done.stderr
    names = sorted(str(path.relative_to(site.folder)) for path in site.folder.glob("months/*/*"))
    assert names == [
        "months/month=2024-03/articles-0.parquet",
        "months/month=2024-04/articles-0.parquet",
    ]


@pytest.mark.every_store
def test_a_wacz_has_the_pages_as_they_were_received(site, net):
    """Each body once; what has no page is said; the index leads to the records, all hashes hold."""
    first, second = made_up(1), made_up(2)
    publish(net, [first, second])
    site.run("--once")
    edited = replace(first, title="更正后的标题")
    net.serve(first.url, finance_page(edited))
    site.make_due()
    site.run("--once")
    with closing(site.database()) as database, database.transaction() as connection:
        save_articles(connection, [arrival(3, feed_id=None)])
    done = site.run("export", "a.wacz")
    assert (done.returncode, done.stdout) == (0, "a.wacz: 2 articles\n"), done.stderr
    assert "1 article has no page that is kept" in done.stderr
    with zipfile.ZipFile(site.folder / "a.wacz") as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
        assert packed.getinfo("archive/data.warc.gz").compress_type == zipfile.ZIP_STORED
    package = json.loads(files["datapackage.json"])
    listed = {each["path"]: (each["hash"], each["bytes"]) for each in package["resources"]}
    assert listed == {
        name: (f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))
        for name, data in files.items()
        if not name.startswith("datapackage")
    }
    digest = json.loads(files["datapackage-digest.json"])["hash"]
    assert digest == f"sha256:{hashlib.sha256(files['datapackage.json']).hexdigest()}"
    _, *pages = map(json.loads, files["pages/pages.jsonl"].splitlines())
    assert sorted({page["url"] for page in pages}) == sorted({first.url, second.url})
    lines = files["indexes/index.cdx"].decode().splitlines()
    assert lines == sorted(lines)
    assert lines[0].startswith("cn,com,sina,finance)/")
    bodies = []
    for line in lines:
        entry = json.loads(line.split(" ", 2)[2])
        start, length = int(entry["offset"]), int(entry["length"])
        slice_ = BytesIO(files["archive/data.warc.gz"][start : start + length])
        record = next(iter(ArchiveIterator(slice_)))
        assert record.rec_headers.get_header("WARC-Target-URI") == entry["url"]
        assert record.rec_headers.get_header("WARC-Payload-Digest") == entry["digest"]
        assert (entry["status"], entry["mime"]) == ("200", "text/html")
        bodies.append(record.content_stream().read())
    expected = [finance_page(one).encode() for one in (first, edited, second)]
    assert sorted(bodies) == sorted(expected)


REFUSED = {
    "x.doc": "say --format files, jsonl, csv, parquet or wacz",
    "x.wacz --revisions": "every look at a page",
    "x.wacz --columns id": "--columns goes with",
    "- --partition": "--partition goes with parquet, into a folder",
    "x --partition --format csv": "--partition goes with parquet, into a folder",
    "- --format files": "cannot go to standard output",
    "tree --revisions": "a file holds one revision",
    "archive/x.jsonl": "lies in the archive's own folder",
    "x.csv --delimiter ab": "name one character",
    "x.jsonl --delimiter ;": "--delimiter goes with CSV",
    "x.csv --columns id,titel": "no 'titel'; there are id, url, date",
    "tree --columns id": "--columns goes with jsonl, csv and parquet",
    "- --since yesterday": '"yesterday" is not a day',
    "- --symbol 60051": "is no code; write sh600519",
    "x.parquet": "--format parquet needs pyarrow: pip install 'sina-ingestor[parquet]'",
}


def test_what_makes_no_sense_is_refused(site):
    """Before anything is read: exit 2, one line each."""
    lines = site.refusals(*(f"export {line}" for line in REFUSED), without="pyarrow")
    for line, said in zip(lines, REFUSED.values(), strict=True):
        assert line.startswith("ingest: ")
        assert said in line


def test_csv_is_as_a_spreadsheet_wants_it(full):
    """A mark, a line of names, lists in one cell, moments in UTC, and nothing that is run."""
    file = BytesIO()
    columns = ("id", "title", "published_at", "keywords", "symbols")
    articles = [
        replace(article, title="=HYPERLINK(1)") if article.id == 1 else article
        for article in exported(full.database, Filters(limit=3))
    ]
    assert comma_separated(articles, file, columns, ";") == 3
    text = file.getvalue().decode("utf-8")
    assert text.startswith("\ufeffid;title;")
    head, first, *_ = csv.reader(text.removeprefix("\ufeff").splitlines(), delimiter=";")
    assert head == list(columns)
    assert first == ["1", "'=HYPERLINK(1)", "2024-03-11T01:00:00Z", "乙; 甲", "sh600519"]


def test_columns_are_chosen_in_every_format_but_files(full):
    """In the order in which they were named."""
    articles = list(exported(full.database, Filters(limit=2)))
    lines, table = BytesIO(), BytesIO()
    json_lines(articles, lines, ("url", "id"))
    parquet(articles, table, ("url", "id"))
    assert [list(json.loads(line)) for line in lines.getvalue().splitlines()] == [["url", "id"]] * 2
    assert pyarrow.parquet.read_table(table).column_names == ["url", "id"]

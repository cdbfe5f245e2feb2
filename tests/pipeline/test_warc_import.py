"""``ingest import FILE.warc.gz``: pages that others crawled become articles, with their past."""

import gzip
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.foreign_warc import ForeignFile
from tools.made_up_sina import demo_articles, finance_page, publish
from tools.running import Site

pytestmark = pytest.mark.slow

ARTICLES = demo_articles()[:4]
SEEN = datetime(2024, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
OTHER = "https://news.example/1.html"


def crawled(folder: Path, name: str = "cc.warc.gz", **more) -> ForeignFile:
    """Return a file as a crawler writes it: four articles, sent in four ways, and others' pages."""
    file = ForeignFile(folder / name, **more)
    for number, article in enumerate(ARTICLES):
        file.request(article.url)
        how = ("", "gzip", "chunked", "gzip chunked")[number]
        file.page(article.url, finance_page(article), SEEN + number * HOUR, how=how)
        file.page(OTHER, "<html><body>" + "<p>words</p>" * 500, SEEN)
    return file


def imported(site: Site, *arguments: object) -> dict:
    """Import, and return the numbers with the exit code and what was said."""
    done = site.run("import", *map(str, arguments), "--json")
    numbers = json.loads(done.stdout) if done.stdout else {}
    return numbers | {"code": done.returncode, "said": done.stderr}


@pytest.mark.every_store
def test_pages_become_articles_that_were_seen_when_they_were_crawled(site):
    """Each with a capture that points into the foreign file; other hosts are counted."""
    path = crawled(site.folder).write()
    numbers = imported(site, path.name)
    assert (numbers["code"], numbers["new"]) == (0, 4), numbers
    assert numbers["skipped"] == {"no response": 5, "other hosts": 4}
    rows = site.query(
        "SELECT articles.title, first_seen_at, seen_at, warc_file FROM articles"
        " JOIN revisions ON revisions.article_id = articles.id JOIN captures ON captures.id = capture_id"
        " ORDER BY articles.id"
    )
    moments = [f"2024-05-01T0{number}:00:00Z" for number in range(4)]
    titles = [article.title for article in ARTICLES]
    assert [row[0] for row in rows] == titles
    assert [row[1:3] for row in rows] == [(moment, moment) for moment in moments]
    assert {row[3] for row in rows} == {str(path)}
    assert len(list((site.folder / "archive").rglob("*.md"))) == 4
    assert site.run("verify").returncode == 0
    assert "0 unreadable" in site.run("reextract", "--dry-run").stdout


def test_a_second_time_changes_nothing(site):
    """All is known; also after a rehearsal, which stores nothing."""
    path = crawled(site.folder).write()
    assert imported(site, path, "--dry-run")["new"] == 4
    assert not (site.folder / "archive.db").exists()
    imported(site, path)
    before = site.query("SELECT * FROM revisions"), site.query("SELECT * FROM captures")
    numbers = imported(site, path)
    assert (numbers["new"], numbers["known"], numbers["code"]) == (0, 4, 0)
    assert (site.query("SELECT * FROM revisions"), site.query("SELECT * FROM captures")) == before


def edited(article) -> str:
    return finance_page(article).replace("。</p>", "，公司随后作了补充说明。</p>", 1)


@pytest.mark.every_store
@pytest.mark.parametrize("digest", [True, False])
def test_the_same_page_at_several_dates_becomes_revisions_in_their_order(site, digest):
    """Whatever their order in the file; a revisit is a look at the words of its original."""
    article = ARTICLES[0]
    file = ForeignFile(site.folder / "cc.warc.gz")
    file.page(article.url, edited(article), SEEN + HOUR)
    file.page(article.url, finance_page(article), SEEN)
    file.revisit(article.url, SEEN + 2 * HOUR, digest=digest)
    file.write()
    numbers = imported(site, file.path)
    assert (numbers["new"], numbers["revised"], numbers["unchanged"]) == (1, 2, 0), numbers
    rows = site.query("SELECT revision, cause, seen_at FROM revisions ORDER BY revision")
    assert rows == [
        (1, "new", "2024-05-01T00:00:00Z"),
        (2, "edit", "2024-05-01T01:00:00Z"),
        (3, "edit", "2024-05-01T02:00:00Z"),
    ]


def test_files_are_read_in_the_order_of_their_moments(site):
    """Whatever their names."""
    for name, text, at in (
        ("a.warc.gz", edited(ARTICLES[0]), SEEN + HOUR),
        ("b.warc.gz", finance_page(ARTICLES[0]), SEEN),
    ):
        file = ForeignFile(site.folder / name, begun=at)
        file.page(ARTICLES[0].url, text, at)
        file.write()
    numbers = imported(site, "a.warc.gz", "b.warc.gz")
    assert (numbers["new"], numbers["revised"], numbers["older"]) == (1, 1, 0), numbers


@pytest.mark.every_store
def test_what_was_seen_before_what_is_known_belongs_to_the_past(site, net):
    """Other words are the first revision; the same ones make it known earlier. What is said now stays."""
    publish(net, ARTICLES)
    assert site.run("--once").returncode == 0
    words = "SELECT id, title, content_text, path FROM articles ORDER BY id"
    before = site.query(words)
    file = ForeignFile(site.folder / "cc.warc.gz")
    file.page(ARTICLES[0].url, edited(ARTICLES[0]), SEEN)
    file.page(ARTICLES[1].url, finance_page(ARTICLES[1]), SEEN)
    file.page(ARTICLES[1].url, finance_page(ARTICLES[1]), SEEN + HOUR)
    numbers = imported(site, file.write(), "--dry-run")
    assert (numbers["earlier"], numbers["revised"], numbers["unchanged"]) == (1, 1, 1), numbers
    assert site.query("SELECT count(*) FROM revisions") == [(4,)]
    numbers = imported(site, file.path)
    assert (numbers["earlier"], numbers["revised"], numbers["unchanged"]) == (1, 1, 1), numbers
    assert site.query(words) == before
    past = (
        "SELECT r.revision, cause, r.seen_at, r.content_text = a.content_text FROM revisions r"
        " JOIN articles a ON a.id = article_id WHERE a.url = '{}' ORDER BY r.revision"
    )
    (first, second) = site.query(past.format(ARTICLES[0].url))
    assert first == (1, "new", "2024-05-01T00:00:00Z", 0)
    assert (second[:2], second[3]) == ((2, "edit"), 1)
    (only,) = site.query(past.format(ARTICLES[1].url))
    assert only == (1, "new", "2024-05-01T00:00:00Z", 1)
    seen = site.query("SELECT url, first_seen_at FROM articles ORDER BY first_seen_at LIMIT 2")
    assert {url for url, _ in seen} == {ARTICLES[0].url, ARTICLES[1].url}
    assert {moment for _, moment in seen} == {"2024-05-01T00:00:00Z"}
    assert imported(site, file.path)["known"] == 3
    assert site.run("verify").returncode == 0


def test_records_are_copied_where_that_is_asked_for_or_they_cannot_be_read_again(site):
    """Not packed, packed as a whole, or inside a WACZ; the foreign file may go then."""
    plain = crawled(site.folder, "a.warc", packed=False)
    data = plain.data
    (site.folder / "b.warc.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(site.folder / "c.wacz", "w") as archive:
        archive.writestr("datapackage.json", "{}")
        archive.writestr("archive/data.warc.gz", crawled(site.folder).data)
    for name, more in (
        ("a.warc", ()),
        ("b.warc.gz", ()),
        ("c.wacz", ()),
        ("d.warc.gz", ("--copy",)),
    ):
        (site.folder / "archive.db").unlink(missing_ok=True)
        crawled(site.folder, name).write(
            (site.folder / name).read_bytes()
            if name[0] in "bc"
            else data
            if name[0] == "a"
            else None
        )
        numbers = imported(site, name, *more)
        assert (numbers["code"], numbers["new"]) == (0, 4), (name, numbers)
        (site.folder / name).unlink()
        files = {file for (file,) in site.query("SELECT DISTINCT warc_file FROM captures")}
        assert all((site.folder / "warc" / file).exists() for file in files)
        assert "0 unreadable" in site.run("reextract", "--dry-run").stdout


def test_articles_belong_to_the_feed_or_the_categories_that_are_named(site):
    """Else to no feed, in the categories of the first one."""
    path = crawled(site.folder).write()
    (name,) = [feed["name"] for feed in json.loads(site.run("feed", "list", "--json").stdout)]
    assert imported(site, path, "--feed", name)["new"] == 4
    assert site.query(
        "SELECT DISTINCT feeds.name FROM articles JOIN feeds ON feeds.id = feed_id"
    ) == [(name,)]
    (site.folder / "archive.db").unlink()
    assert imported(site, path, "--category", "甲", "--category", "乙")["new"] == 4
    assert site.query("SELECT DISTINCT categories, feed_id FROM articles") == [("甲\n乙", None)]
    assert imported(site, path, "--feed", "none")["code"] == 2
    assert imported(site, path, "--host", "news.example")["skipped"]["other hosts"] == 4


def test_what_is_no_article_is_counted_by_reason(site):
    """And is no failure."""
    file = ForeignFile(site.folder / "cc.warc.gz")
    file.page("https://finance.sina.com.cn/", "<html><body>首页</body></html>", SEEN)
    file.page(f"{ARTICLES[0].url}?gone", "", SEEN, status="404 Not Found")
    file.page(ARTICLES[1].url, finance_page(ARTICLES[1])[:300], SEEN, how="")
    file.page(ARTICLES[2].url, finance_page(ARTICLES[2]), datetime(2999, 1, 1, tzinfo=UTC))
    file.page("https://notsina.com.cn/", "x", SEEN)
    file.page(ARTICLES[3].url, finance_page(ARTICLES[3]), SEEN, WARC_Truncated="length")
    numbers = imported(site, file.write())
    assert (numbers["code"], numbers["new"]) == (0, 0)
    skipped = numbers["skipped"]
    assert (skipped["HTTP 404"], skipped["dated in the future"], skipped["other hosts"]) == (
        1,
        1,
        1,
    )
    assert skipped["cut by its crawler"] == 1
    assert sum(count for reason, count in skipped.items() if "no article" in reason) == 2


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def test_a_damaged_record_costs_itself(site):
    """It is counted; what comes behind it is read."""
    data = crawled(site.folder).data
    places = [at for at in range(len(data)) if data.startswith(b"\x1f\x8b\x08", at)]
    path = site.folder / "cc.warc.gz"
    path.write_bytes(flipped(data, places[2] + 1_000))
    numbers = imported(site, path)
    assert (numbers["code"], numbers["new"], numbers["skipped"]["damaged"]) == (0, 3, 1), numbers


@pytest.mark.parametrize(
    ("name", "make", "expected"),
    [
        ("none.warc.gz", lambda _: b"<html>nothing</html>", (None, "not a WARC file: it begins with")),
        ("empty.warc.gz", lambda _: b"", (None, "not a WARC file: it is empty")),
        ("other.gz", lambda _: gzip.compress(b"\0" * 10**8), (None, "what it unpacks to is none")),
        ("cut.warc.gz", lambda data: data[:-200], (4, "is cut off: it breaks off")),
        ("cut.warc", lambda data: data[:-200], (4, "is cut off")),
        ("no.wacz", lambda _: b"PK\x05\x06" + b"\0" * 18, (None, "no WACZ")),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_to_its_end_is_said(site, name, make, expected):
    """In one line, exit 1; what comes before the cut is archived."""
    file = crawled(site.folder, name, packed=name.endswith("gz"))
    numbers = imported(site, file.write(make(file.data)))
    new, said = expected
    assert (numbers["code"], numbers["unread_files"]) == (1, 1), numbers
    assert said in numbers["said"]
    assert len([line for line in numbers["said"].splitlines() if line.startswith("ingest:")]) == 1
    assert numbers["new"] == (new or 0)


def test_ten_gigabytes_of_zeros_are_refused_at_their_first_byte(site):
    """A file with a hole takes no room, and nothing of it is read."""
    path = site.folder / "zeros.warc.gz"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
    numbers = imported(site, path)
    assert (numbers["code"], numbers["new"]) == (1, 0)
    assert "not a WARC file: it begins with" in numbers["said"]


def test_a_folder_and_files_are_not_imported_together(site):
    """Nor is what is not there."""
    path = crawled(site.folder).write()
    (site.folder / "posts").mkdir()
    assert imported(site, path, "posts")["code"] == 2
    assert imported(site, "posts", "--copy")["code"] == 2
    assert imported(site, "gone.warc.gz")["code"] == 2

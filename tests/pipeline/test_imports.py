"""``ingest import``: every file of another archive is adopted once, or explained."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingestor.clock import Clock
from ingestor.identity import is_content_address
from ingestor.maintenance.export import write_tree
from ingestor.pipeline.posts import import_folder
from ingestor.store.filters import Filters
from ingestor.store.stored_articles import exported
from ingestor.workers import Workers
from tests.support.other_archives import NOW, Archive, post, tally, write
from tests.support.shared import shared
from tools.made_up_sina import ARTICLES, made_up, publish

pytestmark = pytest.mark.slow

SEEN = "SELECT first_seen_at FROM articles"

ONE, TWO = made_up(1), made_up(2)
EXTRA = ("link", "media", "editor", "keywords", "symbols", "updated")


@pytest.fixture(scope="module")
def workers():
    """Give a process that reads the files."""
    with Workers(1) as pool:
        yield pool


@pytest.fixture
def archive(tmp_path, workers, store_url):
    """Give an empty archive."""
    place = Archive(tmp_path / "ours", workers, store=store_url)
    yield place
    place.close()


FOLDER = {
    "a.md": post(ONE),
    "b/copy.md": post(ONE).replace("\n", "\r\n"),
    "c.txt": post(TWO).encode("gb18030"),
    "d.markdown": b"\xef\xbb\xbf" + post(made_up(3), title='"三号"公司"公布"').encode(),
    f"{made_up(4).title}.md": post(made_up(4), title=""),
    "empty.md": b"",
    "notes.md": "# Notes\n",
    "undated.md": post(made_up(5), date="tomorrow"),
    "future.md": post(made_up(5), date="Mon, 01 Jan 2125 00:00:00 GMT"),
    "no-text.md": post(made_up(5), body=""),
    "style.css": "a { b: c }",
    "licence.txt": "---not front matter",
    ".git/x.md": post(made_up(6)),
    ".hidden.md": post(made_up(6)),
}


@pytest.mark.every_store
def test_a_folder_is_adopted_and_every_file_is_explained(site):
    """Four articles from five files, five that cannot be; and a second run adds nothing."""
    folder = write(site.folder / "blog", FOLDER)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = site.run("import", "blog", "--json")
    assert done.returncode == 1
    numbers = json.loads(done.stdout)
    assert numbers["seconds"] > 0
    expected = {"files": 10, "adopted": 4, "known": 1, "ambiguous": 0, "failed": 5, "others": 2}
    assert numbers | expected == numbers
    for name, said in {
        "empty.md": "no front matter",
        "notes.md": "no front matter",
        "undated.md": 'a date that is none, or lies in the future: "tomorrow"',
        "future.md": "lies in the future",
        "no-text.md": "no text and no picture",
    }.items():
        assert any(f"blog/{name}: " in line and said in line for line in done.stderr.splitlines())
    rows = site.query(
        "SELECT title, origin, template, date, author, feed_id FROM articles ORDER BY id"
    )
    assert [row[0] for row in rows] == [ONE.title, TWO.title, '三号"公司"公布', made_up(4).title]
    assert {row[1:] for row in rows} == {("import", "import", "2024-03-11", "新浪财经", None)}
    assert site.query("SELECT DISTINCT cause, revision FROM revisions") == [("import", 1)]
    assert len(site.matching("公司")) == 4
    seen = [datetime.fromisoformat(moment) for (moment,) in site.query(SEEN)]
    assert len(seen) == 4
    assert all(datetime.now(UTC) - moment < timedelta(days=1) for moment in seen)
    files = site.files()
    assert len(files) == 4
    assert all(path.startswith("金融/新浪财经/新浪财经－国內/2024-03-11-") for path in files)
    assert {path: path.read_bytes() for path in before} == before

    again = site.run("import", "blog")
    assert "10 files: 0 adopted, 5 already here, 0 ambiguous, 5 not readable" in again.stdout
    assert "2 files that are no posts left alone (.txt 1, .css 1)" in again.stdout
    assert site.files() == files


def test_a_dry_run_says_the_same_and_stores_nothing(site):
    """Not even a database; what is twice in the folder is counted once."""
    write(site.folder / "blog", {"a.md": post(ONE), "b.md": post(ONE), "c.md": post(TWO)})
    done = site.run("import", "blog", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [
        "blog/a.md: would be adopted",
        "blog/b.md: is already here",
        "blog/c.md: would be adopted",
    ]
    assert "3 files: 2 would be adopted, 1 already here" in done.stdout
    assert json.loads(site.run("import", "blog", "--dry-run", "--json").stdout)["adopted"] == 2
    assert sorted(path.name for path in site.folder.iterdir()) == ["blog", "config.toml"]


def test_a_folder_that_makes_no_sense_is_refused(site):
    """None, or one where our own files would lie beside the originals, doubled."""
    (site.folder / "archive" / "old").mkdir(parents=True)
    lines = site.refusals("import nowhere", "import archive", "import archive/old", "import .")
    assert lines[0] == "ingest: nowhere: there is no such file or folder"
    assert len(lines) == 4
    assert all("the archive writes its own files there" in line for line in lines[1:])


def test_the_page_that_comes_later_is_the_adopted_article(site, net, workers):
    """It gives it address, page and medium; the file stays where it is; nothing is doubled."""
    ours = Archive(site.folder, workers, store=site.store)
    leftover = post(ONE).replace("</div>\n", "<p>晨潮财讯编后语一句。</p></div>\n")
    assert ours.outcomes({"a.md": leftover, "b.md": post(TWO)}) == {
        "a.md": "adopted",
        "b.md": "adopted",
    }
    ((named, path),) = site.query(f"SELECT url, path FROM articles WHERE title = '{ONE.title}'")
    assert is_content_address(named)
    publish(net, [ONE, made_up(3)])
    done = site.run("--once", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["articles_new"] == 1
    rows = site.query("SELECT url, origin, path, revision, document_id, media FROM articles")
    assert (ONE.url, "page", path, 2, ONE.document_id, ONE.media) in rows
    assert sorted(origin for _, origin, *_ in rows) == ["import", "page", "page"]
    its = f"article_id = (SELECT id FROM articles WHERE url = '{ONE.url}')"
    causes = site.query(
        f"SELECT cause, capture_id IS NULL FROM revisions WHERE {its} ORDER BY revision"
    )
    assert causes == [("import", 1), ("import", 0)]
    assert site.query(f"SELECT count(*) FROM sightings WHERE {its}") == [(1,)]
    due = f"SELECT next_check_at IS NULL, feed_id FROM articles WHERE url = '{ONE.url}'"
    assert site.query(due) == [(0, 1)]
    assert (site.folder / "archive" / path).read_text("utf-8") in site.files().values()
    assert f"{named}" in dict(site.query("SELECT url, article_id FROM aliases"))
    assert ours.outcomes({"a.md": leftover, "b.md": post(TWO)}) == {
        "a.md": "known",
        "b.md": "known",
    }
    ours.close()


def test_an_adopted_article_with_an_address_gets_its_page_too(site, net, workers):
    """The address is known, and the page is asked for all the same: it was never seen."""
    ours = Archive(site.folder, workers, store=site.store)
    ours.outcomes({"a.md": post(ONE, more=f"link: {ONE.url}?from=wap\n")})
    ours.close()
    assert site.query("SELECT url, document_id FROM articles") == [(ONE.url, ONE.document_id)]
    publish(net, [ONE])
    site.run("--once")
    assert len(net.asked("doc-")) == 1
    assert site.query("SELECT url, origin, revision FROM articles") == [(ONE.url, "page", 2)]


def same_text_another_title(one):
    return {"b.md": post(one, title="另一个标题")}, "adopted"


def same_text_another_day(one):
    return {
        "b.md": post(replace(one, published_at=one.published_at + timedelta(days=1)))
    }, "adopted"


def same_title_another_text(one):
    return {
        "b.md": post(
            one, body="<p>央行今日未开展逆回购操作，当日有三百亿元到期，市场利率走低。</p>"
        )
    }, "adopted"


def the_beginning_of_the_same_text(one):
    return {"b.md": post(replace(one, paragraphs=one.paragraphs[:1]))}, "ambiguous"


def a_title_that_became_a_file_name(one):
    return {"b.md": post(one, title=one.title.replace("（", "_").replace("）", "_"))}, "known"


def a_line_more(one):
    return {
        "b.md": post(replace(one, paragraphs=(*one.paragraphs, "　　晨潮财讯编后语一句。")))
    }, "known"


def the_same_with_an_address(one):
    return {"b.md": post(one, more=f"link: {one.url}\n")}, "known"


DOUBLES = [
    same_text_another_title, same_text_another_day, same_title_another_text,
    the_beginning_of_the_same_text, a_title_that_became_a_file_name, a_line_more,
    the_same_with_an_address,
]  # fmt: skip


@pytest.mark.parametrize("double", DOUBLES, ids=lambda one: one.__name__)
def test_title_day_and_text_decide_what_is_a_double(archive, double):
    """What is not certain is not adopted, names the article that it may be, and can be told again."""
    files, outcome = double(made_up(7))
    archive.outcomes({"a.md": post(made_up(7))})
    done = archive.adopt(write(archive.folder / "more", files))
    assert [one.outcome for one in done] == [outcome]
    if outcome != "adopted":
        assert done[0].article_id == 1
    assert len(archive.articles()) == (2 if outcome == "adopted" else 1)
    again = archive.adopt(archive.folder / "more")
    assert [one.outcome for one in again] == ["known" if outcome == "adopted" else outcome]


def test_an_address_learned_later_is_kept(archive):
    """The same article from an archive that knows where it was."""
    archive.outcomes({"a.md": post(ONE)})
    archive.outcomes({"b.md": post(ONE, more=f"link: {ONE.url}\n")})
    (one,) = archive.articles()
    assert (one.url, one.document_id) == (ONE.url, ONE.document_id)


def test_the_same_text_under_two_addresses_is_two_articles(archive):
    """Publishers do that, and the addresses are what tells them apart."""
    files = {
        "a.md": post(ONE, more=f"link: {ONE.url}\n"),
        "b.md": post(ONE, more=f"link: {TWO.url}\n"),
    }
    assert set(archive.outcomes(files).values()) == {"adopted"}


def test_one_address_for_different_texts_is_left_to_a_person(archive):
    """Such as a column's address in every post: no text is lost without a word."""
    link = "link: https://finance.sina.com.cn/column/index.shtml\n"
    files = {"a.md": post(ONE, more=link), "b.md": post(TWO, more=link)}
    assert archive.outcomes(files) == {"a.md": "adopted", "b.md": "ambiguous"}


ADDRESSES = {
    "a key": (f"link: {ONE.url}\n", ""),
    "a link to the original": ("", f'<p><a target="_blank" href="{ONE.url}">原文链接</a></p>'),
    "an address behind its name": ("", f"<p>原文地址：{ONE.url}</p>"),
}


@pytest.mark.parametrize(("key", "line"), ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_is_taken_from_where_it_stands(archive, key, line):
    """A related article's is not the article's own."""
    related = f'<blockquote><p>【相关报道】<a href="{TWO.url}">{TWO.title}</a></p></blockquote>'
    body = related + "".join(f"<p>{text}</p>" for text in ONE.paragraphs) + line
    archive.outcomes({"a.md": post(ONE, body, more=key)})
    assert [one.url for one in archive.articles()] == [ONE.url]


@pytest.mark.parametrize(
    "link", ["", "link: https://finance.sina.com.cn/\n", "link: javascript:x\n"]
)
def test_without_an_address_the_words_name_the_article(archive, link):
    """A front page is no article's address. The name is the same in every archive."""
    archive.outcomes({"a.md": post(ONE, more=link)})
    (one,) = archive.articles()
    assert is_content_address(one.url)
    assert one.path.startswith("金融/新浪财经/新浪财经－国內/2024-03-11-")


def test_what_only_the_front_matter_knows_is_kept(archive):
    """A cover, securities, the medium; but no advertisement that was the first picture."""
    qr = "https://n.sinaimg.cn/made-up/qr.png"
    box = f'<div class="appendQr_wrap"><img src="{qr}"></div>'
    plain = "".join(f"<p>{text}</p>" for text in TWO.paragraphs)
    more = "headimg: https://a.example/c.jpg\nmedia: 晨报\nsymbols: [sh600001]\ntags: [铜]\n"
    archive.outcomes({
        "cover.md": post(TWO, plain + '<p class="article-editor">责任编辑：林小满 SF014</p>', more=more),
        "qr.md": post(made_up(4), plain + box, more=f"headimg: '{qr}'\n"),
    })  # fmt: skip
    one, other = sorted(archive.articles(), key=lambda one: one.id)
    assert (one.headimg, one.images) == ("https://a.example/c.jpg", ("https://a.example/c.jpg",))
    assert (one.media, one.editor, one.symbols, one.keywords) == (
        "晨报",
        "林小满",
        ("sh600001",),
        ("铜",),
    )
    assert (other.headimg, other.images) == ("", ())


def test_plain_text_becomes_paragraphs(archive):
    """Not every archive keeps HTML."""
    text = f"---\ntitle: t\ndate: 2024-03-11 09:30\n---\n第一段 a < b。\n\n第二段，第{1}号。\n"
    archive.outcomes({"a.md": text})
    (one,) = archive.articles()
    assert one.content_html == "<p>第一段 a &lt; b。</p>\n<p>第二段，第1号。</p>"
    assert one.published_at == datetime(2024, 3, 11, 1, 30, tzinfo=UTC)
    assert one.categories == ()


def test_a_name_in_no_encoding_is_no_obstacle(archive):
    """The text begins with something that does for a title."""
    folder = write(archive.folder / "theirs", {})
    folder.mkdir()
    text = "---\ndate: 2024-03-11\n---\n<p>第一段。</p><p>第二段。</p>"
    (folder / os.fsdecode(b"\xff\xfe.md")).write_text(text, "utf-8")
    assert tally(archive.adopt(folder)) == {"adopted": 1}
    assert [one.title for one in archive.articles()] == ["第一段。"]


def test_what_cannot_be_read_is_explained(archive):
    """A pipe is not waited for, a folder that may not be listed is named, a loop has an end."""
    folder = write(archive.folder / "theirs", {"a.md": post(ONE), "b/c.md": post(TWO)})
    os.mkfifo(folder / "pipe.md")
    (folder / "gone.md").symlink_to("nowhere")
    (folder / "b" / "loop").symlink_to(folder)
    (folder / "large.md").write_bytes(post(ONE).encode() + b" " * 9 * 1024**2)
    done = {one.path.name: one for one in archive.adopt(folder)}
    assert {name: one.outcome for name, one in done.items()} == {
        "a.md": "adopted", "c.md": "adopted", "pipe.md": "other", "gone.md": "failed", "large.md": "failed",
    }  # fmt: skip
    assert done["gone.md"].reason == "cannot be read: No such file or directory"
    assert done["large.md"].reason == "is larger than 8 MiB"


def test_a_run_that_is_interrupted_goes_on(archive):
    """What was adopted before is there, and nothing is adopted twice."""
    folder = write(archive.folder / "theirs", {f"{n:03}.md": post(made_up(n)) for n in range(120)})
    clock = Clock(now=lambda: NOW)
    first = []
    for batch in import_folder(folder, archive.database.transaction, archive.workers, clock):
        first += batch
        clock.stop.set()
    assert tally(first) == {"adopted": 50}
    assert len(archive.articles()) == 50
    assert tally(archive.adopt(folder)) == {"known": 50, "adopted": 70}
    assert len({one.url for one in archive.articles()}) == 120


def test_import_export_import_gives_the_same_archive(archive, tmp_path, workers):
    """Every column but when it was adopted, for every block that an article may have."""
    ours = Archive(tmp_path / "first", workers, EXTRA)
    files = {
        f"{n}.md": post(one, more=f"keywords: [{n}号, 铜]\n") for n, one in enumerate(ARTICLES)
    }
    files["addressed.md"] = post(
        ONE, more=f"link: {ONE.url}\nmedia: 晨报\nupdated: 2024-03-12 08:00\n"
    )
    files["covered.md"] = post(TWO, more="headimg: https://a.example/c.jpg\n")
    assert set(ours.outcomes(files).values()) == {"adopted"}
    tree = tmp_path / "tree"
    assert write_tree(tree, exported(ours.database, Filters()), ours.settings, force=False) == 12
    theirs = Archive(tmp_path / "second", workers, EXTRA)
    assert tally(theirs.adopt(tree)) == {"adopted": 12}

    def content(place):
        return sorted(
            (replace(one, id=0, sequence=0) for one in place.articles()), key=lambda one: one.path
        )

    assert content(theirs) == content(ours)
    assert (
        relative_files(theirs.settings.dir)
        == relative_files(ours.settings.dir)
        == relative_files(tree)
    )
    ours.close()
    theirs.close()


def relative_files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_real_posts_are_adopted(archive):
    """All thirteen of March 2021, and the sample; none is taken for another."""
    assert tally(archive.adopt(shared("sina", "posts"))) == {"adopted": 13}
    assert tally(archive.adopt(shared("sample"))) == {"adopted": 1}
    assert tally(archive.adopt(shared("sina", "posts"))) == {"known": 13}
    for one in archive.articles():
        assert len(one.content_text) > 150
        assert one.editor
        assert not any(word in one.content_text for word in ("责任编辑", "尽在新浪财经", "padding"))
        assert "n.sinaimg.cn/finance/cece9e13" not in one.headimg

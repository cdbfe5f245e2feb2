"""What a Hexo site may want: an excerpt, pictures beside the posts, an address of its own."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import unquote

import pytest

from ingestor.archive.front_matter import original, permalink, with_excerpt, with_local_images
from tools.made_up_sina import finance_page, made_up, picture, publish

FIRST = "//n.sinaimg.cn/made-up/first.jpg"
SECOND = "//n.sinaimg.cn/made-up/second.png"
ALL = 'images = true\nlocal_images = true\nexcerpt = true\nextra_front_matter = ["permalink"]'
MARK = "</div>\n<!-- more -->\n<div>"
LONG = "<p>" + "石门水泥提价，" * 20 + "</p>"


@pytest.mark.parametrize(
    ("html", "marked"),
    [
        (f"{LONG}<p>后文</p>", f"{LONG}{MARK}<p>后文</p>"),
        (f"<p>短</p>{LONG}\n<p>后文</p>", f"<p>短</p>{LONG}{MARK}\n<p>后文</p>"),
        (f"<blockquote>{LONG}{LONG}</blockquote><p>后</p>", None),
        (f"<figure><img src='x'></figure>{LONG}<hr><p>后</p>", f"<figure><img src='x'></figure>{LONG}{MARK}<hr><p>后</p>"),
        (LONG, LONG),
        (f'{LONG}<figure><img src="x"></figure>', f'{LONG}<figure><img src="x"></figure>'),
        ("<p>短</p><p>短</p>", "<p>短</p><p>短</p>"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_mark_stands_between_two_elements_with_text_on_either_side(html, marked):
    """Behind enough text to be an excerpt; and it can be taken back."""
    wanted = html.replace("</blockquote>", f"</blockquote>{MARK}") if marked is None else marked
    assert with_excerpt(html) == wanted
    assert original(with_excerpt(html), "a/2024-01-02-t-1.md", {}) == html


def test_pictures_are_named_relative_to_the_file():
    """Also where its name has a space; others stay; and it can be taken back."""
    copies = {"https://a.example/1.jpg?a=1&b=2": f"ab/{'ab' * 32}.jpg"}
    html = (
        '<img src="https://a.example/1.jpg?a=1&amp;b=2" alt=""><img src="https://a.example/2.jpg">'
    )
    path = "金融/2024-01-02-a b-1.md"
    local = with_local_images(html, path, copies)
    assert local.startswith(f'<img src="2024-01-02-a%20b-1/{"ab" * 32}.jpg" alt="">')
    assert local.endswith('<img src="https://a.example/2.jpg">')
    assert original(local, path, copies) == html


def test_the_address_does_not_repeat_the_folders():
    """Year, month, and the file's name, below whose folder its pictures are published."""
    path = "金融/新浪财经/国內/2024-03-11-标题-doc1.md"
    assert permalink(path) == "2024/03/2024-03-11-标题-doc1.html"


@pytest.fixture
def shown(site, net):
    """Give an article with two pictures, and a site that wants all there is."""
    site.configure(archive=ALL, schedule='recheck = ["1h"]')
    article = replace(made_up(2), pictures=((FIRST, "甲"), (SECOND, "乙")))
    publish(net, [article])
    return article


def run(site, *arguments: str):
    done = site.run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def beside(site) -> dict[str, bytes]:
    root = site.folder / "archive"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".md"
    }


def named(site) -> list[str]:
    """Return the pictures that the one file names, relative to the archive folder."""
    ((path, text),) = site.files().items()
    sources = re.findall(r'<img src="([^"]*)"', text)
    return [str(PurePosixPath(path).parent / unquote(source)) for source in sources]


@pytest.mark.every_store
def test_the_pictures_lie_beside_the_post_which_names_them(site, shown):
    """After one pass, whole; verify finds all in order, and a second pass changes nothing."""
    run(site, "--once")
    assert [beside(site)[name] for name in named(site)] == [
        picture(f"https:{url}") for url in (FIRST, SECOND)
    ]
    ((path, text),) = site.files().items()
    assert text.count("<!-- more -->") == 1
    assert f"\npermalink: '{permalink(path)}'\n---\n" in text
    assert f"headimg: 'https:{FIRST}'" in text
    assert run(site, "verify").stdout.endswith("0 disagreements; 0 foreign files\n")
    before = site.files()
    run(site, "--once")
    assert site.files() == before


def test_without_being_asked_a_post_is_as_it_always_was(site, net, shown):
    """The seven keys, no mark, the publisher's pictures, nothing beside it."""
    site.configure(archive="images = true")
    run(site, "--once")
    ((_, text),) = site.files().items()
    head = text.split("---\n")[1]
    assert re.findall(r"^(\w+):", head, re.MULTILINE) == [
        "title", "categories", "headimg", "author", "comments", "date", "thumbnail",
    ]  # fmt: skip
    assert "more" not in text
    assert f'src="https:{FIRST}"' in text
    assert beside(site) == {}


def test_a_picture_that_is_not_had_is_named_where_it_is(site, net, shown):
    """And locally once it is there."""
    net.fail(f"https:{SECOND}", "500")
    run(site, "--once")
    assert len(beside(site)) == 1
    assert f'src="https:{SECOND}"' in "".join(site.files().values())
    net.serve(f"https:{SECOND}", picture(f"https:{SECOND}"), content_type="image/png")
    site.make_due("pictures", "next_attempt_at", "path IS NULL")
    run(site, "--once")
    assert set(named(site)) == set(beside(site))


def test_verify_repairs_what_lies_beside_a_post(site, shown):
    """Lost, changed, or named by its post no more; what is somebody else's stays."""
    run(site, "--once")
    whole, files = beside(site), site.files()
    lost, changed = sorted(whole)
    folder = site.folder / "archive"
    (folder / lost).unlink()
    (folder / changed).write_bytes(b"x")
    old = folder / PurePosixPath(lost).with_name("0" * 64 + ".png")
    old.write_bytes(b"old")
    own = old.with_name("mine.png")
    own.write_bytes(b"mine")
    said = site.run("verify").stdout
    for line in (f"{lost}: is missing", f"{changed}: is another picture", "is not to name it"):
        assert line in said
    run(site, "verify", "--repair")
    own.unlink()
    assert (beside(site), site.files()) == (whole, files)
    run(site, "verify")


def test_an_archive_that_was_there_gets_them_by_verify_and_loses_them_again(site, net, shown):
    """Switched on, and off: `ingest verify --repair` brings the files up to the configuration."""
    site.configure(archive="images = true")
    run(site, "--once")
    plain = site.files()
    site.configure(archive="images = true\nlocal_images = true")
    assert "is missing" in site.run("verify").stdout
    run(site, "verify", "--repair")
    assert set(named(site)) == set(beside(site))
    assert len(beside(site)) == 2
    site.configure(archive="images = true")
    run(site, "verify", "--repair")
    assert (site.files(), beside(site)) == (plain, {})


def test_an_edit_and_a_re_extraction_keep_all_of_it(site, net, shown):
    """The file is written anew with its mark, its pictures and its address."""
    run(site, "--once")
    before = named(site)
    site.make_due()
    net.serve(shown.url, finance_page(replace(shown, title="改过的标题")))
    run(site, "--once")
    assert run(site, "reextract").returncode == 0
    ((_, text),) = site.files().items()
    assert "title: '改过的标题'" in text
    assert text.count("<!-- more -->") == 1
    assert named(site) == before
    run(site, "verify")


def test_a_damaged_text_is_mended_from_such_a_file(site, shown):
    """What was put in for Hexo is taken out again."""
    site.configure(archive=ALL + '\nraw = "off"')
    run(site, "--once")
    ((html,),) = site.query("SELECT content_html FROM articles")
    with closing(sqlite3.connect(site.folder / "archive.db")) as database, database:
        bad = html.encode()[:20] + b"\xff\xfe" + html.encode()[22:]
        for table in ("articles", "revisions"):
            database.execute(f"UPDATE {table} SET content_html = CAST(? AS TEXT)", [bad])
    site.run("verify", "--repair")
    assert site.query("SELECT content_html FROM articles") == [(html,)]


def test_what_is_not_kept_cannot_lie_beside_a_post(site):
    """Refused in a line."""
    site.configure(archive="local_images = true")
    done = site.run("check")
    assert done.returncode == 2
    assert "archive: local_images: needs images = true" in done.stderr

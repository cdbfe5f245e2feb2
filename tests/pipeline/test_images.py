"""``images = true``: a local copy of each picture, and never an article that fails for one."""

import hashlib
import json
from dataclasses import replace

import pytest

from ingestor.pipeline.files import image_kind, image_path
from tools.made_up_sina import finance_page, made_up, picture, publish

FIRST = "//n.sinaimg.cn/made-up/first.jpg"
SECOND = "//n.sinaimg.cn/made-up/second.png"


@pytest.fixture
def shown(site, net):
    """Give two articles that show the same picture, one of them a second one."""
    site.configure(archive="images = true", schedule='recheck = ["1h"]')
    one = replace(made_up(2), pictures=((FIRST, "甲"), (SECOND, "乙")))
    other = replace(made_up(4), pictures=((FIRST, "丙"),))
    publish(net, [one, other])
    return one


def run(site, *arguments: str):
    done = site.run(*arguments)
    assert done.returncode == 0, done.stderr
    return done


def copies(site) -> dict[str, bytes]:
    root = site.folder / "images"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_each_picture_is_kept_once_under_the_name_of_its_content(site, net, shown):
    """The articles name it, go on showing the original, and verify and backup know it."""
    run(site, "--once")
    first, second = (picture(f"https:{url}") for url in (FIRST, SECOND))
    assert copies(site) == {image_path(data, "png"): data for data in (first, second)}
    assert len(net.asked("first.jpg")) == 1
    # Which article came first depends on which page answered first.
    rows = site.query("SELECT url, path FROM images ORDER BY url, article_id")
    assert rows == [
        (f"https:{FIRST}", image_path(first, "png")),
        (f"https:{FIRST}", image_path(first, "png")),
        (f"https:{SECOND}", image_path(second, "png")),
    ]
    assert f"https:{FIRST}" in "".join(site.files().values())
    done = run(site, "backup", str(site.folder / "copy"))
    assert "2 pictures" in done.stdout
    assert len(list((site.folder / "copy" / "images").rglob("*.png"))) == 2
    edit_and_lose(site, net, shown)


def edit_and_lose(site, net, shown):
    """Expect that an edit asks for no picture again, and that a lost copy is had again."""
    site.make_due("articles", "next_check_at")
    net.serve(shown.url, finance_page(replace(shown, title="改过的标题")))
    net.forget()
    assert json.loads(run(site, "--once", "--json").stdout)["articles_revised"] == 1
    assert net.asked("made-up/") == []
    assert site.query("SELECT count(*) FROM images WHERE path IS NULL") == [(0,)]
    changed, lost = sorted(copies(site))
    (site.folder / "images" / changed).write_bytes(b"x")
    (site.folder / "images" / lost).unlink()
    done = site.run("verify", "--repair")
    assert f"picture {changed}: is another picture" in done.stdout + done.stderr
    assert f"picture {lost}: cannot be read" in done.stdout + done.stderr
    run(site, "--once")
    run(site, "verify")
    assert sorted(copies(site)) == [changed, lost]


def test_a_picture_that_cannot_be_had_is_no_failure(site, net, shown):
    """A page for a picture is refused for good; one that is not there is tried again later."""
    net.serve(f"https:{FIRST}", "<svg onload='x'></svg>", content_type="image/svg+xml")
    net.fail(f"https:{SECOND}", "503")
    assert json.loads(run(site, "--once", "--json").stdout)["articles_new"] == 2
    assert copies(site) == {}
    rows = site.query("SELECT error, attempts, next_attempt_at IS NULL FROM pictures ORDER BY url")
    assert rows == [
        (f"https:{FIRST}: image/svg+xml, not a picture", 1, 1),
        (f"https:{SECOND}: HTTP 503", 1, 0),
    ]
    net.forget()
    net.serve(f"https:{SECOND}", picture("x"), content_type="image/png")
    site.make_due("pictures", "next_attempt_at", "next_attempt_at IS NOT NULL")
    run(site, "--once")
    assert [visit.status for visit in net.asked("made-up/")] == [200]
    assert site.query("SELECT count(*) FROM images WHERE path IS NOT NULL") == [(1,)]


KINDS = {
    b"\xff\xd8\xff\xe0": "jpg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF89a": "gif",
    b"RIFF\0\0\0\0WEBPVP8 ": "webp",
    b"\0\0\0\x1cftypavif": "avif",
    b"BM\x36\0\0\0\0\0\0\0": "bmp",
    b"<svg xmlns=": "",
    b"<html>": "",
    b"RIFF\0\0\0\0WAVE": "",
    b"": "",
}


@pytest.mark.parametrize(("data", "kind"), KINDS.items())
def test_a_picture_is_known_by_its_first_bytes(data, kind):
    """Whatever the server calls it."""
    assert image_kind(data) == kind


def test_a_picture_is_named_after_its_content():
    """In folders that do not grow without bound."""
    digest = hashlib.sha256(b"x").hexdigest()
    assert image_path(b"x", "jpg") == f"{digest[:2]}/{digest}.jpg"

"""The other commands, wrong usage, and the daemon: as processes, by their exit codes."""

import json
import signal
import sqlite3

import pytest

from ingestor import __version__
from tools.living import Daemon, wait_for
from tools.made_up_sina import FEED_URL, demo_articles, made_up, publish
from tools.running import feed


def test_the_version_is_said(site):
    """On standard output, exit 0."""
    done = site.run("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"ingestor {__version__}")


def test_init_says_how_to_go_on_with_the_file_that_was_named(site):
    """Else the next command would read another one."""
    begin = "written; look through it, then: ingest check"
    named = site.run("init", "--config", "my own.toml").stdout
    assert named == f"my own.toml {begin} --config 'my own.toml'\n"
    (site.folder / "config.toml").unlink()
    assert site.run("init").stdout == f"config.toml {begin}\n"


def test_init_writes_a_configuration_and_never_overwrites(site):
    """The second time is refused, and the file is as it was."""
    (site.folder / "config.toml").unlink()
    assert site.run("init").returncode == 0
    written = (site.folder / "config.toml").read_text("utf-8")
    again = site.run("init")
    assert again.returncode == 2
    assert "is left alone" in again.stderr
    assert (site.folder / "config.toml").read_text("utf-8") == written


def test_check_tries_each_feed_and_stores_nothing(site, net):
    """One line a feed; the folder is as it was."""
    publish(net, demo_articles())
    before = sorted(site.folder.iterdir())
    done = site.run("check")
    assert done.returncode == 0, done.stderr
    assert "10 entries" in done.stdout
    assert sorted(site.folder.iterdir()) == before


def test_check_says_what_does_not_answer(site, net):
    """Exit 1 and the reason."""
    net.fail(FEED_URL, "500")
    done = site.run("check")
    assert done.returncode == 1
    assert "HTTP 500" in done.stderr


def test_check_says_that_a_feed_is_cut_off(site, net):
    """Half of it came: that is not ok."""
    net.serve(FEED_URL, "<rss><channel><item><title>x</title></item><item><ti")
    done = site.run("check")
    assert done.returncode == 1
    assert "cut off after item 1" in done.stderr


def test_preview_shows_front_matter_and_text_and_stores_nothing(site, net):
    """What would be archived, before one decides to."""
    one = demo_articles()[8]
    publish(net, [one])
    before = sorted(site.folder.iterdir())
    done = site.run("preview", one.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("---\ntitle: '“{{ 试验 }}”: 石门水泥''s 公告 📈'\n")
    assert "石门水泥公布了公告，净利润增长。" in done.stdout
    assert sorted(site.folder.iterdir()) == before


def test_preview_says_everything_as_json(site, net):
    """For scripts."""
    one = demo_articles()[8]
    publish(net, [one])
    found = json.loads(site.run("preview", one.url, "--json").stdout)
    assert found["symbols"] == ["sh600999"]
    assert found["document_id"] == one.document_id


def test_preview_shows_what_was_taken_out_and_why(site, net):
    """How much, and each line with where it stood or what marked it."""
    one = demo_articles()[8]
    publish(net, [one])
    shown = site.run("preview", one.url, "--dropped").stdout
    assert "taken out: " in shown
    assert "appendQr_wrap: 海量资讯、精准解读，尽在新浪财经APP" in shown
    assert "p article-editor: 责任编辑：" in shown


@pytest.mark.parametrize("address", ["nonsense", "ftp://a.example/"])
def test_preview_of_no_address_is_wrong_usage(site, address):
    """Exit 2."""
    assert site.run("preview", address).returncode == 2


def test_an_address_inside_the_network_is_not_asked(site, net):
    """Without the proxy the server on loopback is in reach, and refused."""
    site.configure(feed(f"{net.origin_url}/feed"), fetch="")
    done = site.run("--once")
    assert done.returncode == 1
    assert "allow_private_addresses" in done.stderr
    assert net.asked() == []


def test_status_is_a_table_and_json(site, net):
    """Feeds, pending, parked; exit 0 when all is well."""
    publish(net, demo_articles())
    site.run("--once")
    done = site.run("status")
    assert done.returncode == 0
    assert "新浪财经－國內" in done.stdout
    assert "10 articles in 10 revisions" in done.stdout
    found = json.loads(site.run("status", "--json").stdout)
    assert (found["articles"], found["entries_pending"], found["feeds"][0]["articles"]) == (
        10,
        0,
        10,
    )


def test_the_configuration_may_be_named_before_or_behind_the_command(site, net):
    """Both are what people type."""
    publish(net, [made_up(1)])
    (site.folder / "config.toml").rename(site.folder / "other.toml")
    assert site.run("--once", "--config", "other.toml").returncode == 0
    assert site.run("status", "--config", "other.toml").returncode == 0
    assert site.run("--config=other.toml", "status").returncode == 0


WRONG = {
    "no such option": (("--twice",), 2),
    "no such command": (("frobnicate",), 2),
    "a configuration that is not there": (("--once", "--config", "none.toml"), 2),
    "--feed without --once": (("--feed", "x"), 2),
    "--force without --once": (("--force",), 2),
    "--defer without --once": (("--defer",), 2),
    "status without an archive": (("status",), 1),
}


@pytest.mark.parametrize(("arguments", "code"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_said_without_a_traceback(site, arguments, code):
    """A line, and the exit code of the documentation."""
    done = site.run(*arguments)
    assert done.returncode == code, done.stderr
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_feed_of_an_unknown_kind_is_said(site):
    """With the kinds that there are."""
    site.configure(feed(more='kind = "gopher"'))
    done = site.run("--once")
    assert done.returncode == 2
    assert "gopher" in done.stderr
    assert "rss" in done.stderr


def other_program(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def newer_schema(path):
    schema(path, "9999")


def older_schema(path):
    schema(path, "0007")


def schema(path, version):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    connection.commit()
    connection.close()


UNUSABLE = {
    "no database": (
        lambda path: path.write_text("not a database, but a text of some length" * 99),
        "not an SQLite",
    ),
    "another program's": (other_program, "another program"),
    "a newer program's": (newer_schema, "newer version"),
    "an early program's": (older_schema, "before the first release"),
    "a folder": (lambda path: path.mkdir(), "cannot be opened"),
}


@pytest.mark.parametrize(("make", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_archive_is_exit_3(site, make, said):
    """And is left as it is."""
    make(site.folder / "archive.db")
    done = site.run("--once")
    assert done.returncode == 3, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_the_daemon_works_and_stops_cleanly(site, net, number, code):
    """It ingests, polls again what is due, finds what is new, and exits when told to."""
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), schedule='jitter = "0s"')
    with Daemon(site) as daemon:
        wait_for(lambda: len(site.files()) == 1)
        publish(net, [made_up(1), made_up(2)])
        wait_for(lambda: len(site.files()) == 2)
        assert daemon.stop(number) == code, daemon.said()
        assert "Traceback" not in daemon.said()


def test_a_second_run_on_the_same_archive_is_refused(site, net):
    """Also by another name, and without the file that names the holder; readers may read."""
    publish(net, [made_up(1)])
    with Daemon(site):
        wait_for(lambda: len(site.files()) == 1)
        (site.folder / "archive.db.lock").unlink()
        (site.folder / "other.db").symlink_to("archive.db")
        done = site.run("--once")
        assert done.returncode == 75
        assert "in use by another process" in done.stderr
        site.store = f"sqlite:///{site.folder / 'other.db'}"
        site.configure()
        assert site.run("--once").returncode == 75
        assert site.run("status").returncode == 0


def test_a_page_in_the_wrong_form_is_said_by_preview(site, net):
    """Exit 1: it ran, and there was no article."""
    net.serve("https://a.example/x", "<html><body>短</body></html>")
    done = site.run("preview", "https://a.example/x")
    assert done.returncode == 1
    assert "no article" in done.stderr


def test_debug_shows_the_traceback(site):
    """For those who mend the program."""
    done = site.run("--once", "--config", "none.toml", "--debug")
    assert "Traceback" in done.stderr

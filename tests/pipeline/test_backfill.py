"""``kind = "sina-roll"``: the newest items, and the past day by day."""

import json
import signal
import time
from datetime import UTC, date, datetime

import pytest

from ingestor.model import Feed, Response
from ingestor.sources import history, source
from tests.faults.laboratory import DOUBLES, holdings
from tests.support.roll_api import A_DAY, API, ROLL, RollApi, as_json
from tools.fake_internet import Answer
from tools.made_up_sina import roll_answer
from tools.running import Site


@pytest.fixture
def api(site, net):
    """Give Sina's roll API, and a site that follows one of its channels."""
    site.configure(ROLL)
    return RollApi(net)


def walk(site: Site, since: str, until: str, *more: str):
    return site.run("--once", "--since", since, "--until", until, "--json", *more)


def test_the_newest_items_are_polled(site, api):
    """Title, day, medium and address from the API, the rest from the page."""
    done = site.run("--once", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["articles_new"] == A_DAY
    rows = site.query("SELECT DISTINCT date, media, origin FROM articles")
    assert rows == [("2024-03-11", "晨潮财讯", "page")]


@pytest.mark.every_store
def test_days_are_walked_newest_first_until_nothing_new_comes(site, api):
    """Both ends included; each day's pages to the empty one."""
    done = walk(site, "2024-02-28", "2024-03-01")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["articles_new"] == 3 * A_DAY
    days = ["2024-03-01", "2024-02-29", "2024-02-28"]
    assert api.asked == [(day, page) for day in days for page in (1, 2, 3, 4)]
    assert site.query("SELECT date, count(*) FROM articles GROUP BY date ORDER BY date DESC") == [
        (day, A_DAY) for day in days
    ]
    assert done.stderr.count("backfill_day") == 3


def test_what_is_through_is_not_asked_again_unless_forced(site, api):
    """The progress is in the database."""
    walk(site, "2024-02-28", "2024-02-29")
    api.asked.clear()
    again = json.loads(walk(site, "2024-02-28", "2024-03-01").stdout)
    assert [day for day, _ in api.asked] == ["2024-03-01"] * 4
    assert again["articles_new"] == A_DAY
    api.asked.clear()
    forced = json.loads(walk(site, "2024-02-28", "2024-03-01", "--force").stdout)
    assert len(api.asked) == 12
    assert (forced["articles_new"], forced["entries_new"]) == (0, 0)


@pytest.mark.parametrize(
    "answer",
    {
        "HTML": Answer(b"<html>busy</html>"),
        "an error": as_json('{"result":{"status":{"code":11,"msg":"denied"},"data":[]}}'),
        "a status": Answer(b"no", status=403),
        "nothing": as_json(""),
        "no list": as_json('{"result":{"status":{"code":0},"data":"x"}}'),
        "half a list": as_json(
            '{"result":{"status":{"code":0},"data":[{"title":"x","url":"https://a.example/1"},{"ti'
        ),
    }.values(),
)
def test_an_odd_answer_stops_the_walk_and_the_next_run_goes_on_there(site, api, answer):
    """Exit 1, a line with the feed and the day; no page that was through is asked twice."""
    api.broken["2024-02-29", 2] = answer
    done = walk(site, "2024-02-28", "2024-03-01")
    assert done.returncode == 1
    assert '"feed": "宏观经济", "day": "2024-02-29", "error": "' in done.stderr
    assert json.loads(done.stdout)["feeds_failed"] == 1
    api.broken.clear()
    api.asked.clear()
    assert walk(site, "2024-02-28", "2024-03-01").returncode == 0
    assert api.asked[0] == ("2024-02-29", 2)
    assert site.query("SELECT count(*) FROM articles") == [(3 * A_DAY,)]


def test_a_page_that_comes_again_and_again_ends_the_day(site, api):
    """A list without end has an end."""
    for page in range(1, 40):
        api.broken["2024-02-29", page] = as_json(roll_answer(api.of(date(2024, 2, 29))))
    assert walk(site, "2024-02-29", "2024-02-29").returncode == 0
    assert len(api.asked) == 2


def test_a_walk_that_is_killed_goes_on_where_it_was(site, api, tmp_path, net):
    """At the page in work; the archive is that of an undisturbed walk."""
    whole = Site(tmp_path / "whole", net)
    whole.folder.mkdir()
    whole.configure(ROLL)
    assert walk(whole, "2024-02-01", "2024-02-12").returncode == 0
    for number, sign in enumerate((signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGKILL)):
        api.asked.clear()
        process = site.start("--once", "--since", "2024-02-01", "--until", "2024-02-12")
        while len(api.asked) < 5 + number and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(sign)
        process.wait()
        assert all(site.query(sql) == [] for sql in DOUBLES.values())
    assert walk(site, "2024-02-01", "2024-02-12").returncode == 0
    assert site.files() == whole.files()
    assert holdings(site) == holdings(whole)


WRONG = {
    "no day": ("--since", "yesterday"),
    "the wrong way round": ("--since", "2024-03-02", "--until", "2024-03-01"),
    "the future": ("--since", "2199-01-01"),
    "an end without a beginning": ("--until", "2024-03-01"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_days_that_make_no_sense_are_refused(site, api, arguments):
    """Exit 2, one line."""
    done = site.run("--once", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_feed_without_a_past_is_said(site, net):
    """RSS has none."""
    site.configure()
    done = site.run("--once", "--since", "2024-01-01")
    assert done.returncode == 0
    assert "none of these feeds has a past" in done.stderr


def item(**values):
    body = json.dumps({"result": {"status": {"code": 0}, "data": [values]}}).encode()
    feed = Feed("f", "sina-roll", f"{API}?pageid=1&lid=2", ("x", "y"), "z")
    now = datetime(2024, 5, 1, tzinfo=UTC)
    (entry,) = source("sina-roll").read(feed, Response(API, API, 200, (), body, now)).entries
    return entry


def test_items_are_read_whatever_is_missing():
    """No address: the mobile one; no time, or a wrong one: none; numbers for text."""
    assert item(title="t", wapurl="https://finance.sina.cn/x").url == "https://finance.sina.cn/x"
    assert item(title="t", url="javascript:x").url == ""
    assert item(title="t", ctime="0").published_at is None
    assert item(title="t", ctime=1617678022).published_at == datetime(
        2021, 4, 6, 3, 0, 22, tzinfo=UTC
    )
    assert item(title="t", ctime="99999999999999").published_at is None
    assert item(title="a<b>c</b>", intro=" x ", keywords="a,,b,a").keywords == ("a", "b")


def test_only_kinds_with_a_past_have_a_history():
    """RSS has none."""
    assert history("rss") is None
    assert history("sina-roll") is not None

"""Logs: for people and for machines, one line an outcome, and no secrets."""

import json

import pytest

from ingestor.text.sanitize import redact
from tools.made_up_sina import FEED_URL, made_up, publish
from tools.running import feed

SECRETS = {
    "a proxy's password": ("http://user:pa55@proxy:3128", "http://***@proxy:3128"),
    "a password with an at": ("http://user:p@55@proxy:3128", "http://***@proxy:3128"),
    "a feed's user": ("sqlite+x://me@host/a: no", "sqlite+x://***@host/a: no"),
    "an access key": ("http://h/sina?key=pa55&x=1", "http://h/sina?key=***&x=1"),
    "a password with a slash": ("http://user:pa/5@5@proxy:3128", "http://***@proxy:3128"),
    "a proxy without a scheme": ("proxy: user:pa55@proxy:3128 no", "proxy: ***@proxy:3128 no"),
    "RSSHub's keys": ("http://h/a?accesskey=pa55&sign=pa55", "http://h/a?accesskey=***&sign=***"),
    "a name in a path": ("http://h:1200/@me: a@b.example", "http://h:1200/@me: a@b.example"),
    "whom to write to": ("(mailto:me@a.example)", "(mailto:me@a.example)"),
    "nothing secret": ("https://a.example/x@y?keyword=1", "https://a.example/x@y?keyword=1"),
}


@pytest.mark.parametrize(("text", "clean"), SECRETS.values(), ids=SECRETS)
def test_secrets_are_taken_out(text, clean):
    """User and password of a URL, and keys in its query."""
    assert redact(text) == clean


def test_elsewhere_than_on_a_terminal_each_line_is_json(site, net):
    """With the time, the level and the event's name."""
    publish(net, [made_up(1)])
    lines = [json.loads(line) for line in site.run("--once").stderr.splitlines()]
    assert "feed_polled" in [line["event"] for line in lines]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)


def test_people_and_the_journal_get_their_own_form(site, net):
    """Asked for by name, before the command or behind it."""
    publish(net, [made_up(1)])
    human = site.run("--once", "--log-format", "human").stderr
    assert "[info" in human
    net.fail(FEED_URL, "500")
    journal = site.run("--log-format=journal", "--once").stderr.splitlines()
    assert any(line.startswith("<4>feed_failed feed=") for line in journal)


@pytest.mark.parametrize("form", ["human", "json", "journal"])
def test_no_log_says_a_secret(site, net, form):
    """A proxy has a password and a feed a key; the feed fails, and neither is said."""
    site.configure(feed("http://a.example/feed?key=s3cret"))
    proxy = site.net.proxy_url.replace("//", "//me:pa55word@")
    text = (site.folder / "config.toml").read_text("utf-8")
    text = text.replace(site.net.proxy_url, proxy)
    (site.folder / "config.toml").write_text(text, encoding="utf-8")
    done = site.run("--once", "--log-format", form, "--verbose")
    assert done.returncode == 1
    assert "a.example" in done.stderr
    assert "pa55word" not in done.stderr
    assert "s3cret" not in done.stderr


SECRET = "pa55"
PLANTED = {
    "http://user:{0}/{0}@proxy.invalid:3128": "http://a.example/feed?accesskey={0}&x=1",
    "user:{0}@proxy.invalid:3128": "http://user:{0}@a.example/feed?code={0}",
    "http://:{0}@": "http://a.example/{0}?sign={0}#token={0}",
}


@pytest.mark.parametrize("proxy", PLANTED)
def test_no_command_says_a_secret(site, proxy):
    """In whatever form a proxy or a feed is written, and whether it is refused or asked."""
    address = PLANTED[proxy].format(SECRET).replace(f"/{SECRET}?", "/feed?")
    site.configure(feed(address))
    path = site.folder / "config.toml"
    text = path.read_text("utf-8").replace(site.net.proxy_url, proxy.format(SECRET))
    path.write_text(text, encoding="utf-8")
    page = f"http://a.example/x?token={SECRET}"
    for command in (
        ["--once", "--verbose"], ["check"], ["status"], ["status", "--json"], ["verify"],
        ["preview", page], ["show", page], ["search", "x"], ["retry"], ["reextract"],
        ["export", str(site.folder / "out.jsonl")], ["backup", str(site.folder / "copy")],
    ):  # fmt: skip
        done = site.run(*command)
        assert SECRET not in done.stdout + done.stderr, command


def test_quiet_says_only_what_is_wrong(site, net):
    """Nothing at all when all is well; the JSON that was asked for is no chatter."""
    publish(net, [made_up(1)])
    done = site.run("--once", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(site.run("--once", "--quiet", "--json").stdout)["feeds"] == 1
    net.fail(FEED_URL, "500")
    done = site.run("--once", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["feed_failed"]


def test_on_a_terminal_a_failure_is_said_once(site, net):
    """As a line at the end, not as an event as well."""
    net.fail(FEED_URL, "500")
    shown = site.on_a_terminal("--once")
    assert shown.count("HTTP 500") == 1
    assert "ingest: feed 新浪财经－國內: " in shown


def test_a_wrong_format_is_wrong_usage(site):
    """Exit 2."""
    assert site.run("--once", "--log-format", "xml").returncode == 2

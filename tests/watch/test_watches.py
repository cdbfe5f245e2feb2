"""Watches: each hit is delivered at least once, in order, under a key that stays."""

import hashlib
import hmac
import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest
from lxml import etree

from ingestor.config import read
from ingestor.config.sections import WatchSettings
from ingestor.store import revisions
from tools import ROOT
from tools.cluster_soak import Crew
from tools.fake_internet import Answer
from tools.filling import arrival_of, save_articles
from tools.living import Daemon, wait_for
from tools.made_up_sina import demo_articles, made_up, publish
from tools.running import Site, feed

HOOK = "https://hooks.example/in/AbC-secret-path"
SECRET = "不外传"
ATOM = "{http://www.w3.org/2005/Atom}"
RESTLESS = {"schedule": 'jitter = "0s"', "fetch": "robots = false"}

WEBHOOK = f'name = "水泥"\nwebhook = "{HOOK}"\nsecret = "{SECRET}"'
"""Waits for everything, so that a test chooses what comes."""


def watching(site, *watches, **sections):
    """Configure a site with watches, each the inside of a [[watch]] section."""
    site.configure(feed(more='every = "1s"'), **sections)
    path = site.folder / "config.toml"
    text = "".join(f"[[watch]]\n{watch}\n" for watch in watches)
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def once(site, net, *articles):
    """Let the feed announce articles, and run a pass."""
    publish(net, list(articles))
    done = site.run("--once")
    assert done.returncode == 0, done.stderr
    return done


def taken(net, address=HOOK):
    """Return what a webhook was sent, as JSON."""
    return [json.loads(visit.body) for visit in net.asked(address)]


def keys(net, address=HOOK):
    return [visit.headers["Idempotency-Key"] for visit in net.asked(address)]


def state(site, name="水泥"):
    columns = "sequence, delivered, attempts, next_attempt_at IS NULL, error"
    return site.query(f"SELECT {columns} FROM watches WHERE name = '{name}'")[0]


@pytest.mark.every_store
def test_a_webhook_is_told_of_each_new_article_and_edit(site, net):
    """In order, signed, as JSON with what `ingest follow --json` says."""
    net.serve(HOOK, "ok")
    watching(site, WEBHOOK)
    once(site, net, made_up(1), made_up(2))
    hits = taken(net)
    assert [hit["sequence"] for hit in hits] == [1, 2]
    assert {hit["title"] for hit in hits} == {made_up(1).title, made_up(2).title}
    assert {hit["watch"] for hit in hits} == {"水泥"}
    for visit, hit in zip(net.asked(HOOK), hits, strict=True):
        assert visit.headers["Content-Type"] == "application/json; charset=utf-8"
        assert visit.headers["Idempotency-Key"] == hit["idempotency_key"]
        digest = hmac.new(SECRET.encode(), visit.body, hashlib.sha256).hexdigest()
        assert visit.headers["X-Ingestor-Signature"] == f"sha256={digest}"
    assert keys(net) == ["%E6%B0%B4%E6%B3%A5-1", "%E6%B0%B4%E6%B3%A5-2"]
    followed = json.loads(site.run("export", "-", "--limit", "1").stdout)["sequence"]
    assert followed in {1, 2}
    with closing(site.database()) as database, database.transaction() as connection:
        revisions.revise(connection, 1, arrival_of(0, "改过的标题", "改过的正文"))
    once(site, net)
    assert (taken(net)[2]["cause"], taken(net)[2]["title"]) == ("edit", "改过的标题")
    assert state(site) == (3, 3, 0, True, "")


def test_a_new_watch_begins_now(site, net):
    """Not with the whole archive."""
    net.serve(HOOK, "ok")
    once(site, net, made_up(1))
    watching(site, WEBHOOK)
    once(site, net, made_up(1))
    assert taken(net) == []
    once(site, net, made_up(1), made_up(2))
    assert [hit["title"] for hit in taken(net)] == [made_up(2).title]


def test_only_what_is_waited_for_is_delivered(site, net):
    """By words, by one of several securities or media, by the feed; the cursor passes the rest."""
    wanted = {
        "words": 'query = "公告 -没有的词"',
        "security": 'symbols = ["sh600519", "sh600999"]',
        "called": 'symbols = "石门水泥"',
        "feed": 'feeds = "新浪财经－國內"\nsymbols = "sh600999"',
        "nobody": 'media = ["没有的报"]',
    }
    watching(
        site,
        *(
            f'name = "{name}"\nwebhook = "https://{name}.example/"\n{keys}'
            for name, keys in wanted.items()
        ),
    )
    for name in wanted:
        net.serve(f"https://{name}.example/", "")
    once(site, net, demo_articles()[8], made_up(1))
    found = {name: [hit["title"] for hit in taken(net, f"{name}.example")] for name in wanted}
    assert found == {name: [demo_articles()[8].title] for name in wanted} | {"nobody": []}
    assert {state(site, name)[0] for name in wanted} == {2}


def test_a_pass_waits_as_long_as_one_delivery_may_take(site, net):
    """What a slow receiver has not taken by then is delivered by the next pass."""

    def slowly(_url, _headers):
        time.sleep(0.5)
        return Answer(b"ok")

    net.serve_function(HOOK, slowly)
    watching(site, f'{WEBHOOK}\ntimeout = "1s"')
    once(site, net, *map(made_up, range(1, 13)))
    left = 12 - state(site)[1]
    assert left > 0
    once(site, net)
    assert 12 - state(site)[1] < left


@pytest.mark.every_store
def test_what_was_delivered_and_not_noted_comes_again_under_its_key(site, net):
    """Killed while its receiver answers: nothing is lost, and the key says that it is the same."""
    killed = []

    def kill_once(_url, _headers):
        if not killed:
            killed.append(True)
            daemon.process.kill()
        return Answer(b"ok")

    net.serve_function(HOOK, kill_once)
    watching(site, WEBHOOK, **RESTLESS)
    publish(net, [made_up(1), made_up(2)])
    with Daemon(site) as daemon:
        assert daemon.process.wait(timeout=60) == -signal.SIGKILL
    assert state(site)[:2] == (0, 0)
    with Daemon(site) as daemon:
        wait_for(lambda: len(net.asked(HOOK)) == 3)
        wait_for(lambda: state(site)[:2] == (2, 2))
        assert daemon.stop() == 0, daemon.said()
    first, *rest = keys(net)
    assert rest[0] == first
    assert len(set(rest)) == 2


def test_a_receiver_that_hangs_or_fails_holds_up_nothing_else(site, net):
    """Neither other watches nor the pass; it is tried again later, and status says so."""
    slow, broken, sound = ("https://slow.example/", "https://broken.example/", HOOK)
    net.fail(slow, "hang")
    net.fail(broken, "500")
    net.serve(sound, "")
    watching(
        site,
        f'name = "slow"\nwebhook = "{slow}"\ntimeout = "1s"',
        f'name = "broken"\nwebhook = "{broken}"',
        WEBHOOK,
    )
    done = once(site, net, made_up(1), made_up(2))
    assert [len(net.asked(url)) for url in (slow, broken, sound)] == [1, 1, 2]
    assert "HTTP 500" in done.stderr
    assert state(site, "slow")[1:4] == (0, 1, False)
    assert "no answer in time" in state(site, "slow")[4]
    shown = site.run("status")
    assert shown.returncode == 1
    assert "watch   broken: failed 1×, again at" in shown.stdout
    assert {watch["attempts"] for watch in json.loads(site.run("status", "--json").stdout)["watches"]} == {0, 1}  # fmt: skip
    once(site, net, made_up(1), made_up(2))
    assert len(net.asked(broken)) == 1, "not before its time"
    net.serve(broken, "")
    site.change("UPDATE watches SET next_attempt_at = '2000-01-01T00:00:00Z'")
    once(site, net, made_up(1), made_up(2))
    assert [hit["sequence"] for hit in taken(net, broken)[1:]] == [1, 2]
    assert keys(net, broken)[0] == keys(net, broken)[1]
    assert state(site, "broken") == (2, 2, 0, True, "")


def test_a_receiver_is_asked_when_it_wants_to_be(site, net):
    """Retry-After holds when it is later than the next try would be."""
    net.serve(HOOK, "", status=429, headers={"Retry-After": "7200"})
    watching(site, WEBHOOK)
    once(site, net, made_up(1))
    ((later,),) = site.query(
        "SELECT next_attempt_at > datetime('now', '+100 minutes') FROM watches"
    )
    assert later


def test_a_receiver_that_is_gone_is_not_told_again_until_somebody_asks(site, net):
    """410: stopped, said in the log and in status; `ingest retry` goes on where it was."""
    net.fail(HOOK, "410")
    watching(site, WEBHOOK)
    assert "HTTP 410" in once(site, net, made_up(1)).stderr
    once(site, net, made_up(1), made_up(2))
    assert len(net.asked(HOOK)) == 1
    assert "stopped: https://hooks.example/…: HTTP 410" in site.run("status").stdout
    net.serve(HOOK, "")
    assert "the hits of 1 watch are tried again" in site.run("retry").stdout
    once(site, net, made_up(1), made_up(2))
    assert [hit["sequence"] for hit in taken(net)[1:]] == [1, 2]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://169.254.169.254/latest",
        "http://0x7f.1/x",
        "http://10.1.2.3:8080/hook",
        "http://printer.local/x",
    ],
)
def test_a_webhook_inside_the_network_is_refused(site, net, url):
    """In one line that says what allows it; nothing is asked."""
    watching(site, f'name = "in"\nwebhook = "{url}"')
    once(site, net, made_up(1))
    assert "fetch.allow_private_addresses" in state(site, "in")[4]
    done = site.run("watch", "test", "in")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "is inside the network" in done.stderr
    assert not [visit for visit in net.visits if visit.body]


def test_a_webhook_inside_is_told_where_the_configuration_allows_it(site, net):
    """As for feeds."""
    inside = f"{net.origin_url}/hook"
    net.serve(inside, "")
    watching(site, f'name = "in"\nwebhook = "{inside}"', fetch="allow_private_addresses = true")
    once(site, net, made_up(1))
    assert len(net.asked("/hook")) == 1


def test_no_redirect_is_followed_and_no_secret_is_said(site, net):
    """Signed articles go to the address that was named; its path stays out of what is shown."""
    net.redirect(HOOK, "https://elsewhere.example/", 308)
    watching(site, WEBHOOK)
    said = once(site, net, made_up(1)).stderr
    said += site.run("watch", "list", "--json").stdout + site.run("status").stdout
    said += site.run("watch", "list").stdout + site.run("watch", "test", "水泥").stderr
    assert "no redirect is followed" in said
    assert "secret-path" not in said + str(site.query("SELECT * FROM watches"))
    assert SECRET not in said
    assert not net.asked("elsewhere.example")


def script(site, text, timeout="60s") -> str:
    path = site.folder / "tell.sh"
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o700)
    return f'name = "c"\ncommand = ["./tell.sh", "first"]\ntimeout = "{timeout}"'


def test_a_command_is_given_each_hit(site, net):
    """As JSON on its standard input; exit 0 is done. What it leaves running is not waited for."""
    watching(site, script(site, 'cat >> said.jsonl; echo "$1" >> said.jsonl; sleep 60 & exit 0'))
    once(site, net, made_up(1), made_up(2))
    lines = (site.folder / "said.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["sequence"] for line in lines[::2]] == [1, 2]
    assert lines[1::2] == ["first", "first"]
    assert state(site, "c") == (2, 2, 0, True, "")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("echo 'no printer' >&2; exit 3", "exit code 3: no printer"),
        ("sleep 60", "did not end in time"),
        ("kill -9 $$", "exit code -9"),
    ],
)
def test_a_command_that_fails_is_run_again_later(site, net, text, error):
    """With its last words; one that takes too long is ended."""
    watching(site, script(site, text, "1s" if "sleep" in text else "60s"))
    once(site, net, made_up(1))
    assert error in state(site, "c")[4]
    assert state(site, "c")[:3] == (0, 0, 1)


def test_a_command_that_is_not_there_is_said(site, net):
    """In one line."""
    watching(site, 'name = "c"\ncommand = "./nowhere"')
    once(site, net, made_up(1))
    assert state(site, "c")[4] == "nowhere: No such file or directory"


def entries(site) -> list[etree._Element]:
    return etree.parse(site.folder / "hits.xml").getroot().findall(f"{ATOM}entry")


def test_a_feed_has_the_newest_hits_first(site, net):
    """Atom, there from the beginning; a hit that comes again is there once."""
    watching(site, 'name = "f & g"\nfeed = "hits.xml"')
    once(site, net)
    assert entries(site) == []
    once(site, net, made_up(1))
    once(site, net, made_up(1), made_up(2))
    assert [entry.findtext(f"{ATOM}title") for entry in entries(site)] == [
        made_up(2).title,
        made_up(1).title,
    ]
    (link,) = entries(site)[0].findall(f"{ATOM}link")
    assert link.get("href") == made_up(2).url
    site.change("UPDATE watches SET sequence = 0")
    once(site, net, made_up(1), made_up(2))
    assert len(entries(site)) == 2


def test_a_feed_keeps_a_hundred(site, net):
    """The newest; written as a whole, in few steps."""
    watching(site, 'name = "f"\nfeed = "hits.xml"')
    once(site, net)
    with closing(site.database()) as database, database.transaction() as connection:
        save_articles(connection, [arrival_of(n, f"第{n}篇\x0b", f"正文{n}") for n in range(250)])
    once(site, net)
    titles = [entry.findtext(f"{ATOM}title") for entry in entries(site)]
    assert titles == [f"第{n}篇" for n in range(249, 149, -1)]


def test_a_file_that_is_not_the_watchs_is_never_written_over(site, net):
    """The operator named the wrong one: it is said, and the file is as it was."""
    (site.folder / "hits.xml").write_text("my own", "utf-8")
    watching(site, 'name = "f"\nfeed = "hits.xml"')
    once(site, net, made_up(1))
    assert (site.folder / "hits.xml").read_text("utf-8") == "my own"
    assert "is not the feed of this watch" in state(site, "f")[4]


def test_a_test_delivers_one_and_moves_nothing(site, net):
    """The newest that is waited for, else a made-up one; marked, and with a key of its own."""
    net.serve(HOOK, "")
    watching(site, WEBHOOK)
    done = site.run("watch", "test", "水泥")
    assert (done.returncode, "a made-up article was delivered" in done.stdout) == (0, True)
    once(site, net, made_up(1))
    before = state(site)
    done = site.run("watch", "test", "水泥")
    assert (done.returncode, made_up(1).url in done.stdout, state(site)) == (0, True, before)
    made, real, tried = taken(net)
    assert [hit["test"] for hit in (made, real, tried)] == [True, False, True]
    assert tried["title"] == real["title"]
    assert tried["idempotency_key"] != real["idempotency_key"]


def test_wrong_watches_are_refused_in_a_line(site):
    """Before anything is done."""
    for watch, line in (
        ('name = "a"', "watch[1]: one of webhook, command and feed is wanted"),
        ('name = "a"\nwebhook = "x"', "watch[1].webhook: an address"),
        ('name = "a"\nwebhook = "http://x.example:99999/"', "watch[1].webhook"),
        ('name = "a"\nfeed = "a.xml"\nsymbols = "sh60051"', 'watch "a": "sh60051" is no code'),
        ('name = "a"\nfeed = "a.xml"\nquery = "OR"', 'watch "a": '),
        ('name = "a"\nfeed = "a.xml"\nfeeds = "nein"', 'watch "a": feeds: there is no feed "nein"'),
        ('name = "a"\nfeed = "a.xml"\nwebhok = "b"', 'did you mean "webhook"?'),
    ):
        watching(site, watch)
        for command in (("check",), ("watch", "list"), ("--once",)):
            done = site.run(*command)
            assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
            assert line in done.stderr
    watching(site, 'name = "a"\nfeed = "a.xml"')
    done = site.run("watch", "test", "b")
    assert (done.returncode, 'there is no watch "b"' in done.stderr) == (2, True)


def test_the_daemon_goes_on_while_a_receiver_hangs(site, net):
    """A second article is archived meanwhile; and it ends in its time."""
    net.fail(HOOK, "hang")
    watching(site, WEBHOOK + '\ntimeout = "5m"', **RESTLESS)
    publish(net, [made_up(1)])
    with Daemon(site) as daemon:
        wait_for(lambda: net.asked(HOOK))
        publish(net, [made_up(1), made_up(2)])
        wait_for(lambda: len(site.files()) == 2)
        assert daemon.stop() == 0, daemon.said()
    assert state(site)[:3] == (0, 0, 0)


def test_a_reload_takes_up_a_new_watch(site, net):
    """It begins then."""
    net.serve(HOOK, "")
    watching(site, **RESTLESS)
    publish(net, [made_up(1)])
    with Daemon(site) as daemon:
        wait_for(lambda: len(site.files()) == 1)
        watching(site, WEBHOOK, **RESTLESS)
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: site.query("SELECT * FROM watches"))
        publish(net, [made_up(1), made_up(2)])
        wait_for(lambda: net.asked(HOOK))
        assert daemon.stop() == 0, daemon.said()
    assert [hit["title"] for hit in taken(net)] == [made_up(2).title]


def test_the_example_of_the_configuration_loads(tmp_path):
    """Each of the three things that can be done, once its lines are taken in."""
    example = (ROOT / "config.example.toml").read_text("utf-8")
    head, _, rest = example.partition("# [[watch]]\n")
    keys = re.findall(r"^# ([a-z]+ = .*)$", rest, re.MULTILINE)
    actions = {
        key: line for line in keys if (key := line.split()[0]) in {"webhook", "command", "feed"}
    }
    known = set(WatchSettings.model_fields)
    assert {line.split()[0] for line in keys} == known
    for action in actions:
        others = set(actions) - {action} | ({"secret"} if action != "webhook" else set())
        lines = [line for line in keys if line.split()[0] not in others]
        text = f"{head}\n[[watch]]\n" + "\n".join(lines)
        (watch,) = read(text, tmp_path / "config.toml", {}).watch
        assert getattr(watch, action)


def test_the_receiver_of_the_page_believes_what_is_signed_and_does_nothing_twice(site, net):
    """docs/watch.md: run as it stands, on another port."""
    (source,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/watch.md").read_text("utf-8"), re.DOTALL
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    source = source.replace("8466", str(port))
    receiver = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
    try:
        wait_for(lambda: is_listening(port))
        watch = f'name = "水泥"\nwebhook = "http://127.0.0.1:{port}/"\nsecret = '
        net.serve_function(f"http://127.0.0.1:{port}/", lambda *_: Answer())
        allowed = 'proxy = ""\nallow_private_addresses = true'
        watching(site, watch + '"a wrong one"', fetch=allowed)
        assert "HTTP 401" in site.run("watch", "test", "水泥").stderr
        watching(site, watch + '"a long random text"', fetch=allowed)
        for _ in range(2):
            assert "HTTP 204" in site.run("watch", "test", "水泥").stdout
    finally:
        receiver.kill()
        said = receiver.communicate()[0].decode()
    assert said.count("A test of the watch") == 1


def is_listening(port) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_of_several_workers_one_has_a_watch_at_a_time(tmp_path, net, postgresql_url):
    """Each hit once, in order, whoever lands it; a worker that is killed is taken over from."""
    site = Site(tmp_path, net, store=postgresql_url)
    net.serve(HOOK, "")
    watching(site, WEBHOOK, **RESTLESS)
    publish(net, [made_up(number) for number in range(1, 21)])
    with Crew(site, whole=False) as crew:
        crew.start()
        crew.start()
        wait_for(lambda: len(net.asked(HOOK)) == 20)
        crew.kill(crew.workers[0])
        publish(net, [made_up(number) for number in range(1, 31)])
        wait_for(lambda: len(set(keys(net))) == 30)
        wait_for(lambda: state(site)[:2] == (30, 30))
        assert crew.stop() == [0]
    sequences = [hit["sequence"] for hit in taken(net)]
    assert list(dict.fromkeys(sequences)) == list(range(1, 31))
    assert sequences == sorted(sequences)

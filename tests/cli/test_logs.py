"""Logs: for people and for machines, one line an outcome, and no secrets."""

import json
import logging
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from ingestor import log
from ingestor.cli.logs import configure
from ingestor.text.sanitize import redact
from ingestor.version import __version__
from tools import ROOT
from tools.living import LONGEST, wait_for
from tools.made_up_sina import FEED_URL, made_up, publish
from tools.running import feed

PACKAGE = ROOT / "ingestor"

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


def test_events_are_said_in_one_way():
    """Who asks structlog for a logger would be heard on standard output, in a form of its own."""
    users = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(?:import|from) structlog", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert users == ["cli/logs.py"]


LINES = {
    "json": '{"feed": "甲", "count": 2, "event": "told", "level": "warning", "timestamp": "T"}',
    "journal": "<4>told feed=甲 count=2",
    "human": "T [warning  ] told                           count=2 feed=甲",
}


@pytest.fixture
def configured(monkeypatch):
    """How :func:`configure` is called; what it changes in Python itself is put back."""
    for owner, hook in (
        (warnings, "showwarning"), (threading, "excepthook"), (sys, "unraisablehook"),
    ):  # fmt: skip
        monkeypatch.setattr(owner, hook, getattr(owner, hook))
    yield configure
    logging.basicConfig(force=True)
    log.EVENTS.setLevel(logging.NOTSET)


@pytest.mark.parametrize("form", LINES)
def test_an_event_is_a_line(form, configured, capfd):
    """With its fields in their order; what is below the level, or left out, is none."""
    configured(form, logging.INFO, frozenset({"unsaid"}))
    log.warning("told", feed="甲", count=2)
    log.warning("unsaid")
    log.debug("whispered")
    logging.getLogger("of_a_library").info("not ours")
    [line] = capfd.readouterr().err.splitlines()
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "T", line)
    assert sorted(line.split()) == sorted(LINES[form].split())


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("tracebacks", [True, False])
def test_an_exception_is_told_without_its_secrets(form, tracebacks, configured, capfd):
    """Of the one that is handled, or of one that is handed over: the way there, or its end."""
    configured(form, logging.INFO, tracebacks=tracebacks)
    try:
        int("http://me:pa55@a.example/x")
    except ValueError as error:
        log.exception("fell", step="poll")
        log.error("handed_over", exc_info=error)
        logging.getLogger("of_a_library").warning("of %s", "theirs", exc_info=True)
    said = capfd.readouterr().err
    assert said.count("invalid literal") == 3
    assert "of theirs" in said
    assert "pa55" not in said
    assert said.count("Traceback") == (3 if tracebacks else 0)
    assert tracebacks or said.count(__file__) == len(said.splitlines()) == 3


def test_an_error_of_a_thread_is_an_event(configured, capfd):
    """Of which nobody takes care."""
    configured("json", logging.INFO)
    thread = threading.Thread(target=int, args=("none",))
    thread.start()
    thread.join(timeout=LONGEST)
    [line] = capfd.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "thread_failed"


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


def full_disk():
    return os.open("/dev/full", os.O_WRONLY)


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def pipe_that_nobody_reads():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 65_536)
    os.set_blocking(writer, True)
    LEFT_OPEN.append(reader)
    return writer


LEFT_OPEN: list[int] = []
"""The other ends of pipes: closed, they would be another case."""

UNWRITABLE = {
    "a full disk": full_disk,
    "a closed pipe": closed_pipe,
    "a pipe that nobody reads": pipe_that_nobody_reads,
    "none": None,
}


@pytest.mark.parametrize("stream", UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_log_that_cannot_be_written_stops_no_work(site, net, stream):
    """The daemon ingests, and ends with 0; no file of its own gets the log's number."""
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), schedule='jitter = "0s"', fetch="robots = false")
    errors = stream() if stream else None
    if errors is None:
        command = [
            "sh",
            "-c",
            'exec "$@" 2>&-',
            "sh",
            sys.executable,
            "-m",
            "ingestor",
            "--verbose",
        ]
        process = subprocess.Popen(
            command, cwd=site.folder, env=site.environment(), stdout=subprocess.DEVNULL
        )
    else:
        process = site.start("--verbose", stderr=errors)
    try:
        wait_for(lambda: len(site.files()) == 1)
        publish(net, [made_up(1), made_up(2)])
        wait_for(lambda: len(site.files()) == 2)
        assert Path(f"/proc/{process.pid}/fd/2").readlink() != site.folder / "archive.db"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=LONGEST) == 0
    finally:
        process.kill()
        process.wait()
        for number in [errors, *LEFT_OPEN] if errors else []:
            os.close(number)
        LEFT_OPEN.clear()
    assert site.run("verify").returncode in {0, 1}


TROUBLES = (
    "os.kill(os.getpid(), signal.SIGKILL)",
    "os.kill(os.getpid(), signal.SIGSEGV)",
    "os.abort()",
    "raise MemoryError",
    "x = []; [x.append(bytes(1 << 28)) for _ in range(99)]",
    "raise ZeroDivisionError('made up')",
    "f = lambda: f(); f()",
    "raise SystemExit(3)",
)

_TROUBLE = """
import os, signal, warnings
import ingestor.extract
def read_page(page):
    warnings.warn("something of a library", UserWarning, stacklevel=1)
    os.write(2, b"raw words of a C library\\n")
    exec({}[page.url], globals())
ingestor.extract.read_page = read_page
"""


def test_what_happens_in_a_worker_is_a_line_of_the_log(site, net, tmp_path):
    """Nothing raw comes between them: no warning, no traceback."""
    pages = [made_up(number) for number in range(len(TROUBLES))]
    publish(net, pages, full=False)
    troubles = {page.url: trouble for page, trouble in zip(pages, TROUBLES, strict=True)}
    (tmp_path / "trouble").mkdir()
    (tmp_path / "trouble" / "sitecustomize.py").write_text(_TROUBLE.format(troubles))
    done = subprocess.run(
        [sys.executable, "-m", "ingestor", "--once"],
        cwd=site.folder,
        env=site.environment() | {"PYTHONPATH": f"{tmp_path / 'trouble'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    failed = [event["event"] for event in events].count("entry_failed")
    assert failed == len(TROUBLES), done.stderr
    assert "Traceback" not in done.stderr


def test_a_warning_of_a_library_is_a_line_of_the_log(site, net, tmp_path):
    """Of one that warns while it is imported, too."""
    publish(net, [made_up(1)])
    (tmp_path / "trouble").mkdir()
    text = "import warnings, ingestor.pipeline.poll as p\nold = p.read_older\n"
    text += "def new(*a):\n    warnings.warn('so old', UserWarning)\n    return old(*a)\n"
    (tmp_path / "trouble" / "sitecustomize.py").write_text(f"{text}p.read_older = new\n")
    done = subprocess.run(
        [sys.executable, "-W", "always", "-m", "ingestor", "--once"],
        cwd=site.folder,
        env=site.environment() | {"PYTHONPATH": f"{tmp_path / 'trouble'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    events = [json.loads(line) for line in done.stderr.splitlines()]
    (warning,) = [event for event in events if event.get("text") == "so old"]
    assert (warning["event"], warning["kind"]) == ("library_warning", "UserWarning")


def test_ctrl_c_shows_no_traceback(site, net):
    """It goes to the whole group: to the workers, and while they begin."""
    publish(net, [made_up(number) for number in range(1, 30)])
    process = subprocess.Popen(
        [sys.executable, "-m", "ingestor"],
        cwd=site.folder,
        env=site.environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: net.asked(FEED_URL))
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=LONGEST)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert all(line.startswith("{") for line in errors.splitlines())


def test_a_wrong_format_is_wrong_usage(site):
    """Exit 2."""
    assert site.run("--once", "--log-format", "xml").returncode == 2


def plain(shown: str) -> list[str]:
    """Return what stood on a terminal, a line for each time that one was drawn."""
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown))


def test_a_pass_on_a_terminal_shows_how_far_it_is(site, net):
    """Pages of those known, what is waited for, and a summary of lines that fit."""
    publish(net, [made_up(number) for number in range(1, 9)])
    site.configure(fetch='delay_per_host = "400ms"')
    lines = plain(site.on_a_terminal("--once", COLUMNS="80"))
    bars = [line for line in lines if line.startswith("pages ")]
    assert any(re.search(r" [1-7]/8 ", line) for line in bars), lines
    assert any("waits for finance.sina.com.cn" in line for line in bars), lines
    last = [line for line in lines if line][-4:]
    assert last[0] == "1 feed (0 unchanged, 0 failed): 8 new entries"
    assert last[1] == "articles: 8 new, 0 revised, 0 unchanged"
    assert all(cell_len(line) <= 80 for line in last)
    assert site.on_a_terminal("--once", "--quiet") == ""


def interrupted_on_a_terminal(site, net, *arguments):
    """Press Ctrl-C when a page hangs; return the exit code and what stood there."""
    publish(net, [made_up(1), made_up(2)])
    net.fail(made_up(2).url, "hang")
    site.configure(service='stop_timeout = "1s"')
    terminal, end = pty.openpty()
    process = site.start(*arguments, stdout=end, stderr=end, TERM="xterm", TZ="Asia/Shanghai")
    os.close(end)
    shown = b""
    try:
        wait_for(lambda: site.files() and net.asked(made_up(2).url))
        process.send_signal(signal.SIGINT)
        with suppress(OSError):
            while part := os.read(terminal, 65536):
                shown += part
        return process.wait(timeout=LONGEST), "\n".join(plain(shown.decode()))
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


@pytest.mark.parametrize("arguments", [("--once",), ()], ids=["a pass", "the daemon"])
def test_ctrl_c_says_so_and_exits_130(site, net, arguments):
    """Of what does not end in time as well; the daemon says before what it is at work on."""
    code, shown = interrupted_on_a_terminal(site, net, *arguments)
    assert code == 130, shown
    assert "stopped_before_done" in shown or "interrupted; what is pending" in shown
    if not arguments:
        assert f"version {__version__}, archive {site.folder}/archive.db, 1 feed" in shown
        now = datetime.now(ZoneInfo("Asia/Shanghai"))
        hours = {f"{now - timedelta(minutes=ago):%H:}" for ago in (0, 10)}
        (line,) = [line for line in shown.splitlines() if "archived" in line]
        assert line[:3] in hours, line
        assert "articles=1" in line


def test_a_pass_that_ends_in_time_says_its_summary_before_it_says_130(site, net):
    """Without a terminal: the numbers, and the code."""
    publish(net, [made_up(number) for number in range(1, 40)])
    site.configure(fetch='delay_per_host = "300ms"')
    said, summary = site.folder / "said", site.folder / "summary"
    with said.open("wb") as errors, summary.open("wb") as out:
        process = site.start("--once", "--json", stdout=out.fileno(), stderr=errors.fileno())
    wait_for(lambda: len(net.asked()) > 4)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=LONGEST) == 130, said.read_text("utf-8")
    assert json.loads(summary.read_text("utf-8"))["entries_pending"] > 0

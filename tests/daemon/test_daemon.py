"""The service: started, watched, reloaded and stopped from outside, as a process."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ingestor.clock import Clock
from ingestor.daemon.loop import stop_on_signals
from ingestor.daemon.monitor import Systemd, systemd
from tools.living import LONGEST, Daemon, Manager, wait_for
from tools.made_up_sina import FEED_URL, made_up, publish
from tools.running import feed
from tools.soak import descendants

SECOND = "https://rsshub.app/sina/finance/second"
RESTLESS = {"schedule": 'jitter = "0s"', "fetch": "robots = false"}


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """Give a service manager that listens at a path, and at an abstract name."""
    path = str(tmp_path / "notify")
    listening = Manager(path if request.param == "path" else f"@{path}")
    yield listening
    listening.close()


@pytest.fixture
def listening(tmp_path):
    """Give a service manager that listens."""
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.close()


def notified(manager, watchdog="3000000"):
    return {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": watchdog}


def test_ready_is_said_after_the_first_tick_and_the_watchdog_is_fed(site, net, manager):
    """READY=1 once the article is in; then signs of life, counts, and the end."""
    publish(net, [made_up(1)])
    with Daemon(site, environment=notified(manager), whole=True) as daemon:
        wait_for(lambda: manager.heard("READY=1"))
        assert net.asked(FEED_URL)
        wait_for(lambda: manager.heard("WATCHDOG=1"))
        wait_for(lambda: manager.heard("STATUS=1 feed (0 failing), 0 entries pending, 0 parked"))
        assert daemon.stop() == 0, daemon.said()
    assert manager.heard("STOPPING=1")
    ready = [line for message in manager.hear() for line in message].index("READY=1")
    assert "WATCHDOG=1" not in [line for message in manager.hear() for line in message][:ready]


def test_a_database_that_cannot_be_migrated_never_gets_ready(site, listening):
    """Exit 3, and the manager heard nothing of readiness."""
    (site.folder / "archive.db").write_text("no database, but some text" * 99)
    with Daemon(site, environment=notified(listening)) as daemon:
        assert daemon.process.wait(timeout=LONGEST) == 3
    assert not listening.heard("READY=1")


def test_a_stuck_step_starves_the_watchdog(site, net, listening):
    """The process is alive, its scheduler ticks, the database answers; the work does not move."""
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), service='stuck_after = "1s"', **RESTLESS)
    with Daemon(site, environment=notified(listening, "600000")) as daemon:
        wait_for(lambda: listening.heard("READY=1"))
        with closing(sqlite3.connect(site.folder / "archive.db", timeout=30)) as others:
            others.execute("BEGIN IMMEDIATE")
            wait_for(
                lambda: any('step "work", "' in line for one in stuck(listening) for line in one)
            )
        daemon.process.kill()
    assert all("WATCHDOG=1" not in one for one in stuck(listening))


def stuck(manager):
    """Return the messages that say that nothing moves."""
    return [one for one in manager.hear() if any("nothing moved" in line for line in one)]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_what_does_not_end_in_time_stays_pending(site, net, number, code):
    """It ends within stop_timeout, although a request hangs; the next run ingests it."""
    publish(net, [made_up(1)])
    net.fail(made_up(1).url, "hang")
    site.configure(service='stop_timeout = "1s"', **RESTLESS)
    with Daemon(site) as daemon:
        wait_for(lambda: net.asked(made_up(1).url))
        assert daemon.stop(number) == code, daemon.said()
        assert "stopped_before_done" in daemon.said()
    assert site.query("SELECT state, attempts FROM entries") == [("pending", 0)]
    publish(net, [made_up(1)])
    assert site.run("--once").returncode == 0
    assert len(site.files()) == 1


def test_sighup_takes_over_a_good_configuration(site, net, listening):
    """The feed that was added is polled; systemd hears of the reload and of its end."""
    publish(net, [made_up(1)])
    publish(net, [made_up(2)], feed_url=SECOND)
    with Daemon(site, environment=notified(listening)) as daemon:
        wait_for(lambda: listening.heard("READY=1"))
        site.configure(feed(), feed(SECOND, name="second"))
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(site.files()) == 2)
        assert daemon.stop() == 0
    lines = [line for message in listening.hear() for line in message]
    assert "READY=1" in lines[lines.index("RELOADING=1") :]


FEED = f"[[feeds]]\n{feed()}\n"

BAD = {
    "an unknown key": ("[fetch]\nspeed = 3\n", "speed"),
    "not TOML": ("[fetch\n", "TOML"),
    "a kind that is not there": ('[[feeds]]\nname = "x"\nkind = "gopher"\n', "gopher"),
    "an empty file": ("", "no feeds"),
    "no feeds": ("[fetch]\nrobots = false\n", "no feeds"),
    "a folder that cannot be made": (f'[archive]\ndir = "config.toml/x"\n{FEED}', "cannot be made"),
    "a raw folder that is a file": (
        f'[archive]\nraw_dir = "config.toml"\n{FEED}',
        "cannot be made",
    ),
    "another database": ('[store]\nurl = "sqlite:///other.db"\n', "store.url"),
}


def test_sighup_refuses_a_bad_configuration_and_keeps_the_old_one(site, net):
    """A line for each that names the key; the feed of before is still polled."""
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), **RESTLESS)
    with Daemon(site) as daemon:
        wait_for(lambda: len(site.files()) == 1)
        for count, (text, word) in enumerate(BAD.values(), 1):
            (site.folder / "config.toml").write_text(text, encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda count=count: daemon.said().count("config_refused") == count)
            assert word in daemon.said()
        publish(net, [made_up(1), made_up(2)])
        wait_for(lambda: len(site.files()) == 2)
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.said()


def test_a_reload_that_is_asked_for_too_early_is_not_deadly(site, net):
    """Nor lost: at whatever moment of its start it comes."""
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), **RESTLESS)
    with Daemon(site, whole=True) as daemon:
        # Before its first line the interpreter itself begins, and takes a signal as it comes.
        wait_for(lambda: is_blocked(daemon.process.pid, signal.SIGHUP))
        while "service_started" not in daemon.said() and daemon.process.poll() is None:
            daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "config_reloaded" in daemon.said())
        assert daemon.stop() == 0


class Watched(threading.Event):
    """An event that knows who set it."""

    setter: threading.Thread | None = None

    def set(self):
        """Note the thread, then set it."""
        self.setter = threading.current_thread()
        super().set()


def test_a_signal_takes_no_lock_where_it_interrupts():
    """It may come while the main thread holds the lock of the very event that it sets."""
    clock, reload = Clock(stop=Watched()), Watched()
    with stop_on_signals(clock, timedelta(days=1), reload):
        for number, event in ((signal.SIGHUP, reload), (signal.SIGTERM, clock.stop)):
            signal.raise_signal(number)
            assert event.wait(30)
            assert event.setter is not threading.main_thread()


def is_blocked(process, number):
    """Return whether a process has put a signal off."""
    status = Path(f"/proc/{process}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigBlk:")).split()[1]
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_workers_end_with_a_daemon_that_is_killed(site, net):
    """Nothing is left over that would hold memory for ever."""
    publish(net, [made_up(1)])
    with Daemon(site, whole=True) as daemon:
        wait_for(site.files)
        workers = list(descendants(daemon.process.pid))
        assert workers
        daemon.process.kill()
        daemon.process.wait()
        wait_for(lambda: not any(is_running(one) for one in workers))


def is_running(process):
    try:
        return "(zombie)" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_backlog_does_not_hold_up_the_daemon(site, net):
    """More entries than a round takes: all of them get in, over several ticks."""
    publish(net, [made_up(number) for number in range(1, 230)])
    site.configure(feed(more='content = "feed"'), **RESTLESS)
    with Daemon(site) as daemon:
        wait_for(lambda: site.folder.joinpath("archive.db").exists() and len(site.files()) == 229)
        assert daemon.stop() == 0


def test_the_watchdog_of_another_process_is_not_ours():
    """A shell that systemd started may have started us."""
    assert systemd({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_seconds is None
    assert systemd({"WATCHDOG_USEC": "1000000"}).watchdog_seconds == 1.0


def test_a_manager_that_does_not_listen_stops_nobody(tmp_path):
    """A line in the log is all."""
    systemd({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell("READY=1")
    systemd({}).tell("READY=1")


SHIFTED_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
static int (*original)(clockid_t, struct timespec *);
static volatile long long *ahead;
int clock_gettime(clockid_t which, struct timespec *moment) {
    if (!original) {
        ahead = mmap(0, 8, PROT_READ, MAP_SHARED, open(getenv("CLOCK_AHEAD"), O_RDONLY), 0);
        original = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int failed = original(which, moment);
    if (which == CLOCK_REALTIME) moment->tv_sec += *ahead;
    return failed;
}
"""
"""A C library's clock whose time of day is so many seconds ahead as a file says. As in a suspend,
the monotonic clock, by which waiting is measured, does not jump."""


@pytest.fixture
def shifted(tmp_path):
    """Give the variables that shift a process's clock, and a function that sets by how much."""
    if not shutil.which("cc"):
        pytest.skip("cc is not installed")
    library, ahead = tmp_path / "clock.so", tmp_path / "ahead"
    ahead.write_bytes(bytes(8))
    command = ["cc", "-shared", "-fPIC", "-o", str(library), "-x", "c", "-", "-ldl"]
    subprocess.run(command, input=SHIFTED_CLOCK, text=True, check=True)

    def shift(seconds):
        with ahead.open("r+b") as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))

    return {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(ahead)}, shift


def test_after_a_suspend_each_feed_is_polled_once(site, net, listening, shifted):
    """Hours were missed, and are made up for by one poll; the watchdog is fed all the time.

    Then the clock is put back: the daemon goes on as well.
    """
    environment, shift = shifted
    publish(net, [made_up(1)])
    publish(net, [made_up(2)], feed_url=SECOND)
    hourly = 'every = "1h"'
    site.configure(feed(more=hourly), feed(SECOND, "second", hourly), **RESTLESS)
    environment |= notified(listening, "1500000")
    with Daemon(site, environment=environment, whole=True) as daemon:
        wait_for(lambda: listening.heard("READY=1"))
        wait_for(lambda: len(site.files()) == 2)
        shift(7 * 3600)
        wait_for(lambda: len(net.asked(FEED_URL)) == len(net.asked(SECOND)) == 2)
        wait_for_beats(listening, 3)
        assert len(net.asked(FEED_URL)) == len(net.asked(SECOND)) == 2
        shift(0)
        wait_for(lambda: "clock_put_back" in daemon.said())
        wait_for_beats(listening, 3)
        assert daemon.stop() == 0, daemon.said()
    assert not listening.heard("STATUS=nothing moved")


def test_a_clock_that_jumps_by_years_is_survived(site, net, listening, shifted):
    """Forwards and back: no list of missed seconds is made, and polls go on at once."""
    environment, shift = shifted
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), **RESTLESS)
    later = "SELECT 1 FROM feeds WHERE next_poll_at > strftime('%Y', 'now', '+5 years')"
    environment |= notified(listening, "1500000")
    with Daemon(site, environment=environment, whole=True) as daemon:
        wait_for(lambda: len(site.files()) == 1)
        for count, ahead in enumerate((3650 * 86400, 0), start=2):
            shift(ahead)
            wait_for(lambda count=count: daemon.said().count("clock_jumped") >= count - 1)
            asked = len(net.asked(FEED_URL))
            wait_for(lambda asked=asked: len(net.asked(FEED_URL)) > asked)
            # Only a poll that is written down leaves a due time in what is the future afterwards.
            wait_for(lambda ahead=ahead: not ahead or site.query(later) == [(1,)])
        wait_for(lambda: "clock_was_ahead" in daemon.said())
        assert daemon.stop() == 0, daemon.said()


def test_a_service_manager_that_stopped_reading_is_not_waited_for(listening, monkeypatch):
    """The queue of its socket holds few messages; what does not fit is left out."""
    monkeypatch.setattr("ingestor.daemon.monitor.TELL_SECONDS", 0.01)
    messages = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()) * 2 + 5
    manager = Systemd(listening.address)
    for number in range(messages):
        manager.tell(f"STATUS={number}")
    assert 0 < len(listening.hear()) < messages
    manager.tell("READY=1")
    assert listening.heard("READY=1")


def wait_for_beats(manager, count):
    """Wait until the watchdog was fed so many times more."""

    def fed():
        return sum("WATCHDOG=1" in message for message in manager.hear())

    before = fed()
    wait_for(lambda: fed() >= before + count)

"""How hosts are treated: one suite for the limits of a process and those of many workers."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ingestor.clock import Clock
from ingestor.cluster.host_limiter import SharedHostLimiter
from ingestor.config.sections import FetchSettings
from ingestor.fetch.host_limiter import (
    FAILURES_IN_A_ROW,
    LONGEST_CRAWL_DELAY,
    MOST_DOUBTED_DOUBLINGS,
    UNSAID_PAUSE,
    Busy,
    HostLimiter,
    HostWishes,
    MemoryHostLimiter,
    Slot,
    host_of,
)
from ingestor.model import HostPause
from ingestor.store.db.database import Database
from tools.living import LONGEST

NOW = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)
HOST = "finance.sina.example"
SLOTS = 2


@pytest.fixture(params=["memory", pytest.param("postgresql", marks=pytest.mark.slow)])
def members(request) -> Callable[[], HostLimiter]:
    """Give what makes one more member of those who share a host: threads, or workers."""
    if request.param == "memory":
        limiter = MemoryHostLimiter(SLOTS, Clock())
        yield lambda: limiter
    else:
        fetch = FetchSettings(connections_per_host=SLOTS)
        with closing(Database(request.getfixturevalue("postgresql_url"))) as database:
            yield lambda: SharedHostLimiter(database, fetch, Clock())


def in_an_hour() -> HostPause:
    until = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    return HostPause(until, "HTTP 429")


def acquired(limiter: HostLimiter, delay: float = 0.0) -> Slot:
    """Wait for a slot."""
    while not isinstance(slot := limiter.acquire(HOST, delay), Slot):
        assert isinstance(slot, Busy)
        threading.Event().wait(slot.wait)
    return slot


def test_a_host_has_so_many_slots_and_no_more(members):
    """One that is released is free again, whoever asks."""
    first, second = acquired(members()), acquired(members())
    assert isinstance(members().acquire(HOST, 0.0), Busy)
    assert isinstance(members().acquire("other.example", 0.0), Slot)
    first.release()
    third = members().acquire(HOST, 0.0)
    assert isinstance(third, Slot)
    assert isinstance(members().acquire(HOST, 0.0), Busy)
    second.release()
    third.release()


def test_requests_to_a_host_keep_their_distance(members):
    """Whoever makes them; a busy host says when it makes sense to try again."""
    acquired(members(), delay=29.0).release()
    busy = members().acquire(HOST, 29.0)
    assert isinstance(busy, Busy)
    assert 6 < busy.wait <= 29


def test_a_host_that_is_tried_again_when_it_said_has_a_slot(members):
    acquired(members(), delay=1.0).release()
    # On a busy machine that second may be over already.
    if isinstance(busy := members().acquire(HOST, 1.0), Busy):
        threading.Event().wait(busy.wait + 0.01)
        assert isinstance(members().acquire(HOST, 1.0), Slot)


def test_a_pause_that_one_learns_of_holds_for_all(members):
    """Retry-After: the others do not ask, and know until when and why."""
    pause = in_an_hour()
    assert members().pauses() == {}
    members().pause(HOST, pause)
    assert members().acquire(HOST, 0.0) == pause
    assert members().pauses() == {HOST: pause}
    assert isinstance(members().acquire("other.example", 0.0), Slot)


def test_a_pause_ends(members):
    members().pause(HOST, HostPause(datetime.now(UTC) - timedelta(seconds=1), "HTTP 503"))
    assert members().pauses() == {}
    assert isinstance(members().acquire(HOST, 0.0), Slot)


def test_a_host_that_wants_fewer_requests_gets_them_from_all(members):
    """429 without a time: nobody asks for a while, and the longer wish counts."""
    members().hold_off(HOST, 29.0)
    members().hold_off(HOST, 5.0)
    busy = members().acquire(HOST, 0.0)
    assert isinstance(busy, Busy)
    assert 6 < busy.wait <= 29


def test_many_threads_get_a_few_slots_at_a_time(members):
    """Twelve requests of three members; never more than two are on their way."""
    limiters = [members() for _ in range(3)]
    lock, running, peak, full = threading.Lock(), [0], [0], threading.Event()

    def ask(number: int) -> None:
        slot = acquired(limiters[number % 3])
        with lock:
            running[0] += 1
            peak[0] = max(peak[0], running[0])
            if running[0] == SLOTS:
                full.set()
        # The first waits for a second one, however late it is; then there may be a third.
        full.wait(LONGEST)
        threading.Event().wait(0.02)
        with lock:
            running[0] -= 1
        slot.release()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(ask, range(12)))
    assert peak[0] == SLOTS


def test_a_pause_of_an_earlier_run_holds():
    """It comes back from the database."""
    pause = in_an_hour()
    limiter = MemoryHostLimiter(SLOTS, Clock(), {HOST: pause})
    assert limiter.acquire(HOST, 0.0) == pause
    assert limiter.pauses() == {HOST: pause}


@pytest.mark.parametrize(
    ("wait", "wish"),
    [
        (timedelta(seconds=20), 20.0),
        (timedelta(minutes=10), HostPause(NOW + timedelta(minutes=10), "HTTP 503")),
    ],
)
def test_a_short_time_is_waited_for_and_a_long_one_is_a_pause(wait, wish):
    """A pass need not be given up for seconds."""
    assert HostWishes(1.0).slow_down(HOST, wait, NOW, "HTTP 503") == wish


def test_answers_that_do_not_say_how_long_slow_down_more_and_more():
    """Twice the time each time, and after some in a row a real pause; a good answer ends it."""
    wishes = HostWishes(1.0)
    seconds = [wishes.slow_down(HOST, None, NOW, "HTTP 503") for _ in range(FAILURES_IN_A_ROW - 1)]
    assert seconds == [2.0, 4.0, 8.0, 16.0]
    pause = wishes.slow_down(HOST, None, NOW, "HTTP 503")
    assert pause == HostPause(NOW + UNSAID_PAUSE, "HTTP 503")
    wishes.answered(HOST)
    assert wishes.slow_down(HOST, None, NOW, "HTTP 503") == 2.0


def test_a_host_whose_pages_are_not_believed_is_asked_more_slowly():
    """Twice as slowly with each in a row, within a limit; a page that is believed ends it."""
    wishes = HostWishes(0.25)
    delays = []
    for _ in range(MOST_DOUBTED_DOUBLINGS + 2):
        wishes.judged(HOST, believed=False)
        delays.append(wishes.delay(HOST))
    assert delays == [0.5, 1.0, 2.0, 2.0, 2.0]
    assert wishes.delay("other.example") == 0.25
    wishes.judged(HOST, believed=True)
    assert wishes.delay(HOST) == 0.25


def test_a_crawl_delay_is_obeyed_within_limits():
    """It lengthens our own delay, never shortens it, and ends at a minute."""
    wishes = HostWishes(2.0)
    assert wishes.crawl_delay("a", 5.0) == wishes.delay("a") == 5.0
    assert wishes.crawl_delay("b", 0.5) == wishes.delay("b") == 2.0
    assert wishes.crawl_delay("c", 86_400.0) == wishes.delay("c") == LONGEST_CRAWL_DELAY
    assert wishes.delay("d") == 2.0


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Finance.Sina.example/x", "finance.sina.example"),
        ("http://finance.sina.example:80/x", "finance.sina.example"),
        ("https://finance.sina.example:443/x", "finance.sina.example"),
        ("http://rsshub:1200/sina", "rsshub:1200"),
        ("http://[broken/", ""),
        ("http://a.example:99999/", ""),
    ],
)
def test_a_host_is_one_over_http_and_https(url, host):
    """The pause is the host's, whichever scheme is asked; what is no address has none."""
    assert host_of(url) == host

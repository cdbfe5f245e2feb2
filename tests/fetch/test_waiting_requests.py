"""Whose request is next: parallelism and pauses for each host, checked against a model."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingestor.clock import Clock
from ingestor.fetch.host_limiter import (
    SLOW_PLACES,
    SLOW_SECONDS,
    Busy,
    HostQueues,
    MemoryHostLimiter,
    Paused,
    Places,
    Ready,
    SourceShares,
)
from ingestor.model import HostPause

NOW = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)


class Hosts:
    """Queues before the limiter of one process, and the second that it is."""

    def __init__(self, slots: int, delay: float):
        self.second = 0.0
        self.limiter = MemoryHostLimiter(
            slots, Clock(now=lambda: NOW, monotonic=lambda: self.second)
        )
        self.queues = HostQueues(lambda host: self.limiter.acquire(host, delay), per_host=slots)

    def take(self, second: float):
        """Return the host and the request that begins at a second, with its slot."""
        self.second = second
        taken = self.queues.take(second)
        return (taken.host, taken.item, taken.slot) if isinstance(taken, Ready) else taken

    def end(self, host: str, slot) -> None:
        slot.release()
        self.queues.ended(host)


def test_a_host_is_asked_at_its_pace():
    """The next request has to wait for the delay, and says how long."""
    hosts = Hosts(4, delay=2.0)
    hosts.queues.put("a", 1)
    hosts.queues.put("a", 2)
    assert hosts.take(10.0)[:2] == ("a", 1)
    assert hosts.take(10.0) is None
    assert hosts.queues.wait(10.5) == 1.5
    assert hosts.take(12.0)[:2] == ("a", 2)


def test_a_host_is_not_asked_by_too_many_at_once():
    """Only a request that ended makes room."""
    hosts = Hosts(1, delay=0.0)
    hosts.queues.put("a", 1)
    hosts.queues.put("a", 2)
    host, item, slot = hosts.take(0.0)
    assert (host, item) == ("a", 1)
    assert hosts.take(99.0) is None
    assert hosts.queues.wait(99.0) is None
    hosts.end("a", slot)
    assert hosts.take(99.0)[:2] == ("a", 2)


def test_a_slot_that_others_have_is_tried_again():
    """Redirects and robots.txt files are asked beside the queues."""
    hosts = Hosts(1, delay=0.0)
    elsewhere = hosts.limiter.acquire("a", 0.0)
    hosts.queues.put("a", 1)
    assert hosts.take(5.0) is None
    wait = hosts.queues.wait(5.0)
    assert 0 < wait < 1
    elsewhere.release()
    assert hosts.take(5.0 + wait)[:2] == ("a", 1)


def test_a_busy_host_does_not_keep_others_waiting():
    """A thousand requests for one host are no reason for another to wait."""
    hosts = Hosts(1, delay=5.0)
    for number in range(1000):
        hosts.queues.put("a", number)
    hosts.queues.put("b", "b")
    assert hosts.take(0.0)[:2] == ("a", 0)
    assert hosts.take(0.0)[:2] == ("b", "b")


def test_all_that_waits_for_a_host_to_be_left_alone_comes_out_at_once():
    hosts = Hosts(1, delay=0.0)
    pause = HostPause(NOW + timedelta(hours=1), "HTTP 429")
    hosts.limiter.pause("a", pause)
    for number in range(3):
        hosts.queues.put("a", number)
    assert hosts.take(0.0) == Paused("a", [0, 1, 2], pause)
    assert len(hosts.queues) == 0


@given(
    wanted=st.lists(st.sampled_from("abc"), max_size=60),
    slots=st.integers(1, 3),
    delay=st.sampled_from([0.0, 0.5, 2.0]),
    duration=st.sampled_from([0.1, 1.0, 5.0]),
)
def test_the_limits_hold_and_every_request_gets_its_turn(wanted, slots, delay, duration):
    """Over any mix: never too many, never too soon, in order within a host, none forgotten."""
    hosts = Hosts(slots, delay)
    for number, host in enumerate(wanted):
        hosts.queues.put(host, number)
    now, running, begun = 0.0, [], []
    while len(hosts.queues) or running:
        while taken := hosts.take(now):
            host, number, slot = taken
            begun.append((now, host, number))
            running.append((now + duration, host, slot))
        wait = hosts.queues.wait(now)
        now = min([end for end, *_ in running] + ([now + wait] if wait else []))
        for request in [request for request in running if request[0] <= now]:
            running.remove(request)
            hosts.end(*request[1:])
    assert sorted(number for _, _, number in begun) == list(range(len(wanted)))
    for host in "abc":
        mine = [(at, number) for at, name, number in begun if name == host]
        assert mine == sorted(mine)
        assert all(later - earlier >= delay - 1e-9 for (earlier, _), (later, _) in pairwise(mine))
        for at, _ in mine:
            assert sum(other <= at < other + duration for other, _ in mine) <= slots


def test_slow_requests_give_their_places_to_others_up_to_a_bound():
    """Quick ones are as many as were allowed; all together are some times as many."""
    second = [0.0]
    places = Places(4, lambda: second[0])
    releases = []
    for round_number in range(1, SLOW_PLACES + 1):
        while places.is_free():
            releases.append(places.take())
        assert len(releases) == 4 * round_number
        second[0] += SLOW_SECONDS
    assert not places.is_free()
    releases.pop()()
    assert places.is_free()


def test_no_source_has_all_slots_of_a_host():
    """However many it asks for: another one finds some free."""
    limiter = MemoryHostLimiter(4, Clock())
    shares = SourceShares(4)
    held = [shares.acquire("a evil", lambda: limiter.acquire("a", 0.0)) for _ in range(9)]
    assert sum(not isinstance(slot, Busy) for slot in held) == 2
    assert not isinstance(shares.acquire("a good", lambda: limiter.acquire("a", 0.0)), Busy)
    held[0].release()
    assert not isinstance(shares.acquire("a evil", lambda: limiter.acquire("a", 0.0)), Busy)

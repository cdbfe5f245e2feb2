"""Whose turn it is: parallelism and pauses for each host, checked against a model."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingestor.fetch.host_limiter import HostQueues, Hosts


def test_a_host_is_asked_at_its_pace():
    """The next request has to wait for the pause, and says how long."""
    queues = HostQueues(per_host=4, pace=Hosts(2.0))
    queues.put("a", 1)
    queues.put("a", 2)
    assert queues.take(10.0) == ("a", 1)
    assert queues.take(10.0) is None
    assert queues.wait(10.5) == 1.5
    assert queues.take(12.0) == ("a", 2)


def test_a_host_is_not_asked_by_too_many_at_once():
    """Only a finished request makes room."""
    queues = HostQueues(per_host=1, pace=Hosts(0.0))
    queues.put("a", 1)
    queues.put("a", 2)
    assert queues.take(0.0) == ("a", 1)
    assert queues.take(99.0) is None
    assert queues.wait(99.0) is None
    queues.finished("a")
    assert queues.take(99.0) == ("a", 2)


def test_a_busy_host_does_not_keep_others_waiting():
    """A thousand requests for one host are no reason for another to wait."""
    queues = HostQueues(per_host=1, pace=Hosts(5.0))
    for number in range(1000):
        queues.put("a", number)
    queues.put("b", "b")
    assert queues.take(0.0) == ("a", 0)
    assert queues.take(0.0) == ("b", "b")


@given(
    hosts=st.lists(st.sampled_from("abc"), max_size=60),
    per_host=st.integers(1, 3),
    delay=st.sampled_from([0.0, 0.5, 2.0]),
    duration=st.sampled_from([0.1, 1.0, 5.0]),
)
def test_the_limits_hold_and_every_request_gets_its_turn(hosts, per_host, delay, duration):
    """Over any mix: never too many, never too soon, in order within a host, none forgotten."""
    queues = HostQueues(per_host=per_host, pace=Hosts(delay))
    for number, host in enumerate(hosts):
        queues.put(host, number)
    now, running, begun = 0.0, [], []
    while len(queues) or running:
        while turn := queues.take(now):
            begun.append((now, *turn))
            running.append((now + duration, turn[0]))
        now = min(
            [end for end, _ in running] + ([now + wait] if (wait := queues.wait(now)) else [])
        )
        for end, host in [one for one in running if one[0] <= now]:
            running.remove((end, host))
            queues.finished(host)
    assert sorted(number for _, _, number in begun) == list(range(len(hosts)))
    for host in "abc":
        mine = [(at, number) for at, name, number in begun if name == host]
        assert mine == sorted(mine)
        assert all(later - earlier >= delay - 1e-9 for (earlier, _), (later, _) in pairwise(mine))
        for at, _ in mine:
            assert sum(other <= at < other + duration for other, _ in mine) <= per_host

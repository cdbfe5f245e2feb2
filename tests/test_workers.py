"""The pool goes on, whatever a page does to the process that reads it."""

import os
import re
import signal
import time
from functools import partial

import pytest

from ingestor import poll
from ingestor.errors import TooSlow, WorkerDied
from ingestor.workers import MOST_MEMORY_BYTES, Workers


def double(number: int) -> int:
    return 2 * number


def spin() -> int:
    while True:
        pass


def spin_deaf() -> int:
    """Catch every exception, as some parsers do."""
    while True:
        try:
            spin()
        except Exception:  # noqa: BLE001 - that is the point
            continue


def spin_in_c() -> int:
    """Run inside C code that hears no signal: a sum never comes back to Python's loop."""
    return sum(range(10**13))


def backtrack() -> int:
    return len(re.findall(r"(a+)+b", "a" * 60))


def wait() -> int:
    time.sleep(3600)
    return 0


def wait_deaf() -> int:
    """Wait, and hear no signal: as in a system call that is tried again for ever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
    time.sleep(3600)
    return 0


def stop() -> int:
    """Stand still, as under a debugger: no time passes for this process."""
    os.kill(os.getpid(), signal.SIGSTOP)
    return 0


def fill_the_memory() -> int:
    return len(bytes(MOST_MEMORY_BYTES))


def crash() -> int:
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0


def leave() -> int:
    os._exit(3)


def fail() -> int:
    raise ValueError("a bug")


TROUBLE = {
    "loops": (spin, TooSlow),
    "loops and catches exceptions": (spin_deaf, TooSlow),
    "hangs in C code": (spin_in_c, WorkerDied),
    "backtracks": (backtrack, (TooSlow, WorkerDied)),
    "waits": (wait, TooSlow),
    "waits and hears no signal": (wait_deaf, WorkerDied),
    "stands still": (stop, WorkerDied),
    "fills the memory": (fill_the_memory, WorkerDied),
    "crashes": (crash, WorkerDied),
    "leaves": (leave, WorkerDied),
    "fails": (fail, ValueError),
}


@pytest.mark.parametrize(("bad", "expected"), TROUBLE.values(), ids=TROUBLE)
def test_only_the_one_to_blame_is_blamed(bad, expected):
    """All others in flight come out as if it had not been there, in their order."""
    with Workers(2, seconds=0.15 if bad in {wait_deaf, stop} else 0.3) as workers:
        outcomes = list(
            workers.through(range(12), lambda one: bad if one == 5 else partial(double, one))
        )
    assert [item for item, _ in outcomes] == list(range(12))
    assert isinstance(outcomes[5][1], expected)
    assert [result for item, result in outcomes if item != 5] == [
        2 * item for item in range(12) if item != 5
    ]


def test_the_pool_goes_on_after_many_deaths():
    """Each of them is named, and work that comes later is done."""
    with Workers(2, seconds=0.3) as workers:
        bad = list(workers.through(range(3), lambda _: crash))
        assert all(isinstance(outcome, WorkerDied) for _, outcome in bad)
        assert workers.call(partial(double, 4)) == 8


def test_closing_does_not_wait_for_ever():
    """Work that hangs when the program ends is ended with it."""
    with Workers(1, seconds=0.1) as workers:
        begun = workers.through([0, 1], lambda one: partial(double, one) if one == 0 else stop)
        assert next(begun) == (0, 0)


@pytest.mark.parametrize("error", [TooSlow("x"), WorkerDied("x")])
def test_a_page_that_cannot_be_read_in_time_is_parked(error):
    """The same bytes would only do the same again."""
    assert poll.trouble(error) == "hopeless"

"""The pool goes on, whatever a page does to the process that reads it."""

import multiprocessing
import os
import re
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from ingestor import policy
from ingestor.errors import TooSlow, WorkerDied, WorkersFailed
from ingestor.workers import Workers
from ingestor.workers.process import MOST_MEMORY_BYTES

pytestmark = pytest.mark.slow


def double(number: int) -> int:
    return 2 * number


def doubled(number: int) -> partial[int]:
    return partial(double, number)


def much(data: bytes) -> bytes:
    return data + data


def waitless() -> int:
    return 0


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


def fail_oddly() -> int:
    raise ValueError("holds a function", lambda: 1)


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
            workers.through(range(12), lambda item: bad if item == 5 else partial(double, item))
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


def test_what_has_no_work_is_ended_and_comes_back(monkeypatch):
    """The processes, and the one that they are forked from."""
    with Workers(1) as pool:
        parent = pool.call(os.getppid)
        pool.rest()
        assert pool.call(os.getppid) == parent
        monkeypatch.setattr("ingestor.workers.IDLE_SECONDS", 0.0)
        pool.rest()
        assert multiprocessing.active_children() == []
        os.waitid(os.P_PID, parent, os.WEXITED | os.WNOWAIT)
        assert pool.call(partial(double, 4)) == 8
        assert pool.call(os.getppid) != parent


def test_closing_does_not_wait_for_ever():
    """Work that hangs when the program ends is ended with it."""
    with Workers(1, seconds=0.1) as workers:
        begun = workers.through([0, 1], lambda item: partial(double, item) if item == 0 else stop)
        assert next(begun) == (0, 0)


def test_large_tasks_go_both_ways_at_once():
    """What is sent does not wait for what comes back: neither fits into a socket's buffer."""
    with Workers(2) as workers:
        outcomes = workers.through(range(1, 9), lambda item: partial(much, bytes(item * 500_000)))
        assert [len(result) for _, result in outcomes] == [
            2 * 500_000 * item for item in range(1, 9)
        ]


def test_processes_are_replaced(monkeypatch):
    """Parsers grow: after so many tasks another process goes on."""
    monkeypatch.setattr("ingestor.workers.TASKS_A_PROCESS", 3)
    with Workers(1) as workers:
        owners = [workers.call(os.getpid) for _ in range(7)]
        assert [owners.count(owner) for owner in dict.fromkeys(owners)] == [3, 3, 1]
        results = list(workers.through(range(20), lambda item: partial(double, item)))
        assert results == [(item, 2 * item) for item in range(20)]


def test_an_item_comes_out_before_a_third_is_asked_for():
    """Slow hosts send a page a second: what is read waits for the next one at most."""
    with Workers(1) as workers:
        asked = []

        def slowly():
            for item in range(1, 4):
                asked.append(item)
                yield item
                process = workers._processes[0]
                while process.tasks and not process.has_outcome():
                    time.sleep(0.01)

        came = [(item, asked[-1]) for item, _ in workers.through(slowly(), doubled)]
        assert [item for item, _ in came] == [1, 2, 3]
        assert all(last <= item + 1 for item, last in came)


def slow() -> int:
    time.sleep(30)
    return 0


def waits_for_its_turn(workers, items, wanted):
    """Return what is done of items, each a source and its work, when so much is."""
    done = []
    for came in workers.as_done(items, lambda item: item[1], lambda item: item[0]):
        if came:
            done.append((came[0][0], came[1]))
        if len(done) == wanted:
            return done
    raise AssertionError(f"it ended with {done}")


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_quick_goes_past_what_is_slow(processes):
    """Whatever was sent before it: work of another source, or of the same one."""
    items = [("slow", slow)] * 20 + [("quick", partial(double, number)) for number in range(5)]
    with Workers(processes, seconds=60.0) as workers:
        done = waits_for_its_turn(workers, items, 5)
        assert sorted(done) == [("quick", 2 * number) for number in range(5)]
    items = [("mixed", slow), *(("mixed", partial(double, number)) for number in range(5))]
    with Workers(processes, seconds=60.0) as workers:
        done = waits_for_its_turn(workers, items, 5)
        assert sorted(done) == [("mixed", 2 * number) for number in range(5)]


def test_sources_that_cost_much_share_a_process():
    """However many there are: they are not given one process after the other."""
    with Workers(1, seconds=60.0) as workers:
        for source in range(3):
            items = [(source, slow)] * 5 + [("quick", waitless)]
            assert waits_for_its_turn(workers, items, 1) == [("quick", 0)]
        more = [(source, slow) for source in range(3)] * 3
        assert waits_for_its_turn(workers, [*more, ("quick", waitless)], 1) == [("quick", 0)]
        assert len(workers._processes) <= 3 * 2 + 2


def test_a_source_is_quick_again_when_its_work_is():
    """What cost much once is not left behind for ever."""
    with Workers(1, seconds=60.0) as workers:
        items = [("x", partial(nap, 1.5))] * 3 + [("x", waitless)] * 3
        assert [outcome for _, outcome in waits_for_its_turn(workers, items, 6)].count(0) == 6
        assert workers._costly == set()


def nap(seconds: float) -> int:
    time.sleep(seconds)
    return 0


def test_waiting_is_passed_on():
    """Others have their turn while nothing comes, of the items or of the work."""
    with Workers(1) as workers:
        turns = list(workers.as_done([None, ("x", partial(nap, 0.3))], lambda item: item[1], str))
    assert turns[0] is None
    assert turns.count(None) > 2
    assert turns[-1] == (("x", turns[-1][0][1]), 0)


def test_an_error_says_where_it_was_raised():
    """A traceback does not cross the border between processes; its text does."""
    with Workers(1) as workers, pytest.raises(ValueError, match="a bug") as caught:
        workers.call(fail)
    assert "in fail" in caught.value.__notes__[0]


def test_an_error_that_cannot_be_pickled_is_told_all_the_same():
    with Workers(1) as workers, pytest.raises(RuntimeError, match="holds a function"):
        workers.call(fail_oddly)


def test_work_that_cannot_be_pickled_is_its_own_error():
    """It is a bug, of one item; the others go on."""
    with Workers(1) as workers:
        outcomes = list(workers.through([0, 1], lambda item: (lambda: 1) if item else waitless))
    assert outcomes[0] == (0, 0)
    assert isinstance(outcomes[1][1], Exception)


def test_processes_end_with_their_owner(tmp_path):
    """An owner that is killed cannot tell them."""
    owner = multiprocessing.get_context("spawn").Process(target=own, args=(tmp_path / "pid",))
    owner.start()
    while not (tmp_path / "pid").exists():
        time.sleep(0.01)
    owner.kill()
    owner.join()
    worker = int((tmp_path / "pid").read_text())
    while Path(f"/proc/{worker}").exists() and "Z" not in state_of(worker):
        time.sleep(0.01)


def test_a_process_that_is_gone_before_it_is_listened_to_began_all_the_same():
    """A page that kills its reader at once ends no run."""

    def slowly():
        for item in range(3):
            yield item
            time.sleep(0.3)

    with Workers(1) as workers:
        outcomes = list(
            workers.through(slowly(), lambda item: partial(double, item) if item else crash)
        )
    assert isinstance(outcomes[0][1], WorkerDied)
    assert outcomes[1:] == [(1, 2), (2, 4)]


def test_a_process_that_cannot_begin_is_no_fault_of_the_work(monkeypatch):
    """Else every page would be given up while the program is replaced under a running daemon."""
    monkeypatch.setattr("ingestor.workers.process._serve", gone)
    with Workers(2) as workers, pytest.raises(WorkersFailed, match="before it could begin"):
        list(workers.through(range(3), doubled))


def gone(_owner: object, _seconds: float) -> None:
    """End at once, as for want of a module."""


def own(pid: Path) -> None:
    with Workers(1) as workers:
        draft = pid.with_suffix(".draft")
        draft.write_text(str(workers.call(os.getpid)))
        draft.rename(pid)
        time.sleep(3600)


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.parametrize("error", [TooSlow("x"), WorkerDied("x")])
def test_a_page_that_cannot_be_read_in_time_is_parked(error):
    """The same bytes would only do the same again."""
    assert policy.failure_kind(error) == "permanent"

"""Rounds beside each other: shares, turns, and what is left when the program stops."""

import threading
from collections.abc import Iterator
from datetime import timedelta

from ingestor.clock import Clock
from ingestor.pipeline.rounds import (
    ALONE_ABOVE,
    FIRST_SHARE,
    LEAST_SHARE,
    MOST_UNDER_WAY,
    SOON_SECONDS,
    Rounds,
    Turns,
    finish,
)

EVIL, GOOD = 1, 2


class Stage:
    """A stage whose work is done when a test says so; things are numbers, of a source each."""

    def __init__(self) -> None:
        self.second = 0.0
        self.begun: list[list[tuple[int, int]]] = []
        self.done: set[int] = set()
        clock = Clock(monotonic=lambda: self.second)
        self.rounds = Rounds(
            clock, self._begin, key=lambda item: item[1], source=lambda item: item[0]
        )

    def _begin(self, items) -> Iterator[list[int]]:
        self.begun.append(list(items))
        return self._work(items)

    def _work(self, items) -> Iterator[list[int]]:
        left = {number for _, number in items}
        while left:
            through = left & self.done
            left -= through
            yield sorted(through)

    def offer(self, source: int, numbers: range) -> None:
        self.rounds.offer([(source, number) for number in numbers])


def test_a_source_that_stands_still_holds_up_nobody_else():
    """Of it there is its share under way; what another one has begins and ends meanwhile."""
    stage = Stage()
    stage.offer(EVIL, range(100))
    assert stage.rounds.under_way(EVIL) == FIRST_SHARE
    for number in range(1000, 1100):
        stage.second += 1
        stage.offer(GOOD, range(number, number + 1))
        stage.done.add(number)
        assert stage.rounds.go_on()
        assert stage.rounds.under_way(GOOD) == 0
    assert stage.rounds.under_way(EVIL) == FIRST_SHARE


def test_what_comes_late_makes_a_share_smaller_and_what_comes_soon_larger():
    """Down to a few and never to none; up again once it is well."""
    stage = Stage()
    for first in range(0, 1000, 100):
        stage.offer(EVIL, range(first, first + 100))
        stage.second += SOON_SECONDS + 1
        stage.done |= set(range(first, first + 100))
        stage.rounds.go_on()
    assert stage.rounds.room(EVIL) == LEAST_SHARE
    stage.offer(EVIL, range(5000, 5100))
    stage.done |= set(range(5000, 5100))
    stage.rounds.go_on()
    assert stage.rounds.room(EVIL) == 2 * LEAST_SHARE


def test_one_page_that_does_not_come_leaves_room_for_the_others_of_its_feed():
    """Some at a time."""
    stage = Stage()
    stage.offer(GOOD, range(1))
    stage.second += 10 * SOON_SECONDS
    assert stage.rounds.room(GOOD) == LEAST_SHARE - 1


def test_nothing_begins_twice_and_no_more_than_fits():
    """What is under way is due in the database still."""
    stage = Stage()
    stage.offer(GOOD, range(3))
    stage.offer(GOOD, range(4))
    assert [number for items in stage.begun for _, number in items] == [0, 1, 2, 3]
    for source in range(10, 10 + MOST_UNDER_WAY):
        stage.offer(source, range(10_000 + source, 10_002 + source))
    assert len(stage.rounds) == MOST_UNDER_WAY


def test_a_source_with_much_has_a_round_of_its_own():
    """A few things of several sources share one."""
    stage = Stage()
    much = [(EVIL, number) for number in range(ALONE_ABOVE + 1)]
    stage.rounds.offer([*much, (GOOD, 100), (3, 101)])
    assert stage.begun == [[(GOOD, 100), (3, 101)], much]


def test_who_waited_longest_is_served_first():
    """A source that was never served comes before all others."""
    stage = Stage()
    for source in (3, 1, 2):
        stage.second += 1
        stage.offer(source, range(source, source + 1))
    assert stage.rounds.in_order([1, 2, 3, 4]) == [4, 3, 1, 2]


def test_what_is_dropped_is_closed():
    """Nothing is under way afterwards."""
    stage = Stage()
    stage.offer(GOOD, range(5))
    stage.rounds.go_on()
    stage.rounds.drop()
    assert len(stage.rounds) == 0
    assert not stage.rounds.go_on()


def test_iterators_go_on_until_they_wait():
    """Each in its turn; who was first is last the next time."""
    turns = Turns()
    turns.add(iter(["a1", None, "a2"]))
    turns.add(iter(["b1", "b2", None, "b3"]))
    assert list(turns.go_on()) == ["a1", "b1", "b2"]
    assert list(turns.go_on()) == ["a2", "b3"]
    assert len(turns) == 0


def test_work_that_does_not_end_is_left_when_the_program_stops():
    """After half of the time that it has."""
    second = iter(range(1000))
    clock = Clock(monotonic=lambda: float(next(second)), stop=threading.Event())
    turns = []

    def endless():
        while True:
            turns.append(1)
            if len(turns) == 5:
                clock.stop.set()
            yield ()

    finish(endless(), clock, timedelta(seconds=20))
    assert len(turns) == 5 + 11

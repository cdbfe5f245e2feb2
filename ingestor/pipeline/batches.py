"""Results a few at a time, so that one transaction serves several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

LONGEST_SECONDS = 1.0
"""A batch does not wait longer than this for more: what is known is soon written down."""


def batches(items: Iterable[T], size: int, monotonic: Callable[[], float]) -> Iterator[list[T]]:
    """Yield the items as they come, at most ``size`` at a time, without waiting long for more.

    ``monotonic`` are seconds that only grow. Time is looked at when an item comes.
    """
    batch: list[T] = []
    began = 0.0
    for item in items:
        began = began if batch else monotonic()
        batch.append(item)
        if len(batch) >= size or monotonic() - began >= LONGEST_SECONDS:
            yield batch
            batch = []
    if batch:
        yield batch

"""Results a few at a time, so that one transaction serves several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items as they come, ``size`` at a time; the last batch may be smaller."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch

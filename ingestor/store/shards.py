"""A part of a table's rows, by their ids: what one job of many is for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, true


@dataclass(frozen=True, slots=True)
class Shard:
    """The rows whose id, divided by ``of``, leaves ``number``."""

    number: int
    of: int

    def has(self, key: Column[int]) -> ColumnElement[bool]:
        """Return the condition that a row is in this share."""
        return true() if self.of == 1 else key % self.of == self.number


ALL = Shard(0, 1)
"""Every row."""

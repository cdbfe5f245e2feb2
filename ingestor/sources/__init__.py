"""Kinds of feeds, one file each, sans-I/O: they build a request and read a response.

A source is a module with two functions, found by its file's name (``sina_roll.py`` is kind
``sina-roll``)::

    request(feed, validators) -> Request          what to ask
    read(feed, response) -> FeedDocument          what it says; raises FeedUnreadable

One whose past can be asked for has a third, and that is what a backfill is::

    history(feed, day, page) -> Request           a page, from 1, of a day in China

or, where it only lists what it still has, the newest first::

    older(feed, page) -> Request                  a page, from 1, of that list

or, where it is an index of parts, some of which name the days that they hold::

    parts_of_day(document, day) -> tuple[str, ...]    the addresses of a day's parts
    day_of(address) -> str                            the day that an address names

And one whose items are texts of their own, but may point to an article elsewhere, says which::

    points_to_page(feed, entry) -> bool           the article is at the entry's address
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from ingestor.errors import ConfigError
from ingestor.model import Entry, Feed, FeedDocument, Request, Response, Validators
from ingestor.registry import names


class Source(Protocol):
    """What a module of this folder offers."""

    def request(self, feed: Feed, validators: Validators) -> Request:
        """Return the request that asks for the feed."""

    def read(self, feed: Feed, response: Response) -> FeedDocument:
        """Return what the feed says; raise FeedUnreadable for anything less than a feed."""


@cache
def source(kind: str) -> Source:
    """Return the source of a kind; raise :class:`ConfigError`, naming the known ones."""
    known = names(__name__)
    if kind not in known:
        raise ConfigError(f'there is no feed kind "{kind}"; there are: {", ".join(known)}')
    return cast("Source", import_module(f"{__name__}.{kind.replace('-', '_')}"))


def history(kind: str) -> Callable[[Feed, date, int], Request] | None:
    """Return how a kind asks for a page of a past day, ``None`` where it has no past."""
    return getattr(source(kind), "history", None)


def older(kind: str) -> Callable[[Feed, int], Request] | None:
    """Return how a kind asks for a page of all that it still lists, ``None`` where it cannot."""
    return getattr(source(kind), "older", None)


def parts_of_day(kind: str) -> Callable[[FeedDocument, date], tuple[str, ...]] | None:
    """Return how a kind tells which parts of an index hold a day, ``None`` where it has none."""
    return getattr(source(kind), "parts_of_day", None)


def day_of(kind: str, address: str) -> str:
    """Return the day that an entry's address names, as ``YYYY-MM-DD``; ``""``: none."""
    named = getattr(source(kind), "day_of", None)
    return named(address) if named else ""


def has_past(kind: str) -> bool:
    """Whether days that are past can be asked for, in one way or the other."""
    return bool(history(kind) or older(kind) or parts_of_day(kind))


def points_to_page(feed: Feed, entry: Entry) -> bool:
    """Whether an entry of a feed of texts points to an article that has a day of its own."""
    decides = getattr(source(feed.kind), "points_to_page", None)
    return bool(decides and decides(feed, entry))

"""Asking for pages of an archive without a socket."""

from __future__ import annotations

import asyncio
from contextlib import closing, contextmanager

import httpx

from ingestor.browse import server
from ingestor.browse.application import BrowsedArchive
from ingestor.browse.guard import LOOPBACK
from ingestor.clock import Clock
from ingestor.store.db.database import Database


@contextmanager
def browsing(place, *, at=None, **how):
    """Give a function that asks for a page of an archive: of a file, or a database's address.

    ``at`` is the moment that it takes for now.
    """
    url = place if "://" in str(place) else f"sqlite:///{place}"
    how = {"hosts": LOOPBACK, **how}
    clock = Clock(now=lambda: at) if at else Clock()
    with (
        closing(Database(url, for_reading=True)) as database,
        asyncio.Runner() as runner,
        server.opened(BrowsedArchive(database, clock, **how)) as pages,
    ):
        yield lambda address, **more: runner.run(_asked(pages, address, more))


async def _asked(pages, address, more):
    transport = httpx.ASGITransport(pages)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", timeout=60
    ) as client:
        return await client.get(address, **more)

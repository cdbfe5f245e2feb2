"""What is said of the work while it is done: events with fields, one line an outcome.

Modules say ``log.info("feed_polled", feed=name)``; who runs the program says where that goes and
how it looks (:mod:`ingestor.cli.logs`). Events go through the standard library's ``logging``: what
nobody hears costs nothing, and what writes them is imported with the first that is heard.
"""

from __future__ import annotations

import logging
from functools import partial

EVENTS = logging.getLogger("ingestor")
"""Through which all events go; each record has its ``fields``."""


def _say(level: int, event: str, /, *, exc_info: object = None, **fields: object) -> None:
    if EVENTS.isEnabledFor(level):
        EVENTS.log(level, event, exc_info=exc_info, extra={"fields": fields})  # type: ignore[arg-type]


debug = partial(_say, logging.DEBUG)
info = partial(_say, logging.INFO)
warning = partial(_say, logging.WARNING)
error = partial(_say, logging.ERROR)
exception = partial(_say, logging.ERROR, exc_info=True)

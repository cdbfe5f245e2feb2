"""Logs: events with fields, one line an outcome, on standard error; for people or machines."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from ingestor.cli.common import LogFormat, Options
from ingestor.text.sanitize import one_line, redact, visible

_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
"""Syslog's, which the journal reads from the beginning of a line."""


def set_up_logs(chosen: Options, unsaid: frozenset[str] = frozenset()) -> None:
    """Send events to standard error: one line each, with fields; warnings only if quiet.

    Events named in ``unsaid`` are left out: the caller says the same in its own words.
    """
    level = logging.WARNING if chosen.quiet else logging.INFO
    if chosen.verbose or chosen.debug:
        level = logging.DEBUG
    configure(chosen_format(chosen.log_format, os.environ), level, unsaid)


def chosen_format(wanted: LogFormat | None, environment: Mapping[str, str]) -> LogFormat:
    """Return the format to write: what was asked for, else what the other end can read."""
    if wanted:
        return wanted
    if sys.stderr.isatty():
        return "human"
    return "journal" if "JOURNAL_STREAM" in environment else "json"


def configure(form: LogFormat, level: int, unsaid: frozenset[str] = frozenset()) -> None:
    """Send our events but those named in ``unsaid``, and the libraries' warnings, to stderr."""

    def left_out(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Drop an event that is not to be said."""
        if event.get("event") in unsaid:
            raise structlog.DropEvent
        return event

    shared: list[Processor] = [
        left_out,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True),
        # Before the secrets are taken out: a traceback may hold an address too.
        structlog.processors.format_exc_info,
        _presentable,
    ]
    structlog.configure(
        processors=[*shared, *_renderers(form)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(form),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _renderers(form: LogFormat) -> list[Processor]:
    if form == "json":
        return [structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    if form == "human":
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)]
    return [_journal]


def _journal(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Render ``<priority>event key=value``: the journal has its own clock and levels."""
    event.pop("timestamp", None)
    priority = _PRIORITIES.get(event.pop("level", "info"), 6)
    fields = structlog.processors.LogfmtRenderer(bool_as_flag=False)
    # One line an event, or the journal would make each line of a traceback its own.
    values = {key: str(value).replace("\n", " ⏎ ") for key, value in event.items()}
    name = values.pop("event", "")
    return f"<{priority}>{name} {fields(None, '', values)}".rstrip()


def _presentable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take secrets out, and what would play with a terminal; only a traceback keeps its lines."""
    return {
        key: redact(visible(value) if key == "exception" else one_line(value))
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }

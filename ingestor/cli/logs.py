"""Logs: events with fields, one line an outcome, on standard error; for people or machines."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from ingestor.cli.common import ErrorStream, LogFormat, Options
from ingestor.text.sanitize import one_line, redact, visible

log = structlog.get_logger(__name__)

_PLACE = re.compile(r'File "([^"\n]+)", line (\d+)')
"""In a traceback."""

_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
"""Syslog's, which the journal reads from the beginning of a line."""


def set_up_logs(chosen: Options, unsaid: frozenset[str] = frozenset()) -> None:
    """Send events to standard error: one line each, with fields; warnings only if quiet.

    Events named in ``unsaid`` are left out: the caller says the same in its own words.
    """
    level = logging.WARNING if chosen.quiet else logging.INFO
    if chosen.verbose or chosen.debug:
        level = logging.DEBUG
    form = chosen_format(chosen.log_format, os.environ)
    configure(form, level, unsaid, tracebacks=chosen.debug)


def chosen_format(wanted: LogFormat | None, environment: Mapping[str, str]) -> LogFormat:
    """Return the format to write: what was asked for, else what the other end can read."""
    if wanted:
        return wanted
    if sys.stderr.isatty():
        return "human"
    return "journal" if "JOURNAL_STREAM" in environment else "json"


def configure(
    form: LogFormat,
    level: int,
    unsaid: frozenset[str] = frozenset(),
    *,
    tracebacks: bool = False,
) -> None:
    """Send our events but those named in ``unsaid``, and the libraries' warnings, to stderr.

    Of an error they say what and where it is; the whole way there with ``tracebacks``.
    """
    stream = cast("TextIO", ErrorStream())

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
        structlog.processors.format_exc_info if tracebacks else _brief,
        _presentable,
    ]
    structlog.configure(
        processors=[*shared, *_renderers(form)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter
    handler.setFormatter(
        formatter(foreign_pre_chain=shared, processors=[remove, *_renderers(form)])
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _log_what_is_raw()


def _log_what_is_raw() -> None:
    """Let what Python itself would print be events: warnings, and errors that nobody catches."""
    warnings.showwarning = _log_warning
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - the signature of warnings.showwarning
    line: str | None = None,  # noqa: ARG001
) -> None:
    at = f"{filename}:{lineno}"
    log.warning("library_warning", kind=category.__name__, text=str(message), at=at)


def _log_thread(failed: threading.ExceptHookArgs) -> None:
    log.error("thread_failed", exc_info=failed.exc_value)


def _log_unraisable(failed: sys.UnraisableHookArgs) -> None:
    log.warning("error_without_owner", exc_info=failed.exc_value)


def _brief(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say of an exception what it is, and the last place that it or its worker process names."""
    given = event.pop("exc_info", None)
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["bug"] = repr(error)
        told = [*traceback.format_tb(error.__traceback__), *getattr(error, "__notes__", [])]
        if places := _PLACE.findall("".join(told)):
            event["at"] = ":".join(places[-1])
    elif "exception" in event:
        # A library's own logger has formatted it already.
        event["exception"] = event["exception"].strip().splitlines()[-1]
    return event


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

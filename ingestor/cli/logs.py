"""Logs: events with fields, one line an outcome, on standard error; for people or machines."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TextIO, cast

from ingestor import log
from ingestor.cli.common import ErrorStream, LogFormat, Options
from ingestor.text.sanitize import one_line, redact, visible

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
    handler = logging.StreamHandler(cast("TextIO", ErrorStream()))
    handler.setFormatter(_EventFormatter(form, tracebacks=tracebacks))
    handler.addFilter(lambda record: record.getMessage() not in unsaid)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.EVENTS.setLevel(level)
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


class _EventFormatter(logging.Formatter):
    """Makes a line of the wanted form of an event, or of a library's warning."""

    def __init__(self, form: LogFormat, *, tracebacks: bool) -> None:
        super().__init__()
        self._form = form
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; only a traceback has more than one."""
        event: Any = {**getattr(record, "fields", {}), "event": record.getMessage()}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for process in self._processors:
            event = process(None, record.levelname.lower(), event)
        return str(event)

    @cached_property
    def _processors(self) -> list[Callable[[Any, str, Any], Any]]:
        """What is done with an event, one after the other, until it is a line."""
        # It brings rich and asyncio, and many a run has nothing to say.
        from structlog import dev, processors  # noqa: PLC0415

        renderers: dict[LogFormat, Callable[[Any, str, Any], Any]] = {
            "json": processors.JSONRenderer(ensure_ascii=False, default=str),
            "human": dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False),
            "journal": _journal(processors.LogfmtRenderer(bool_as_flag=False)),
        }
        return [
            processors.add_log_level,
            # Who looks at a terminal looks at a clock on the wall; a file is read elsewhere too.
            processors.TimeStamper(fmt="%H:%M:%S", utc=False)
            if self._form == "human" and sys.stderr.isatty()
            else processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True),
            # Before the secrets are taken out: a traceback may hold an address too.
            processors.format_exc_info if self._tracebacks else _brief,
            _presentable,
            renderers[self._form],
        ]


def _brief(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Say of an exception what it is, and the last place that it or its worker process names."""
    _, error, _ = event.pop("exc_info", (None, None, None))
    if error is not None:
        event["bug"] = repr(error)
        told = [*traceback.format_tb(error.__traceback__), *getattr(error, "__notes__", [])]
        if places := _PLACE.findall("".join(told)):
            event["at"] = ":".join(places[-1])
    return event


def _journal(fields: Callable[[Any, str, Any], str]) -> Callable[[Any, str, Any], str]:
    """Return what renders ``<priority>event key=value``: the journal has its own clock and levels.

    ``fields`` renders the part behind the event's name.
    """

    def line(_logger: object, _method: str, event: dict[str, object]) -> str:
        """Return an event on one line, or the journal would make one of each of a traceback's."""
        event.pop("timestamp", None)
        priority = _PRIORITIES.get(str(event.pop("level", "info")), 6)
        values = {key: str(value).replace("\n", " ⏎ ") for key, value in event.items()}
        name = values.pop("event", "")
        return f"<{priority}>{name} {fields(None, '', values)}".rstrip()

    return line


def _presentable(_logger: object, _method: str, event: dict[str, object]) -> dict[str, object]:
    """Take secrets out, and what would play with a terminal; only a traceback keeps its lines."""
    return {
        key: redact(visible(value) if key == "exception" else one_line(value))
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }

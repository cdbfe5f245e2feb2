"""What is done with a hit: a webhook, a command, or a feed."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from ingestor.clock import Clock
from ingestor.config.sections import FetchSettings, WatchSettings
from ingestor.errors import DeliveryFailed
from ingestor.text.sanitize import one_line
from ingestor.watch.atom import add_entries
from ingestor.watch.hits import WatchHit
from ingestor.watch.webhook import opened_webhook, place_of

_SAID_CHARACTERS = 300

Action: TypeAlias = Callable[[Sequence[WatchHit]], str]
"""Delivers hits, and returns how they were taken; raises :class:`DeliveryFailed`."""


def action_of(watch: WatchSettings) -> str:
    """Say what is done with a watch's hits, without its secrets."""
    if watch.webhook:
        return f"webhook {place_of(watch.webhook)}"
    return f"feed {watch.feed}" if watch.feed else f"command {watch.command[0]}"


@contextmanager
def opened_action(watch: WatchSettings, fetch: FetchSettings, clock: Clock) -> Iterator[Action]:
    """Open what delivers a watch's hits."""
    if watch.webhook:
        with opened_webhook(watch, fetch) as webhook:
            yield lambda hits: webhook.send(hits[-1])
    elif watch.feed:
        path = watch.feed
        yield lambda hits: add_entries(path, watch.name, hits, clock.now())
    else:
        yield lambda hits: _run(watch, hits[-1])


def _run(watch: WatchSettings, hit: WatchHit) -> str:
    """Run a command with a hit on its standard input; return how it ended."""
    program = Path(watch.command[0]).name
    # Files, not pipes: neither what it does not read nor what it leaves running is waited for.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(hit.body() + b"\n")
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - what the operator configured
                watch.command,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        except OSError as error:
            raise DeliveryFailed(f"{program}: {error.strerror}") from error
        with process:
            try:
                code = process.wait(watch.timeout.total_seconds())
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                line = f"{program}: did not end in time (timeout of the watch)"
                raise DeliveryFailed(line) from error
        if code:
            said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID_CHARACTERS))
            last = one_line(said.read().decode("utf-8", "replace"))
            raise DeliveryFailed(f"{program}: exit code {code}{': ' if last else ''}{last}")
    return "exit code 0"

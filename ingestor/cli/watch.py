"""``ingest watch``: what is waited for, how far each has come, and a try of one."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Annotated

import typer

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_error, say_json
from ingestor.cli.logs import set_up_logs
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.sections import WatchSettings
from ingestor.errors import DeliveryFailed, NoArchiveYet, UsageError
from ingestor.store import watches
from ingestor.store.watches import WatchState, said_of
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line, redact
from ingestor.watch.actions import action_of, opened_action
from ingestor.watch.hits import WatchHit, made_up_hit, newest_hit, require_sound

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of a [[watch]] of the configuration.")]


def watch() -> None:
    """List what is waited for ([[watch]] in the configuration), and try it.

    Example: ingest watch test 茅台
    """


def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """Show each watch: what it does with its hits, and how far it has come.

    Example: ingest watch list --json
    """
    settings = options(context).settings()
    require_sound(settings)
    states = _states(settings)
    if as_json:
        say_json([_document(each, states.get(each.name)) for each in settings.watch], indent=2)
        return
    if not settings.watch:
        say("the configuration has no [[watch]]")
    for each in settings.watch:
        state = states.get(each.name)
        delivered = state.delivered if state else 0
        parts = (one_line(each.name), action_of(each), f"{delivered} delivered", _health(state))
        say("\t".join(parts))


def test(context: typer.Context, name: Name) -> None:
    """Deliver the newest article that a watch waits for, or a made-up one, and say how it went.

    It is marked as a test, and the watch stays where it is. Exits 1 when it was not taken.

    Example: ingest watch test 茅台
    """
    chosen = options(context)
    set_up_logs(chosen)
    settings = chosen.settings()
    require_sound(settings)
    wanted = _named(settings, name)
    clock = Clock()
    hit = _hit(settings, wanted, clock.now())
    what = "a made-up article" if hit.revision.id == 0 else hit.revision.url
    try:
        with opened_action(wanted, settings.fetch, clock) as action:
            said = action([hit])
    except DeliveryFailed as error:
        say_error(f"watch {wanted.name}: {what} was not delivered: {error}")
        raise typer.Exit(1) from error
    say(f"{wanted.name}: {what} was delivered to {action_of(wanted)}: {said}")


COMMANDS = {"list": list_, "test": test}


def _named(settings: Settings, name: str) -> WatchSettings:
    known = {each.name: each for each in settings.watch}
    if name not in known:
        there = f"there are: {', '.join(known)}" if known else "the configuration has none"
        raise UsageError(f'there is no watch "{name}"; {there}')
    return known[name]


def _hit(settings: Settings, wanted: WatchSettings, now: datetime) -> WatchHit:
    try:
        database = existing(settings)
    except NoArchiveYet:
        return made_up_hit(wanted, now)
    with closing(database):
        return newest_hit(database, wanted) or made_up_hit(wanted, now)


def _states(settings: Settings) -> dict[str, WatchState]:
    try:
        database = existing(settings)
    except NoArchiveYet:
        return {}
    with closing(database), database.reading() as connection:
        return watches.states(connection)


def _document(wanted: WatchSettings, state: WatchState | None) -> dict[str, object]:
    state = state or WatchState(wanted.name, 0)
    return {
        "name": wanted.name,
        "action": action_of(wanted),
        "query": wanted.query,
        "symbols": wanted.symbols,
        "feeds": wanted.feeds,
        "media": wanted.media,
        "sequence": state.sequence,
        "delivered": state.delivered,
        "delivered_at": state.delivered_at,
        "attempts": state.attempts,
        "next_attempt_at": state.next_attempt_at,
        "stopped": state.is_stopped,
        "error": redact(state.error),
    }


def _health(state: WatchState | None) -> str:
    if state is None:
        return "new: begins with the next run"
    if not state.attempts:
        return f"ok, last {iso_utc(state.delivered_at)}" if state.delivered_at else "ok"
    return said_of(state)

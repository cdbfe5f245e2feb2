"""``ingest feed``: the feeds of the configuration, and Sina's channels."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from ingestor.cli.archive import asked_place
from ingestor.cli.check import own_kind
from ingestor.cli.common import (
    feed_names,
    options,
    require_web_address,
    say,
    say_error,
    say_json,
)
from ingestor.cli.discovery import Found, found_at, looked_at, own_table
from ingestor.cli.logs import set_up_logs
from ingestor.clock import Clock
from ingestor.config import Settings, editor, find, opml
from ingestor.config.channels import channel_named, channels, shortest_name
from ingestor.config.problems import explained
from ingestor.config.sections import FeedSettings
from ingestor.errors import UsageError
from ingestor.model import Feed
from ingestor.pipeline.services import fetcher
from ingestor.registry import names
from ingestor.text.counts import counted
from ingestor.text.normalize import normalize
from ingestor.text.sanitize import one_line, shortened

MOST_LINES = 50
"""Of what is broken in a list of feeds; the rest is counted."""

MOST_NAME = 200

TAKEN_UP = "a running daemon takes it up on SIGHUP (systemctl reload ingestor)"

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Address = Annotated[
    str, typer.Argument(metavar="URL", help="Of a feed, a sitemap, or a page that names one.")
]
ChannelName = Annotated[
    str, typer.Option("--channel", metavar="NAME", help="One of Sina's, in place of a URL.")
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Default: the feed's own title.")]
Kind = Annotated[
    str, typer.Option("--kind", metavar="KIND", help="Default: what it is found to be.")
]
Every = Annotated[
    str, typer.Option("--every", metavar="TIME", help="How often it is polled: 5m, 1h.")
]
Content = Annotated[
    str, typer.Option("--content", metavar="page|feed", help="Where its texts come from.")
]
Categories = Annotated[
    list[str] | None,
    typer.Option("--category", metavar="NAME", help="Above its name (repeatable)."),
]
Author = Annotated[
    str, typer.Option("--author", metavar="NAME", help="The author of the front matter.")
]


def feed() -> None:
    """Add, list, remove, import and export feeds, and look up Sina's channels.

    Example: ingest feed add https://example.com/news.html
    """


def add(
    context: typer.Context,
    url: Address = "",
    channel: ChannelName = "",
    name: Name = "",
    kind: Kind = "",
    every: Every = "",
    content: Content = "",
    category: Categories = None,
    author: Author = "",
) -> None:
    """Find a feed, look at it once, and write it into the configuration.

    Nothing else in the file is touched. What does not answer with a feed is not written.

    Example: ingest feed add https://example.com/news.html --every 15m
    """
    chosen = options(context)
    set_up_logs(chosen)
    settings = chosen.settings()
    if bool(url) == bool(channel):
        raise UsageError("give either an address or --channel")
    if url:
        require_web_address(url)
    given = {"author": author, "content": content, "every": every}
    more: dict[str, Any] = {key: value for key, value in given.items() if value}
    if categories := list(filter(None, category or ())):
        more["categories"] = categories
    # What is wrong in them is said before anybody is asked.
    _validated({"name": "new", "kind": kind or "rss", "url": "http://new.example", **more})
    if name in {section.name for section in settings.feeds}:
        raise UsageError(f'--name: there is a feed "{name}" already')
    found = _found(settings, url, channel, kind=kind)
    taken = {section.name for section in settings.feeds}
    title = name or _unique(shortened(one_line(found.title), MOST_NAME), taken)
    table = {"name": title, **found.table, **more}
    section = _validated(table)
    path = find(chosen.config, os.environ)
    editor.add_feeds(path, [table], os.environ)
    _say_added(path, section, found)


def _found(settings: Settings, url: str, channel: str, *, kind: str) -> Found:
    """Find what is to be added; raise :class:`UsageError` where it is there already."""
    wanted = _channel_table(channel) if channel else own_table(url, kind)
    named = wanted or {"kind": kind or "rss", "url": url}
    _refuse_known(settings, _validated({"name": "new", **named}).feed())
    with fetcher(settings, Clock(), named=url) as client:
        found = looked_at(client, wanted) if wanted else found_at(client, url, kind)
    _refuse_known(settings, _validated({"name": "new", **found.table}).feed())
    return found


def _say_added(path: Path, section: FeedSettings, found: Found) -> None:
    say(f'{path}: added "{section.name}": {section.kind}, {section.address}')
    say(f"its first look: {found.said}; {TAKEN_UP}")
    if found.fault:
        say_error(f"feed {section.name}: {found.fault}")
    for other in found.others:
        say(f"the page also names: {other}")
    if hint := own_kind(section.feed()):
        say(f"hint: RSSHub is not needed: {hint}")


def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List the feeds of the configuration.

    Example: ingest feed list --json
    """
    feeds = [section.feed() for section in options(context).settings().feeds]
    if as_json:
        say_json([_fields(each) for each in feeds], indent=2)
        return
    rows = [(each.name, each.kind, _duration(each.every), each.url) for each in feeds]
    for line in _columns([("NAME", "KIND", "EVERY", "ADDRESS"), *rows]):
        say(line)


def remove(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="As `ingest feed list` has it.", autocompletion=feed_names
        ),
    ],
) -> None:
    """Take a feed out of the configuration; its articles stay in the archive.

    Example: ingest feed remove 新浪财经－7×24
    """
    chosen = options(context)
    known = [section.name for section in chosen.settings().feeds]
    if name not in known:
        there = ", ".join(f'"{each}"' for each in known[:20]) or "none"
        raise UsageError(f'there is no feed "{name}"; there are: {there}')
    path = find(chosen.config, os.environ)
    editor.remove_feed(path, name, os.environ)
    say(f'{path}: removed "{name}"; its articles stay; {TAKEN_UP}')


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="An OPML file, or -.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be added; change nothing.")
    ] = False,
) -> None:
    """Add the feeds of an OPML file to the configuration, those that are there already left out.

    No feed is asked: `ingest check` does that. Exits 1 when a line of it is no feed.

    Example: ingest feed import feeds.opml --dry-run
    """
    chosen = options(context)
    settings = chosen.settings()
    try:
        listed = opml.read_opml(_bytes_of(file))
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    tables, broken, known = _importable(listed, settings)
    path = find(chosen.config, os.environ)
    if tables and not dry_run:
        editor.add_feeds(path, tables, os.environ)
    for line in broken[:MOST_LINES]:
        say_error(f"{file}: {line}")
    if len(broken) > MOST_LINES:
        say_error(f"{file}: and {len(broken) - MOST_LINES} more like these")
    verb = "would be added" if dry_run else "added"
    say(
        f"{counted(len(listed), 'feed')}: {len(tables)} {verb}, {known} already here, "
        f"{len(broken)} broken"
    )
    if broken:
        raise typer.Exit(1)


def _importable(
    listed: Sequence[opml.ListedFeed], settings: Settings
) -> tuple[list[dict[str, Any]], list[str], int]:
    """Return the sections to be added, what is broken, and how many are there already."""
    taken = {section.name for section in settings.feeds}
    places = {asked_place(section.feed()) for section in settings.feeds}
    tables: list[dict[str, Any]] = []
    broken: list[str] = []
    known, kinds = 0, names("ingestor.sources")
    for number, each in enumerate(listed, 1):
        kind = each.kind if each.kind in kinds else "rss"
        more = {"every": each.every, "content": each.content, "tag": each.tag}
        table: dict[str, Any] = {"kind": kind, "url": each.url}
        table |= {key: int(text) if key == "tag" else text for key, text in more.items() if text}
        try:
            place = asked_place(_validated({"name": "new", **table}).feed())
        except (UsageError, ValueError) as error:
            broken.append(f'feed {number} ("{shortened(each.title, 60)}"): {error}')
            continue
        if place in places:
            known += 1
            continue
        places.add(place)
        name = _unique(shortened(each.title or each.url, MOST_NAME), taken)
        taken.add(name)
        tables.append({"name": name, **table})
    return tables, broken, known


def export(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Default: -.")] = "-",
    force: Annotated[
        bool, typer.Option("--force", help="Also in the place of a file that is there.")
    ] = False,
) -> None:
    """Write the feeds of the configuration as OPML, which feed readers read.

    Example: ingest feed export feeds.opml
    """
    sections = options(context).settings().feeds
    text = opml.opml(
        [(each.feed(), _duration(each.every) if each.every else "") for each in sections]
    )
    if file == "-":
        typer.echo(text, nl=False)
        return
    try:
        with Path(file).open("w" if force else "x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError as error:
        raise UsageError(f"{file}: is there already; --force writes in its place") from error
    say(f"{file}: {counted(len(sections), 'feed')}")


def list_channels(
    word: Annotated[
        str, typer.Argument(metavar="WORD", help="In a channel's name, section or numbers.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List Sina's channels: the name for `channel = "…"`, and the numbers that it stands for.

    Example: ingest feed channels 宏观
    """
    wanted = normalize(word).replace("×", "x")
    found = [
        channel
        for channel in channels()
        if wanted
        in normalize(f"{channel.full_name} {channel.numbers} {channel.kind}").replace("×", "x")
    ]
    if not found:
        _named(word)
        raise UsageError(f'there is no channel with "{word}"')
    if as_json:
        rows = [
            {"channel": shortest_name(each), "kind": each.kind, "section": each.section}
            | {"name": each.name, **each.options, "note": each.note, "source": each.source}
            for each in found
        ]
        say_json(rows, indent=2)
        return
    rows_ = [
        (shortest_name(each), each.kind, each.numbers, each.section, each.note) for each in found
    ]
    for line in _columns([("CHANNEL", "KIND", "NUMBERS", "SECTION", "NOTE"), *rows_]):
        say(line)


COMMANDS: dict[str, Callable[..., None]] = {
    "add": add,
    "list": list_,
    "remove": remove,
    "import": import_,
    "export": export,
    "channels": list_channels,
}
"""What stands behind ``ingest feed``."""


def _channel_table(name: str) -> dict[str, Any]:
    channel = _named(name)
    return {"kind": channel.kind, "channel": shortest_name(channel)}


def _named(name: str) -> Any:
    try:
        return channel_named(name)
    except ValueError as error:
        raise UsageError(f"--channel: {error}") from error


def _validated(table: dict[str, Any]) -> FeedSettings:
    """Return a section, checked; raise :class:`UsageError`, which names what is wrong in it."""
    known = names("ingestor.sources")
    if table.get("kind") not in {*known, None}:
        raise UsageError(f'--kind: there is none "{table["kind"]}"; there are: {", ".join(known)}')
    try:
        return FeedSettings.model_validate(table)
    except ValidationError as error:
        _, problem = next(explained(error, FeedSettings))
        raise UsageError(problem) from error


def _refuse_known(settings: Settings, feed_: Feed) -> None:
    for section in settings.feeds:
        if asked_place(section.feed()) == asked_place(feed_):
            raise UsageError(f'{feed_.url}: is there already, as "{section.name}"')


def _unique(name: str, taken: set[str]) -> str:
    """Return a name that no other feed has: with a number behind it, where that is needed."""
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name} {number}"
    return unique


def _bytes_of(file: str) -> bytes:
    """Return what a file holds, a byte more than is read of it at most."""
    if file == "-":
        return sys.stdin.buffer.read(opml.MOST_BYTES + 1)
    if not Path(file).is_file():
        raise UsageError("there is no such file")
    with Path(file).open("rb") as opened:
        return opened.read(opml.MOST_BYTES + 1)


def _duration(every: timedelta | None) -> str:
    """Return a duration as the configuration has it, ``-`` for none."""
    if every is None:
        return "-"
    seconds = every.total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds * 1000:.0f}ms"


def _fields(section: Feed) -> dict[str, object]:
    return {
        "name": section.name,
        "kind": section.kind,
        "url": section.url,
        "content": section.content,
        "every": _duration(section.every) if section.every else None,
        "categories": list(section.categories),
        "author": section.author,
        **section.options,
    }


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows as lines whose columns stand below each other; Chinese is two cells wide."""
    from rich.cells import cell_len  # noqa: PLC0415 - only lists need it

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (
            text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()

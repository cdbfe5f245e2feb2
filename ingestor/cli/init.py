"""``ingest init``: a commented configuration to begin with."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from ingestor.cli.common import options, say
from ingestor.errors import ConfigError, UsageError


def init(
    context: typer.Context,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            "--channel",
            metavar="NAME",
            help="With this feed of Sina's in place of the examples (repeatable): 国内滚动, 7×24.",
        ),
    ] = None,
) -> None:
    """Write a commented config.toml (or the file that --config names); never overwrites.

    `ingest feed channels` lists the names of channels.

    Example: ingest init --config /etc/ingestor/config.toml
    """
    text = with_channels(example(), channel) if channel else example()
    named = options(context).config or Path(os.environ.get("INGEST_CONFIG", "config.toml"))
    try:
        named.parent.mkdir(parents=True, exist_ok=True)
        with named.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{named}: is there already and is left alone") from error
    except OSError as error:
        raise ConfigError(f"{named}: cannot be written: {error.strerror}") from error
    where = f" --config {shlex.quote(str(named))}" if options(context).config else ""
    say(f"{named} written; look through it, then: ingest check{where}")


def example() -> str:
    """Return the example configuration: inside the wheel, else beside the package."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "config.example.toml"
    source = inside if inside.exists() else package.parent / "config.example.toml"
    return source.read_text(encoding="utf-8")


def with_channels(text: str, names: list[str]) -> str:
    """Return a configuration with these channels of Sina's as its feeds, and no others.

    Raises :class:`UsageError`, which names the nearest ones, for a channel that is not known.
    """
    # A plain `init` needs neither the table of channels nor what renders TOML.
    from ingestor.config.channels import (  # noqa: PLC0415
        NAME_PREFIX,
        channel_named,
        shortest_name,
    )
    from ingestor.config.editor import rendered  # noqa: PLC0415

    try:
        channels = list(dict.fromkeys(map(channel_named, names)))
    except ValueError as error:
        raise UsageError(f"--channel: {error}") from error
    named = [channel.name for channel in channels]
    feeds = [
        {
            "name": f"{NAME_PREFIX}{channel.name}"
            + (f"（{channel.section}）" if named.count(channel.name) > 1 else ""),
            "kind": channel.kind,
            "channel": shortest_name(channel),
        }
        for channel in channels
    ]
    return f"{text.partition('[[feeds]]')[0]}{rendered(feeds)}"

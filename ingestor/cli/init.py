"""``ingest init``: a commented configuration to begin with."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from ingestor.cli.common import options, say
from ingestor.errors import ConfigError


def init(context: typer.Context) -> None:
    """Write a commented config.toml (or the file that --config names); never overwrites.

    Example: ingest init --config /etc/ingestor/config.toml
    """
    named = options(context).config or Path(os.environ.get("INGEST_CONFIG", "config.toml"))
    try:
        named.parent.mkdir(parents=True, exist_ok=True)
        with named.open("x", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError as error:
        raise ConfigError(f"{named}: is there already and is left alone") from error
    except OSError as error:
        raise ConfigError(f"{named}: cannot be written: {error.strerror}") from error
    say(f"{named} written; look through it, then: ingest check")


def example() -> str:
    """Return the example configuration: inside the wheel, else beside the package."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "config.example.toml"
    source = inside if inside.exists() else package.parent / "config.example.toml"
    return source.read_text(encoding="utf-8")

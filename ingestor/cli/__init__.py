"""The command line: composes the verbs, and turns errors into lines and exit codes.

Exit codes: 0 all well; 1 it ran, but some feeds or articles failed; 2 wrong usage or
configuration; 3 the archive itself is unusable.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from typing import NoReturn

import typer

from ingestor.cli import run
from ingestor.cli.common import say_error
from ingestor.errors import ArchiveError, ConfigError, IngestorError, UsageError

VERBS = {
    "init": "init",
    "check": "check",
    "preview": "preview",
    "status": "status",
    "retry": "retry",
    "search": "search",
    "show": "show",
    "browse": "browse",
    "reextract": "reextract",
    "verify": "verify",
    "backup": "backup",
    "export": "export",
    "import": "import_",
    "copy": "copy",
    "worker": "worker",
}
"""The commands, each with the module that has a function of its name."""

_HELP = ("-h", "--help")

_GLOBAL_FLAGS = frozenset({"--verbose", "--quiet", "--debug"})
_GLOBAL_OPTIONS = frozenset({"--config", "--log-format"})


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``ingest`` with the process's arguments and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(global_options_first(given), debug="--debug" in given))


def application(verbs: Collection[str] = tuple(VERBS)) -> typer.Typer:
    """Return the command line with these commands.

    What a command imports takes longer than many a command, so only those that are asked for
    are put together.
    """
    app = typer.Typer(
        name="ingest",
        add_completion=False,
        invoke_without_command=True,
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": list(_HELP)},
    )
    app.callback(invoke_without_command=True)(run.run)
    for verb, name in VERBS.items():
        if verb in verbs:
            module = import_module(f"ingestor.cli.{name}")
            app.command(verb)(getattr(module, "import_" if verb == "import" else verb))
    return app


def _asked_for(arguments: Sequence[str]) -> Collection[str]:
    """Return the commands that these arguments may name; all where they name none that is one."""
    if not set(_HELP).isdisjoint(arguments):
        return tuple(VERBS)
    named = [one for one in arguments if one in VERBS]
    return named if named or not arguments or "--once" in arguments else tuple(VERBS)


def global_options_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the global options in front, wherever they were written.

    ``ingest status --config x.toml`` is what people type, and means what it says.
    """
    front: list[str] = []
    rest: list[str] = []
    left = iter(arguments)
    for one in left:
        if one == "--":
            rest += [one, *left]
        elif one in _GLOBAL_FLAGS or (one.partition("=")[0] in _GLOBAL_OPTIONS and "=" in one):
            front.append(one)
        elif one in _GLOBAL_OPTIONS:
            front += [one, *[value for value in [next(left, None)] if value is not None]]
        else:
            rest.append(one)
    return front + rest


def _run(arguments: list[str], *, debug: bool) -> int:
    try:
        application(_asked_for(arguments))(arguments, prog_name="ingest")
    except SystemExit as wanted:
        return wanted.code if isinstance(wanted.code, int) else 0
    except Exception as error:
        if debug:
            raise
        return _explain(error)
    return 0


def _explain(error: Exception) -> int:
    if not isinstance(error, IngestorError):
        say_error(f"a bug: {error!r}; run it again with --debug for the whole story")
        return 1
    say_error(str(error))
    if isinstance(error, (ConfigError, UsageError)):
        return 2
    return 3 if isinstance(error, ArchiveError) else 1

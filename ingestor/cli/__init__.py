"""The command line: composes the verbs, and turns errors into lines and exit codes.

A verb's module is imported when the verb is asked for: what the commands import takes longer
than many a command. Exit codes: 0 all well; 1 it ran, but some feeds or articles failed; 2 wrong
usage or configuration; 3 the archive itself is unusable; 75 another run is at work (EX_TEMPFAIL
of sysexits(3)); 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from copy import copy as duplicate
from dataclasses import fields, replace
from functools import partial
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO

import typer
from typer.core import TyperGroup, TyperOption

from ingestor.cli.common import (
    LogFormat,
    Options,
    feed_option,
    open_streams,
    options,
    say,
    say_error,
)
from ingestor.errors import ArchiveError, ArchiveInUse, ConfigError, IngestorError, UsageError
from ingestor.version import __version__

VERBS = {
    "init": "Write a commented config.toml (or the file that --config names); never overwrites.",
    "check": "Read the configuration, open the database, try each feed once, store nothing.",
    "preview": "Show what would be archived for a page: front matter and text.",
    "status": "Show the feeds, their health, what is pending and what was given up.",
    "feed": "Add, list, remove, import and export feeds, and look up Sina's channels.",
    "retry": "Make due again what was given up: entries, feeds, hits of watches.",
    "search": "Find articles by their words, in title and text; exits 1 when there is none.",
    "stats": "Count articles: by day, unless --by or --of says otherwise.",
    "follow": "Show every new article and edit as it lands, until Ctrl-C.",
    "watch": "List what is waited for ([[watch]] in the configuration), and try it.",
    "show": "Show one article as the archive has it, and each look at its page.",
    "browse": "Show the archive in a web browser, read-only, until Ctrl-C.",
    "reextract": "Read the kept raw pages again with today's rules.",
    "verify": "Compare database, files and WARC both ways; say each disagreement on a line.",
    "backup": "Copy database, files and WARC as of one moment, also while the daemon runs.",
    "export": "Export articles by publication day: files, JSON lines, CSV, Parquet or WACZ.",
    "import": "Adopt front-matter files of others, or pages that others crawled (WARC, WACZ).",
    "copy": "Copy an archive's database, from SQLite to PostgreSQL or any other way.",
    "worker": "Work on an archive in PostgreSQL, beside other workers on any number of machines.",
}
"""The commands, each with the first sentence of its help, for which nothing is imported."""

GLOBAL_OPTIONS = frozenset(field.name for field in fields(Options))
"""Options that may also stand behind the verb: that is where people type them."""

DASHES = "-‐‑‒–—―−－"
"""The hyphens of options, and what input methods and word processors make of them."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``ingest`` with the process's arguments and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    open_streams()
    warnings.showwarning = _say_warning
    # Pydantic would read the metadata of every installed package to find some.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        application()(given, prog_name="ingest")
    except Exception as error:
        if "--debug" in given:
            raise
        sys.exit(_explain(error))
    sys.exit(0)


def _say_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,  # noqa: ARG001 - the signature of warnings.showwarning
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Say a library's warning as what it is, a line; where there are logs, they have it."""
    say_error(f"warning: {category.__name__}: {message}")


class Verbs(TyperGroup):
    """The commands by their help lines, until one is asked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an unknown command before options are read, for which Pydantic is imported."""
        _take_plain_values(self.get_params(ctx))
        given, rest, _ = self.make_parser(ctx).parse_args(list(args))
        eager = {parameter.name for parameter in self.get_params(ctx) if parameter.is_eager}
        if rest and rest[0] not in VERBS and eager.isdisjoint(given):
            self.resolve_command(ctx, rest)
        return super().parse_args(ctx, args)

    def resolve_command(
        self,
        ctx: Any,
        args: list[str],
    ) -> tuple[str | None, Any, list[str]]:
        """Import the command that the arguments name; an unknown one is wrong usage."""
        word = args[0]
        if word in VERBS:
            command = self._loaded(word)
            _take_plain_values(command.get_params(ctx))
            self.add_command(command)
        elif not word[:1].isalnum():
            # Typer would take it for an option, and read the arguments again without an end.
            name = word.lstrip(DASHES)
            meant = f"; an option begins with two hyphens: --{name}" if name != word else ""
            raise UsageError(f'there is no command "{word}"{meant}')
        return super().resolve_command(ctx, args)

    def _loaded(self, verb: str) -> Any:
        command = load(verb)
        for option in self.params:
            if isinstance(option, TyperOption) and option.name in GLOBAL_OPTIONS:
                behind = duplicate(option)
                behind.hidden, behind.expose_value = True, False
                behind.callback = _note_global_option
                for each in (command, *getattr(command, "commands", {}).values()):
                    each.params.append(behind)
        return command


def _take_plain_values(parameters: list[Any]) -> None:
    """Let what is not given, and texts that stay texts, pass without Pydantic.

    Typer asks Pydantic for every value, and that takes longer to import than Typer itself.
    """
    for parameter in parameters:
        parameter.process_value = partial(_value, parameter)


def _value(parameter: Any, context: typer.Context, value: Any) -> Any:
    is_text = value is not None and parameter.type_descriptor.annotation in (str, list[str])
    if not is_text and (value is not None or parameter.required):
        try:
            return type(parameter).process_value(parameter, context, value)
        except typer.BadParameter as error:
            # What is missing is said best by the library.
            if value is None:
                raise
            raise UsageError(_refusal(parameter, error)) from error
    if parameter.multiple or parameter.nargs == -1:
        value = list(value or ())
    return parameter.callback(context, parameter, value) if parameter.callback else value


def _refusal(parameter: Any, error: typer.BadParameter) -> str:
    """Return what is wrong with an option's value, as it is said of a configuration's."""
    from ingestor.config.problems import wrong_value  # noqa: PLC0415 - imports Pydantic

    problems: list[Any] = getattr(error.__cause__, "errors", list)()
    said = wrong_value(problems[0]) if problems else error.message
    return f"{max(parameter.opts, key=len)}: {said}"


def load(verb: str) -> Any:
    """Return a command; its module and its function have its name.

    One of several commands of its own has them in ``COMMANDS``, by their names.
    """
    name = f"{verb}_" if iskeyword(verb) else verb
    module = _imported(name)
    function, inner = getattr(module, name), getattr(module, "COMMANDS", {})
    if inner:
        app = _typer(verb, no_args_is_help=True)
        app.callback()(function)
        for each, command in inner.items():
            app.command(each)(command)
    else:
        app = _typer()
        app.command(verb, context_settings=getattr(module, "SETTINGS", None))(function)
    return typer.main.get_command(app)


def _imported(name: str) -> Any:
    """Import a module of this folder; what that makes stays, so no garbage is looked for."""
    gc.disable()
    try:
        return import_module(f"ingestor.cli.{name}")
    finally:
        gc.enable()


def application() -> typer.Typer:
    """Return the command line, with no command imported."""
    app = _typer(cls=Verbs, invoke_without_command=True, add_completion=True)
    app.callback()(ingest)
    for verb, line in VERBS.items():
        app.command(verb, help=line)(lambda: None)
    return app


def _typer(name: str = "ingest", *, add_completion: bool = False, **more: Any) -> typer.Typer:
    return typer.Typer(
        name=name,
        add_completion=add_completion,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        **more,
    )


def _note_global_option(context: Any, option: Any, value: Any) -> None:
    if value:
        context.find_root().obj = replace(options(context), **{option.name: value})


def _say_version(wanted: bool) -> None:
    if wanted:
        say(f"ingestor {__version__}")
        raise typer.Exit


Once = Annotated[bool, typer.Option("--once", help="One pass over all feeds, then exit.")]
Feeds = Annotated[
    list[str] | None,
    feed_option("With --once: only this feed (repeatable)."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="With --once: the summary as one JSON object.")
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="DAY", help="With --once: backfill from this day on."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DAY", help="Up to and including this day (else today)."),
]
Force = Annotated[
    bool, typer.Option("--force", help="With --since: walk days again that are through.")
]
Defer = Annotated[
    bool, typer.Option("--defer", help="With --since: hand the days to `ingest worker`.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="Configuration file (or INGEST_CONFIG)."),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say more.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what is wrong.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Logs = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format", help="Default: human on a terminal, journal under systemd, else json."
    ),
]
Version = Annotated[
    bool,
    typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version."),
]


def ingest(
    context: typer.Context,
    once: Once = False,
    feed: Feeds = None,
    as_json: AsJson = False,
    since: Since = None,
    until: Until = None,
    force: Force = False,
    defer: Defer = False,
    config: ConfigFile = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    debug: Debug = False,
    log_format: Logs = None,
    _version: Version = False,
) -> None:
    """Poll feeds and keep every article, with its history, for good.

    Without a command this is the daemon: it runs in the foreground until SIGTERM or Ctrl-C.

    Example: ingest --once --config config.toml --json

    Example: ingest --once --since 2024-01-01 --until 2024-03-31 --feed 新浪财经－宏观经济
    """
    context.obj = Options(config, verbose, quiet, debug, log_format)
    if once or context.invoked_subcommand:
        _end_with_the_terminal()
    of_since = {"--until": until, "--force": force, "--defer": defer}
    of_once = {"--feed": feed, "--json": as_json, "--since": since, **of_since}
    given = [name for name, value in of_once.items() if value]
    if verb := context.invoked_subcommand:
        if before := ["--once"] * once + given:
            raise UsageError(f"{before[0]}: options of `{verb}` stand behind it: ingest {verb} -h")
        return
    if given and not once:
        _refuse_without("--once", given, given)
    if not since and (without := [name for name, value in of_since.items() if value]):
        _refuse_without("--since", without, given)
    run = _imported("run")

    if not once:
        run.serve(context.obj)
    elif since:
        run.backfill(
            context.obj, feed or [], (since, until), as_json=as_json, force=force, defer=defer
        )
    else:
        run.once(context.obj, feed or [], as_json=as_json)


def _refuse_without(missing: str, without: list[str], given: list[str]) -> NoReturn:
    """Raise which option these go with, and how the command reads with it."""
    values = {"--feed": " NAME", "--since": " DAY", "--until": " DAY"}
    names = dict.fromkeys(["--once", *given, missing])
    call = " ".join(f"{name}{values.get(name, '')}" for name in names)
    goes = f"{' and '.join(without)} {'goes' if len(without) == 1 else 'go'}"
    raise UsageError(f"{goes} with {missing}, which is missing: ingest {call}")


def _end_with_the_terminal() -> None:
    """Let SIGHUP end the program, which only the daemon takes for something else."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def _explain(error: Exception) -> int:
    if isinstance(error, OSError):
        # What the system refuses is no bug: a disk, a right, a limit.
        refused = error.strerror or str(error)
        if error.errno in {errno.EMFILE, errno.ENFILE}:
            refused = "too many open files; raise the limit (ulimit -n)"
        say_error(f"{error.filename}: {refused}" if error.filename else refused)
        return 3
    if not isinstance(error, IngestorError):
        say_error(f"a bug: {error!r}; run it again with --debug for the whole story")
        return 1
    # A configuration has a line for each mistake; another's text is one line.
    for line in str(error).splitlines() if isinstance(error, ConfigError) else [str(error)]:
        say_error(line)
    if isinstance(error, (ConfigError, UsageError)):
        return 2
    if isinstance(error, ArchiveInUse):
        return os.EX_TEMPFAIL
    return 3 if isinstance(error, ArchiveError) else 1

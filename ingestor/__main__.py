"""``python -m ingestor``: the same as ``ingest``."""

import signal
import sys
from contextlib import suppress

from ingestor.version import __version__


def main() -> None:
    """Run ``ingest`` with the process's arguments and exit."""
    # A reload may be asked for before the daemon can hear it, and is heard then: not deadly.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    # Asked for by every script that installs it; the command line takes seven times as long.
    if sys.argv[1:] == ["--version"] and sys.stdout:
        # What does not take it: the command line says so.
        with suppress(OSError):
            sys.stdout.write(f"ingestor {__version__}\n")
            sys.stdout.flush()
            return
    # Worker processes import the program's main module too, and need none of the commands.
    from ingestor.cli import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()

"""``python -m ingestor``: the same as ``ingest``."""

import signal


def main() -> None:
    """Run ``ingest`` with the process's arguments and exit."""
    # A reload may be asked for before the daemon can hear it, and is heard then: not deadly.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    # Worker processes import the program's main module too, and need none of the commands.
    from ingestor.cli import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()

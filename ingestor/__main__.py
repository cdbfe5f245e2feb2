"""``python -m ingestor``: the same as ``ingest``."""


def main() -> None:
    """Run ``ingest`` with the process's arguments and exit."""
    # Worker processes import the program's main module too, and need none of the commands.
    from ingestor.cli import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()

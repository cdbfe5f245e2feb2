"""``python -m ingestor``: the same as ``ingest``."""

from ingestor.cli import main

if __name__ == "__main__":
    main()

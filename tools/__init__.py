"""What the Makefile runs that is no test, and the made-up world that tests and benchmarks share."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The project's folder."""

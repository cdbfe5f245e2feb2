"""The version of the program, and how it is installed."""

__version__ = "1.0.0"

DISTRIBUTION = "sina-ingestor"
"""Its name where packages are: "ingestor" is another program's there."""


def install_line(extra: str) -> str:
    """Return the command that installs the program with one of its extras."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"

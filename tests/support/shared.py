"""Where the real data lies that is not part of the project."""

import os
from pathlib import Path

import pytest

from tools import ROOT


def shared(*parts: str) -> Path:
    """Return a path below the shared folder; skip the test where there is none."""
    path = Path(os.environ.get("INGESTOR_SHARED", ROOT.parent / "shared")).joinpath(*parts)
    if not path.exists():
        pytest.skip("../shared is not here")
    return path

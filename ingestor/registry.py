"""Finds the modules of a folder: a new source or page template is one new file."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules(package: str) -> dict[str, ModuleType]:
    """Import every public module of ``package``; return them by name, ``_`` written ``-``."""
    folder = importlib.import_module(package)
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    return {
        name.replace("_", "-"): importlib.import_module(f"{package}.{name}")
        for name in names
        if not name.startswith("_")
    }

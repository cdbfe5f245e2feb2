"""Finds the modules of a folder: a new source or page template is one new file."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def names(package: str) -> list[str]:
    """Return the names of the public modules of ``package``, ``_`` written ``-``."""
    folder = importlib.import_module(package)
    every = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    return [name.replace("_", "-") for name in every if not name.startswith("_")]


def modules(package: str) -> dict[str, ModuleType]:
    """Import every public module of ``package``; return them by name, ``_`` written ``-``."""
    return {
        name: importlib.import_module(f"{package}.{name.replace('-', '_')}")
        for name in names(package)
    }

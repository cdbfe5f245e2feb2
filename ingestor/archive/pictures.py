"""Pictures as files: what is one, judged by its first bytes, and a name that is its content's."""

from __future__ import annotations

import hashlib
import re

from ingestor.archive.storage import storage
from ingestor.config.values import Location

_SIGNATURES = (
    ("jpg", re.compile(rb"\xff\xd8\xff")),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("avif", re.compile(rb"....ftyp(?:avif|avis)", re.DOTALL)),
    ("bmp", re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL)),
)
"""Formats whose files do nothing when they are opened: no SVG, which may hold scripts."""


def picture_kind(data: bytes) -> str:
    """Return the ending for a picture's file, ``''`` for what is none."""
    return next((ending for ending, mark in _SIGNATURES if mark.match(data)), "")


def picture_path(data: bytes, ending: str) -> str:
    """Return where a picture lies, relative to the folder: ``ab/abcd….jpg``, after its SHA-256."""
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}.{ending}"


def keep_picture(folder: Location, data: bytes, ending: str) -> str:
    """Write a picture and return its path; the same picture from two addresses is one file.

    Raises :class:`~ingestor.errors.StorageFailed` when the disk refuses.
    """
    relative = picture_path(data, ending)
    storage(folder).write(relative, data)
    return relative

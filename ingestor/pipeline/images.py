"""Pictures as files: what is one, judged by its first bytes, and a name that is its content's.

Pictures: ask for those that articles show, and keep a local copy of each, if that is wanted.

An article never waits for its pictures, and never fails with one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import partial

from ingestor import log, policy
from ingestor.archive.storage import storage
from ingestor.config.values import Location
from ingestor.errors import FetchError
from ingestor.fetch.headers import require_page
from ingestor.model import Request, Response
from ingestor.pipeline.files import is_on_a_store
from ingestor.pipeline.rounds import Round, aside, batches
from ingestor.pipeline.services import Services
from ingestor.store import images
from ingestor.store.db import locks
from ingestor.store.images import DueImage

_SIGNATURES = (
    ("jpg", re.compile(rb"\xff\xd8\xff")),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("avif", re.compile(rb"....ftyp(?:avif|avis)", re.DOTALL)),
    ("bmp", re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL)),
)
"""Formats whose files do nothing when they are opened: no SVG, which may hold scripts."""


def image_kind(data: bytes) -> str:
    """Return the ending for a picture's file, ``''`` for what is none."""
    return next((ending for ending, mark in _SIGNATURES if mark.match(data)), "")


def image_path(data: bytes, ending: str) -> str:
    """Return where a picture lies, relative to the folder: ``ab/abcd….jpg``, after its SHA-256."""
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}.{ending}"


def write_image(folder: Location, data: bytes, ending: str) -> str:
    """Write a picture and return its path; the same picture from two addresses is one file.

    Raises :class:`~ingestor.errors.StorageFailed` when the disk refuses.
    """
    relative = image_path(data, ending)
    storage(folder).write(relative, data)
    return relative


IMAGES_A_ROUND = 40
"""Pictures taken from the queue at a time."""

IMAGES_A_TRANSACTION = 16

ACCEPT = (("Accept", "image/avif,image/webp,image/png,image/jpeg,image/*;q=0.8"),)

_Asked = tuple[DueImage, Response | FetchError]

_Outcome = tuple[str, str, policy.FailureKind]
"""A picture's path, or why there is none, and what kind of trouble that is."""


def download_images(services: Services) -> Round:
    """Keep every picture that is due. Raises as :func:`image_round`."""
    while services.settings.archive.images and not services.clock.stop.is_set():
        with services.database.reading() as connection:
            due = images.due(connection, services.clock.now(), IMAGES_A_ROUND)
        if not due:
            return
        yield from image_round(services, due)


def image_round(services: Services, due: Sequence[DueImage]) -> Round:
    """Keep these pictures; yield the hashes of their addresses, which is what they go by.

    Raises :class:`~ingestor.errors.StorageFailed` when the disk refuses.
    """
    requests = [(picture, Request(picture.url, ACCEPT)) for picture in due]
    answers = services.fetcher.asked(requests, robots=True)
    is_away = is_on_a_store(services.settings.archive.images_dir)
    for batch in batches(answers, IMAGES_A_TRANSACTION, services.clock.monotonic):
        if batch:
            keep = partial(_kept_all, services, batch)
            _settle(services, (yield from aside(keep)) if is_away else keep())
        yield [hash(picture.url) for picture, _ in batch]


def _kept_all(services: Services, batch: Sequence[_Asked]) -> list[tuple[DueImage, _Outcome]]:
    """Write the files of a batch; return how each went."""
    return [(picture, _kept(services, answer)) for picture, answer in batch]


def _settle(services: Services, outcomes: Sequence[tuple[DueImage, _Outcome]]) -> None:
    """Say in one transaction how each picture of a batch went."""
    now = services.clock.now()
    named = services.settings.archive.local_images
    with services.database.transaction() as connection:
        if named:
            kept = [picture.url for picture, (path, _, _) in outcomes if path]
            locks.lock_articles(connection, images.showing(connection, kept))
        locks.lock_revisions(connection)
        for one, (path, line, kind) in outcomes:
            if path:
                images.downloaded(connection, one, path, is_named=named)
                continue
            retry = policy.after_failure(
                kind, one.attempts + 1, now, chance=services.clock.chance()
            )
            images.failed(connection, one, line, retry.next_attempt_at)
            log.info("picture_failed", url=one.url, error=line, state=retry.state)
    services.observer.moved()


def _kept(services: Services, outcome: Response | FetchError) -> _Outcome:
    """Keep a picture; return how it went."""
    try:
        if isinstance(outcome, FetchError):
            raise outcome
        require_page(outcome)
    except FetchError as error:
        return "", str(error), policy.failure_kind(error)
    ending = image_kind(outcome.body)
    if not ending:
        kind = outcome.header("content-type") or "something else"
        return "", f"{outcome.url}: {kind[:80]}, not a picture", "permanent"
    return write_image(services.settings.archive.images_dir, outcome.body, ending), "", "permanent"

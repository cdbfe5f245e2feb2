"""Archives as others keep them: Hexo posts of the made-up Sina's articles."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from ingestor.clock import Clock
from ingestor.config.sections import ArchiveSettings
from ingestor.pipeline.files import write_files
from ingestor.pipeline.posts import ImportedFile, import_folder
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade
from ingestor.store.filters import Filters
from ingestor.store.stored_articles import ArticleRevision, exported
from ingestor.workers import Workers
from tools.made_up_sina import MadeUpArticle, body_html

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def post(one: MadeUpArticle, body: str | None = None, *, more: str = "", **changes: str) -> str:
    """Return an article as the sample's maker wrote it in 2021; ``more`` are further keys."""
    values = {
        "title": f"'{one.title}'",
        "date": format_datetime(one.published_at.astimezone(UTC), usegmt=True),
    } | changes
    html = (body_html(one) if body is None else body).replace("{", "&#123;").replace("}", "&#125;")
    return f"""
---
title: {values["title"]}
categories:\x20
    - 金融
    - 新浪财经
    - 新浪财经－国內

author: 新浪财经
comments: false
date: {values["date"]}
thumbnail: ''
{more}---

<div>  \x20
{html}
  \x20
</div>
            """


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write files below a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


class Archive:
    """An archive of ours, used without the command line."""

    def __init__(
        self, folder: Path, workers: Workers, extra: tuple[str, ...] = (), store: str = ""
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.workers = workers
        self.database = Database(store or f"sqlite:///{folder}/archive.db")
        self.settings = ArchiveSettings(dir=folder / "archive", extra_front_matter=extra)
        upgrade(self.database)

    def adopt(self, folder: Path, clock: Clock | None = None) -> list[ImportedFile]:
        """Import a folder; return what became of its files."""
        clock = clock or Clock(now=lambda: NOW)
        batches = import_folder(folder, self.database.transaction, self.workers, clock)
        done = [one for batch in batches for one in batch]
        write_files(self.database, self.settings)
        return done

    def outcomes(self, files: dict[str, str | bytes]) -> dict[str, str]:
        """Import files; return the outcome of each by its name."""
        folder = write(self.folder / "theirs", files)
        return {one.path.relative_to(folder).as_posix(): one.outcome for one in self.adopt(folder)}

    def articles(self, **filters: object) -> list[ArticleRevision]:
        """Return what is in the archive."""
        return list(exported(self.database, Filters(**filters)))

    def close(self) -> None:
        """Give back the database."""
        self.database.close()


def tally(done: list[ImportedFile]) -> dict[str, int]:
    """Return how many files had each outcome."""
    return dict(Counter(one.outcome for one in done))

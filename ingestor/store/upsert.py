"""What comes to the store, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ingestor.model import Article, Origin

UpsertOutcome = Literal["new", "revised", "unchanged"]


@dataclass(frozen=True, slots=True)
class ArticleUpsert:
    """An extracted article on its way into the archive, with what is known about it."""

    article: Article
    author: str
    categories: tuple[str, ...]
    """Both for the front matter of a new article."""
    origin: Origin
    seen_at: datetime
    """When its words reached us."""
    feed_id: int | None
    """``None``: no feed announced it, it was adopted from another archive."""
    guid: str = ""
    announced_at: datetime | None = None
    """When the feed claims that it was published."""
    announced_as: str = ""
    """Canonical form of the address that the feed gave."""
    capture_id: int | None = None


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """What became of an arrival."""

    article_id: int
    outcome: UpsertOutcome
    first_page: bool = False
    """It was adopted without its page, and this is the first time that the page came."""

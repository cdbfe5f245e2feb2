"""The archive's database, a module for each thing stored; here what comes to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ingestor.model import Article, Cause, Origin

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
    """``None``: no feed announced it, it was imported."""
    guid: str = ""
    announced_at: datetime | None = None
    """When the feed claims that it was published."""
    announced_as: str = ""
    """Canonical form of the address that the feed gave."""
    capture_id: int | None = None
    final_url: str = ""
    """The address that its page answered at; ``""``: it was not read from a page."""
    note: str = ""
    """What its revision should say of it, in one line."""

    @property
    def claimed_at(self) -> datetime | None:
        """When it was published, as the page claims, else the feed."""
        return self.article.published_at or self.announced_at

    @property
    def published_at(self) -> datetime:
        """When it was published, as far as is known: nobody claims it, then when it was seen."""
        return self.claimed_at or self.seen_at


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """What became of it in the store."""

    article_id: int
    outcome: UpsertOutcome
    first_page: bool = False
    """It was imported without its page, and this is the first time that the page came."""


@dataclass(frozen=True, slots=True)
class NewRevision:
    """What an article is to say, and since when."""

    article_id: int
    upsert: ArticleUpsert
    cause: Cause
    number: int = 1
    seen_at: datetime | None = None
    """``None``: when it was read."""
    replaces: int = 0
    """The revision that was current before; 0: none was."""

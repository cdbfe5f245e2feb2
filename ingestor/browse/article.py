"""What the pages of one article show: its text, its edits, every look at it, and its copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ingestor.api import lists
from ingestor.api.lists import ListedArticle
from ingestor.browse.languages import Language
from ingestor.browse.page_html import article_html
from ingestor.browse.views import changed
from ingestor.store import images, stories
from ingestor.store.doubts import of_article, seen_page
from ingestor.store.names import securities
from ingestor.store.schema import captures
from ingestor.store.stored_articles import ArticleRevision, history
from ingestor.text.dates import SHANGHAI, iso_utc
from ingestor.text.diff import Change


@dataclass(frozen=True, slots=True)
class PageLook:
    """A look at the article's page."""

    id: int
    looked_at: datetime
    url: str
    final_url: str
    status: int
    sha256: str
    is_kept: bool
    """Whether a WARC file has what was received."""
    reading: str
    """What it was taken for, in a word."""
    outcome: str
    """The same in words, with its reason."""


@dataclass(frozen=True, slots=True)
class RevisionDifference:
    """What changed between two revisions."""

    before: ArticleRevision
    after: ArticleRevision
    changes: list[Change]


def article(
    connection: Connection, article_id: int, asked: Mapping[str, str], picture_folder: str
) -> dict[str, Any] | None:
    """Return an article as one of its revisions has it, and all that hangs on it.

    ``asked`` may hold revision, from, to and pictures; ``picture_folder`` is the address under
    which kept pictures are. ``None`` when there is no such article or revision.
    """
    every = history(connection, article_id)
    numbered = {str(each.revision): each for each in every}
    if not every:
        return None
    current = numbered[str(_current(every))]
    wanted = (asked.get(name) or "" for name in ("revision", "from", "to"))
    revision, first, second = (number[:19] for number in wanted)
    shown = numbered.get(revision) if revision else current
    if shown is None or ((first or second) and not {first, second} <= numbered.keys()):
        return None
    paths = picture_paths(connection, article_id)
    kept = {url: f"{picture_folder}{path}" for url, path in paths.items()}
    pictures = asked.get("pictures") == "1"
    html, others = article_html(shown.content_html, kept, pictures=pictures)
    return {
        "article": current,
        "shown": shown,
        "securities": securities.of_articles(connection, [article_id]).get(article_id, []),
        "html": html,
        "pictures_elsewhere": others,
        "pictures": pictures,
        "revisions": every,
        "edits": sum(each.cause == "edit" for each in every),
        "difference": _difference(every, numbered, first, second),
        "looks": looks(connection, article_id),
        "copies": _copies(connection, article_id),
        "neighbours": _neighbours(connection, article_id),
    }


def _current(every: list[ArticleRevision]) -> int:
    known = [each.revision for each in every if each.cause != "doubt"]
    return known[-1] if known else every[-1].revision


def _difference(
    every: list[ArticleRevision], numbered: Mapping[str, ArticleRevision], first: str, second: str
) -> RevisionDifference | None:
    """Return what changed between two revisions; if none are asked for, by the last edit."""
    if first and second:
        before, after = numbered[first], numbered[second]
    elif len(every) > 1:
        last = max(
            (at for at, each in enumerate(every) if each.cause == "edit" and at),
            default=len(every) - 1,
        )
        before, after = every[last - 1], every[last]
    else:
        return None
    return RevisionDifference(before, after, list(changed(before, after)))


def picture_paths(connection: Connection, article_id: int) -> dict[str, str]:
    """Return where the pictures of an article that are kept lie, by their addresses."""
    return images.copies(connection, [article_id]).get(article_id, {})


def looks(connection: Connection, article_id: int) -> list[PageLook]:
    """Return every look at an article's page, the oldest first."""
    columns = captures.c[
        "id", "fetched_at", "url", "final_url", "status", "sha256", "warc_file", "reading", "reason"
    ]
    found = []
    for row in connection.execute(of_article(article_id, *columns)):
        outcome = seen_page(row.fetched_at, row.url, row.reading, row.reason).outcome
        # What has no body is what it was at the look before.
        kept = row.warc_file is not None
        found.append(
            PageLook(
                row.id,
                row.fetched_at,
                row.url,
                row.final_url,
                row.status,
                row.sha256,
                kept,
                row.reading,
                outcome,
            )
        )
    return found


def _copies(connection: Connection, article_id: int) -> tuple[ListedArticle, ...]:
    copies = stories.others(connection, article_id)
    return lists.articles_listed(connection, [copy.id for copy in copies[:20]])


def _neighbours(
    connection: Connection, article_id: int
) -> tuple[ListedArticle | None, ListedArticle | None]:
    before, after = lists.neighbours(connection, article_id)
    ids = [each for each in (before, after) if each is not None]
    listed = {each.id: each for each in lists.articles_listed(connection, ids)}
    return listed.get(before or 0), listed.get(after or 0)


def citation(article: ArticleRevision, language: Language) -> str:
    """Return how to cite an article: what it is, when it was seen, and the proof of its text."""
    published = article.published_at.astimezone(SHANGHAI) if article.published_at else None
    parts = [
        article.title,
        article.media,
        f"{published:%Y-%m-%d %H:%M} (UTC+8)" if published else article.date,
        article.url,
        f"{language.gettext('first seen')} {iso_utc(article.first_seen_at)}",
        language.gettext(
            "archive id %(id)s, revision %(revision)s",
            id=str(article.id),
            revision=str(article.revision),
        ),
        f"sha256 {article.content_sha256}",
    ]
    return ". ".join(part for part in parts if part)


def markdown(article: ArticleRevision, language: Language) -> str:
    """Return an article as Markdown: its title, its text, and how to cite it."""
    lines = [f"# {_plain(article.title)}", *map(_plain, article.content_text.splitlines())]
    return "\n\n".join([*lines, "---", _plain(citation(article, language))]) + "\n"


_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>&|~"})


def _plain(text: str) -> str:
    """Return a line that Markdown shows as it stands: no heading, list, link or HTML."""
    line = text.translate(_MARKS)
    number = re.match(r"[0-9]{1,9}+(?=[.)])", line)
    if number:
        return f"{number[0]}\\{line[number.end() :]}"
    return f"\\{line}" if line.startswith(("#", "+", "-")) else line

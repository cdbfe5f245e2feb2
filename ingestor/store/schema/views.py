"""Views: the long queries that users would otherwise have to write. Plain SQL, any database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A view, with what it is for and what its columns mean."""

    name: str
    comment: str
    columns: tuple[tuple[str, str], ...]
    select: str


_SYMBOL = (
    ("symbol", "sh600519, sz000001, hk00700, us:BABA …"),
    ("market", "sh, sz, bj, hk or us."),
)
_ARTICLE = (
    ("date", "Publication day of the article."),
    ("published_at", "When the page claims to be published."),
    ("first_seen_at", "When this archive first had the article."),
    ("media", "Who wrote it."),
    ("title", "Title of the current revision."),
    ("url", "Canonical address of the article."),
)
"""Columns of several views."""

VIEWS = (
    View(
        "known_revisions",
        "What the archive knew, and from when until when, without what is doubted by now.",
        (
            ("sequence", "Of the revision; only grows."),
            ("article_id", "Article."),
            ("url", "Canonical address of the article."),
            ("date", "Publication day of the article."),
            ("published_at", "When this revision claims to be published: not when it was known."),
            ("revision", "Number within the article, from 1."),
            ("cause", "new, edit, reextract or import."),
            ("title", "Title of this revision."),
            ("content_text", "Text of this revision."),
            ("media", "Who wrote it, as this revision says."),
            ("known_from", "From when on the archive had this revision."),
            ("known_until", "When the next revision replaced it; NULL: it is the current one."),
        ),
        """
SELECT r.sequence, r.article_id, a.url, a.date, r.published_at, r.revision, r.cause,
       r.title, r.content_text, r.media, r.seen_at AS known_from,
       (SELECT min(n.seen_at) FROM revisions n
         WHERE n.article_id = r.article_id AND n.revision > r.revision
           AND n.cause <> 'doubt') AS known_until
  FROM revisions r JOIN articles a ON a.id = r.article_id
 WHERE r.cause <> 'doubt'""",
    ),
    View(
        "changes",
        "Every new article and every edit, in the order in which they came: for consumers.",
        (
            ("sequence", "Only grows: ask for those above the last you saw."),
            ("seen_at", "When this archive first had the revision."),
            ("cause", "new, edit, reextract, import, or doubt: it was withdrawn."),
            ("article_id", "Article."),
            ("revision", "Number within the article, from 1."),
            ("url", "Canonical address of the article."),
            ("date", "Publication day of the article."),
            ("title", "Title of this revision."),
            ("path", "File of the article, relative to the archive folder."),
        ),
        """
SELECT r.sequence, r.seen_at, r.cause, r.article_id, r.revision, a.url, a.date, r.title, a.path
  FROM revisions r JOIN articles a ON a.id = r.article_id""",
    ),
    View(
        "articles_by_symbol",
        "The articles that name a security: filter by `symbol`.",
        (
            *_SYMBOL,
            ("name", "The security as the article writes it."),
            ("article_id", "Article."),
            *_ARTICLE,
            ("known_from", "From when on the archive knew that the article names it."),
            ("known_until", "When an edit took it out; NULL: it is there."),
        ),
        """
SELECT s.symbol, s.market, s.name, s.article_id, a.date, a.published_at, a.first_seen_at,
       a.media, a.title, a.url, b.seen_at AS known_from,
       (SELECT min(n.seen_at) FROM revisions n
         WHERE n.article_id = s.article_id AND n.revision > s.last_revision
           AND n.cause <> 'doubt') AS known_until
  FROM symbols s JOIN articles a ON a.id = s.article_id
  JOIN revisions b ON b.article_id = s.article_id AND b.revision = s.first_revision
 WHERE b.cause <> 'doubt'""",
    ),
    View(
        "known_securities",
        "What securities are called, and from when until when the archive knew it so.",
        (
            *_SYMBOL,
            ("name", "Short name; empty: none was known."),
            ("known_from", "From when on the archive knew the security under this name."),
            ("known_until", "When it was known under another one; NULL: it is its name."),
            ("last_seen_at", "When an article last called it so."),
        ),
        """
SELECT s.symbol, s.market, s.name, s.first_seen_at AS known_from,
       (SELECT min(n.first_seen_at) FROM securities n
         WHERE n.symbol = s.symbol AND n.first_seen_at > s.first_seen_at) AS known_until,
       s.last_seen_at
  FROM securities s""",
    ),
    View(
        "articles_by_story",
        "The articles that tell the same story, each with how many there are.",
        (
            ("story_id", "The same for all articles of a story."),
            ("articles", "How many articles tell it; 1: there is no copy."),
            ("article_id", "Article."),
            *_ARTICLE,
        ),
        """
SELECT s.story_id,
       (SELECT count(*) FROM stories o JOIN articles b ON b.id = o.article_id
         WHERE o.story_id = s.story_id AND b.doubted_at IS NULL) AS articles,
       s.article_id, a.date, a.published_at, a.first_seen_at, a.media, a.title, a.url
  FROM stories s JOIN articles a ON a.id = s.article_id
 WHERE a.doubted_at IS NULL""",
    ),
    View(
        "articles_gone",
        "The articles whose page is not there any more.",
        (
            ("article_id", "Article."),
            ("gone_at", "When this was first seen."),
            *_ARTICLE,
        ),
        """
SELECT a.id AS article_id, a.gone_at, a.date, a.published_at, a.first_seen_at, a.media, a.title,
       a.url
  FROM articles a
 WHERE a.gone_at IS NOT NULL AND a.doubted_at IS NULL""",
    ),
)
"""In the order in which they are made."""

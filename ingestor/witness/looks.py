"""What is known, what came, and what it is taken for: the nouns of :mod:`ingestor.witness`. Pure.

Days are calendar days in Asia/Shanghai, ``YYYY-MM-DD``; addresses are canonical
(:func:`ingestor.identity.canonical_url`); ``''`` stands for what is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingestor.witness.words import Category

LookKind = Literal["first", "second", "reextract", "import"]
"""Why a page is read: it was announced; its time to be looked at again has come; the rules became
better (a kept page is read again); another archive's file is merged."""

Reason = Literal[
    "verification",
    "blocked",
    "maintenance",
    "login",
    "front page or list",
    "empty",
    "boilerplate",
    "other",
]
"""What a page is that is not the article. ``boilerplate``: the site gives that text everywhere."""

GENERIC = "generic"
"""The template of a page that no template fits."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a feed said of an article."""

    title: str
    """Plain text; perhaps cut, with ``...`` at its end."""
    text: str = ""
    """The plain text that the feed carries: all of it, or a summary."""
    day: str = ""


@dataclass(frozen=True, slots=True)
class KnownArticle:
    """An article of the archive that has the address or the document id that was asked for."""

    article_id: int
    url: str
    document_id: str
    day: str
    """Its publication day."""
    days: frozenset[str]
    """Every day under which it was ever announced."""
    title: str
    text: str
    template: str
    """Which template read it: who served it before."""
    fingerprint: str
    """Of its title and text: :func:`ingestor.identity.fingerprint`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a page shows of itself."""

    template: str
    """Which page template read it; ``generic`` when none did, ``import`` for another archive's."""
    title: str
    text: str
    """The article's text, one paragraph a line; ``''`` when none was found."""
    document_ids: frozenset[str] = frozenset()
    """What the page itself states: its ``publishid``, and the ids in the addresses it states."""
    addresses: frozenset[str] = frozenset()
    """The addresses that it states as its own: ``og:url``, canonical, its mobile twin."""
    day: str = ""
    """The day that the page claims."""
    day_is_stated: bool = False
    """Whether it claims it in the template's own place or in structured data of the article."""
    link_share: float = 0.0
    """Share of the text's characters that are inside links, 0 to 1."""
    pictures: int = 0
    removed: bool = False
    """Its title, a heading or its whole short text says that what was asked for is gone."""
    words: tuple[Category, ...] = ()
    """Kinds of words of doubt in what it shows, the one with the most letters first."""
    words_share: float = 0.0
    """Share of the letters of title and text that are words of doubt, 0 to 1."""
    is_list: bool = False
    """A known list page of Sina's."""
    password_form: bool = False
    article_marks: bool = False
    """``og:type`` article, a stated time of publication, or JSON-LD of an article."""


@dataclass(frozen=True, slots=True)
class Look:
    """What came for one look at an article."""

    kind: LookKind
    url: str
    """The address that was asked for."""
    document_id: str
    """The identifier in that address."""
    status: int
    final_url: str
    """The address that answered, after redirects; the one asked for when there were none."""
    evidence: Evidence | None
    """``None``: nothing that could be read as a page."""
    host_uses_templates: bool = False
    """Whether every article that this host ever gave was read by a template."""
    same_text_elsewhere: int = 0
    """Other addresses of this host that gave the same text within a day."""
    doubted_before: bool = False
    """Whether the same text was doubted at this address an hour ago or earlier."""


@dataclass(frozen=True, slots=True)
class Believed:
    """It is the article, and new to the archive."""

    day: str
    """The page's, else the feed's."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Edited:
    """It is a known article with another title or text."""

    article_id: int
    note: str = ""
    """What a revision should say of it, in one line."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """It is a known article, word for word."""

    article_id: int


@dataclass(frozen=True, slots=True)
class AnotherArticle:
    """The publisher used the address again: a new article, of another day."""

    day: str


@dataclass(frozen=True, slots=True)
class Redirected:
    """The answer is an article of another address: a sighting of that one, no text of this one.

    Judge the page once more as a look at ``url``, with what is known of that address.
    """

    url: str
    document_id: str


@dataclass(frozen=True, slots=True)
class PageGone:
    """The article is not there (any more)."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotAnArticle:
    """It is something else."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Too little speaks for it: nothing is taken from it."""

    reason: str


Verdict = (
    Believed | Edited | Unchanged | AnotherArticle | Redirected | PageGone | NotAnArticle | Doubtful
)
"""What a page is taken for."""

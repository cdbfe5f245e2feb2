"""What a look is taken for: everything that the witness weighs, put together for it.

::

    looks | what is known, from the store | text seen elsewhere? host's habit? | witness | Verdict
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import unescape
from urllib.parse import urlsplit

from sqlalchemy import Connection

from ingestor.errors import Forbidden
from ingestor.identity import canonical_url, document_id, publication_day
from ingestor.model import Entry
from ingestor.store import articles, captures
from ingestor.store.captures import text_hash
from ingestor.witness import judge
from ingestor.witness.looks import (
    GENERIC,
    Announcement,
    AnotherArticle,
    Believed,
    Doubtful,
    Edited,
    Evidence,
    KnownArticle,
    Look,
    LookKind,
    NotAnArticle,
    PageGone,
    Redirected,
    Unchanged,
    Verdict,
)
from ingestor.witness.signs import is_telling

MOST_ANNOUNCED_CHARACTERS = 20_000
"""How much of a feed's text is compared with a page: more than tells them apart."""

_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class PageSeen:
    """A page that came, and what it was asked for as."""

    kind: LookKind
    url: str
    """Canonical form of the address that was asked for."""
    final_url: str
    status: int
    fetched_at: datetime
    evidence: Evidence | None
    announced: Announcement | None = None
    came_from: str = ""
    """The address that redirected to ``url``, where it is judged as a look at that one: its own
    text under the former is no other page."""

    @property
    def text_hash(self) -> str:
        """Name the text that the page shows, without its title; ``''`` for none.

        Where the headline that was announced says nothing, the page's own belongs to it: what a
        site gives everywhere has one title.
        """
        if not self.evidence or not self.evidence.text:
            return ""
        told = self.announced is None or is_telling(self.announced.title)
        title, lines = self.evidence.title, self.evidence.text.splitlines()
        text = "\n".join(line for line in lines if line.strip() != title.strip())
        return text_hash(text if told else f"{title}{text}")


@dataclass(slots=True)
class Court:
    """Judges the pages of a batch: what they show together counts as well."""

    pages: Sequence[PageSeen]
    _together: dict[tuple[str, str], list[PageSeen]] = field(init=False)

    def __post_init__(self) -> None:
        self._together = defaultdict(list)
        for page in self.pages:
            if page.text_hash:
                self._together[host(page.url), page.text_hash].append(page)

    def judge(
        self, connection: Connection, page: PageSeen, known: Sequence[KnownArticle]
    ) -> Verdict:
        """Return what a page is taken for, ``known`` being what is known at its address.

        A page that a redirect led to is judged once more, as a look at that other address.
        """
        verdict = self.judge_once(connection, page, known)
        if not isinstance(verdict, Redirected):
            return verdict
        there = replace(page, url=verdict.url, came_from=page.url)
        beyond = articles.known_articles(connection, (verdict.url,), verdict.document_id)
        again = self.judge_once(connection, there, beyond)
        return verdict if isinstance(again, Redirected) else again

    def judge_once(
        self, connection: Connection, page: PageSeen, known: Sequence[KnownArticle]
    ) -> Verdict:
        """Return what a page is taken for at the address that was asked for."""
        return judge(page.announced, known, self._look(connection, page))

    def _look(self, connection: Connection, page: PageSeen) -> Look:
        place, identifier = host(page.url), document_id(page.url)
        generic = page.evidence is not None and page.evidence.template == GENERIC
        elsewhere, before = 0, False
        if page.evidence and page.text_hash:
            own = {page.url, page.came_from} | page.evidence.addresses
            looks = captures.same_text(connection, page.text_hash, page.fetched_at, own)
            urls = {url for url in looks.addresses if host(url) == place}
            urls |= {
                other.url
                for other in self._together[place, page.text_hash]
                if other.final_url not in own
            }
            others = urls - own - {page.final_url}
            elsewhere = len(
                {url for url in others if not identifier or document_id(url) != identifier}
            )
            before = page.url in looks.doubted_before
        return Look(
            kind=page.kind,
            url=page.url,
            document_id=identifier,
            status=page.status,
            final_url=page.final_url,
            evidence=page.evidence,
            host_uses_templates=generic and articles.host_uses_templates(connection, place),
            same_text_elsewhere=elsewhere,
            doubted_before=before,
        )


def announcement(entry: Entry, *, points: bool) -> Announcement:
    """Return what an entry says of its article.

    The day of one that only points to the article is not the article's.
    """
    day = publication_day(entry.published_at) if entry.published_at and not points else ""
    html = (entry.content or entry.summary)[:MOST_ANNOUNCED_CHARACTERS]
    return Announcement(entry.title, unescape(_TAG.sub("\n", html)), day)


def canonical_or_same(url: str) -> str:
    """Return the canonical form of an address that answered, itself where it has none."""
    try:
        return canonical_url(url)
    except Forbidden:
        return url


_READINGS: Mapping[type[Verdict], str] = {
    Believed: "article",
    Edited: "edit",
    Unchanged: "unchanged",
    AnotherArticle: "another",
    Redirected: "elsewhere",
    PageGone: "gone",
    NotAnArticle: "none",
    Doubtful: "doubtful",
}


def reading(verdict: Verdict) -> tuple[str, str]:
    """Return what a look was taken for and why, as captures have it."""
    match verdict:
        case PageGone(reason=reason) | NotAnArticle(reason=reason) | Doubtful(reason=reason):
            said: str = reason
        case Redirected(url=url):
            said = url
        case Believed(note=note) | Edited(note=note):
            said = note
        case _:
            said = ""
    return _READINGS[type(verdict)], said


def host(url: str) -> str:
    """Return the host of an address."""
    return (urlsplit(url).hostname or "").lower()

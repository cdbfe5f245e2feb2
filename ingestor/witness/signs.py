"""What each witness says of a page, asked once. Pure: see :mod:`ingestor.witness`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ingestor.identity import document_id
from ingestor.text.similarity import alphanumerics
from ingestor.witness.looks import GENERIC, Announcement, Evidence, KnownArticle, Look
from ingestor.witness.resemblance import SOME_SHARE, same_title, text_share, title_in_text

MOST_LINK_SHARE = 0.6
"""Of an article's text inside links. Front pages have nearly all of it there (0.99 in
../shared/cases), the articles of all publishers in ../shared/sina at most 0.09."""

NOTICE_LETTERS = 300
"""Pages that refuse or excuse something are shorter (40 to 60 letters in ../shared/cases)."""

NOTICE_WORDS_SHARE = 0.15
"""Of the letters of title and text. The notices of ../shared/cases have 0.48 to 0.73; of 3,671 real
paragraphs as long as a news flash, 2 have any such word, and none as much as 0.05."""

PROSE_LETTERS = 80
"""Below it a text with no other witness is a menu or a notice; 222 of 224 real articles have that
many, and two sentences."""


TELLING_LETTERS = 16
"""A shorter text of a feed (点击查看全文) stands on many pages."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What each witness says, asked once."""

    look: Look
    evidence: Evidence
    announced: Announcement
    known: tuple[tuple[KnownArticle, float], ...]
    """With the share of text that each has in common with the page, the nearest first."""
    stated: bool
    """The page states the document id that was asked for."""
    contradicted: bool
    """It states another one instead."""
    at_home: bool
    """It is at the address that was asked for, or states it."""
    title: bool | None
    """Whether the title that is expected is on the page; ``None``: none is expected."""
    feed_text: bool
    """It shares text with what the feed carries …"""
    known_text: bool
    """… or with a known article, where that is a witness."""
    remembers: bool
    """Whether what is known was read from another answer than this one."""

    @property
    def template(self) -> bool:
        """Whether a template read it."""
        return self.evidence.template != GENERIC

    @property
    def own_id(self) -> bool:
        """Whether it is under the document id that was asked for, and denies it nowhere."""
        at_address = bool(self.look.document_id) and self.at_home and not self.contradicted
        return self.stated or at_address

    def denies(self, article: KnownArticle) -> bool:
        """Whether the page states another document id than that of a known article."""
        ids = {each for each in self.evidence.document_ids if same_form(each, article.document_id)}
        return bool(ids) and article.document_id not in ids

    @property
    def notice(self) -> bool:
        """Whether it is short and made of words of doubt, which the headline does not speak of."""
        return is_short(self.evidence) and self.evidence.words_share >= NOTICE_WORDS_SHARE


def signs_of(
    announced: Announcement, known: Sequence[KnownArticle], look: Look, evidence: Evidence
) -> Signs:
    """Ask every witness of a page."""
    near = _nearest_first(known, evidence, announced)
    remembers = look.kind in {"first", "second"}
    titles = [announced.title, *(article.title for article in known if remembers)]
    ids = {each for each in evidence.document_ids if same_form(each, look.document_id)}
    unlinked = is_unlinked(evidence)
    at_home = _is_at_home(look, evidence)
    # Neighbours share text: behind a redirect only the headline says which of them it is.
    title = _expected(titles, evidence, in_text=at_home or evidence.template == GENERIC)
    here = remembers and unlinked and (at_home or title is not False)
    return Signs(
        look=look,
        evidence=evidence,
        announced=announced,
        known=near,
        stated=look.document_id in ids,
        contradicted=bool(ids) and look.document_id not in ids,
        at_home=at_home,
        title=title,
        feed_text=len(alphanumerics(announced.text)) >= TELLING_LETTERS
        and unlinked
        and text_share(evidence.text, announced.text) >= SOME_SHARE,
        known_text=here and bool(near) and near[0][1] >= SOME_SHARE,
        remembers=remembers,
    )


def _nearest_first(
    known: Sequence[KnownArticle], evidence: Evidence, announced: Announcement
) -> tuple[tuple[KnownArticle, float], ...]:
    """Order what is known by what it shares, then: of the page's day, the feed's, the latest."""
    shares = [(article, text_share(evidence.text, article.text)) for article in known]

    def nearness(pair: tuple[KnownArticle, float]) -> tuple[float, bool, bool, str, int]:
        article, share = pair
        days = evidence.day == article.day, announced.day in article.days
        return share, *days, article.day, article.article_id

    return tuple(sorted(shares, key=nearness, reverse=True))


def _is_at_home(look: Look, evidence: Evidence) -> bool:
    """Whether the address that answered, or one that the page states, is the one asked for."""
    if look.url in {look.final_url, *evidence.addresses} or _same_path(look.url, look.final_url):
        return True
    ids = {document_id(look.final_url), *evidence.document_ids}
    return bool(look.document_id) and look.document_id in ids


def _same_path(first: str, second: str) -> bool:
    """Whether two addresses differ in nothing but the host, or a slash at the end."""
    path, other = ((urlsplit(url).path.rstrip("/"), urlsplit(url).query) for url in (first, second))
    return path == other and bool(re.search(r"\d", "".join(path)))


def same_form(first: str, second: str) -> bool:
    """Whether two document ids are of one kind and publisher, so that they can contradict."""
    return bool(first and second) and _form(first) == _form(second)


def _form(identifier: str) -> tuple[str, str]:
    """Return what an id is of (column, report, or ``""``: a document), and its foreign host."""
    name, _, host = identifier.partition("@")
    return name.partition("-")[0] if "-" in name else "", host


def _expected(titles: Sequence[str], evidence: Evidence, *, in_text: bool) -> bool | None:
    """Whether a page has one of the titles; ``None`` when none of them says anything."""
    telling = [title for title in titles if alphanumerics(title)]
    if not telling:
        return None
    return any(
        same_title(title, evidence.title)
        or (in_text and is_unlinked(evidence) and title_in_text(title, evidence.text))
        for title in telling
    )


def is_unlinked(evidence: Evidence) -> bool:
    """Whether a text is more than links."""
    return evidence.link_share < MOST_LINK_SHARE


def is_short(evidence: Evidence) -> bool:
    """Whether a text has the length of a notice."""
    return len(alphanumerics(evidence.text)) < NOTICE_LETTERS


def is_login(evidence: Evidence) -> bool:
    """Whether a page is a form for a password; real articles have one too, hidden somewhere."""
    return evidence.password_form and len(alphanumerics(evidence.text)) < PROSE_LETTERS


def is_prose(text: str) -> bool:
    """Whether a text has sentences, and enough of them."""
    ends = sum(text.count(mark) for mark in "。！？!?") + text.count(". ")
    return len(alphanumerics(text)) >= PROSE_LETTERS and ends >= 2

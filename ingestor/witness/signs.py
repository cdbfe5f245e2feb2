"""What each witness says of a page: its address, its ids, its title, its text, its links. Pure.

Single witnesses come first: where a redirect led, and whether titles and texts have to do with
each other, measured on 224 real articles of one season (24,976 pairs; six in ten of them about
shares): the harder other articles to tell apart, for a page that is no article shares nothing at
all. :class:`Signs` has them together, each asked once: see :mod:`ingestor.witness`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ingestor.identity import document_id
from ingestor.text.similarity import (
    OTHER_SHARE,
    alphanumerics,
    is_same_story,
    runs,
    words_as_signs,
)
from ingestor.witness.looks import GENERIC, Announcement, Evidence, KnownArticle, Look

Landing = Literal["front", "section", "login", "verification", "missing", "page"]
"""What kind of address answered."""

SAME_TITLE_SHARE = 0.5
"""Of the shorter title's pairs of letters that the longer has: 14 of 24,976 pairs of other articles
reach it (0.06 %), a headline with a prefix, a suffix or an end cut off always."""

LEAST_TITLE_LETTERS = 4
"""A shorter title is compared as a whole: 甲 stands in every page."""

TITLE_IN_TEXT_SHARE = 0.4
"""Of the title's pairs of letters in the first 1,500 of a text: 81 % of articles have it from their
own headline, 1.4 % from another's of the season. At 0.3: 90 and 4.5 %; at 0.5: 69 and 0.6 %."""

_BEGINNING = 1_500

NEARLY_SAME_SHARE = 0.5
"""From this share of the shorter text's runs of four letters on, it is the same text with edits:
16 of 24,976 pairs, of which 15 are copies. With half of the paragraphs replaced, 0.65 is left in
the median."""

SOME_SHARE = OTHER_SHARE
"""Below it, a text is new throughout: so are 24,951 of 24,976 pairs of other articles, and a third
of the articles in which seven of ten paragraphs were replaced."""

_LEAST_LETTERS = 16
_LEAST_RUNS = _LEAST_LETTERS - 3
"""Of a text of so many letters: a shorter one has to be the other, not to stand in it."""

_SEGMENT = re.compile(r"[^/.?]+")
_FRONT = re.compile(r"/*(?:(?:index|default|home|main)(?:\.\w+)?/*)?")
_LOGINS = frozenset(("login", "signin", "sign-in", "passport", "sso", "register", "logon"))
_CHECKS = frozenset(("visitor", "captcha", "verify", "antispider", "challenge", "waf", "punish"))
_MISSING = frozenset(("404", "error", "notfound", "not-found", "not_found", "nofound", "errpage"))
_MOST_SECTION_LETTERS = 16


def landing(url: str) -> Landing:
    """Return what kind of page an address names, by its words alone."""
    parts = urlsplit(url)
    host = (parts.hostname or "").split(".")
    names = {segment.lower() for segment in _SEGMENT.findall(parts.path)} | set(host[:-2])
    if names & _LOGINS:
        return "login"
    if names & _CHECKS:
        return "verification"
    if names & _MISSING:
        return "missing"
    if _FRONT.fullmatch(parts.path) and not re.search(r"\d", parts.query):
        return "front"
    return "section" if _is_section(parts.path) and not parts.query else "page"


def _is_section(path: str) -> bool:
    """Whether a path is a folder's, like /china/ or /roll/index.shtml, and no article's slug."""
    if re.search(r"\d", path):
        return False
    return all(
        len(segment) <= _MOST_SECTION_LETTERS and segment.count("-") < 2
        for segment in path.split("/")
    )


def is_telling(title: str) -> bool:
    """Whether a headline is long enough to be missed where it is not."""
    return len(alphanumerics(title)) >= LEAST_TITLE_LETTERS


def same_title(first: str, second: str) -> bool:
    """Whether two headlines are one, give or take a cut end, a prefix or a suffix."""
    shorter, longer = sorted((words_as_signs(first), words_as_signs(second)), key=len)
    if not (is_telling(first) and is_telling(second)):
        return bool(shorter) and shorter == longer
    pairs = _pairs(shorter)
    return len(pairs & _pairs(longer)) >= SAME_TITLE_SHARE * len(pairs)


def title_in_text(title: str, text: str) -> bool:
    """Whether a text begins with what a headline speaks of."""
    if not is_telling(title):
        return False
    pairs = _pairs(words_as_signs(title))
    beginning = _pairs(words_as_signs(text)[:_BEGINNING])
    return len(pairs & beginning) >= TITLE_IN_TEXT_SHARE * len(pairs)


def text_share(first: str, second: str) -> float:
    """Return the share of the shorter text's runs of four letters that the longer has, 0 to 1.

    A word of an alphabet counts as two letters. Reports of one form that differ in their numbers
    share at most what two texts may have in common that are not the same (just below
    :data:`NEARLY_SAME_SHARE`).
    """
    shorter, longer = sorted((words_as_signs(first), words_as_signs(second)), key=len)
    if len(shorter) >= _LEAST_LETTERS and shorter in longer:
        # Most often it is the same text, and that costs next to nothing to see.
        return 1.0
    fewer, others = sorted((runs(shorter), runs(longer)), key=len)
    if len(fewer) < _LEAST_RUNS:
        return float(bool(fewer) and fewer == others)
    share = len(fewer & others) / len(fewer)
    if NEARLY_SAME_SHARE <= share < 1 and _is_form(first, second, len(fewer), len(others)):
        return NEARLY_SAME_SHARE - 0.01
    return share


def _is_form(first: str, second: str, fewer: int, more: int) -> bool:
    """Whether two texts of like length share a form, and not the numbers in it."""
    return fewer >= max(20, more // 2) and not is_same_story(first, second)


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}


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


LEAST_CHARACTERS = 25
"""A text that no template read and that is shorter than this is a menu, a notice, a stub, unless
what was announced is on the page."""

GALLERY = 3
"""Pictures under a headline that are an article without a text: a frame has a logo and a code."""

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
        if not is_short(self.evidence):
            return False
        told = self.evidence.removed and self.evidence.text and not has_headline(self)
        return bool(told) or self.evidence.words_share >= NOTICE_WORDS_SHARE


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
        """Return what an article is ordered by: the greatest is the nearest."""
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
    """Whether a page has one of the titles; ``None`` when none of them says anything.

    One of two or three letters that is not there says nothing either: it may be a number, or a
    feed's own mark.
    """
    for title in titles:
        if same_title(title, evidence.title):
            return True
        if in_text and is_unlinked(evidence) and title_in_text(title, evidence.text):
            return True
    return False if any(map(is_telling, titles)) else None


def is_unlinked(evidence: Evidence) -> bool:
    """Whether a text is more than links."""
    return evidence.link_share < MOST_LINK_SHARE


def is_short(evidence: Evidence) -> bool:
    """Whether a text has the length of a notice."""
    return len(alphanumerics(evidence.text)) < NOTICE_LETTERS


def is_stub(signs: Signs) -> bool:
    """Whether a text of no more than a few lines has nothing of the headline that is expected.

    It may be what a site says in the frame of an article that is gone, in words that no list has.
    Where the headline itself is there, and pictures, a form of an article's or an address that
    names no document, a short text may be all that there is (详见附件).
    """
    evidence = signs.evidence
    if signs.title is None or len(alphanumerics(evidence.text)) >= PROSE_LETTERS:
        return False
    if has_headline(signs) or _is_announced_text(signs):
        return False
    if signs.template and signs.stated and (signs.known or signs.title):
        # An article under its own headline; and a rewrite under template and id is an edit.
        return False
    formed = evidence.article_marks if not signs.template else not signs.look.document_id
    return not (signs.title and (evidence.pictures or formed))


def _is_announced_text(signs: Signs) -> bool:
    """Whether a text is the feed's, which may be too short to bear witness as a part of one."""
    text = alphanumerics(signs.evidence.text)
    return bool(text) and text == alphanumerics(signs.announced.text)


def has_headline(signs: Signs) -> bool:
    """Whether the text begins with what a headline speaks of that is expected."""
    titles = [signs.announced.title, *(article.title for article, _ in signs.known)]
    return any(title_in_text(title, signs.evidence.text) for title in titles)


def is_mute(signs: Signs) -> bool:
    """Whether no template read a page, and what was read says nothing of what was announced.

    Its headline alone, or a few words: those have to be the text that was announced, have something
    of its headline, or stand beside the pictures of a gallery.
    """
    evidence, text = signs.evidence, alphanumerics(signs.evidence.text)
    if signs.template or _is_announced_text(signs):
        return False
    is_gallery = signs.title and evidence.pictures >= (1 if evidence.article_marks else GALLERY)
    if is_gallery or len(evidence.text) >= 2 * PROSE_LETTERS:
        return False
    if text == alphanumerics(evidence.title):
        return True
    return len(evidence.text) < LEAST_CHARACTERS and not has_headline(signs)


def is_login(evidence: Evidence) -> bool:
    """Whether a page is a form for a password; real articles have one too, hidden somewhere."""
    return evidence.password_form and len(alphanumerics(evidence.text)) < PROSE_LETTERS


def is_prose(text: str) -> bool:
    """Whether a text has sentences, and enough of them."""
    ends = sum(text.count(mark) for mark in "。！？!?") + text.count(". ")
    return len(alphanumerics(text)) >= PROSE_LETTERS and ends >= 2

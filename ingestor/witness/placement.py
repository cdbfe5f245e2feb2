"""Which article of its address is a page that is one? Pure: the end of :mod:`ingestor.witness`."""

from __future__ import annotations

from collections.abc import Sequence

from ingestor.identity import fingerprint
from ingestor.text.similarity import alphanumerics
from ingestor.witness.looks import (
    Announcement,
    AnotherArticle,
    Believed,
    Doubtful,
    Edited,
    Evidence,
    KnownArticle,
    Unchanged,
    Verdict,
)
from ingestor.witness.signs import (
    NEARLY_SAME_SHARE,
    SOME_SHARE,
    Signs,
    is_stub,
    same_title,
    text_share,
)

TEASER_SHARE = 0.5
"""A page that has less than this part of the known text may be its teaser, or cut."""

_CUT_LETTERS = 12
"""What may stand after the cut: half a word, 点击展开全文."""

STUB_LETTERS = 40
"""A text that shares nothing with a longer known one and is shorter than this (内容审核中) is no
rewrite until it stays: of 224 real articles, none but one without a text is that short."""

STATED_STUB_LETTERS = 16
"""The same for a page that states the document id: a correction may be one sentence."""

REWRITTEN = "rewritten throughout"
"""The note of an edit that shares nothing with the text before."""


def placed(signs: Signs) -> Verdict:
    """Return which article of its address a page is that is one."""
    evidence, announced = signs.evidence, signs.announced
    stated_day = evidence.day if evidence.day_is_stated else ""
    if not signs.known:
        return Believed(evidence.day or announced.day)
    nearest, share = signs.known[0]
    whole = nearest.text
    if share >= SOME_SHARE and (is_teaser(evidence, whole) or is_cut(evidence, whole)):
        return Doubtful("less than half of the text that is known")
    if share < SOME_SHARE and _is_less(evidence, whole) and signs.remembers and is_stub(signs):
        return Doubtful("a few lines in the place of the text that is known")
    if signs.denies(nearest):
        return _other_id(signs, stated_day or announced.day)
    other_day = bool(stated_day) and _is_new(signs, stated_day)
    # A daily column shares its form with yesterday's, never its headline.
    told_again = signs.stated and same_title(evidence.title, nearest.title)
    if share >= NEARLY_SAME_SHARE or (share >= SOME_SHARE and (told_again or not other_day)):
        return Edited(nearest.article_id)
    return AnotherArticle(stated_day) if other_day else _rewritten(signs, stated_day)


def placed_text(
    known: Sequence[KnownArticle], announced: Announcement
) -> Believed | AnotherArticle | Edited | Unchanged:
    """Return which article of its address a feed's own text is.

    The feed vouches for it. It is another article only under a day of none that is known, with a
    text that is new throughout.
    """
    print_ = fingerprint(announced.title, announced.text)
    for article in known:
        if article.fingerprint == print_:
            return Unchanged(article.article_id)
    if not known:
        return Believed(announced.day)
    nearest = max(known, key=lambda article: text_share(announced.text, article.text))
    if text_share(announced.text, nearest.text) >= SOME_SHARE:
        return Edited(nearest.article_id)
    of_day = [article for article in known if _has_day(article, announced.day)]
    if announced.day and not of_day:
        return AnotherArticle(announced.day)
    return Edited((of_day or [nearest])[0].article_id)


def _other_id(signs: Signs, day: str) -> Verdict:
    """Return what a page is whose address has no id, and which states another than the known."""
    new = day and _is_new(signs, day)
    return AnotherArticle(day) if new else Doubtful("the page states another document id")


def _rewritten(signs: Signs, stated_day: str) -> Verdict:
    """Return what a text is that is new throughout, and of no day of its own."""
    day = signs.announced.day
    article = _of_day(signs, stated_day or day)
    least = STATED_STUB_LETTERS if signs.template and signs.stated else STUB_LETTERS
    if len(alphanumerics(signs.evidence.text)) < least <= len(alphanumerics(article.text)):
        return Doubtful("a line in the place of the text that is known")
    told = bool(signs.title) and (signs.own_id or bool(stated_day))
    if signs.template and (signs.stated or told):
        return Edited(article.article_id, REWRITTEN)
    if day and _is_new(signs, day):
        return AnotherArticle(day)
    if signs.template and signs.evidence.template == article.template and signs.title:
        return Edited(article.article_id, REWRITTEN)
    return Doubtful("it shares nothing with the text that is known")


def _of_day(signs: Signs, day: str) -> KnownArticle:
    """Return the known article of a day, else the nearest."""
    fitting = (article for article, _ in signs.known if _has_day(article, day))
    return next(fitting, signs.known[0][0])


def _is_new(signs: Signs, day: str) -> bool:
    """Whether no known article is of a day."""
    return not any(_has_day(article, day) for article, _ in signs.known)


def _has_day(article: KnownArticle, day: str) -> bool:
    return day == article.day or day in article.days


def is_teaser(evidence: Evidence, whole: str) -> bool:
    """Whether a page bids to log in and has less than half of a text that it shares."""
    return "login" in evidence.words and _is_less(evidence, whole)


def is_cut(evidence: Evidence, whole: str) -> bool:
    """Whether a page has less than half of a text, and that is its beginning.

    It may be cut by a wall, by a server that failed in its middle, or be a first part alone.
    """
    beginning = alphanumerics(evidence.text)[:-_CUT_LETTERS]
    return _is_less(evidence, whole) and alphanumerics(whole).startswith(beginning)


def _is_less(evidence: Evidence, whole: str) -> bool:
    return len(alphanumerics(evidence.text)) < TEASER_SHARE * len(alphanumerics(whole))

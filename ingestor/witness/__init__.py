"""Is this page the article, an edit, another one, or none? One decision, pure.

The first row that fits counts. *First* is a look at an address of which nothing is known, *later*
one at an address of which an article is. Re-extraction and import go by the same rows, but for
them the stored title and text are no witnesses: they may come from this very page.

::

    what came                                          first          later
    ── the answer ──────────────────────────────────────────────────────────────────────
    404, 410                                           PageGone       PageGone
    304                                                Doubtful       Unchanged
    another status than 200 to 299                     NotAnArticle   NotAnArticle
    nothing to read                                    NotAnArticle   NotAnArticle
    ── the final address, unless the page states the address or id asked for ───────────
    a root, a login, a verification, an error page     NotAnArticle   NotAnArticle (PageGone)
    another document id of the same form               Redirected     Redirected
    an id or a template; not the announced title/text  Redirected     Redirected
    a section; not the announced title/text            NotAnArticle   NotAnArticle
    ── the same text under other addresses of the host within a day ────────────────────
    a notice that what was asked for is gone           PageGone       PageGone
    own address, title, and a template or that
      address stated by the page; the feed's text      (go on)        (go on)
    own id and template alone                          Doubtful       Doubtful
    none of that                                       NotAnArticle   NotAnArticle
    ── the words ───────────────────────────────────────────────────────────────────────
    the text that is known, word for word              Unchanged      Unchanged
    the page states another document id                Doubtful       Doubtful
    too little speaks for it (below), but it states
      the id, and was doubted so an hour ago           Believed       Edited (note)
    … and its short text has words of doubt, or it
      is a form for a password, a list, or empty       PageGone, NotAnArticle
    … and nothing of that                              Doubtful       Doubtful
    ── which article of this address ───────────────────────────────────────────────────
    none is known                                      Believed       Believed
    less than half of a known text: cut, or a teaser   Doubtful       Doubtful
    a stub in the place of a known text                Doubtful       Doubtful
    another id than the known one's, a day of none     AnotherArticle AnotherArticle
    another id than the known one's                    Doubtful       Doubtful
    nearly the text of a known one, whatever the day   Edited         Edited
    a stated day of no known one, a new text           AnotherArticle AnotherArticle
    some of the text of a known one                    Edited         Edited
    a line that shares nothing with a known text       Doubtful       Doubtful
    a new text, template, and the id stated; or the
      title, and the id or its day                     Edited (note)  Edited (note)
    a new text, announced under a day of no known one  AnotherArticle AnotherArticle
    a new text, the title and template of a known one  Edited (note)  Edited (note)
    a new text and none of that                        Doubtful       Doubtful

What speaks for a page, one being enough (and nothing else doubted):

* it shares text with what the feed carries (and is not the half of it that bids to log in), or (at
  a later look) with what is known;
* a template read it, at the address or with the document id that was asked for; where neither the
  announced title nor the announced text is on it, only with the id stated, and only if it is no
  stub (below): a site says in the frame of its articles that one of them is gone;
* the announced title (at a later look, or the known one) is its title, or is what its text begins
  with;
* nothing was announced, and it is prose, or says of itself that it is an article.

A text that no template read and that is under 25 characters, or the headline alone, is doubtful for
good, unless it is the announced text or has something of the headline, or there are the pictures of
a gallery. A stub is a text of under 80 letters that has nothing of the headline. Where the page's
title is the headline, it is none beside a picture, nor at an address without a document id; where
no template read it, nor on a page that says of itself that it is an article.

For a short text made of words of doubt (a notice), for one that is next to nothing but links, and
for a short one where the feed carries more, only the first of these speaks; for the links also a
template with id and title together; for a notice that does not say that something is gone, a
template with the stated id and the headline as its title, or a headline that itself speaks of it.
Words alone, in a text that is no notice, do nothing.

Measured on ../shared/sina (a test holds it): each of 3 whole pages of Sina's states the id of its
address, and its day in the template's place; none of 8 pages of other publishers states an id, and
3 state their day. All 11 are believed when announced with their own title alone, none of the 8
with the title of another. 3 of 3 and 4 of 8 have a form for a password: it says nothing of a page
that has a text. The other figures stand with their thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingestor.identity import document_id, fingerprint
from ingestor.text.counts import counted
from ingestor.text.similarity import alphanumerics
from ingestor.witness.looks import (
    Announcement,
    Believed,
    Doubtful,
    Edited,
    KnownArticle,
    Look,
    NotAnArticle,
    PageGone,
    Reason,
    Redirected,
    Unchanged,
    Verdict,
)
from ingestor.witness.placement import is_teaser, placed
from ingestor.witness.signs import (
    PROSE_LETTERS,
    Signs,
    is_login,
    is_mute,
    is_prose,
    is_stub,
    is_telling,
    is_unlinked,
    landing,
    same_form,
    same_title,
    signs_of,
)
from ingestor.witness.words import doubt_words

_STATUS_REASONS: dict[int, Reason] = {
    401: "login", 403: "blocked", 405: "blocked", 407: "login", 412: "verification",
    429: "blocked", 451: "blocked", 502: "maintenance", 503: "maintenance", 504: "maintenance",
}  # fmt: skip

_NO_TEXT, _FEW_WORDS = "no text", "a few words that nobody announced"

REPEATED = "the same text, doubted before, under its document id"
"""The note of what is believed because it stays."""


def judge(announced: Announcement | None, known: Sequence[KnownArticle], look: Look) -> Verdict:
    """Return what a page is taken for, by the table above.

    ``announced`` is what the feed said (``None``: not by a feed); ``known`` are the articles of
    the archive at the address asked for or with its document id, none at a first look.
    """
    answered = _by_status(known, look)
    if answered or not look.evidence:
        return answered or NotAnArticle("empty")
    signs = signs_of(announced or Announcement(""), known, look, look.evidence)
    return _by_address(signs) or _by_repetition(signs) or _by_words(signs)


def _by_status(known: Sequence[KnownArticle], look: Look) -> Verdict | None:
    """Judge an answer that has no page to read, or says that it is not the one."""
    if look.status in {404, 410}:
        return PageGone(str(look.status))
    if look.status == 304:
        return Unchanged(known[0].article_id) if known else Doubtful("304 at a first look")
    if not 200 <= look.status < 300:
        return NotAnArticle(_STATUS_REASONS.get(look.status, "other"))
    return None


def _by_address(signs: Signs) -> Verdict | None:
    """Judge a page by where the redirects led."""
    if signs.at_home:
        return None
    kind, found = landing(signs.look.final_url), document_id(signs.look.final_url)
    match kind:
        case "front":
            return NotAnArticle("front page or list")
        case "login" | "verification":
            return NotAnArticle(kind)
        case "missing":
            return PageGone("led to a page for errors")
    proved = bool(signs.title) or signs.feed_text
    elsewhere = found and same_form(found, signs.look.document_id)
    if elsewhere or (not proved and (found or signs.template)):
        return Redirected(signs.look.final_url, found)
    return NotAnArticle("front page or list") if kind == "section" and not proved else None


def _by_repetition(signs: Signs) -> Verdict | None:
    """Judge a page whose text the site gives elsewhere as well."""
    if not signs.look.same_text_elsewhere or not signs.evidence.text or signs.feed_text:
        return None
    if signs.notice and signs.evidence.removed:
        # Every address that is gone gets the same page.
        return PageGone("the page says so")
    itself = signs.template or signs.look.url in signs.evidence.addresses
    own = itself and signs.at_home and not signs.contradicted
    if own and (signs.title or (signs.own_id and signs.title is None)):
        return None
    if own and signs.own_id:
        return Doubtful(
            f"the same text at {counted(signs.look.same_text_elsewhere, 'other address')}"
        )
    return NotAnArticle("boilerplate")


def _by_words(signs: Signs) -> Verdict:
    """Judge a page by what it says."""
    print_ = fingerprint(signs.evidence.title, signs.evidence.text)
    same = next((article for article, _ in signs.known if article.fingerprint == print_), None)
    if same and signs.remembers:
        return Unchanged(same.article_id)
    if signs.contradicted:
        return Doubtful("the page states another document id")
    doubt = _doubt(signs)
    if same and not doubt:
        return Unchanged(same.article_id)
    verdict = _named(signs, doubt) if doubt else placed(signs)
    stays = signs.stated and signs.look.doubted_before and doubt != _FEW_WORDS
    return _repeated(signs) if stays and isinstance(verdict, Doubtful) else verdict


def _repeated(signs: Signs) -> Verdict:
    """Return what a doubtful page is taken for that states its id and stays the same."""
    match placed(signs):
        case Believed() | Edited() as verdict:
            return replace(verdict, note=REPEATED)
        case Doubtful() if not signs.denies(signs.known[0][0]):
            return Edited(signs.known[0][0].article_id, REPEATED)
        case verdict:
            return verdict


def _doubt(signs: Signs) -> str:
    """Return why too little speaks for a page, or ``''``."""
    if not alphanumerics(signs.evidence.text) and not signs.evidence.pictures:
        return _NO_TEXT
    if signs.feed_text and is_teaser(signs.evidence, signs.announced.text):
        return "less than half of what the feed carries, and bids to log in"
    if signs.feed_text or signs.known_text:
        return ""
    if is_mute(signs) and signs.look.kind != "import":
        return _FEW_WORDS
    return _against(signs) or _unproved(signs)


def _against(signs: Signs) -> str:
    """Return what speaks against a page whose text is new, or ``''``."""
    if signs.notice and not _speaks_of_it(signs):
        return "a notice"
    proved = signs.own_id and signs.template and signs.title
    linked = signs.evidence.is_list or not is_unlinked(signs.evidence)
    return "next to nothing but links" if linked and not proved else ""


def _unproved(signs: Signs) -> str:
    """Return why nothing speaks for a page whose text is new, or ``''``."""
    fed = len(alphanumerics(signs.announced.text)) >= PROSE_LETTERS
    itself = signs.template and signs.stated
    if fed and len(alphanumerics(signs.evidence.text)) < PROSE_LETTERS and not itself:
        return "shorter than what the feed carries, and nothing of it"
    if signs.template and signs.at_home:
        denied = fed and signs.title is False and not signs.stated
        return "neither announced title nor text" if denied or is_stub(signs) else ""
    if signs.title is None:
        return _unannounced(signs)
    if not signs.title:
        return "its title and text share nothing with what is expected"
    if signs.look.host_uses_templates and not is_prose(signs.evidence.text):
        return "no template, on a host that always has one"
    return "a few lines below the headline, and nothing of it" if is_stub(signs) else ""


def _unannounced(signs: Signs) -> str:
    if signs.look.kind == "import":
        return ""
    if signs.look.host_uses_templates:
        return "no template, on a host that always has one"
    told = is_prose(signs.evidence.text) or signs.evidence.article_marks
    return "" if told and not is_login(signs.evidence) else "no prose"


def _named(signs: Signs, doubt: str) -> Verdict:
    """Return what a page is that too little speaks for; here its words only name it."""
    evidence = signs.evidence
    mute = doubt in {_NO_TEXT, _FEW_WORDS}
    first = evidence.words[0] if evidence.words and (signs.notice or mute) else None
    if evidence.removed or first == "removed":
        return PageGone("the page says so")
    if signs.stated and not mute:
        return Doubtful(doubt)
    if first:
        return NotAnArticle("empty" if first == "shell" else first)
    if is_login(evidence):
        return NotAnArticle("login")
    if evidence.is_list or (not is_unlinked(evidence) and not evidence.article_marks):
        return NotAnArticle("front page or list")
    return NotAnArticle("empty") if doubt == _NO_TEXT else Doubtful(doubt)


def _speaks_of_it(signs: Signs) -> bool:
    """Whether the headline itself announces what reads like a notice: 系统升级维护公告.

    No notice has the headline, the template and the document id of what was asked for.
    """
    headline = alphanumerics(signs.announced.title)
    titled = same_title(signs.announced.title, signs.evidence.title)
    if titled and signs.template and signs.stated and not signs.evidence.removed:
        return True
    spoken = bool(doubt_words(signs.announced.title).categories)
    whole = is_telling(headline) and headline in alphanumerics(signs.evidence.title)
    return spoken and bool(signs.title) and (signs.template or (whole and signs.at_home))

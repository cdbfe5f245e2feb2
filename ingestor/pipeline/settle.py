"""Writing down what came of looks: what each page is taken for, and what follows from that.

::

    looks | into the WARC | judge (one transaction from here on) | captures | articles | outcomes

First looks (entries) and second ones (rechecks) are settled alike, a batch at a time. Where a page
is given up and the feed carries the text, that is read, and settled in a batch of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from ingestor import policy
from ingestor.archive.warc.records import Packed
from ingestor.errors import Gone, IngestorError, NoPage, NotBelieved, Postponed
from ingestor.identity import document_id
from ingestor.model import Article, Response
from ingestor.pipeline import captures
from ingestor.pipeline.captures import NewCapture, UnreadAnswer
from ingestor.pipeline.judge import (
    Court,
    PageSeen,
    announcement,
    canonical_or_same,
    host,
    reading,
)
from ingestor.pipeline.look import Failed, PageRead, PageUnchanged, TextInstead, TextRead
from ingestor.pipeline.outcome import (
    Case,
    EntryLook,
    EntryTask,
    GivenUp,
    Settled,
    Subject,
    count,
    observe,
    record,
)
from ingestor.pipeline.rejudge import FURNITURE
from ingestor.pipeline.save import Placed, lock_names, placed, save_placed
from ingestor.pipeline.services import Services, Summary
from ingestor.store import ArticleUpsert, articles
from ingestor.store.captures import NO_READING, Reading, lead_to
from ingestor.store.rechecks import DueCheck
from ingestor.text.sanitize import shortened
from ingestor.text.written_dates import address_day
from ingestor.witness import looks
from ingestor.witness.looks import Evidence, KnownArticle, Verdict


def settle(
    services: Services, batch: Sequence[Settled], summary: Summary, *, last: bool = False
) -> list[GivenUp]:
    """Write a batch down in one transaction, after what was received is on the disk.

    Returns the entries whose page is given up and whose feed carries a text, which is still to be
    read: how they went is left open, unless this is the ``last`` time.
    """
    cases = _cases(services, batch)
    court = Court([case.page for case in cases if case.page])
    with services.recording() as connection:
        settled = _settle(connection, court, cases)
        given_up = [] if last else list(_given_up(services, settled))
        left = [task for task, _ in given_up]
        decided = [case for case in settled if case.subject not in left]
        record(connection, services, decided)
    summary.furniture |= {
        (host(page.url), page.text_hash)
        for case in settled
        if case.verdict == FURNITURE and (page := case.page)
    }
    for case in decided:
        count(summary, case)
        observe(services, case)
        if case.page and not isinstance(case.verdict, looks.PageGone):
            believed = isinstance(case.verdict, Placed)
            services.fetcher.judged(case.page.final_url, believed=believed)
    return given_up


def _cases(services: Services, batch: Sequence[Settled]) -> list[Case]:
    """Put into the WARC what was received, and return each look with what is to be settled."""
    received = [list(_received(look)) for _, look in batch]
    written = iter(services.write_warc([page for pages in received for page in pages]))
    return [
        Case(
            subject,
            look,
            _page(subject, look),
            [next(written) for _ in pages] or _without_body(look),
            _upsert(services, subject, look),
        )
        for (subject, look), pages in zip(batch, received, strict=True)
    ]


def _received(look: EntryLook) -> Iterator[tuple[Response, Packed | UnreadAnswer | None]]:
    """Yield what is kept as received: also a page that is not believed, to look into."""
    match look:
        case PageRead():
            yield look.response, look.packed
            yield from look.further
        case Failed(response=Response(status=200 | 203) as response, packed=packed):
            yield response, packed


def _without_body(look: EntryLook) -> list[NewCapture]:
    """Return the answer of a look that brought no body, and is written down all the same."""
    return [captures.unkept(look.response)] if isinstance(look, PageUnchanged) else []


def _upsert(services: Services, subject: Subject, look: EntryLook) -> ArticleUpsert | None:
    """Return the article of a look, as it is to be saved if it is believed."""
    if not isinstance(look, PageRead | TextRead | TextInstead):
        return None
    page = look.response if isinstance(look, PageRead) else None
    seen_at = page.fetched_at if page else services.clock.now()
    upsert = partial(
        ArticleUpsert,
        article=look.article,
        seen_at=seen_at,
        final_url=page.final_url if page else "",
        feed_id=subject.feed_id,
    )
    match subject:
        case EntryTask(queued=queued, feed=feed):
            return upsert(
                article=_with_day_of_address(look.article, queued.entry.url, seen_at),
                author=feed.author,
                categories=(*feed.categories, feed.name),
                origin="page" if page else "feed",
                guid=queued.entry.guid,
                announced_at=None if subject.points else queued.entry.published_at,
                announced_as=subject.address,
            )
        case DueCheck():
            return upsert(author=subject.author, categories=subject.categories, origin="page")


def _with_day_of_address(article: Article, url: str, seen_at: datetime) -> Article:
    """Return a text whose feed names no time under the day that its page's address names."""
    day = None if article.published_at else address_day(url)
    return replace(article, published_at=day) if day and day <= seen_at else article


def _page(subject: Subject, look: EntryLook) -> PageSeen | None:
    """Return the page that is to be judged, if one came that shows anything."""
    match look:
        case PageRead(response=response, evidence=evidence):
            pass
        case Failed(response=Response() as response, evidence=Evidence() as evidence):
            pass
        case _:
            return None
    first = isinstance(subject, EntryTask)
    return PageSeen(
        kind="first" if first else "second",
        url=subject.address if isinstance(subject, EntryTask) else subject.url,
        final_url=canonical_or_same(response.final_url),
        status=response.status,
        fetched_at=response.fetched_at,
        evidence=evidence,
        announced=announcement(subject.queued.entry, points=subject.points)
        if isinstance(subject, EntryTask)
        else None,
    )


def _settle(connection: Connection, court: Court, cases: Sequence[Case]) -> list[Case]:
    """Judge the pages and save what is believed; those that nothing is like are saved together."""
    upserts = [case.upsert for case in cases if case.upsert]
    lock_names(connection, upserts)
    with_article = [position for position, case in enumerate(cases) if case.upsert]
    unlike = [with_article[place] for place in articles.unlike(connection, upserts)]
    alone = sorted(place for place in unlike if isinstance(cases[place].subject, EntryTask))
    judged = [_judged(connection, court, cases[position], ()) for position in alone]
    settled = dict(zip(alone, _save(connection, judged), strict=True))
    for position, case in enumerate(cases):
        if position not in settled:
            known = _known(connection, case)
            (settled[position],) = _save(connection, [_judged(connection, court, case, known)])
    return [settled[position] for position in range(len(cases))]


def _known(connection: Connection, case: Case) -> list[KnownArticle]:
    """Return the articles that a page, or a text, may be."""
    subject, upsert = case.subject, case.upsert
    asked = subject.address if isinstance(subject, EntryTask) else subject.url
    addresses = {asked, *(articles.addresses(upsert) if upsert else ())} - {""}
    identifier = document_id(asked) or (upsert.article.document_id if upsert else "")
    return articles.known_articles(connection, addresses, identifier) if addresses else []


def _judged(
    connection: Connection, court: Court, case: Case, known: Sequence[KnownArticle]
) -> Case:
    """Return a case with its verdict; one whose page is not believed is a failure then."""
    page = case.page
    if page is None:
        if case.upsert:
            return replace(case, verdict=placed(case.upsert, known))
        match case.look:
            case Failed(error=Gone() as error):
                return replace(case, verdict=looks.PageGone(str(error)))
        return case
    verdict = court.judge(connection, page, known)
    if case.upsert and isinstance(verdict, Placed):
        return replace(case, verdict=verdict)
    return replace(case, verdict=verdict, look=_failure(case.look, page, verdict), upsert=None)


def _failure(look: EntryLook, page: PageSeen, verdict: Verdict) -> Failed:
    """Return the failure that a page is which is not believed."""
    match verdict:
        case looks.PageGone(reason=reason):
            error: IngestorError = Gone(f"{page.url}: gone: {reason}")
        case looks.NotAnArticle(reason="empty") if isinstance(look, Failed):
            # Why nothing can be read says more: a bound that was passed, JSON, a picture.
            error = NotBelieved(str(look.error))
        case looks.NotAnArticle(reason=reason):
            error = NotBelieved(f"{page.url}: no article, not believed: {reason}")
        case looks.Doubtful(reason=reason):
            error = NotBelieved(f"{page.url}: doubtful, not believed: {reason}")
        case looks.Redirected(url=url):
            error = NotBelieved(f"{page.url}: leads elsewhere, not believed: {url}")
        case _:
            error = NotBelieved(f"{page.url}: nothing can be read any more")
    response = look.response if isinstance(look, PageRead | Failed) else None
    in_parts = isinstance(look, Failed) and look.in_parts
    return Failed(error, response, page.evidence, in_parts=in_parts)


def _save(connection: Connection, cases: Sequence[Case]) -> list[Case]:
    """Save what is believed, with the captures that it was read from."""
    capture_ids = _record_captures(connection, cases)
    read = [
        _with_capture(case, capture_id) for case, capture_id in zip(cases, capture_ids, strict=True)
    ]
    believed = [
        (case.upsert, case.verdict)
        for case in read
        if case.upsert and isinstance(case.verdict, Placed)
    ]
    results = iter(save_placed(connection, believed))
    saved = [replace(case, result=next(results)) if case.upsert else case for case in read]
    led = zip(capture_ids, map(_article_id, saved), strict=True)
    lead_to(connection, [(capture, to) for capture, to in led if capture and to])
    return saved


def _with_capture(case: Case, capture_id: int | None) -> Case:
    """Let the article of a page point to the capture that it was read from."""
    if case.upsert is None or not isinstance(case.look, PageRead):
        return case
    return replace(case, upsert=replace(case.upsert, capture_id=capture_id))


def _record_captures(connection: Connection, cases: Sequence[Case]) -> list[int | None]:
    """Record what came of each look, and what it was taken for; return its page's id."""
    received = [capture for case in cases for capture in case.received]
    readings = [
        reading
        for case in cases
        for reading in (_reading(case), *[NO_READING] * (len(case.received) - 1))
        if case.received
    ]
    ids = iter(captures.record_all(connection, received, readings))
    of_looks = [[next(ids) for _ in case.received] for case in cases]
    return [of_look[0] if of_look else None for of_look in of_looks]


def _reading(case: Case) -> Reading:
    if case.verdict:
        return Reading(*reading(case.verdict), case.page.text_hash if case.page else "")
    if isinstance(case.look, PageUnchanged):
        return Reading("unchanged", str(case.look.response.status))
    reason = shortened(str(case.look.error), 200) if isinstance(case.look, Failed) else ""
    return Reading("none", reason)


def _article_id(case: Case) -> int | None:
    """Return the article that a look was at, or that it led to."""
    if case.result:
        return case.result.article_id
    return case.subject.article_id if isinstance(case.subject, DueCheck) else None


def _given_up(services: Services, cases: Sequence[Case]) -> Iterator[GivenUp]:
    """Yield the entries whose page is gone, or was tried for the last time, with a text instead."""
    for case in cases:
        match case:
            case Case(subject=EntryTask() as task, look=Failed(in_parts=False) as failure):
                has_both = task.address and task.queued.entry.content
                if has_both and _is_final(services, task, failure.error):
                    yield task, failure


def _is_final(services: Services, task: EntryTask, error: Exception) -> bool:
    if not isinstance(error, IngestorError) or isinstance(error, Postponed):
        return False
    kind = policy.failure_kind(error)
    last = policy.after_failure(kind, task.queued.attempts + 1, services.clock.now(), chance=0)
    # A text that is there need not wait for a server that says nothing.
    says_nothing = isinstance(error, NoPage)
    return says_nothing or kind in {"gone", "permanent"} or last.state == "parked"

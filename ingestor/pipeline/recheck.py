"""Articles again: publishers edit after publication, and a revision keeps what was there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

import structlog

from ingestor import policy
from ingestor.errors import FetchError, IngestorError, Postponed
from ingestor.model import Article, Request, Response
from ingestor.pipeline import captures
from ingestor.pipeline.multipage import Begun, Whole, complete
from ingestor.pipeline.services import Services, Summary, remember_pauses
from ingestor.store import rechecks, revisions
from ingestor.store.due import ALL, Shard
from ingestor.store.rechecks import DueCheck
from ingestor.store.upsert import ArticleUpsert
from ingestor.workers.tasks import extract_page

log = structlog.get_logger(__name__)

CHECKS_A_ROUND = 200
"""Articles looked at again at a time."""

_Asked = tuple[DueCheck, Response | FetchError]


def check_again(services: Services, summary: Summary, share: Shard = ALL) -> None:
    """Look again at every article of this share whose time has come, with conditional requests.

    A page that is gone or cannot be read is no edit: the article stays as it was, and is
    looked at again at its next time, if it has one.
    """
    now = services.clock.now()
    while not services.clock.stop.is_set():
        with services.database.reading() as connection:
            due = rechecks.due(connection, now, CHECKS_A_ROUND, share)
        if not due:
            return
        begun = []
        for (check, outcome), article in services.workers.through(_ask(services, due), _extraction):
            if isinstance(article, Article) and article.parts and isinstance(outcome, Response):
                begun.append(Begun((check, outcome), article, outcome))
            else:
                _settle(services, check, outcome, article, summary=summary)
        _settle_joined(services, begun, summary)
        remember_pauses(services)


def _settle_joined(
    services: Services, begun: Sequence[Begun[tuple[DueCheck, Response]]], summary: Summary
) -> None:
    """Settle the articles of several pages, whose further pages are asked for as well."""
    for (check, outcome), whole in complete(
        services.fetcher, services.workers, extract_page, begun
    ):
        article = whole.article if isinstance(whole, Whole) else whole
        further = whole.further if isinstance(whole, Whole) else ()
        _settle(services, check, outcome, article, summary=summary, further=further)


def _ask(services: Services, due: Sequence[DueCheck]) -> Iterator[_Asked]:
    requests = [(one, Request(one.url, one.validators.headers)) for one in due]
    yield from services.fetcher.get_all(requests, robots=True)


def _extraction(asked: _Asked) -> partial[Article] | None:
    _, outcome = asked
    readable = isinstance(outcome, Response) and outcome.status != 304
    return partial(extract_page, outcome) if readable and isinstance(outcome, Response) else None


def _settle(
    services: Services,
    check: DueCheck,
    outcome: Response | FetchError,
    article: Article | Exception | None,
    *,
    summary: Summary,
    further: Sequence[Response] = (),
) -> None:
    """Write down what a look brought: nothing, an edit, or a failure."""
    error = outcome if isinstance(outcome, FetchError) else article
    if isinstance(error, Exception) and not isinstance(error, Postponed):
        known = isinstance(error, IngestorError)
        log.warning(
            "recheck_failed", url=check.url, error=str(error), exc_info=None if known else error
        )
    if isinstance(article, Article) and isinstance(outcome, Response):
        _keep(services, further)
        _compare(services, check, outcome, article, summary=summary)
        return
    if isinstance(error, Postponed):
        with services.database.transaction() as connection:
            rechecks.postpone(connection, check, error.until)
        return
    with services.database.transaction() as connection:
        rechecks.done(connection, check, None, next_check_at=_next(services, check))


def _keep(services: Services, further: Sequence[Response]) -> None:
    """Keep an article's further pages as received."""
    kept = [services.keep(one) for one in further]
    if not kept:
        return
    services.sync()
    with services.database.transaction() as connection:
        for one in kept:
            captures.record(connection, one)


def _compare(
    services: Services, check: DueCheck, response: Response, article: Article, *, summary: Summary
) -> None:
    kept = services.keep(response)
    services.sync()
    with services.database.transaction() as connection:
        arrival = ArticleUpsert(
            article=article,
            author=check.author,
            categories=(),
            origin="page",
            seen_at=response.fetched_at,
            feed_id=check.feed_id,
            capture_id=captures.record(connection, kept),
        )
        saved = revisions.revise(connection, check.article_id, arrival)
        rechecks.done(connection, check, response.validators, next_check_at=_next(services, check))
    if saved.outcome == "revised":
        summary.articles_revised += 1
        services.observer.revised("edit")
        log.info("article_revised", url=check.url)
    else:
        summary.articles_unchanged += 1


def _next(services: Services, check: DueCheck) -> datetime | None:
    now = services.clock.now()
    return policy.next_check(check.first_seen_at, services.settings.schedule.recheck, now)

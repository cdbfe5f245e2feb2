"""A look at a page: ask for it, read it in a worker, and join an article that goes over several.

::

    pages | ask | extract (workers) | further pages? ask, extract, join | PageRead …

First looks and second ones go this way (:mod:`ingestor.pipeline.ingest`). Of an article on several
pages all are there, or it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Generic, TypeAlias, TypeVar

from ingestor import policy
from ingestor.archive.warc.records import Packed
from ingestor.errors import FetchError, IngestorError, NoArticle, Postponed
from ingestor.extract.headline import titled
from ingestor.extract.multipage import MOST_PARTS, join, same_page
from ingestor.fetch.client import Fetcher
from ingestor.fetch.headers import is_unchanged
from ingestor.identity import publication_day
from ingestor.model import Article, Request, Response
from ingestor.pipeline.captures import UnreadAnswer
from ingestor.pipeline.rounds import Turns
from ingestor.witness.looks import Evidence
from ingestor.workers import Workers
from ingestor.workers.tasks import Received, extract_page, receive_page

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page that answered, and the article that was read from it."""

    response: Response
    article: Article
    evidence: Evidence
    """What the page shows of itself."""
    further: tuple[tuple[Response, UnreadAnswer | None], ...] = ()
    """The answers of the article's further pages, each with what it was read from, where it lay in
    the WARC already."""
    packed: Packed | UnreadAnswer | None = None
    """The WARC records of the answer, where they were packed when it was read; or what it was read
    from, where it lay in the WARC already."""

    def titled(self, announced: str) -> PageRead:
        """Return the page under the title that was announced, if it is one of its own."""
        article = titled(self.article, announced)
        if article.title == self.article.title:
            return self
        return replace(self, article=article, evidence=replace(self.evidence, title=article.title))

    def dated(self, announced_at: datetime | None) -> PageRead:
        """Return the page with the time of publication that can be believed.

        ``announced_at`` is what the feed claims. What every witness states stays with the article.
        """
        publication = policy.believed_publication(
            self.article.stated_dates, announced_at, self.response.fetched_at
        )
        moment = publication.published_at
        claimed = moment if publication.witness != "feed" else None
        return replace(
            self,
            article=replace(self.article, published_at=moment, stated_dates=publication.stated),
            evidence=replace(
                self.evidence,
                day=publication_day(claimed) if claimed else "",
                day_is_stated=publication.witness in {"template", "structured"},
            ),
        )


@dataclass(frozen=True, slots=True)
class PageUnchanged:
    """A page that is as it was when it was asked for last (304)."""

    response: Response


@dataclass(frozen=True, slots=True)
class Failed:
    """A page that did not answer, or in which nothing can be read; or a text like that."""

    error: Exception
    response: Response | None = None
    """What came all the same: kept as received, to look into."""
    evidence: Evidence | None = None
    packed: Packed | UnreadAnswer | None = None
    in_parts: bool = False
    """Other pages of the article came: no text of a feed stands for all of them."""


@dataclass(frozen=True, slots=True)
class TextRead:
    """The article that a feed's own text is."""

    article: Article


@dataclass(frozen=True, slots=True)
class TextInstead:
    """A page that failed for good, and the article that the feed's text makes in its place."""

    article: Article
    failure: Failed


Look: TypeAlias = PageRead | PageUnchanged | Failed
"""What came of looking at a page."""


UnreadSince: TypeAlias = Callable[[Mapping[str, datetime]], Iterable[UnreadAnswer]]
"""Gives what addresses answered, each since a moment, and nobody read."""


def look_at_pages(
    fetcher: Fetcher,
    workers: Workers,
    pages: Sequence[tuple[T, Request]],
    source: Callable[[T], object],
    *,
    pack: bool,
    unread: Sequence[tuple[T, UnreadAnswer]] = (),
    unread_since: UnreadSince = lambda _: (),
) -> Iterator[tuple[T, Look] | None]:
    """Ask for pages and read them; yield each caller's token with what came of its page.

    ``None`` comes while nothing else does, so that others have their turn; ``source`` names whose
    page it is: the slow ones of one do not hold up those of another. What is ``unread`` came
    before, and is read as it is; its further pages are looked for in what came since. With ``pack``
    the WARC records of a page are packed where it is read: worth it where its body is most likely
    new. What is not asked because the program is told to stop is not yielded.
    """
    articles: Turns[tuple[T, Look]] = Turns()
    answers = chain(unread, fetcher.asked(pages, source, robots=True))
    task = partial(_task, pack=pack)
    for came in workers.as_done(answers, task, lambda asked: source(asked[0])):
        if came is None:
            yield from articles.go_on()
            yield None
            continue
        (token, answer), received = came
        look = _look(answer, received)
        if isinstance(look, PageRead) and look.article.parts:
            article = _ArticleParts(token, look)
            further = partial(_unread_further, look, unread_since)
            articles.add(_completed(fetcher, workers, article, source(token), unread=further))
        else:
            yield token, look
    while articles:
        yield from articles.go_on()
        yield None


def _task(
    asked: tuple[object, Response | UnreadAnswer | FetchError], *, pack: bool
) -> Callable[[], Received] | None:
    _, answer = asked
    if isinstance(answer, UnreadAnswer):
        return partial(receive_page, answer.response, kept=False)
    if isinstance(answer, FetchError) or is_unchanged(answer):
        return None
    return partial(receive_page, answer, kept=pack)


def _look(
    answer: Response | UnreadAnswer | FetchError, received: Received | Exception | None
) -> Look:
    if isinstance(answer, FetchError):
        return Failed(answer)
    if isinstance(answer, UnreadAnswer):
        look = _look(answer.response, received)
        return look if isinstance(look, PageUnchanged) else replace(look, packed=answer)
    if received is None:
        return PageUnchanged(answer)
    if isinstance(received, Exception):
        return Failed(received, answer)
    article, evidence = received.article, received.evidence
    if isinstance(article, Article) and evidence:
        return PageRead(answer, article, evidence, packed=received.packed)
    error = article if isinstance(article, Exception) else NoArticle(answer.url)
    return Failed(error, answer, evidence, received.packed)


@dataclass(slots=True)
class _ArticleParts(Generic[T]):
    """The pages of an article that have come, by their addresses."""

    token: T
    first: PageRead
    further: list[tuple[Response, UnreadAnswer | None]] = field(default_factory=list)
    error: Exception | None = None
    _pages: dict[str, Article] = field(default_factory=dict)
    _addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._add_page(self.first.response.final_url, self.first.article)

    def missing(self) -> list[str]:
        """Return the addresses that are still to be asked; none after an error."""
        return [
            part
            for part in self._addresses
            if not self.error and not any(same_page(part, known) for known in self._pages)
        ]

    def add(self, address: str, answer: Response | UnreadAnswer, page: Article) -> None:
        """Add the page at an address."""
        came = (answer.response, answer) if isinstance(answer, UnreadAnswer) else (answer, None)
        self.further.append(came)
        self._add_page(address, page)

    def fail(self, error: Exception) -> None:
        """Fail the whole article: a page of it cannot be had."""
        expected = isinstance(error, IngestorError) and not isinstance(error, Postponed)
        line = f"{self.first.response.url}: a page of it is missing: {error}"
        self.error = type(error)(line) if expected else error

    def whole(self) -> Look:
        """Return all pages as one article."""
        if self.error:
            first = self.first
            return Failed(self.error, first.response, packed=first.packed, in_parts=True)
        pages = [
            page
            for part in self._addresses
            for address, page in self._pages.items()
            if same_page(part, address)
        ]
        article = join(pages)
        evidence = replace(self.first.evidence, text=article.body.text)
        return replace(self.first, article=article, evidence=evidence, further=tuple(self.further))

    def _add_page(self, address: str, page: Article) -> None:
        self._pages[address] = page
        if len(page.parts) > len(self._addresses):
            self._addresses = page.parts
        if len(self._addresses) > MOST_PARTS:
            self.fail(NoArticle(f"it names more than {MOST_PARTS} pages"))


def _unread_further(
    first: PageRead, unread_since: UnreadSince, addresses: Sequence[str]
) -> dict[str, UnreadAnswer]:
    """Return the further pages that came with a first one that was received and never read."""
    if not isinstance(first.packed, UnreadAnswer):
        return {}
    answers = unread_since(dict.fromkeys(addresses, first.response.fetched_at))
    return {answer.response.url: answer for answer in answers}


def _completed(
    fetcher: Fetcher,
    workers: Workers,
    article: _ArticleParts[T],
    source: object,
    *,
    unread: Callable[[Sequence[str]], Mapping[str, UnreadAnswer]],
) -> Iterator[tuple[T, Look] | None]:
    """Yield an article with all its pages, or with the error of the page that is missing."""
    while wanted := article.missing():
        known = unread(wanted)
        requests = [(part, Request(part)) for part in wanted if part not in known]
        answers = chain(known.items(), fetcher.asked(requests, robots=True))
        asked = 0
        for came in workers.as_done(answers, _further_task, lambda _: source):
            if came is None:
                yield None
                continue
            (part, answer), page = came
            asked += 1
            if isinstance(answer, Response | UnreadAnswer) and isinstance(page, Article):
                article.add(part, answer, page)
            else:
                error = answer if isinstance(answer, FetchError) else page
                article.fail(error if isinstance(error, Exception) else NoArticle(part))
        if asked < len(wanted):
            break
    if article.error or not article.missing():
        yield article.token, article.whole()


def _further_task(
    asked: tuple[object, Response | UnreadAnswer | FetchError],
) -> partial[Article] | None:
    _, answer = asked
    if isinstance(answer, UnreadAnswer):
        return partial(extract_page, answer.response)
    return partial(extract_page, answer) if isinstance(answer, Response) else None

"""Articles on several pages: ask for the further ones, and join them. All of them, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from ingestor.errors import FetchError, IngestorError, NoArticle, Postponed
from ingestor.extract.multipage import MOST_PARTS, join, same_page
from ingestor.fetch.client import Fetcher
from ingestor.model import Article, Request, Response
from ingestor.workers import Workers

T = TypeVar("T")

Extract = Callable[[Response], Article]


@dataclass(frozen=True, slots=True)
class Begun(Generic[T]):
    """An article of which one page is there."""

    token: T
    """Whatever the caller knows it by."""
    page: Article
    response: Response


@dataclass(frozen=True, slots=True)
class Whole:
    """An article of all its pages."""

    article: Article
    further: tuple[Response, ...]
    """The answers beside the one that was there."""


class _Pieces(Generic[T]):
    """The pages of an article that are there, by their addresses."""

    def __init__(self, begun: Begun[T]) -> None:
        self.begun = begun
        self.error: Exception | None = None
        self.further: list[Response] = []
        self._pages: dict[str, Article] = {}
        self._parts: tuple[str, ...] = ()
        self._add_page(begun.response.final_url, begun.page)

    def missing(self) -> list[str]:
        """Return the addresses that are still to be asked; none after an error."""
        known = list(self._pages)
        return [
            part
            for part in self._parts
            if not self.error and not any(same_page(part, one) for one in known)
        ]

    def add(self, address: str, response: Response, page: Article) -> None:
        """Take in the page at an address."""
        self.further.append(response)
        self._add_page(address, page)

    def fail(self, error: Exception) -> None:
        """Give the article up: a page of it cannot be had."""
        known = isinstance(error, IngestorError) and not isinstance(error, Postponed)
        line = f"{self.begun.response.url}: a page of it is missing: {error}"
        self.error = type(error)(line) if known else error

    def whole(self) -> Whole:
        """Return all pages as one article."""
        pages = [
            page
            for part in self._parts
            for address, page in self._pages.items()
            if same_page(part, address)
        ]
        return Whole(join(pages), tuple(self.further))

    def _add_page(self, address: str, page: Article) -> None:
        self._pages[address] = page
        if len(page.parts) > len(self._parts):
            self._parts = page.parts
        if len(self._parts) > MOST_PARTS:
            self.fail(NoArticle(f"it names more than {MOST_PARTS} pages"))


def complete(
    fetcher: Fetcher, workers: Workers, extract: Extract, begun: Sequence[Begun[T]]
) -> Iterator[tuple[T, Whole | Exception]]:
    """Yield each article with all its pages, or with the error of the page that is missing.

    What is not asked because the program is told to stop is not yielded. ``extract`` has to
    be picklable.
    """
    pieces = [_Pieces(one) for one in begun]
    while wanted := [(one, part) for one in pieces for part in one.missing()]:
        requests = [(place, Request(part)) for place, (_, part) in enumerate(wanted)]
        answers = fetcher.get_all(requests, robots=True)
        asked = 0
        for (place, outcome), page in workers.through(answers, partial(_reading, extract)):
            asked += 1
            one, part = wanted[place]
            if isinstance(outcome, Response) and isinstance(page, Article):
                one.add(part, outcome, page)
            else:
                error = outcome if isinstance(outcome, FetchError) else page
                one.fail(error if isinstance(error, Exception) else NoArticle(part))
        if asked < len(wanted):
            break
    for one in pieces:
        if one.error:
            yield one.begun.token, one.error
        elif not one.missing():
            yield one.begun.token, one.whole()


def _reading(
    extract: Extract, answer: tuple[int, Response | FetchError]
) -> partial[Article] | None:
    _, outcome = answer
    return partial(extract, outcome) if isinstance(outcome, Response) else None

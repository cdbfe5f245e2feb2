"""Pages that others crawled, from their WARC files: each judged as a page that was downloaded.

::

    records | wanted host, a page, not here yet? | extract (workers) | judge | save, with the moment
            | unpack                             |                   |       | that WARC-Date names

Pages are taken in the order in which they were seen, a batch at a time; one that was seen before
what is known of its article comes into the history where its moment belongs, so that in the end it
is the same in whatever order looks were imported. A capture points into the foreign file where the
record can be read there again, else the record is copied. Each batch is one transaction: a run that
was interrupted is run again.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection

from ingestor.archive.warc import reader
from ingestor.archive.warc.foreign import DamagedPart, ForeignRecord, ForeignWarc, record_at
from ingestor.archive.warc.writer import WarcArchive
from ingestor.clock import Clock
from ingestor.config.values import Location
from ingestor.errors import CaptureLost, FetchError, Forbidden
from ingestor.fetch.body import bounded_body, unchunked
from ingestor.fetch.headers import PAGE_STATUSES
from ingestor.identity import canonical_url, document_id
from ingestor.model import Article, Response, WarcPlace, header
from ingestor.pipeline.judge import Court, PageSeen, reading
from ingestor.pipeline.look import PageRead
from ingestor.pipeline.save import Placed, lock_names, save_article
from ingestor.store import ArticleUpsert, articles, captures
from ingestor.store.captures import Reading
from ingestor.store.imports import insert_past, is_recorded, past_look
from ingestor.text.dates import CLOCK_SKEW
from ingestor.witness.looks import Edited, Evidence, KnownArticle, Unchanged
from ingestor.workers import Workers
from ingestor.workers.tasks import Received, receive_page

PAGES_A_TRANSACTION = 50

RECORDS_A_BATCH = 2_000
"""Records after which one says how far it is, whatever was among them."""

MOST_BATCH_BYTES = 32 * 1024**2

MOST_ORIGINALS = 100_000
"""Names of bodies whose places are remembered, for the revisit records that refer to them."""


_PAGES = {"response", "revisit"}
"""Kinds of records that hold, or refer to, what an address answered."""

_STATUS = re.compile(rb"HTTP/[\d.]{1,5} +(\d{3})")
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Home:
    """Where imported articles belong."""

    categories: tuple[str, ...]
    author: str
    feed_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A page that others saw."""

    response: Response
    """Its ``fetched_at`` is the record's WARC-Date."""
    address: str
    """Canonical."""
    sha256: str
    """Of its body."""
    place: WarcPlace | None
    """Where its body can be read again, in the foreign file."""


_Read: TypeAlias = tuple[_Seen, PageRead | str, Evidence | None]
"""A page with what was read from it, or why nothing was, and what it shows of itself."""


@dataclass(frozen=True, slots=True)
class WarcBatch:
    """What became of a stretch of a file."""

    outcomes: Counter[str]
    """``new``, ``revised``, ``unchanged``, ``earlier``, ``known``, ``older``."""
    skipped: Counter[str]
    """The other records, by why they are none of these."""
    position: int
    """How far the file is read, in bytes."""
    pages: Sequence[tuple[str, str]] = ()
    """The address of each page that was looked at, and what became of it."""
    cut: str = ""
    """Why it could not be read to its end."""


@dataclass(slots=True)
class WarcImport:
    """An import; iterate over it for each file."""

    transaction: Callable[[], AbstractContextManager[Connection]]
    workers: Workers
    clock: Clock
    home: Home
    hosts: Sequence[str]
    """These, and the ones below them."""
    most_bytes: int
    raw: Location
    warc: WarcArchive | None
    """Where records are copied to; ``None``: nowhere."""
    copy: bool = False
    """Copy also what can be read in the foreign file."""
    _originals: OrderedDict[str, WarcPlace] = field(default_factory=OrderedDict)

    def batches(self, path: Path) -> Iterator[WarcBatch]:
        """Import a file; yield what became of its records, a stretch at a time.

        Nothing new is begun once the clock's ``stop`` is set. Raises ``PostUnreadable`` for what
        is no WARC file, and :class:`~ingestor.errors.ArchiveError` when the archive fails.
        """
        file = ForeignWarc(path, self._is_wanted, self.most_bytes)
        skipped: Counter[str] = Counter()
        pages: list[_Seen] = []
        size, cut = 0, ""
        for number, record in enumerate(file, 1):
            if isinstance(record, DamagedPart):
                skipped["damaged"] += 1
                cut = f"{record.reason}, at byte {record.at}" if record.is_end else cut
            elif reason := self._reason(record):
                skipped[reason] += 1
            else:
                page = self._page(record)
                if isinstance(page, str):
                    skipped[page] += 1
                else:
                    pages.append(page)
                    size += len(page.response.body)
            full = len(pages) >= PAGES_A_TRANSACTION or size > MOST_BATCH_BYTES
            if full or number % RECORDS_A_BATCH == 0:
                yield self._saved(pages, skipped, file.position)
                pages, skipped, size = [], Counter(), 0
            if self.clock.stop.is_set():
                return
        yield replace(self._saved(pages, skipped, file.position), cut=cut)

    def _is_wanted(self, kind: str, url: str) -> bool:
        return kind in _PAGES and self._is_host(url)

    def _is_host(self, url: str) -> bool:
        named = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
        host = f".{named.lower().rstrip('.')}"
        return any(host.endswith(f".{wanted}") for wanted in self.hosts)

    def _reason(self, record: ForeignRecord) -> str:
        """Return why a record is passed over, ``""``: it is not."""
        if record.block is not None:
            # A page that its crawler cut would look like an edit that took words away.
            return "cut by its crawler" if "warc-truncated" in record.fields else ""
        if record.kind not in _PAGES:
            return "no response"
        return "too large" if self._is_host(record.url) else "other hosts"

    def _page(self, record: ForeignRecord) -> _Seen | str:
        """Return the page that a record holds or refers to, or why it is none."""
        original, place = record, record.place
        if record.kind == "revisit":
            places = map(self._originals.get, _names(record, "warc-refers-to-"))
            place = next(filter(None, places), None)
            if place is None:
                return "revisit of what is not in the file"
            original = record_at(place, self.most_bytes)
        try:
            response = _response_of(record, original, self.most_bytes)
            address = canonical_url(response.url)
        except Forbidden:
            return "no address"
        except (FetchError, ValueError):
            return "damaged"
        reason = _no_page(response, self.clock.now())
        self._remember(record)
        return reason or _Seen(response, address, hashlib.sha256(response.body).hexdigest(), place)

    def _remember(self, record: ForeignRecord) -> None:
        if record.place and record.kind == "response":
            for name in _names(record, "warc-"):
                self._originals[name] = record.place
            while len(self._originals) > MOST_ORIGINALS:
                self._originals.popitem(last=False)

    def _saved(self, pages: list[_Seen], skipped: Counter[str], position: int) -> WarcBatch:
        outcomes: Counter[str] = Counter()
        listed: list[tuple[str, str]] = []
        if pages:
            pages.sort(key=lambda page: page.response.fetched_at)
            with self.transaction() as connection:
                new = [page for page in pages if not _is_known(connection, page)]
            outcomes["known"] = len(pages) - len(new)
            listed += [(page.address, "known") for page in pages if page not in new]
            read = self._read(new)
            with self.transaction() as connection:
                settled = zip(read, self._settle(connection, read), strict=True)
                for (page, _, _), (outcome, reason) in settled:
                    (outcomes if outcome else skipped)[outcome or reason] += 1
                    listed.append((page.address, outcome or f"skipped: {reason}"))
                if self.warc:
                    self.warc.sync()
            if self.warc:
                self.warc.recorded()
        return WarcBatch(outcomes, skipped, position, listed)

    def _read(self, pages: Sequence[_Seen]) -> list[_Read]:
        """Return pages with what was read from each, or why nothing was."""
        read: list[_Read] = []
        for page, received in self.workers.through(pages, _task):
            match received:
                case Received(article=Article() as article, evidence=Evidence() as evidence):
                    look = PageRead(page.response, article, evidence).dated(None)
                    what = "one of several pages" if article.parts else look
                    read.append((page, what, look.evidence))
                case Received(evidence=Evidence() as evidence):
                    read.append((page, "no article", evidence))
                case _:
                    read.append((page, "no article", None))
        return read

    def _settle(self, connection: Connection, read: Sequence[_Read]) -> Iterator[tuple[str, str]]:
        """Judge pages, the first seen first; yield the outcome of each, else why it is skipped."""
        court = Court([_seen(page, evidence, []) for page, _, evidence in read])
        upserts = [
            None if isinstance(look, str) else self._upsert(page, look) for page, look, _ in read
        ]
        lock_names(connection, list(filter(None, upserts)))
        for (page, look, evidence), upsert in zip(read, upserts, strict=True):
            if upsert is None:
                yield "", str(look)
                continue
            names = {page.address, *articles.addresses(upsert)}
            identifier = document_id(page.address) or upsert.article.document_id
            known = articles.known_articles(connection, names, identifier)
            seen = _seen(page, evidence, known)
            verdict = court.judge(connection, seen, known)
            if not isinstance(verdict, Placed):
                yield "", f"no article: {reading(verdict)[1] or reading(verdict)[0]}"
            else:
                yield self._outcome(connection, page, seen, upsert=upsert, verdict=verdict), ""

    def _outcome(
        self,
        connection: Connection,
        page: _Seen,
        seen: PageSeen,
        *,
        upsert: ArticleUpsert,
        verdict: Placed,
    ) -> str:
        """Save what is believed, where its moment belongs; what is said now stays."""
        look = None
        if isinstance(verdict, Edited | Unchanged):
            look = past_look(connection, verdict.article_id, upsert, page.sha256)
        if look is None or look.outcome == "latest":
            capture_id = self._captured(connection, page, seen, verdict)
            result = save_article(connection, replace(upsert, capture_id=capture_id), verdict)
            captures.lead_to(connection, [(capture_id, result.article_id)])
            return result.outcome
        if look.outcome in {"known", "older"}:
            return look.outcome
        article_id, note = look.article_id, verdict.note if isinstance(verdict, Edited) else ""
        is_edit = look.outcome == "revised"
        taken_for = Edited(article_id, note) if is_edit else Unchanged(article_id)
        capture_id = self._captured(connection, page, seen, taken_for)
        if look.outcome != "unchanged":
            insert_past(connection, look, replace(upsert, capture_id=capture_id, note=note))
        captures.lead_to(connection, [(capture_id, article_id)])
        articles.record_names(connection, article_id, upsert)
        return look.outcome

    def _captured(
        self, connection: Connection, page: _Seen, seen: PageSeen, verdict: Placed
    ) -> int:
        look = (page.response, page.sha256, self._place(page))
        taken_for = Reading(*reading(verdict), seen.text_hash)
        return captures.record(connection, [(*look, taken_for)])[0]

    def _place(self, page: _Seen) -> WarcPlace | None:
        """Return where the record is kept: in its own file if it is read there, else in ours."""
        place = page.place
        if place and not self.copy and isinstance(self.raw, Path):
            try:
                if reader.read(self.raw, place).record.sha256 == page.sha256:
                    return place
            except CaptureLost:
                # Read in another way, and not by us: a body that warcio does not unpack.
                place = None
        return self.warc.append(page.response) if self.warc else None

    def _upsert(self, page: _Seen, look: PageRead) -> ArticleUpsert:
        return ArticleUpsert(
            article=look.article,
            author=self.home.author,
            categories=self.home.categories,
            origin="page",
            seen_at=page.response.fetched_at,
            feed_id=self.home.feed_id,
            announced_as=page.address,
            final_url=page.address,
        )


def _names(record: ForeignRecord, prefix: str) -> Iterator[str]:
    """Yield what a body is known by: its digest, and the address and moment of its record."""
    if digest := record.fields.get("warc-payload-digest"):
        yield digest
    uri, date = (record.fields.get(f"{prefix}{name}", "") for name in ("target-uri", "date"))
    if uri and date:
        yield f"{uri.strip('<>')} {date}"


def _task(page: _Seen) -> partial[Received]:
    return partial(receive_page, page.response, kept=False)


def _seen(page: _Seen, evidence: Evidence | None, known: Sequence[KnownArticle]) -> PageSeen:
    return PageSeen(
        kind="second" if known else "first",
        url=page.address,
        final_url=page.address,
        status=page.response.status,
        fetched_at=page.response.fetched_at,
        evidence=evidence,
    )


def _is_known(connection: Connection, page: _Seen) -> bool:
    response = page.response
    return is_recorded(connection, response.url, response.fetched_at, page.sha256)


def _response_of(record: ForeignRecord, original: ForeignRecord, most: int) -> Response:
    """Return the answer of a record, unpacked; ``original`` has its body, and may be itself.

    Raises ``ValueError`` for what is no answer of HTTP, and what :func:`bounded_body` does.
    """
    block = original.block or b""
    status, end = _STATUS.match(block), _HEADERS_END.search(block)
    if not status or not end:
        raise ValueError("no answer of HTTP")
    lines = block[: end.start()].decode("latin-1").splitlines()[1:]
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    body = block[end.end() :]
    if "chunked" in header(headers, "transfer-encoding").lower():
        body = unchunked(body)
    encoding = header(headers, "content-encoding")
    if "gzip" in encoding.lower() and not body.startswith(_GZIP):
        # Some crawlers keep what they unpacked under the header that it came with.
        encoding = ""
    moment = datetime.fromisoformat(record.fields.get("warc-date", ""))
    fetched_at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return Response(
        record.url,
        record.url,
        int(status[1]),
        headers,
        bounded_body([body], encoding, most, record.url),
        fetched_at.replace(microsecond=0),
    )


def _no_page(response: Response, now: datetime) -> str:
    """Return why an answer is no page that can be an article, ``""``: it may be one."""
    if response.status not in PAGE_STATUSES:
        return f"HTTP {response.status}"
    kind = response.header("content-type").lower()
    if kind and "html" not in kind and "text/plain" not in kind:
        return "no page"
    return "dated in the future" if response.fetched_at > now + CLOCK_SKEW else ""

"""The HTTP client: one GET at a time within bounds, or many, each host in its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Self, TypeAlias, TypeVar

import httpcore
import httpx

from ingestor.clock import Clock
from ingestor.config.sections import FetchSettings
from ingestor.errors import CutOff, FetchError, Postponed, TooLarge, Unreachable
from ingestor.fetch.body import ACCEPT_ENCODING, bounded_body
from ingestor.fetch.guard import USUAL_PORTS, Network, checked_url
from ingestor.fetch.headers import (
    REDIRECTS,
    SLOW_DOWN,
    redirect_target,
    retry_after,
    speaks_for_its_host,
    target_of,
)
from ingestor.fetch.host_limiter import (
    Busy,
    HostLimiter,
    HostQueues,
    HostWishes,
    MemoryHostLimiter,
    Paused,
    Places,
    Ready,
    Slot,
    SourceShares,
    host_of,
)
from ingestor.fetch.robots import Robots
from ingestor.fetch.transport import FAILURES, Threads, Transport, deadline
from ingestor.model import Headers, HostPause, Request, Response
from ingestor.observer import Observer
from ingestor.text.dates import iso_utc

T = TypeVar("T")

_Outcome: TypeAlias = Response | BaseException
_Done: TypeAlias = SimpleQueue[tuple[str, T, _Outcome]]
"""Requests that ended: of each its host, the caller's token, and how it went."""

TICK_SECONDS = 0.05
"""How long one waits for an answer before others have their turn."""

MOST_REDIRECTS = 5
"""More is a loop, or somebody who plays with us."""

MOST_HEADER_BYTES = 64 * 1024
"""Real answers have one or two thousand; h11 reads no header of more than 100 KiB at all."""

_FOR_GOOD = frozenset({301, 308})


class Fetcher:
    """Fetches. Close it, or use it in a ``with`` block, to give the sockets back."""

    def __init__(
        self,
        settings: FetchSettings,
        clock: Clock,
        observer: Observer | None = None,
        *,
        ports: frozenset[int] = frozenset(),
        limiter: HostLimiter | None = None,
        network: Network | None = None,
    ) -> None:
        """Behave as ``settings`` say; ``ports`` may be asked beside the usual ones.

        ``limiter`` is where the limits for each host are shared with others.
        """
        self._settings = settings
        self._ports = USUAL_PORTS | ports
        self._clock = clock
        self._observer = observer or Observer()
        self.limiter = limiter or MemoryHostLimiter(settings.connections_per_host, clock)
        self._wishes = HostWishes(settings.delay_per_host.total_seconds())
        # httpx's client adds cookies, redirects and unpacking, which are ours or not wanted here,
        # for a fifth of the time of a poll that brings nothing: what it stands on is what asks.
        self._transport = Transport(
            settings.proxy,
            connections=settings.connections,
            allow_private=settings.allow_private_addresses,
            network=network or Network(),
        )
        self._headers = [
            ("Accept", "*/*"),
            ("Accept-Encoding", ACCEPT_ENCODING),
            ("Connection", "keep-alive"),
            ("User-Agent", settings.user_agent),
            ("Accept-Language", "zh-CN,zh;q=0.9"),
        ]
        self._extensions = {"timeout": httpx.Timeout(settings.timeout.total_seconds()).as_dict()}
        self._threads = Threads()
        self._places = Places(settings.connections, clock.monotonic)
        self._shares = SourceShares(settings.connections_per_host)
        self._asking = 0
        """How many ask, in turns."""
        self._robots = Robots(self._rules, settings.user_agent, clock.monotonic, self._crawl_delay)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.close()
        self._transport.close()

    def get(self, request: Request, *, robots: bool = False) -> Response:
        """Make one request, follow its redirects, and return the whole answer.

        With ``robots`` the sites' robots.txt are obeyed. Any status is an answer (see
        :func:`~ingestor.fetch.headers.require_page`). Waits for a slot at each host. Raises
        :class:`FetchError`: what was received then is incomplete, or from where we do not go, and
        is dropped.
        """
        return self._follow(request, None, robots=robots)

    def get_all(
        self, items: Iterable[tuple[T, Request]], *, robots: bool = False
    ) -> Iterator[tuple[T, Response | FetchError]]:
        """Make many requests as :meth:`asked` does; yield nothing but outcomes."""
        return (came for came in self.asked(items, robots=robots) if came)

    def asked(
        self,
        items: Iterable[tuple[T, Request]],
        source: Callable[[T], object] = lambda _: "",
        *,
        robots: bool = False,
    ) -> Iterator[tuple[T, Response | FetchError] | None]:
        """Make many requests, each host in its turn; yield outcomes as they come.

        Each item is a token of the caller's and its request. What would have to wait long
        for its host comes back as :class:`Postponed`. ``None`` comes while nothing else does, so
        that others have their turn: several may ask by one fetcher, in turns. Of those that
        ``source`` names none has more than half of a host's slots. Once the clock's
        ``stop`` is set no further request is begun, and those not begun are not yielded. Who
        closes the iterator leaves what is under way to itself.
        """
        queues: HostQueues[tuple[T, Request]] = HostQueues(
            self._acquire_for, per_host=self._settings.connections_per_host
        )
        for token, request in items:
            queues.put(f"{host_of(request.url)} {source(token)}", (token, request))
        done: _Done[T] = SimpleQueue()
        running = 0
        self._asking += 1
        try:
            while running or (len(queues) and not self._clock.stop.is_set()):
                while self._may_begin() and (taken := queues.take(self._clock.monotonic())):
                    match taken:
                        case Ready(host, (token, request), slot):
                            work = partial(self._outcome, request, slot, robots=robots)
                            self._begin(work, partial(_put, done, host, token))
                            running += 1
                        case Paused(_, waiting, pause):
                            for token, request in waiting:
                                yield token, _postponed(request.url, pause)
                ended = self._ended(queues, running, done)
                for host, token, outcome in ended:
                    queues.ended(host)
                    running -= 1
                    if not isinstance(outcome, Response | FetchError):
                        raise outcome
                    yield token, outcome
                if not ended:
                    yield None
        finally:
            self._asking -= 1

    def _may_begin(self) -> bool:
        return self._places.is_free() and not self._clock.stop.is_set()

    def _begin(self, work: Callable[[], _Outcome], ended: Callable[[_Outcome], object]) -> None:
        release = self._places.take()

        def run() -> None:
            """Make the request, and hand over what comes of it, a bug of ours too."""
            outcome: _Outcome
            try:
                outcome = work()
            except BaseException as error:  # noqa: BLE001 - raised by the one who asked
                outcome = error
            release()
            ended(outcome)

        self._threads.run(run)

    def _ended(
        self, queues: HostQueues[tuple[T, Request]], running: int, done: _Done[T]
    ) -> list[tuple[str, T, _Outcome]]:
        """Return the requests that ended, or end in a moment: until a host may be tried again."""
        wait = TICK_SECONDS / self._asking
        again = queues.wait(self._clock.monotonic())
        if again is not None and self._may_begin():
            wait = min(wait, again)
        if not running:
            self._clock.sleep(wait)
            return []
        ended = []
        with suppress(Empty):
            ended.append(done.get(timeout=wait))
            ended.extend(done.get_nowait() for _ in range(running - 1))
        return ended

    def judged(self, url: str, *, believed: bool) -> None:
        """Note whether a page that came from ``url`` was believed, for how its host is asked."""
        self._wishes.judged(host_of(url), believed=believed)

    def _try_acquire(self, host: str) -> Slot | Busy | HostPause:
        return self.limiter.acquire(host, self._wishes.delay(host))

    def _acquire_for(self, key: str) -> Slot | Busy | HostPause:
        host, _, source = key.partition(" ")
        acquire = partial(self._try_acquire, host)
        return self._shares.acquire(key, acquire) if source else acquire()

    def _acquire(self, url: str) -> Slot:
        """Wait for a slot at a host; raise :class:`Postponed` where that makes no sense."""
        while True:
            match self._try_acquire(host_of(url)):
                case Slot() as slot:
                    return slot
                case HostPause() as pause:
                    raise _postponed(url, pause)
                case Busy(wait):
                    if self._clock.stop.is_set():
                        now = self._clock.now()
                        raise Postponed(f"{url}: not asked, as the program stops", now)
                    self._clock.sleep(wait)

    def _follow(self, request: Request, slot: Slot | None, *, robots: bool) -> Response:
        """Make a request and follow its redirects; the first may have been given a slot."""
        url, permanent, seen = request.url, True, {request.url}
        with ExitStack() as held:
            if slot:
                held.callback(slot.release)
            for hop in range(MOST_REDIRECTS + 1):
                url = self._checked(url)
                if robots and self._settings.robots:
                    if not self._robots.is_known(url):
                        # Who waits for the rules keeps nobody from asking for them.
                        held.close()
                        slot = None
                    self._robots.check(url)
                if not slot:
                    held.callback(self._acquire(url).release)
                response = self._ask(request, url)
                self._note_wishes(host_of(url), response)
                held.close()
                slot = None
                location = redirect_target(response)
                target = target_of(url, location) if location else ""
                if not target or (response.status not in REDIRECTS and target in seen):
                    return replace(response, moved_to=url) if hop and permanent else response
                permanent = permanent and response.status in _FOR_GOOD
                seen.add(target)
                url = target
        raise Unreachable(f"{request.url}: more than {MOST_REDIRECTS} redirects")

    def _checked(self, url: str) -> str:
        allowed = self._settings.allow_private_addresses
        return checked_url(url, allow_private=allowed, ports=self._ports)

    def _note_wishes(self, host: str, response: Response) -> None:
        """Do from now on as an answer says that its host wants to be treated."""
        if response.status not in SLOW_DOWN:
            self._wishes.answered(host)
        elif speaks_for_its_host(response):
            reason = f"HTTP {response.status} for {response.final_url}"
            wait = retry_after(response)
            match self._wishes.slow_down(host, wait, response.fetched_at, reason):
                case HostPause() as pause:
                    self.limiter.pause(host, pause)
                case seconds:
                    self.limiter.hold_off(host, seconds)

    def _crawl_delay(self, origin: str, seconds: float) -> None:
        host = host_of(origin)
        self.limiter.hold_off(host, self._wishes.crawl_delay(host, seconds))

    def _outcome(self, request: Request, slot: Slot, *, robots: bool) -> Response | FetchError:
        host = host_of(request.url)
        self._observer.asking(host)
        began, outcome = self._clock.monotonic(), self._response(request, slot, robots=robots)
        answer = outcome if isinstance(outcome, Response) else None
        self._observer.requested(
            host,
            answered=answer is not None,
            seconds=self._clock.monotonic() - began,
            received=len(answer.body) if answer else 0,
        )
        return outcome

    def _response(self, request: Request, slot: Slot, *, robots: bool) -> Response | FetchError:
        try:
            return self._follow(request, slot, robots=robots)
        except FetchError as error:
            return error

    def _rules(self, request: Request) -> Response:
        """Ask a robots.txt, and have it counted."""
        try:
            response = self.get(request)
        except FetchError:
            self._observer.asked_robots(answered=False)
            raise
        # As robots.py has it: these are outages, not answers.
        self._observer.asked_robots(answered=response.status < 500 and response.status != 429)
        return response

    def _ask(self, request: Request, url: str) -> Response:
        """Make one request to ``url``, which is the request's own or a redirect's target."""
        whole = 3 * self._settings.timeout.total_seconds()
        try:
            wire = httpx.Request(
                "GET", url, headers=self._with(request.headers), extensions=self._extensions
            )
            with deadline(whole), closing(self._transport.open(wire)) as answer:
                headers = httpx.Headers(answer.headers)
                response = Response(
                    url=request.url,
                    final_url=url,
                    status=answer.status,
                    headers=_headers(headers),
                    body=b"",
                    fetched_at=self._clock.now(),
                    request_headers=_headers(wire.headers),
                )
                body = self._body(answer, headers, url)
                return replace(response, body=body, fetched_at=self._clock.now())
        except CutOff as error:
            raise CutOff(str(error), response=replace(response, body=error.body)) from error
        except httpcore.TimeoutException as error:
            raise Unreachable(f"{url}: no whole answer in time (fetch.timeout)") from error
        except FAILURES as error:
            raise Unreachable(f"{url}: {error or type(error).__name__}") from error

    def _with(self, headers: Headers) -> list[tuple[str, str]]:
        """Return the headers that every request has and these, which come in their place."""
        own = {name.lower() for name, _ in headers}
        return [*(header for header in self._headers if header[0].lower() not in own), *headers]

    def _body(self, answer: httpcore.Response, headers: httpx.Headers, url: str) -> bytes:
        most = self._settings.max_bytes
        if sum(len(name) + len(value) for name, value in headers.raw) > MOST_HEADER_BYTES:
            raise TooLarge(f"{url}: a header of more than {MOST_HEADER_BYTES} bytes")
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > most:
            raise TooLarge(f"{url}: {announced} bytes announced, {most} allowed (fetch.max_bytes)")
        encoding = headers.get("content-encoding", "")
        return bounded_body(answer.iter_stream(), encoding, most, url)


def _put(done: _Done[T], host: str, token: T, outcome: _Outcome) -> None:
    done.put((host, token, outcome))


def _postponed(url: str, pause: HostPause) -> Postponed:
    host, until = host_of(url), iso_utc(pause.until)
    line = f"{url}: not asked before {until}, as {host} wants: {pause.reason}"
    return Postponed(line, pause.until)


def _headers(headers: httpx.Headers) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)

"""What is counted, in Prometheus' form; needs the extra ``[metrics]``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ingestor.clock import Clock
from ingestor.daemon.folder_sizes import FolderSizes
from ingestor.daemon.health import Freshness, Heartbeat
from ingestor.errors import ArchiveError
from ingestor.model import Cause
from ingestor.observer import Observer, PollResult
from ingestor.store.cluster import ClusterState
from ingestor.store.overview import HealthSnapshot

MOST_HOSTS = 50
"""Hosts that get a label of their own; whoever announces thousands may not fill our memory."""

LAG_SECONDS = (30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600)
"""From a minute, which is a news desk's scale, to a week: what is older was found late."""


class Metrics(Observer):
    """Counts what the stages tell; asked for by :meth:`text`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.monotonic)
        self._clock = clock
        self._hosts: set[str] = set()
        self.registry = registry = CollectorRegistry()
        self._polls = Counter("ingestor_polls", "Polls of feeds.", ["result"], registry=registry)
        self._articles = Counter(
            "ingestor_articles",
            "New articles, by where their text is from.",
            ["origin"],
            registry=registry,
        )
        self._revisions = Counter(
            "ingestor_revisions", "Revisions written, by their cause.", ["cause"], registry=registry
        )
        self._extractions = Counter(
            "ingestor_extractions",
            "New articles, by the template that read them.",
            ["template"],
            registry=registry,
        )
        self._lag = Histogram(
            "ingestor_publication_lag_seconds",
            "From publication to archive, of new articles.",
            buckets=LAG_SECONDS,
            registry=registry,
        )
        self._requests = Histogram(
            "ingestor_request_seconds",
            "Requests, redirects included.",
            ["host", "result"],
            registry=registry,
        )
        self._doubted = _doubted(registry)
        self._robots = Counter(
            "ingestor_robots_requests", "robots.txt asked for.", ["result"], registry=registry
        )
        self._bytes = Counter(
            "ingestor_received_bytes", "Bodies received, without compression.", registry=registry
        )

    def requested(self, host: str, *, answered: bool, seconds: float, received: int) -> None:
        """Count a request by its host, which is ``other`` for all but the first fifty."""
        super().requested(host, answered=answered, seconds=seconds, received=received)
        if len(self._hosts) < MOST_HOSTS:
            self._hosts.add(host)
        label = host if host in self._hosts else "other"
        self._requests.labels(label, "answered" if answered else "failed").observe(seconds)
        self._bytes.inc(received)

    def asked_robots(self, *, answered: bool) -> None:
        """Count a request for robots.txt."""
        super().asked_robots(answered=answered)
        self._robots.labels("answered" if answered else "failed").inc()

    def revised(self, cause: Cause) -> None:
        """Count a revision."""
        super().revised(cause)
        self._revisions.labels(cause).inc()

    def doubted(self, reason: str) -> None:
        """Count a page that was not believed."""
        super().doubted(reason)
        self._doubted.labels(reason).inc()

    def polled(self, result: PollResult) -> None:
        """Count a poll."""
        super().polled(result)
        self._polls.labels(result).inc()

    def archived(self, *, origin: str, template: str, published_at: datetime | None) -> None:
        """Count a new article, and how late it is."""
        super().archived(origin=origin, template=template, published_at=published_at)
        self._articles.labels(origin).inc()
        self._extractions.labels(template or "generic").inc()
        if published_at:
            self._lag.observe(max(0.0, (self._clock.now() - published_at).total_seconds()))

    def text(self, gauges: Collector) -> bytes:
        """Return everything in Prometheus' text form, with the gauges of this moment."""
        now = CollectorRegistry()
        now.register(gauges)
        return generate_latest(self.registry) + generate_latest(now)


def _doubted(registry: CollectorRegistry) -> Counter:
    told = "Pages that were not believed, by what they were taken for."
    return Counter("ingestor_pages_doubted", told, ["reason"], registry=registry)


class Gauges(Collector):
    """What is so at the moment of asking: the queue, the feeds, and the sizes on the disk."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        freshness: Freshness,
        folders: FolderSizes,
        cluster: Callable[[], ClusterState | None],
    ) -> None:
        self._cluster = cluster
        self._heartbeat = heartbeat
        self._freshness = freshness
        self._folders = folders

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges; those of the queue are as old as the last heartbeat."""
        if snapshot := self._heartbeat.snapshot:
            yield from self._queue(snapshot)
        yield GaugeMetricFamily(
            "ingestor_moving", "1 while due work moves.", 0 if self._heartbeat.trouble else 1
        )
        if path := self._heartbeat.database.path:
            yield from _sizes(path)
        yield from self._folder_sizes()
        yield from self._workers()

    def _queue(self, snapshot: HealthSnapshot) -> Iterator[GaugeMetricFamily]:
        entries = GaugeMetricFamily("ingestor_entries", "Entries waiting.", labels=["state"])
        entries.add_metric(["pending"], snapshot.pending)
        entries.add_metric(["parked"], snapshot.parked)
        yield entries
        yield GaugeMetricFamily("ingestor_due", "Feeds and entries that are due.", snapshot.due)
        feeds = GaugeMetricFamily("ingestor_feeds", "Feeds configured.", labels=["state"])
        late = self._late()
        feeds.add_metric(["failing"], snapshot.failing)
        feeds.add_metric(["late"], late)
        feeds.add_metric(["well"], max(0, snapshot.feeds - snapshot.failing - late))
        yield feeds

    def _workers(self) -> Iterator[GaugeMetricFamily]:
        try:
            state = self._cluster()
        except ArchiveError:
            state = None
        if state is None:
            return
        yield GaugeMetricFamily("ingestor_workers", "Workers with a heartbeat.", state.workers)
        yield GaugeMetricFamily(
            "ingestor_jobs_stalled", "Jobs whose worker is gone.", len(state.stalled)
        )
        jobs = GaugeMetricFamily("ingestor_jobs", "Jobs.", labels=["queue", "state"])
        for name, queue in state.queues.items():
            jobs.add_metric([name, "waiting"], queue.waiting)
            jobs.add_metric([name, "running"], queue.running)
            jobs.add_metric([name, "failed"], queue.failed)
        yield jobs

    def _late(self) -> int:
        try:
            return len(self._freshness.late())
        except ArchiveError:
            # The heartbeat says so; the other gauges are of use all the same.
            return 0

    def _folder_sizes(self) -> Iterator[GaugeMetricFamily]:
        size = GaugeMetricFamily(
            "ingestor_folder_bytes", "Files, as of the last hour.", labels=["folder"]
        )
        files = GaugeMetricFamily(
            "ingestor_folder_files", "Files, as of the last hour.", labels=["folder"]
        )
        for name, folder in self._folders.latest().items():
            size.add_metric([name], folder.bytes)
            files.add_metric([name], folder.files)
        yield size
        yield files


def _sizes(database: Path) -> Iterator[GaugeMetricFamily]:
    files = GaugeMetricFamily("ingestor_database_bytes", "The database.", labels=["file"])
    for name, path in (("main", database), ("wal", database.with_name(f"{database.name}-wal"))):
        if path.exists():
            files.add_metric([name], path.stat().st_size)
    yield files
    disk = GaugeMetricFamily("ingestor_disk_bytes", "The database's disk.", labels=["state"])
    usage = shutil.disk_usage(database.parent)
    disk.add_metric(["free"], usage.free)
    disk.add_metric(["total"], usage.total)
    yield disk

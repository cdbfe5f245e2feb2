"""The tables of what many workers share; the single process uses ``hosts`` alone."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, Table

from ingestor.store.schema.columns import TEXT, key, metadata, number, reference, text, time

hosts = Table(
    "hosts",
    metadata,
    Column("host", TEXT, primary_key=True, comment="Host name, with an unusual port."),
    time("paused_until", "When it may be asked again.", nullable=False),
    text("reason", "What it answered."),
    comment="Hosts that asked to be left alone for a while (Retry-After).",
)

host_turns = Table(
    "host_turns",
    metadata,
    Column("host", TEXT, primary_key=True, comment="Host name, with an unusual port."),
    Column(
        "free_at",
        Double,
        nullable=False,
        comment="When the next request may begin: seconds since 1970, by the server's clock.",
    ),
    comment="The pause between requests to a host, over all workers of a cluster.",
)

host_leases = Table(
    "host_leases",
    metadata,
    Column("host", TEXT, primary_key=True, comment="Host name, with an unusual port."),
    Column("place", Integer, primary_key=True, comment="From 1 to fetch.connections_per_host."),
    Column(
        "held_until",
        Double,
        nullable=False,
        comment="When its request is over at the latest: seconds since 1970, the server's clock.",
    ),
    text(
        "holder", "Names the request; whoever comes after an expired one has another.", default=None
    ),
    comment="Requests on their way to a host, over all workers of a cluster.",
)

assignments = Table(
    "assignments",
    metadata,
    key("Identifies the assignment."),
    text("kind", "backfill, or reextract.", default=None),
    reference("feeds", "Feed whose days are meant; NULL: those of all feeds.", nullable=True),
    text("first_day", "Publication day with which it begins, YYYY-MM-DD.", default=None),
    text("last_day", "Publication day with which it ends.", default=None),
    number("attempts", "How often it was tried."),
    time("next_attempt_at", "When it is due; NULL: at once."),
    text("state", "pending or parked; one that is done is removed.", default="pending"),
    text("error", "Why the last try failed."),
    Index(None, "kind", "state"),
    comment="Days that somebody handed over to the workers of a cluster (--defer).",
)

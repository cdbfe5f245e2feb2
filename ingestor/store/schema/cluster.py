"""The tables of what workers share, and watches; the single process uses ``hosts`` and those."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, Table

from ingestor.store.schema.columns import (
    TEXT,
    identifier,
    key,
    metadata,
    number,
    reference,
    text,
    time,
)

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

watches = Table(
    "watches",
    metadata,
    Column("name", TEXT, primary_key=True, comment="Name in the configuration."),
    identifier("sequence", "Of the last revision that is through: delivered, or not waited for."),
    number("delivered", "Hits that were delivered."),
    time("delivered_at", "When the last of them was."),
    number("attempts", "How often the next hit was tried in a row, and failed."),
    time("next_attempt_at", "When it is tried again; NULL: at once, or, after a failure, no more."),
    text("error", "Why that failed; empty: it did not."),
    comment="How far each [[watch]] has come: one row a watch that was ever configured.",
)

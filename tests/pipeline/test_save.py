"""What is saved together is what would have been saved one after the other."""

import random
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from ingestor.__main__ import main
from ingestor.model import Body
from ingestor.pipeline.rounds import LONGEST_SECONDS, batches
from ingestor.text.dates import iso_utc
from ingestor.workers import Workers
from tools.filling import arrival_of, filled, save_articles
from tools.retold import phrased, text

EVERYTHING = {
    "articles": "SELECT url, date, document_id, title, content_text, revision, path FROM articles",
    "revisions": "SELECT a.url, a.date, r.revision, r.cause, r.title, r.content_text, r.seen_at"
    " FROM revisions r JOIN articles a ON a.id = r.article_id",
    "sightings": "SELECT a.url, a.date, s.feed_id, s.guid, s.seen_at"
    " FROM sightings s JOIN articles a ON a.id = s.article_id",
    "aliases": "SELECT l.url, a.url, a.date FROM aliases l JOIN articles a ON a.id = l.article_id",
    "stories": "SELECT a.url, b.url FROM stories s JOIN stories t ON s.story_id = t.story_id"
    " JOIN articles a ON a.id = s.article_id JOIN articles b ON b.id = t.article_id",
}


def arrivals(dice: random.Random) -> list:
    """Return new articles, edits and copies of them, second sightings and other addresses."""
    found = []
    for number in range(40):
        content = text(dice, 500)
        one = arrival_of(number, f"第{number}篇", content)
        found.append(one)
        kind = dice.randrange(6)
        later = one.seen_at + timedelta(minutes=number)
        if kind == 0:
            edited = replace(one.article, body=Body("<p>改</p>", text(dice, 500)))
            found.append(replace(one, article=edited, seen_at=later))
        elif kind == 1:
            found.append(replace(one, guid="again", seen_at=later))
        elif kind == 2:
            other = replace(one.article, url=f"https://news.sina.com.cn/b/{number}.shtml")
            copied = replace(other, document_id="", body=Body("", phrased(dice, content, 0.05)))
            found.append(replace(one, article=copied, seen_at=later))
        elif kind == 3:
            named = replace(one.article, aliases=(f"https://finance.sina.cn/{number}.d.html",))
            found.append(replace(one, article=named, seen_at=later))
    return found


def held(database) -> dict[str, list]:
    with database.reading() as connection:
        return {
            name: sorted(
                str([_plain(one) for one in row]) for row in connection.exec_driver_sql(sql)
            )
            for name, sql in EVERYTHING.items()
        }


def _plain(value: object) -> object:
    return iso_utc(value) if isinstance(value, datetime) else value


@pytest.mark.every_store
@pytest.mark.parametrize("seed", [1, 2])
def test_a_batch_ends_as_its_articles_alone_would(tmp_path, store_url, seed):
    dice = random.Random(seed)
    coming = arrivals(dice)
    alone = filled(tmp_path / "alone.db", [])
    together = filled(store_url or tmp_path / "together.db", [])
    outcomes = []
    with alone.transaction() as connection:
        outcomes += [save_articles(connection, [one])[0].outcome for one in coming]
    left = list(coming)
    batched = []
    while left:
        size = dice.randrange(1, 30)
        with together.transaction() as connection:
            saved = save_articles(connection, left[:size])
        batched += [one.outcome for one in saved]
        left = left[size:]
    assert batched == outcomes
    assert {"new", "revised", "unchanged"} == set(outcomes)
    one, other = held(alone), held(together)
    assert one["aliases"]
    assert len(one["articles"]) < len(one["stories"]) < 2 * len(one["articles"])
    for name in EVERYTHING:
        assert one[name] == other[name]
    alone.close()
    together.close()


def test_a_batch_does_not_wait_for_what_is_slow_to_come():
    """Full, or a second after its first item, whichever comes first; the rest at the end."""
    seconds = iter([0.0, 0.1, 0.2, 5.0, 5.0 + LONGEST_SECONDS, 9.0, 9.1, 9.2])
    assert list(batches(range(6), 3, lambda: next(seconds))) == [[0, 1, 2], [3], [4, 5]]
    assert list(batches([], 3, lambda: 0.0)) == []


@pytest.mark.slow
def test_a_worker_has_neither_the_database_nor_the_network_in_memory():
    """It would take a second to start, and 40 MB."""
    # A function of this module would bring this module with it.
    loaded = partial(eval, "sorted(__import__('sys').modules)")
    with Workers(1) as workers:
        there = set(workers.call(loaded))
    assert "ingestor.workers.tasks" in there
    assert there.isdisjoint({"sqlalchemy", "httpx", "typer", "ingestor.pipeline", "ingestor.cli"})


def test_a_pass_imports_no_other_command(capsys, monkeypatch):
    """The program's name alone imports none."""
    monkeypatch.setattr(sys, "argv", ["ingest", "--quiet", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("ingest")

"""A feed that reads its source's zone wrongly is set right; one whose times are right never is."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestor import sources
from ingestor.model import Feed, Response
from ingestor.text.dates import http_date, iso_utc

BUILT = datetime(2026, 10, 8, 11, 30, tzinfo=UTC)
FEED = Feed("快讯", "rss", "https://rss.example/live", ("x", "y"), "z", content="feed")
HOUR = timedelta(hours=1)


def item(number: int, published: str, link: str = "") -> str:
    address = f"<link>{link}</link>" if link else ""
    return f"<item><title>快讯{number}</title>{address}<guid>{number}</guid><pubDate>{published}</pubDate></item>"


def feed(
    *published: datetime | str,
    built: datetime | None = BUILT,
    answered: datetime | None = None,
    links: tuple[str, ...] = (),
    fetched: datetime = BUILT + timedelta(seconds=2),
):
    """Read a feed with these times."""
    stamp = f"<lastBuildDate>{http_date(built)}</lastBuildDate>" if built else ""
    times = [one if isinstance(one, str) else http_date(one) for one in published]
    addresses = links or ("",) * len(times)
    items = "".join(
        item(at, text, link) for at, (text, link) in enumerate(zip(times, addresses, strict=True))
    )
    body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{stamp}{items}</channel></rss>'
    headers = (("Date", http_date(answered)),) if answered else ()
    response = Response(FEED.url, FEED.url, 200, headers, body.encode(), fetched)
    return sources.source("rss").read(FEED, response)


def before(*hours: float) -> list[datetime]:
    return [BUILT - hour * HOUR for hour in hours]


def times(document) -> list[datetime]:
    return [entry.published_at for entry in document.entries]


TRUE = before(0.1, 0.4, 2, 10)


@pytest.mark.parametrize("hours", [1, 5, 8, 13])
def test_a_feed_that_is_some_hours_late_is_set_right(hours):
    """All its items are, the old ones too, and what it claimed stays."""
    claimed = [moment + hours * HOUR for moment in TRUE]
    document = feed(*claimed)
    assert times(document) == TRUE
    assert document.zone_shift == hours * HOUR
    assert [entry.date_text for entry in document.entries] == [http_date(one) for one in claimed]
    assert [entry.stated_at for entry in document.entries] == claimed


def test_the_answers_date_is_enough():
    """A feed need not say when it was built."""
    late = [moment + 8 * HOUR for moment in TRUE]
    assert times(feed(*late, built=None, answered=BUILT)) == TRUE


def test_one_younger_item_of_a_slow_feed_is_enough():
    """It publishes twice a day: only its newest item can be younger than the answer."""
    true = before(1, 12, 25, 36)
    document = feed(*[moment + 8 * HOUR for moment in true], built=None, answered=BUILT)
    assert (times(document), document.zone_shift) == (
        [moment + HOUR for moment in true],
        7 * HOUR,
    )


def test_an_atom_feed_is_set_right_by_when_it_was_updated():
    """The same fault in another form."""
    late = iso_utc(TRUE[0] + 8 * HOUR)
    body = f"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>
        <updated>{iso_utc(BUILT)}</updated><entry><id>1</id><title>a</title>
        <published>{late}</published></entry></feed>"""
    response = Response(FEED.url, FEED.url, 200, (), body.encode(), BUILT)
    document = sources.source("rss").read(FEED, response)
    assert times(document) == TRUE[:1]


def test_an_old_body_is_set_right_as_well():
    """It is read again weeks later, when none of its items is in the future."""
    late = [moment + 8 * HOUR for moment in TRUE]
    document = feed(*late, answered=BUILT + timedelta(days=50), fetched=BUILT + timedelta(days=50))
    assert times(document) == TRUE


RIGHT = {
    "items older than the feed": feed(*TRUE),
    "a clock that is some minutes ahead": feed(BUILT + timedelta(minutes=12), *TRUE),
    "one planned article": feed(BUILT + 6 * HOUR, *TRUE),
    "one planned article beside two": feed(BUILT + 6 * HOUR, *before(1, 4)),
    "planned articles of other days": feed(BUILT + 30 * HOUR, BUILT + 20 * HOUR, *TRUE),
    "a feed that was built in the morning": feed(
        *TRUE, built=BUILT - 5 * HOUR, answered=BUILT, fetched=BUILT
    ),
    "a feed that names a day": feed(
        *before(1, 2, 3), built=datetime(2026, 10, 8, tzinfo=UTC), fetched=BUILT + 50 * 24 * HOUR
    ),
    "no clock at all": feed(*[moment + 8 * HOUR for moment in TRUE], built=None),
    "days in the addresses that say so": feed(
        BUILT + 8 * HOUR,
        BUILT + 7 * HOUR,
        links=("https://a.example/2026-10-09/1.html", "https://a.example/2026-10-09/2.html"),
    ),
    "times from now": feed("5分钟前", "3小时前", built=BUILT - 4 * HOUR),
    "Unix seconds": feed(
        *(str(int((moment + 8 * HOUR).timestamp())) for moment in TRUE),
    ),
}


@pytest.mark.parametrize("document", RIGHT.values(), ids=RIGHT)
def test_a_feed_whose_times_may_be_right_is_not_touched(document):
    """Better a time to come, which is not believed, than a right one made wrong."""
    assert document.zone_shift == timedelta(0)
    assert all(entry.zone_shift == timedelta(0) for entry in document.entries)


def test_the_day_in_an_address_tells_a_late_item_from_a_planned_one():
    """19:22 in Greenwich is the next day in China; the address says otherwise."""
    late = datetime(2026, 10, 8, 19, 22, tzinfo=UTC)
    day = "https://a.example/7x24/2026-10-08/{}.shtml"
    document = feed(late, BUILT - HOUR, links=(day.format(1), day.format(2)))
    assert document.zone_shift == 8 * HOUR


def test_a_relative_time_is_not_one_that_the_feed_names():
    """It moves with the polls, and may not tell entries apart."""
    document = feed("3小时前", "昨天 14:30")
    assert all(entry.is_relative and entry.stated_at is None for entry in document.entries)
    assert all(times(document))

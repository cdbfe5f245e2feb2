"""Kind ``sina-roll``: Sina's rolling news, from the API that its own pages and RSSHub ask.

``pageid`` and ``lid`` name the channel. The newest 50 items come first; a past day is asked
for by Unix seconds whose names are the wrong way round (``etime`` is the older bound), as the
programs do that read it (FinNLP; the midnights are China's).
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from ingestor.dates import EARLIEST, SHANGHAI
from ingestor.decode import decode_feed
from ingestor.errors import FeedUnreadable
from ingestor.model import Entry, Feed, FeedDocument, Request, Response, Validators
from ingestor.sources import conditional
from ingestor.sources._text import MOST_ENTRIES, identifier, plain, web_address, whole
from ingestor.text import bounded_keywords, bounded_name

ITEMS_A_PAGE = 50
"""What everybody takes for the most that the API gives."""

REFERER = "https://finance.sina.com.cn/"
"""Without one, 403 has been seen (RSSHub issue 9298)."""


def request(feed: Feed, validators: Validators) -> Request:
    """Ask for the newest items."""
    return _request(feed, {"page": "1"}, validators)


def history(feed: Feed, day: date, page: int) -> Request:
    """Ask for a page, from 1, of what was published on a day in China."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    older, newer = (str(int(one.timestamp())) for one in (midnight, midnight + timedelta(days=1)))
    bounds = {"date": day.isoformat(), "etime": older, "stime": newer, "ctime": newer}
    return _request(feed, {"page": str(page), **bounds}, Validators())


def read(feed: Feed, response: Response) -> FeedDocument:
    """Read an answer; raise :class:`FeedUnreadable` for anything but a list of items.

    A list that is empty is an answer: a page past the end is one.
    """
    text = decode_feed(response.body, response.header("content-type"))
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedUnreadable(f"{response.url}: not JSON: {plain(text)[:80]!r}") from error
    result = answer.get("result") if isinstance(answer, dict) else None
    status = result.get("status") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(status, dict):
        raise FeedUnreadable(f"{response.url}: JSON, but no answer of the roll API")
    if str(status.get("code")) != "0":
        said = plain(str(status.get("msg") or ""))[:80]
        raise FeedUnreadable(f"{response.url}: the API says error {status.get('code')}: {said}")
    data = result.get("data")
    if isinstance(data, dict):
        # PHP writes a list with a gap in it as an object.
        data = list(data.values())
    if not isinstance(data, list):
        raise FeedUnreadable(f"{response.url}: an answer without a list of items")
    if len(data) > MOST_ENTRIES:
        raise FeedUnreadable(f"{response.url}: {len(data)} items, {MOST_ENTRIES} at most")
    entries = [_entry(item, response) for item in data if isinstance(item, dict)]
    return FeedDocument(feed.name, tuple(one for one in entries if one.url or one.title))


def _request(feed: Feed, more: dict[str, str], validators: Validators) -> Request:
    query = {"k": "", "num": str(ITEMS_A_PAGE), **more}
    sign = "&" if urlsplit(feed.url).query else "?"
    headers = (("Accept", "application/json"), ("Referer", REFERER), *conditional(validators))
    return Request(f"{feed.url}{sign}{urlencode(query)}", headers)


def _entry(item: dict[str, Any], response: Response) -> Entry:
    address = web_address(_text(item, "url"), response.url) if _text(item, "url") else ""
    mobile = web_address(_text(item, "wapurl"), response.url) if _text(item, "wapurl") else ""
    stamp = next((text for name in ("ctime", "intime") if (text := _text(item, name))), "")
    words = [plain(word) for word in _text(item, "keywords").split(",")]
    return Entry(
        guid=identifier(_text(item, "docid") or _text(item, "oid")),
        url=address or mobile,
        title=plain(_text(item, "title")),
        published_at=_moment(stamp, response.fetched_at),
        date_text=stamp if stamp.isdecimal() else "",
        author=bounded_name(plain(_text(item, "media_name") or _text(item, "author"))),
        summary=whole(_text(item, "intro").strip()),
        keywords=bounded_keywords(words),
    )


def _moment(stamp: str, not_after: datetime) -> datetime | None:
    """Return the moment of Unix seconds; ``None`` for none, or one that cannot be."""
    if not stamp.isdecimal() or len(stamp) > 10:
        return None
    moment = datetime.fromtimestamp(int(stamp), UTC)
    return moment if EARLIEST <= moment <= not_after + timedelta(days=1) else None


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""

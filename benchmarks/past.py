"""The roll API's past: any number of days, each with the same number of articles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

from benchmarks.pages import article
from tools.made_up_sina import MadeUpArticle, finance_page, roll_answer

API = "http://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1687"
"""The address of the feed; ``url`` of a feed of kind ``sina-roll``."""

FIRST = date(2020, 1, 1)

_A_PAGE = 50
_ARTICLE = re.compile(r"/(\d{4}-\d{2}-\d{2})/doc-imadeup(\d{7})\.shtml$")


@dataclass(frozen=True, slots=True)
class Past:
    """What the API answers; pages have a template's weight only, of which memory does not care."""

    a_day: int

    def listed(self, target: str) -> bytes:
        """Return a page of a day's list, ``b""`` when something else is asked."""
        if not self.a_day or not target.startswith("feed.mix.sina.com.cn/"):
            return b""
        query = parse_qs(urlsplit(f"http://{target}").query)
        day = date.fromisoformat(query.get("date", [FIRST.isoformat()])[0])
        skipped = _A_PAGE * (int(query["page"][0]) - 1)
        first = (day - FIRST).days * self.a_day
        numbers = range(first + skipped, first + min(self.a_day, skipped + _A_PAGE))
        text = roll_answer([self._article(number, day) for number in numbers], total=self.a_day)
        return text.replace('"https://finance', '"http://finance').encode()

    def page(self, target: str) -> bytes:
        """Return an article's page, ``b""`` when something else is asked."""
        found = _ARTICLE.search(target)
        if not self.a_day or not found:
            return b""
        return finance_page(self._article(int(found[2]), date.fromisoformat(found[1]))).encode()

    @staticmethod
    def _article(number: int, day: date) -> MadeUpArticle:
        # The article itself adds up to ten hours, which is the same day in China.
        return article(number, datetime(day.year, day.month, day.day, 1, tzinfo=UTC))

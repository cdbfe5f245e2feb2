"""Sina's roll API with three years of made-up days behind it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from tools.fake_internet import Answer
from tools.made_up_sina import CHINA, finance_page, made_up, roll_answer

API = "https://feed.mix.sina.com.cn/api/roll/get"
ROLL = 'name = "宏观经济"\nkind = "sina-roll"\npageid = 155\nlid = 1687\n'
A_DAY = 7
"""Made-up articles a day; the fake API gives three a page."""


class RollApi:
    """Three years of made-up days behind Sina's roll API."""

    def __init__(self, net) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[tuple[str, int]] = []
        self.broken: dict[tuple[str, int], Answer] = {}
        net.serve_function(API, self.answer)
        net.serve_function("https://finance.sina.com.cn/", self.page)

    def of(self, day: date) -> list:
        number = (day - date(2022, 1, 1)).days * A_DAY
        midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA)
        articles = [
            replace(
                made_up(number + one), published_at=midnight + timedelta(hours=3 * one, minutes=5)
            )
            for one in range(A_DAY, 0, -1)
        ]
        self.pages |= {urlsplit(one.url).path: finance_page(one) for one in articles}
        return articles

    def answer(self, url, headers) -> Answer:
        assert headers["Referer"] == "https://finance.sina.com.cn/"
        query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        assert (query["pageid"], query["lid"], query["num"]) == ("155", "1687", "50")
        page = int(query["page"])
        if "date" not in query:
            return as_json(roll_answer(self.of(date(2024, 3, 11))))
        day = date.fromisoformat(query["date"])
        assert (
            int(query["etime"]) == datetime(day.year, day.month, day.day, tzinfo=CHINA).timestamp()
        )
        assert int(query["stime"]) - int(query["etime"]) == 86_400
        self.asked.append((query["date"], page))
        if (query["date"], page) in self.broken:
            return self.broken[query["date"], page]
        return as_json(roll_answer(self.of(day)[3 * page - 3 : 3 * page]))

    def page(self, url, _headers) -> Answer:
        found = self.pages.get(urlsplit(url).path)
        return Answer(found.encode()) if found else Answer(b"nothing here", status=404)


def as_json(text: str) -> Answer:
    return Answer(text.encode(), content_type="application/json")

"""Times as Chinese feeds tell them: read as they are meant, or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.text.dates import iso_utc
from ingestor.text.written_dates import parse_date

POLL = datetime(2026, 11, 27, 3, 20, tzinfo=UTC)
"""11:20 in Shanghai."""


def read(text: str, *, polled_at: datetime | None = POLL) -> str | None:
    moment = parse_date(text, not_after=POLL, polled_at=polled_at)
    return iso_utc(moment) if moment else None


RELATIVE = {
    "刚刚": "2026-11-27T03:20:00Z",
    "剛剛": "2026-11-27T03:20:00Z",
    "40秒前": "2026-11-27T03:19:20Z",
    "5分钟前": "2026-11-27T03:15:00Z",
    "５分鐘前": "2026-11-27T03:15:00Z",
    "十五分钟前": "2026-11-27T03:05:00Z",
    "3小时前": "2026-11-27T00:20:00Z",
    "3 小時前": "2026-11-27T00:20:00Z",
    "两个小时前": "2026-11-27T01:20:00Z",
    "半小时前": "2026-11-27T02:50:00Z",
    "1个半小时前": "2026-11-27T01:50:00Z",
    "1小时20分钟前": "2026-11-27T02:00:00Z",
    "发布于 3小时前": "2026-11-27T00:20:00Z",
    "2天前": "2026-11-25T03:20:00Z",
    "2天前 14:30": "2026-11-25T06:30:00Z",
    "今天 06:12": "2026-11-26T22:12:00Z",
    "今早8:30": "2026-11-27T00:30:00Z",
    "今晨7点": "2026-11-26T23:00:00Z",
    "昨天 14:30": "2026-11-26T06:30:00Z",
    "昨日 14:30": "2026-11-26T06:30:00Z",
    "昨天14时30分发布": "2026-11-26T06:30:00Z",
    "昨天下午3点": "2026-11-26T07:00:00Z",
    "昨晚8点半": "2026-11-26T12:30:00Z",
    "昨天": "2026-11-25T16:00:00Z",
    "前天 08:00": "2026-11-25T00:00:00Z",
    "大前天 晚9时": "2026-11-24T13:00:00Z",
    "15 mins ago": "2026-11-27T03:05:00Z",
    "2 hours ago": "2026-11-27T01:20:00Z",
    "Two hours ago": "2026-11-27T01:20:00Z",
    "twenty minutes ago": "2026-11-27T03:00:00Z",
    "one hour and fifteen minutes ago": "2026-11-27T02:05:00Z",
    "2h 15m ago": "2026-11-27T01:05:00Z",
    "an hour ago": "2026-11-27T02:20:00Z",
    "About an hour ago": "2026-11-27T02:20:00Z",
    "1 hour and 20 minutes ago": "2026-11-27T02:00:00Z",
    "an hour and a half ago": "2026-11-27T01:50:00Z",
    "half an hour ago": "2026-11-27T02:50:00Z",
    "3 days ago": "2026-11-24T03:20:00Z",
    "2 days ago at 14:30": "2026-11-25T06:30:00Z",
    "Updated: 5 minutes ago": "2026-11-27T03:15:00Z",
    "just now": "2026-11-27T03:20:00Z",
    "a few seconds ago": "2026-11-27T03:20:00Z",
    "yesterday 14:30": "2026-11-26T06:30:00Z",
    "Yesterday at 2:30 PM": "2026-11-26T06:30:00Z",
    "Yesterday": "2026-11-25T16:00:00Z",
    "Today, 06:12": "2026-11-26T22:12:00Z",
}


@pytest.mark.parametrize(("text", "expected"), RELATIVE.items(), ids=RELATIVE)
def test_a_relative_time_counts_from_the_moment_of_the_poll(text, expected):
    """Its day is one of Shanghai's."""
    assert read(text) == expected


@pytest.mark.parametrize("text", RELATIVE, ids=RELATIVE)
def test_a_relative_time_is_not_read_where_the_poll_is_not_known(text):
    """A page may be looked at years later."""
    assert read(text, polled_at=None) is None


def test_yesterday_is_shanghais_also_before_greenwich_has_a_new_day():
    """At 17:00 in Greenwich it is tomorrow in Shanghai."""
    evening = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)
    moment = parse_date("昨天 23:01", polled_at=evening)
    assert iso_utc(moment) == "2026-11-27T15:01:00Z"


SPOKEN = {
    "2024年3月5日 下午3点": "2024-03-05T07:00:00Z",
    "2024年3月5日 下午3:00": "2024-03-05T07:00:00Z",
    "2024年3月5日 下午15:00": "2024-03-05T07:00:00Z",
    "2024年3月5日 下午12:10": "2024-03-05T04:10:00Z",
    "2024年3月5日 3:00 下午": "2024-03-05T07:00:00Z",
    "下午 2024年3月5日 3:00": "2024-03-05T07:00:00Z",
    "下午3:00 2024年3月5日": "2024-03-05T07:00:00Z",
    "2024年3月5日 傍晚6:30": "2024-03-05T10:30:00Z",
    "2024年3月5日 晚8时15分": "2024-03-05T12:15:00Z",
    "2024年3月5日 晚上8点一刻": "2024-03-05T12:15:00Z",
    "2024年3月5日 深夜11点": "2024-03-05T15:00:00Z",
    "2024年3月5日 中午12点": "2024-03-05T04:00:00Z",
    "2024年3月5日 中午1点": "2024-03-05T05:00:00Z",
    "2024年3月5日 凌晨0点30分": "2024-03-04T16:30:00Z",
    "2024年3月5日 凌晨12点30分": "2024-03-04T16:30:00Z",
    "2024年3月5号 早8点半": "2024-03-05T00:30:00Z",
    "2024年3月5日（星期二）15:30": "2024-03-05T07:30:00Z",
    "２０２４年３月５日　１５：３０": "2024-03-05T07:30:00Z",
    "二〇二四年三月五日 下午三点": "2024-03-05T07:00:00Z",
    "二零二四年十二月二十五日": "2024-12-24T16:00:00Z",
    "星期二, 05 三月 2024 08:30:00 +0800": "2024-03-05T00:30:00Z",
    "星期三, 25 十二月 2024 08:30:00 +0000": "2024-12-25T08:30:00Z",
    "三月 5, 2024 8:30 下午": "2024-03-05T12:30:00Z",
    "03-05 11:20": "2026-03-05T03:20:00Z",
    "12-31 23:50": "2025-12-31T15:50:00Z",
    "22-04-14 11:32": "2022-04-14T03:32:00Z",
    "22年4月14日 11:32": "2022-04-14T03:32:00Z",
    "发布时间：2024-03-05 08:30": "2024-03-05T00:30:00Z",
    "2024/3/5 PM 3:20": "2024-03-05T07:20:00Z",
    "2024-03-05 pm03:20:00": "2024-03-05T07:20:00Z",
    "20240305 11:20": "2024-03-05T03:20:00Z",
    "20240305 11:20:33": "2024-03-05T03:20:33Z",
    "北京时间2024年3月5日 11:20": "2024-03-05T03:20:00Z",
    "更新于2024-03-05 11:20": "2024-03-05T03:20:00Z",
    "2024-03-05 08:30 早报": "2024-03-05T00:30:00Z",
}


@pytest.mark.parametrize(("text", "expected"), SPOKEN.items(), ids=SPOKEN)
def test_a_spoken_time_is_read_as_it_is_meant(text, expected):
    """The half of the day, Chinese numerals and full width included."""
    assert read(text, polled_at=None) == expected


AMBIGUOUS = [
    "上周",
    "上周三 14:30",
    "周三 14:30",
    "14:30",
    "1周前",
    "3个月前",
    "明天 08:00",
    "今天 23:59",
    "昨天 25:00",
    "昨天上午14:30",
    "昨晚12点",
    "2024年3月5日 晚上12点",
    "2024年3月5日 半夜1点",
    "2024年3月5日 上午12点",
    "2024年3月5日 上午14:30",
    "2024年3月5日 凌晨9点",
    "2024年3月5日至3月8日",
    "2024年3月上旬",
    "2024年第一季度",
    "2024年三月初五",
    "2024年正月初五",
    "05-03-24 11:32",
    "05/03/24 11:32",
    "03-05",
    "14-40 11:20",
    "2 weeks ago",
    "two weeks ago",
    "twenty-five minutes ago",
    "3 months ago",
    "a few minutes ago",
    "2.5 hours ago",
    "10-15 minutes ago",
    "tomorrow 08:00",
    "today 23:59",
    "yesterday evening",
    "in 5 minutes",
]


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_a_time_that_may_be_one_of_two_is_none(text):
    """No time is better than a wrong one."""
    assert read(text) is None


@given(
    st.text(
        alphabet="今昨前天日周月年点时分秒小个半刻上下午晚早凌晨初至:0123456789一二三十 -",
        max_size=120,
    )
)
def test_any_mix_of_these_words_is_a_time_or_none(text):
    """Nothing is raised, and no relative time is still to come."""
    moment = parse_date(text, polled_at=POLL)
    assert moment is None or moment.tzinfo is UTC
    if moment and parse_date(text) is None:
        assert moment <= POLL + timedelta(minutes=15)


@pytest.mark.parametrize("part", ["1", "十", "1小时", "上午", "晚 ", "1:", "1年", "发布时间", " "])
def test_a_long_line_takes_no_longer_than_its_length(part):
    """Each expression is linear, and what is past a bound is not looked at.

    By the square of its length a line of a million characters takes hours, which pytest ends.
    """
    parse_date(part * 1_000_000, not_after=POLL, polled_at=POLL)

"""Securities that a text names with their codes in brackets, and what only looks like it."""

import pytest

from ingestor.extract.symbols import mentions, with_mentions
from ingestor.model import Body, Security
from tests.support.shared import shared

FOUND = {
    "贵州茅台(600519)昨日提价": ("sh600519", "贵州茅台"),
    "贵州茅台（600519.SH）提价": ("sh600519", "贵州茅台"),
    "贵州茅台（SH600519）提价": ("sh600519", "贵州茅台"),
    "贵州茅台（ＳＨ：６００５１９）提价": ("sh600519", "贵州茅台"),
    "贵州茅台(600519-CN)提价": ("sh600519", "贵州茅台"),
    "贵州茅台（600519，股吧）提价": ("sh600519", "贵州茅台"),
    "公司拟与石门水泥（ 600999 ）签约": ("sh600999", "石门水泥"),
    "龙头企业如格力电器（000651.SZ）": ("sz000651", "格力电器"),
    "一个反面教材则是一心堂（002727.SZ）": ("sz002727", "一心堂"),
    "*ST青松（600425.SH）公告": ("sh600425", "*ST青松"),
    "万科A（SZ.000002）": ("sz000002", "万科A"),
    "石门酒业股份有限公司（证券代码：600999）": ("sh600999", "石门酒业股份有限公司"),
    "简称石门（代码：300999）": ("sz300999", "石门"),
    "腾讯控股（00700）跌": ("hk00700", "腾讯控股"),
    "腾讯控股（00700.HK）跌": ("hk00700", "腾讯控股"),
    "腾讯控股（700.HK）跌": ("hk00700", "腾讯控股"),
    "腾讯控股(00700-HK)跌": ("hk00700", "腾讯控股"),
    "腾讯控股（港股00700）跌": ("hk00700", "腾讯控股"),
    "腾讯控股（港股代码：00700）跌": ("hk00700", "腾讯控股"),
    "腾讯控股（SEHK:700）跌": ("hk00700", "腾讯控股"),
    "阿里巴巴(NYSE:BABA)": ("us:BABA", "阿里巴巴"),
    "阿里巴巴（纽交所：BABA）": ("us:BABA", "阿里巴巴"),
    "阿里巴巴(BABA.US)": ("us:BABA", "阿里巴巴"),
    "阿里巴巴（美股代码：BABA）": ("us:BABA", "阿里巴巴"),
    "伯克希尔(NYSE: BRK.A)": ("us:BRK.A", "伯克希尔"),
    "微博（NASDAQ GS: WB）": ("us:WB", "微博"),
    "诺思兰德（430047）": ("bj430047", "诺思兰德"),
    "某某科技（920002.BJ）": ("bj920002", "某某科技"),
    "创业板ETF（159915）": ("sz159915", "创业板ETF"),
    "某债转债（113050）": ("sh113050", "某债转债"),
    "某某主题行业（基金代码：160505）": ("sz160505", "某某主题行业"),
}

NOTHING = {
    "a day": "年度策略（20171226）",
    "a year": "第七届（2017年）会议",
    "a bare year": "债券条例（2012）与证券条例（2016）",
    "an amount": "净利润（600519元）与（约32531）",
    "an amount with its unit outside": "拨款三百万元（600519）",
    "a postcode": "地址：北京市朝阳区（100031）",
    "a postcode like a share": "天津市和平区（300041）",
    "a postcode with its word": "石门路1号（邮编：600519）",
    "a city's postcode": "武汉（430070）",
    "a postcode like a fund": "广州大学城（510006）",
    "a telephone": "客服（电话：600519）与热线（400-600519）",
    "nothing before it": "（600519）",
    "a number in a longer one": "合同编号甲（1600519）",
    "a file number": "裁定书文号（600519）",
    "an index of a trading program": "房地产指数（886057）",
    "a fund that is not listed": "某某制造混合(001740)",
    "a fund that is not listed, called so": "某某制造（基金代码：001740）",
    "a market without a code": "价格（美股回调）与（港股通）",
    "an account": "本文来自某某工场（ID：alpworks）",
    "an abbreviation": "关税（US）与会员国（U.N）",
    "a bracket without an end": "贵州茅台(600519",
    "lower case words": "某公司（us: later）",
    "Hong Kong without a number": "恒生（00000.HK）",
}


@pytest.mark.parametrize(("text", "expected"), FOUND.items())
def test_a_code_in_brackets_names_a_security(text, expected):
    """With its market as elsewhere, and the name before the bracket."""
    assert [(one.symbol, one.name) for one in mentions(text)] == [expected]


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_what_only_looks_like_a_code_names_none(text):
    """Six digits are also postcodes, dates and amounts."""
    assert list(mentions(text)) == []


def test_a_bracket_may_hold_several_codes():
    """The name before it is that of the first."""
    found = list(mentions("中国平安（601318.SH、02318.HK）"))
    assert [(one.symbol, one.name) for one in found] == [("sh601318", "中国平安"), ("hk02318", "")]


def test_markup_goes_before_text():
    """What the page marks keeps its name; the title and the text add the others, each once."""
    marked = (Security("sh", "sh600519", "茅台"), Security("hk", "hk00700"))
    body = Body(
        "", "贵州茅台（600519）与腾讯控股（00700.HK）。\n再看老大哥某某水泥（600999）", (), marked
    )
    found = with_mentions(body, "某某水泥（600999.SH）：停产").securities
    assert [(one.symbol, one.name) for one in found] == [
        ("sh600519", "茅台"),
        ("hk00700", "腾讯控股"),
        ("sh600999", "某某水泥"),
    ]


@pytest.mark.parametrize("unit", ["(", "（600519", "a-" * 20 + "(", "代码：(", "*ST" * 9 + "（"])
def test_hostile_text_costs_no_more_than_its_length(unit):
    """Bounded patterns: a hundred thousand beginnings of brackets are read, and none of them ends."""
    text = unit * (200_000 // len(unit))
    assert list(mentions(text)) == []


def test_real_texts_name_what_people_find_in_them():
    """Ninety-three securities in 224 texts, their list read by eye; fewer or other ones are a fault."""
    texts = [path.read_text("utf-8") for path in sorted(shared("sina", "texts").glob("*.txt"))]
    found = {one.symbol for text in texts for one in mentions(text)}
    assert len(found) == 93
    assert {"sh600519", "hk02698", "us:XNET", "us:WB", "sz150214"} <= found
    assert found.isdisjoint({"bj886057", "sz001740"})

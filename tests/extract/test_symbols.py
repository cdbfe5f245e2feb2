"""Securities that a text names by their codes, and what only looks like it."""

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
    "昨晚TCL科技（000100）公告": ("sz000100", "TCL科技"),
    "万科企业股份有限公司（000002）": ("sz000002", "万科企业股份有限公司"),
    "中远海运控股股份有限公司（601919）": ("sh601919", "中远海运控股股份有限公司"),
    "公司股票代码（SH600519）": ("sh600519", ""),
    "今日焦点【600519 贵州茅台】": ("sh600519", "贵州茅台"),
    "某人李坚从在万科A（SZ.000002）股价低位重仓": ("sz000002", "万科A"),
    "这样始于中国宏桥（1378.HK）的风险": ("hk01378", "中国宏桥"),
    "买入美的集团（000333）": ("sz000333", "美的集团"),
    "今日沪指（000001）跌": ("sh000001", "沪指"),
    "平安银行（000001）跌": ("sz000001", "平安银行"),
    "深证成指（399001）跌": ("sz399001", "深证成指"),
    "跟踪中证500（000905）": ("sh000905", "中证500"),
    "厦门港务（000905）": ("sz000905", "厦门港务"),
    "电动汽车生产商特斯拉（TSLA）股价走低": ("us:TSLA", "特斯拉"),
    "某新股（ABCDE）股价大涨": ("us:ABCDE", "某新股"),
    "英伟达(NVDA,股价130.5美元)": ("us:NVDA", "英伟达"),
    "伯克希尔（BRK.A）": ("us:BRK.A", "伯克希尔"),
    "福特汽车（F）召回": ("us:F", "福特汽车"),
    "热议$AAPL": ("us:AAPL", ""),
    "AAPL（苹果）": ("us:AAPL", "苹果"),
    "关注600519.SH的走势": ("sh600519", ""),
    "关注sh600519的走势": ("sh600519", ""),
    "证券代码：600999 证券简称：石门酒业": ("sh600999", "石门酒业"),
    "【贵州茅台 600519】三季报": ("sh600519", "贵州茅台"),
    "代码\t名称\n600519\t贵州茅台\t1.2%": ("sh600519", "贵州茅台"),
    "1 600519 贵州茅台 1700.00": ("sh600519", "贵州茅台"),
    "00700\t腾讯控股": ("hk00700", "腾讯控股"),
    "科通芯城（0400）业务": ("hk00400", "科通芯城"),
    "张裕B（200869）": ("sz200869", "张裕B"),
    "21恒大01（149467）": ("sz149467", "21恒大01"),
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
    "a measure": "全年营收(600000)与限购(300000)",
    "a code to type in": "验证码(300750)与QQ群(600519)",
    "an amount behind a name": "某公司贷款（600519）万元",
    "an abbreviation of an economy": "国内生产总值（GDP）大涨，石油输出国组织（OPEC）减产",
    "an abbreviation that is a ticker": "客户关系管理（CRM）与信用证（LC）",
    "a currency": "报价US$120，比特币$BTC",
    "a row of amounts": "营收\t600519\n合计\t300750\n成交量 600519 手",
    "a code of something else": "错误代码：300750，邮政编码：600519，行政区划代码：430000",
    "a formula": "$X$ 与 $Y$",
    "staff below a head": "工号\t姓名\t部门\n600519\t诸葛青云\t财务\n600520\t东方红\t行政",
    "staff without a head": "张伟民\t600519\n李建国\t300750",
    "rooms": "房间号\t住客\n600519\t某某先生",
    "parcels": "快递单号 收件人\n600519 诸葛青云",
}


@pytest.mark.parametrize(("text", "expected"), FOUND.items())
def test_a_code_names_a_security(text, expected):
    """With its market as elsewhere, and the name beside it without its sentence."""
    assert [(one.symbol, one.name) for one in mentions(text)] == [expected]


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_what_only_looks_like_a_code_names_none(text):
    """Six digits are also postcodes, dates and amounts."""
    assert list(mentions(text)) == []


def test_a_table_of_shares_is_read_below_one_of_people():
    """Each by its own head; a share that is named like a person has a price, or is known."""
    text = "姓名\t工号\n诸葛青云\t600519\n代码\t简称\t最新价\n600859\t王府井\t14.20\n600520\t赵某控\t9.10"
    assert [one.symbol for one in mentions(text)] == ["sh600859", "sh600520"]


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


@pytest.mark.parametrize(
    "unit",
    [
        "(",
        "（600519",
        "a-" * 20 + "(",
        "代码：(",
        "*ST" * 9 + "（",
        "600519 ",
        "\t600519",
        "(A)",
        "$A_",
        "[A1",
        "简称代码",
        "贵州茅台代码",
        "工号\n600519 ",
        "姓名：",
    ],
)
def test_hostile_text_costs_no_more_than_its_length(unit):
    """Bounded patterns: a hundred thousand beginnings of brackets are read, and none of them ends."""
    text = unit * (200_000 // len(unit))
    assert list(mentions(text)) == []


def test_real_texts_name_what_people_find_in_them():
    """131 securities in 224 texts, their list read by eye; fewer or other ones are a fault."""
    texts = [path.read_text("utf-8") for path in sorted(shared("sina", "texts").glob("*.txt"))]
    found = {one.symbol for text in texts for one in mentions(text)}
    assert len(found) == 131
    assert {"sh600519", "hk02698", "us:XNET", "us:TSLA", "us:GOOG", "sz002010"} <= found
    assert found.isdisjoint({"bj886057", "sz001740", "us:OPEC", "us:GDP", "sh170215"})

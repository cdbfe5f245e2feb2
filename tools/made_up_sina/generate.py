"""Makes any number of articles from word lists."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from tools.made_up_sina.article import MadeUpArticle

_WHO = ["云岭铜业", "海棠证券", "北辰电池", "青禾农机", "星渡航运", "白鹭银行", "石门水泥", "东篱药业",
        "听涛港务", "竹溪食品", "天枢芯片", "长亭物流"]  # fmt: skip
_DID = ["公布季度报告", "宣布回购股份", "签下长期供货合同", "上调全年指引", "完成新厂房封顶",
        "更换董事长", "发行绿色债券", "收购同行少数股权", "推迟海外项目", "开放首家旗舰店"]  # fmt: skip
_WHY = ["受需求回暖推动", "尽管原料价格上涨", "在行业整体放缓之际", "得益于海外订单",
        "为降低融资成本", "应监管部门要求", "趁汇率走稳", "在完成内部整合之后"]  # fmt: skip
_SAID = ["管理层表示，下半年将控制开支", "分析人士认为，影响有限", "公司称，具体金额以公告为准",
         "当地主管部门正在核实", "市场对此反应平淡", "工会方面未予置评",
         "有投资者在业绩会上问到现金流，财务负责人答“够用两年”",
         "供应商则说，付款周期没有变化"]  # fmt: skip
_WHERE = ["在临川的总部", "在线上业绩会上", "在向交易所提交的文件中", "在一封致股东的信里"]

FIRST_DAY = datetime(2024, 3, 11, 1, 0, tzinfo=UTC)


def made_up(number: int, day: datetime | None = None) -> MadeUpArticle:
    """Return article ``number``, published after ``day``: the same number, the same article."""
    chance = random.Random(number)
    who, did = chance.choice(_WHO), chance.choice(_DID)
    picture = (f"//n.sinaimg.cn/made-up/{number}.jpg", f"{who}厂区（资料图）")
    return MadeUpArticle(
        f"imadeup{number:07d}",
        f"{who}{did}（{number}）",
        (day or FIRST_DAY) + timedelta(minutes=7 * number % 600),
        tuple(_paragraph(chance, number, who, did) for _ in range(chance.randint(3, 8))),
        pictures=(picture,) if number % 2 else (),
        keywords=(who, did[:2]),
    )


def _paragraph(chance: random.Random, number: int, who: str, did: str) -> str:
    said = "。".join(chance.sample(_SAID, 2))
    return (
        f"　　晨潮财讯（第{number}号稿）{who}{chance.choice(_WHERE)}说，{chance.choice(_WHY)}，公司{did}，"
        f"涉及金额{chance.randint(2, 980)}.{chance.randint(0, 9)}亿元，"
        f"同比变化{chance.randint(-40, 60)}%。{said}。"
    )

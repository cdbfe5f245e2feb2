"""Sina's research reports (``stock.finance.sina.com.cn/stock/go.php/vReport_Show/…``), in GBK.

``div.content h1`` and ``div.blk_container``, as the programs have it that read them; above the
text stand 类别, 机构, 研究员 and 日期.
"""

import re

from ingestor.extract.template import Template, show
from ingestor.extract.tree import Tree

_DATE = re.compile(r"日期\s*[：:]\s*([\d-]{8,10})")


def _prepare(tree: Tree) -> None:
    if stated := _DATE.search(" ".join(tree.texts("//span[contains(.,'日期')]"))):
        show(tree, "report", [("time", stated[1], "")])


TEMPLATE = Template(
    name="sina-report",
    marks=("//*[contains(@class,'blk_container')]",),
    address=r"/go\.php/vReport_Show/",
    prepare=_prepare,
    body=("//*[contains(@class,'blk_container')]",),
    title=("//*[contains(concat(' ',@class,' '),' content ')]//h1", "//h1"),
    date=("//*[@data-from='report']/time",),
    media=("//span[contains(.,'机构')]//a",),
)

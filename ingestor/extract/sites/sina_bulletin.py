"""What companies announce, at Sina (``…/corp/view/vCB_AllBulletinDetail.php?stockid=…``), in GBK.

``table#allbulletin``: the title in its head, with a link to the PDF; below it 公告日期, and the
text in ``#content``, mostly preformatted (as the programs have it that read them). The page's own
heading and title say 公司公告 of each.
"""

import re

from ingestor.extract.template import Template, show
from ingestor.extract.tree import Tree

_DATE = re.compile(r"公告日期\s*[：:]\s*(\d{4}-\d{1,2}-\d{1,2})")
_PDF = re.compile(r"(?<!\s)\s*+[（(]?\s*+下载公告\s*+[）)]?\s*+$")
_PLACE = "/descendant::table[@id='allbulletin'][1]"


def _prepare(tree: Tree) -> None:
    title = _PDF.sub("", tree.text(f"{_PLACE}//th"))
    dates = (_DATE.search(text) for text in tree.texts(f"{_PLACE}//td[contains(.,'公告日期')]"))
    moment = next((date[1] for date in dates if date), "")
    show(tree, "bulletin", [("h1", title, ""), ("time", moment, "")])


TEMPLATE = Template(
    name="sina-bulletin",
    marks=("id('allbulletin')", "id('content')"),
    address=r"/corp/view/vCB_(?:All)?Bulletin(?:Detail)?\.php",
    prepare=_prepare,
    body=("id('content')",),
    title=("//*[@data-from='bulletin']/h1",),
    date=("//*[@data-from='bulletin']/time",),
    media=(),
)

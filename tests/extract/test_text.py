"""What a reader sees as lines, cells and items stays so in the text."""

import pytest

from ingestor.extract import extract_article, extract_fragment
from ingestor.model import Page

URL = "https://finance.sina.com.cn/china/gncj/2024-03-11/doc-imadeup0000001.shtml"

TEXTS = {
    "preformatted lines": (
        "<pre>证券简称：石门水泥\n\n  一、新窑点火&lt;六月&gt;\n  二、旧窑停产\n</pre>",
        "证券简称：石门水泥\n一、新窑点火<六月>\n二、旧窑停产",
        "<pre>证券简称：石门水泥\n  一、新窑点火&lt;六月&gt;\n  二、旧窑停产</pre>",
    ),
    "preformatted with breaks": ("<pre>甲<br>乙\n丙</pre>", "甲\n乙\n丙", "<pre>甲\n乙\n丙</pre>"),
    "preformatted with elements": (
        "<pre>甲\n<b>乙</b>丙\n丁</pre>",
        "甲\n乙丙\n丁",
        "<p>甲</p>\n<p><strong>乙</strong>丙</p>\n<p>丁</p>",
    ),
    "lines by style": ("<div style='white-space: pre-line'>甲\n乙</div>", "甲\n乙", "<p>甲</p>\n<p>乙</p>"),
    "lines of the source": ("<p>甲\n乙</p>", "甲 乙", "<p>甲 乙</p>"),
    "a table": (
        "<table><tr><th>公司</th><th>产量</th></tr><tr><td>石门</td><td>12</td></tr></table>",
        "公司\t产量\n石门\t12",
        "<table><tr><th>公司</th><th>产量</th></tr><tr><td>石门</td><td>12</td></tr></table>",
    ),
    "a table with an empty cell": (
        "<table><tr><td>石门</td><td></td><td>12</td></tr><tr><td>北岸</td><td>3</td></tr></table>",
        "石门\t\t12\n北岸\t3",
        "<table><tr><td>石门</td><td></td><td>12</td></tr><tr><td>北岸</td><td>3</td></tr></table>",
    ),
    "a cell of two paragraphs": (
        "<table><tr><td><p>甲</p><p>乙</p></td><td>丙</td></tr></table>",
        "甲 乙\t丙",
        "<table><tr><td><p>甲</p><p>乙</p></td><td>丙</td></tr></table>",
    ),
    "a table that only lays out": ("<table><tr><td><p>甲</p><p>乙</p></td></tr></table>", "甲\n乙", "<p>甲</p>\n<p>乙</p>"),
    "a list": ("<ul><li>甲</li><li>乙</li></ul>", "• 甲\n• 乙", "<ul><li>甲</li><li>乙</li></ul>"),
    "a numbered list": ("<ol><li>甲</li><li>乙</li></ol>", "1. 甲\n2. 乙", "<ol><li>甲</li><li>乙</li></ol>"),
    "a list that goes on": ("<ol start='3'><li>丙</li></ol>", "3. 丙", "<ol><li>丙</li></ol>"),
    "a list with its own numbers": ("<ul><li>1、甲</li><li>（二）乙</li></ul>", "1、甲\n（二）乙", "<ul><li>1、甲</li><li>（二）乙</li></ul>"),
    "a list in a list": (
        "<ul><li>甲<ul><li>乙</li></ul></li></ul>",
        "• 甲\n• 乙",
        "<ul><li><p>甲</p><ul><li>乙</li></ul></li></ul>",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("html", "text", "cleaned"), TEXTS.values(), ids=TEXTS)
def test_lines_cells_and_items_are_told_apart(html, text, cleaned):
    """In the text as in the HTML, and again when that is cleaned."""
    body = extract_fragment(f"<p>首段。</p>{html}<p>末段。</p>", URL)
    assert body.text == f"首段。\n{text}\n末段。"
    assert body.html == f"<p>首段。</p>\n{cleaned}\n<p>末段。</p>"
    assert extract_fragment(body.html, URL).text in {body.text, body.text.replace("3. 丙", "1. 丙")}


PARAGRAPH = "石门水泥周一说，新窑将在六月点火，年产量可以增加一成，旧窑将会继续使用到明年。"
KEPT = {
    "a table": ("<table><tr><td>甲</td><td>1</td></tr><tr><td>乙</td><td>2</td></tr></table>", "甲\t1\n乙\t2"),
    "a table of paragraphs": (
        "<table><tr><td><p>甲</p></td><td><p>1</p></td></tr><tr><td>乙</td><td>2</td></tr></table>",
        "甲\t1\n乙\t2",
    ),
    "a list": ("<ul><li>先换电机</li><li>再换轴承</li></ul>", "• 先换电机\n• 再换轴承"),
    "preformatted": ("<pre>甲\n  乙</pre>", "甲\n乙"),
    "no list of links": ("<ul><li><a href='/1'>甲厂停产</a></li><li><a href='/2'>乙厂开工</a></li></ul>", ""),
}  # fmt: skip


@pytest.mark.parametrize(("html", "text"), KEPT.values(), ids=KEPT)
def test_a_page_without_template_keeps_its_data(html, text):
    """Readability alone takes out what has few commas."""
    prose = f"<p>{PARAGRAPH}</p>" * 4
    page = f"<html><title>新窑</title><body><h1>新窑点火</h1><div>{prose}{html}{prose}</div></body></html>"
    article = extract_article(
        Page("https://a.example/1.html", page.encode(), "text/html; charset=utf-8")
    )
    lines = [line for line in article.body.text.split("\n") if line != PARAGRAPH]
    assert "\n".join(lines) == text


def test_a_summary_made_of_a_table_has_single_spaces():
    """Cells that are empty leave no gaps in the line that stands for the article."""
    table = "<table><tr><td></td><td>甲</td></tr><tr><td></td><td>乙</td></tr></table>"
    page = f"<h1 class='main-title'>石门水泥提价</h1><div id='artibody'><p>{PARAGRAPH}</p>{table}</div>"
    article = extract_article(Page(URL, page.encode(), "text/html; charset=utf-8"))
    assert article.body.text == f"{PARAGRAPH}\n\t甲\n\t乙"
    assert article.summary == f"{PARAGRAPH} 甲 乙"

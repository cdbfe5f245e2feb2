"""What a reader sees as lines, cells and items stays so in the text."""

import pytest

from ingestor.extract import extract_fragment

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

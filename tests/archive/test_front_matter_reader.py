"""Files that others wrote: whatever their form, they say the same."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.archive.front_matter import (
    MOST_BYTES,
    MOST_VALUES,
    FileContent,
    begins_as_post,
    read_post,
    render,
)
from ingestor.errors import PostUnreadable
from ingestor.text.sanitize import one_line

TITLE = "云岭铜业公布季度报告"
CATEGORIES = ("金融", "新浪财经", "新浪财经－國內")
BODY = "<div>\n<p>　　晨潮财讯说，公司公布季度报告，涉及金额三亿元。</p>\n</div>\n"
PLAIN = f"""---
title: '{TITLE}'
categories:\x20
 - 金融
 - 新浪财经
 - 新浪财经－國內
headimg: 'https://n.sinaimg.cn/made-up/1.jpg'
author: 新浪财经
comments: false
date: Thu, 14 Apr 2022 03:32:04 GMT
thumbnail: 'https://n.sinaimg.cn/made-up/1.jpg'
---

{BODY}"""

FORMS = {
    "as the sample": PLAIN.encode(),
    "blank lines before": f"\n \n\n{PLAIN}".encode(),
    "no quotes": PLAIN.replace("'", "").encode(),
    "double quotes": PLAIN.replace("'", '"').encode(),
    "lists further in": PLAIN.replace(" - ", "    - ").encode(),
    "lists not in": PLAIN.replace(" - ", "- ").encode(),
    "lists by tabs": PLAIN.replace(" - ", "\t- ").encode(),
    "a list on one line": PLAIN.replace(
        "\n - 金融\n - 新浪财经\n - 新浪财经－國內", "[金融, 新浪财经, 新浪财经－國內]"
    ).encode(),
    "lists of lists": PLAIN.replace(" - 金融", " - [金融]").encode(),
    "only a thumbnail": PLAIN.replace(
        "headimg: 'https://n.sinaimg.cn/made-up/1.jpg'\n", "\n"
    ).encode(),
    "CRLF": PLAIN.replace("\n", "\r\n").encode(),
    "CR": PLAIN.replace("\n", "\r").encode(),
    "a byte order mark": PLAIN.encode("utf-8-sig"),
    "GBK": PLAIN.encode("gb18030"),
    "UTF-16": PLAIN.encode("utf-16"),
    "a byte that is none": PLAIN.encode().replace("金额".encode(), "金额".encode() + b"\xff"),
    "a NUL": PLAIN.replace("author", "a\x00uthor").encode(),
    "longer dashes": PLAIN.replace("---", "-----  ").encode(),
    "keys in capitals": PLAIN.replace("title", "Title").replace("date", "Date").encode(),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_every_form_says_the_same(data):
    """Encodings, line ends, quotes and lists are no part of what a file says."""
    post = read_post(data)
    assert post.title == TITLE
    assert post.categories == CATEGORIES
    assert (post.author, post.date) == ("新浪财经", "Thu, 14 Apr 2022 03:32:04 GMT")
    assert post.headimg == "https://n.sinaimg.cn/made-up/1.jpg"
    assert "公司公布季度报告" in post.html
    assert "---" not in post.html


TITLES = {
    '"报告称"利好"频出"': '报告称"利好"频出',
    "[快讯]云岭铜业停牌": "[快讯]云岭铜业停牌",
    "[快讯]": "[快讯]",
    "{x} 与 {y}": "{x} 与 {y}",
    "云岭铜业: 停牌: 复牌": "云岭铜业: 停牌: 复牌",
    "@云岭铜业": "@云岭铜业",
    "%5 的人": "%5 的人",
    "*ST云岭": "*ST云岭",
    "&云岭": "&云岭",
    "'it's'": "it's",
    "'it''s'": "it's",
    "600519": "600519",
    "no": "no",
    "2022-04-14": "2022-04-14",
    "- 云岭": "- 云岭",
    "": "",
}


@pytest.mark.parametrize(("written", "meant"), TITLES.items(), ids=TITLES)
def test_a_title_that_is_no_yaml_is_read_as_it_evidently_is_meant(written, meant):
    """Generators put titles there as they are; the other keys are read all the same."""
    post = read_post(PLAIN.replace(f"'{TITLE}'", written).encode())
    assert post.title == meant
    assert post.categories == CATEGORIES
    assert post.date == "Thu, 14 Apr 2022 03:32:04 GMT"


def test_further_keys_are_read():
    """Those that our own files may have, and Hexo's names for them."""
    more = "url: https://a.example/1\nmedia: m\neditor: e\ntags: [甲, 乙, 甲]\nsymbols:\n- sh600519\nupdated: u\ndate"
    post = read_post(PLAIN.replace("date", more, 1).encode())
    assert (post.link, post.media, post.editor) == ("https://a.example/1", "m", "e")
    assert (post.keywords, post.symbols, post.updated) == (("甲", "乙"), ("sh600519",), "u")


@pytest.mark.parametrize(
    ("data", "said"),
    {
        b"": "no front matter",
        b"# A heading\n": "no front matter",
        b"---\ntitle: x\n": "without an end",
        b"---\n" + b"a" * 70_000 + b"\n---\n": "without an end",
        b"---\n" + b" " * MOST_BYTES: "larger than 8 MiB",
    }.items(),
    ids=["empty", "a heading", "no end", "an end that is far", "large"],
)
def test_what_is_no_post_is_refused_with_its_reason(data, said):
    """One line, without the file's name."""
    with pytest.raises(PostUnreadable, match=said):
        read_post(data)


def test_a_bomb_of_aliases_does_not_go_off():
    """A few bytes that stand for 10^9 texts."""
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    post = read_post(f"---\n{bomb}categories: *i\ntags: *c\n---\n".encode())
    assert len(post.categories) <= MOST_VALUES
    assert post.keywords == ("x",)


@given(
    title=st.text(), names=st.lists(st.text(min_size=1, max_size=9), max_size=3), image=st.text()
)
@settings(max_examples=60)
def test_what_we_write_is_read_back(title, names, image):
    """Over everything that hypothesis finds."""
    moment = datetime(2022, 4, 14, 3, 32, 4, tzinfo=UTC)
    text = render(FileContent(title, tuple(names), image, "a", moment, "<p>一</p>"))
    post = read_post(text.encode("utf-8", "replace"))
    assert post.title == one_line(title).encode("utf-8", "replace").decode()
    assert post.categories == tuple(dict.fromkeys(filter(None, map(one_line, names))))
    assert post.headimg == one_line(image)
    assert post.date == "Thu, 14 Apr 2022 03:32:04 GMT"
    assert post.html.strip() == "<div>\n<p>一</p>\n</div>"


@pytest.mark.parametrize(
    "data", [b"---\n", b"\n\n ---", b"\xef\xbb\xbf---\n", "\n---".encode("utf-16")]
)
def test_a_post_is_known_by_its_beginning(data):
    """Whatever its name is."""
    assert begins_as_post(data)
    assert not begins_as_post(b"x" + data)
    assert not begins_as_post(b"---x" + data)

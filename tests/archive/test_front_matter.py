"""The archive's files: every YAML reader gets back what was put in, and nothing else happens."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ingestor.archive.front_matter import MOST_NAME_BYTES, FileContent, article_path, inert, render
from ingestor.text.sanitize import one_line
from tests.support.shared import shared

MOMENT = datetime(2022, 4, 14, 3, 32, 4, tzinfo=UTC)
PICTURE = "https://n.sinaimg.cn/x/1.jpg"
KEYS = ["title", "categories", "headimg", "author", "comments", "date", "thumbnail"]

NASTY = {
    "quotes": """'it''s' "so" ‘’“”""",
    "a colon": "a: b",
    "a dash": "- a",
    "the end of the front matter": "---",
    "a comment": "a # b",
    "an anchor": "&a *a",
    "a tag": "!!python/object:os.system",
    "a template": "{{ x }} {% raw %}",
    "a brace": "{a: b}",
    "a number": "600519",
    "a date": "2022-04-14",
    "a word that YAML reads as false": "no",
    "null": "~",
    "a newline": "a\nb: c\n---\n",
    "a carriage return": "a\r\ntitle: x",
    "a next-line character": "a\x85b: c",
    "a line separator": "a\u2028b",
    "a bidirectional override": "a\u202eb",
    "a control character": "a\x00\x1bb",
    "a lone surrogate": "a\ud800b",
    "emoji": "📈👨‍👩‍👧 涨",
    "a backslash": "C:\\n\\",
    "a percent sign": "%YAML 100%",
    "spaces around": "  a  ",
    "nothing": "",
}


def content(title: str = "t", html: str = "<p>x</p>", **more) -> FileContent:
    values = {
        "categories": ("金融", "新浪财经", "新浪财经－國內"),
        "headimg": PICTURE,
        "author": "新浪财经",
    }
    return FileContent(title=title, published_at=MOMENT, html=html, **(values | more))


def front_matter(text: str) -> str:
    """Cut the front matter out as Jekyll, Hugo and Hexo do: between the first two lines of dashes."""
    lines = text.split("\n")
    assert lines[0] == "---"
    return "\n".join(lines[1 : lines.index("---", 1)])


def values(title: str) -> dict:
    return {
        "title": one_line(title),
        "categories": ["金融", "新浪财经", "新浪财经－國內"],
        "headimg": PICTURE,
        "author": "新浪财经",
        "comments": False,
        "date": "Thu, 14 Apr 2022 03:32:04 GMT",
        "thumbnail": PICTURE,
    }


def test_the_front_matter_is_the_samples_to_the_letter():
    """Key for key, quote for quote, space for space."""
    sample = next(shared("sample").iterdir()).read_text("utf-8").lstrip("\n")
    read = yaml.safe_load(front_matter(sample))
    ours = content(
        read["title"],
        categories=tuple(read["categories"]),
        headimg=read["headimg"],
        author=read["author"],
    )
    assert front_matter(render(ours)) == front_matter(sample)


def test_the_file_has_the_documented_form():
    """Seven keys in order, a blank line, one enclosing div."""
    assert render(content("标题", "<p>一</p>\n<p>二</p>")) == (
        "---\ntitle: '标题'\ncategories: \n - 金融\n - 新浪财经\n - 新浪财经－國內\n"
        f"headimg: '{PICTURE}'\nauthor: 新浪财经\ncomments: false\n"
        f"date: Thu, 14 Apr 2022 03:32:04 GMT\nthumbnail: '{PICTURE}'\n---\n\n"
        "<div>\n<p>一</p>\n<p>二</p>\n</div>\n"
    )


@pytest.mark.parametrize("title", NASTY.values(), ids=NASTY)
def test_yaml_1_1_reads_a_nasty_title_back(title):
    """PyYAML, as Jekyll-like tools read."""
    read = yaml.safe_load(front_matter(render(content(title))))
    assert read == values(title)
    assert list(read) == KEYS


@pytest.mark.parametrize("title", NASTY.values(), ids=NASTY)
def test_yaml_1_2_reads_a_nasty_title_back(title):
    """ruamel.yaml, the other version of the language."""
    assert YAML(typ="safe", pure=True).load(front_matter(render(content(title)))) == values(title)


@pytest.mark.parametrize("word", NASTY.values(), ids=NASTY)
def test_names_of_the_configuration_are_text_too(word):
    """Categories and the author come from a person: whatever they are, they stay text."""
    text = front_matter(render(content(author=word, categories=(word, "a", "b"))))
    for read in (yaml.safe_load(text), YAML(typ="safe", pure=True).load(text)):
        assert read["author"] == one_line(word)
        assert read["categories"][0] == one_line(word)


@given(title=st.text(), headimg=st.text(max_size=50), name=st.text(max_size=20))
@settings(max_examples=300)
def test_any_text_comes_back(title, headimg, name):
    """Over everything that hypothesis finds, in both versions of YAML."""
    text = front_matter(render(content(title, headimg=headimg, author=name)))
    for read in (yaml.safe_load(text), YAML(typ="safe", pure=True).load(text)):
        assert list(read) == KEYS
        assert read["title"] == one_line(title)
        assert read["headimg"] == read["thumbnail"] == one_line(headimg)
        assert read["author"] == one_line(name)
        assert read["date"] == "Thu, 14 Apr 2022 03:32:04 GMT"


@pytest.mark.slow
def test_hexos_own_reader_gives_the_same_values_back(tmp_path):
    """hexo-front-matter, which comes with Hexo, over every nasty title at once."""
    installed = Path(os.environ.get("INGEST_HEXO", "nowhere")).absolute() / "node_modules"
    if not (installed / "hexo-front-matter").exists():
        pytest.skip("Hexo is not here (`make hexo` installs it)")
    (tmp_path / "node_modules").symlink_to(installed)
    files = [render(content(title)) for title in NASTY.values()]
    (tmp_path / "files.json").write_text(json.dumps(files), "utf-8")
    script = (
        "const {parse} = require('hexo-front-matter');"
        "const files = JSON.parse(require('fs').readFileSync('files.json', 'utf8'));"
        "console.log(JSON.stringify(files.map(file => parse(file))));"
    )
    output = subprocess.run(
        ["node", "-e", script], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    for title, read in zip(NASTY.values(), json.loads(output), strict=True):
        body = read.pop("_content")
        assert body == "\n<div>\n<p>x</p>\n</div>\n" or body.strip() == "<div>\n<p>x</p>\n</div>"
        assert read == values(title)


@given(st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"])))
def test_no_template_engine_finds_a_brace_in_a_body(text):
    """Nunjucks, Liquid and Hugo all begin with one; a browser shows it all the same."""
    import html

    body = inert(text)
    assert not set(body) & {"{", "}"}
    assert html.unescape(body) == html.unescape(text)


def test_further_keys_come_after_the_schemas():
    """Only when they are asked for."""
    text = render(
        content(extra=(("link", "https://a.example/"), ("keywords", ("a", "b")), ("symbols", ())))
    )
    read = yaml.safe_load(front_matter(text))
    assert list(read) == [*KEYS, "link", "keywords", "symbols"]
    assert read["keywords"] == ["a", "b"]
    assert read["symbols"] == []


def test_a_path_is_categories_day_title_and_id():
    """As DESIGN has it, and as people look for it."""
    path = article_path(
        ("金融", "新浪财经", "新浪财经－國內"), "2022-04-14", "工信部：排查", "imcwipii4221122"
    )
    assert path == "金融/新浪财经/新浪财经－國內/2022-04-14-工信部：排查-imcwipii4221122.md"


@given(
    title=st.text(),
    categories=st.lists(st.text(), min_size=1, max_size=3),
    identifier=st.from_regex(r"\A[a-z0-9]{8,16}\Z"),
)
@settings(max_examples=300)
def test_a_path_is_safe_whatever_the_title(title, categories, identifier):
    """No file system and no Hexo stumbles, nothing leaves the folder, no name passes the bound."""
    path = article_path(categories, "2022-04-14", title, identifier)
    parts = path.split("/")
    assert len(parts) == len(categories) + 1
    assert len(parts[-1].encode()) <= MOST_NAME_BYTES
    assert parts[-1].startswith("2022-04-14-")
    assert parts[-1].endswith(f"-{identifier}.md")
    for part in parts:
        assert part not in {"", ".", ".."}
        assert not set(part) & set('%#?\\:*"<>|')
        assert part == part.strip()
        assert one_line(part) == part


def test_titles_that_are_cut_alike_do_not_share_a_path():
    """The id keeps them apart."""
    long = "长" * 300
    assert article_path(("a",), "2022-04-14", long, "x1") != article_path(
        ("a",), "2022-04-14", long, "x2"
    )

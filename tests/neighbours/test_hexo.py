"""The archive folder is a Hexo site's ``source/_posts``: real Hexo, which `make hexo` installs.

Hexo drops a post that it cannot read with exit code 0, takes today for a date that it cannot
read, and fails as a whole at a broken template tag. So what it made is counted and compared.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import lxml.html
import pytest

from tools import ROOT
from tools.made_up_sina import FEED_URL, made_up, publish
from tools.running import Site, feed

INSTALLED = Path(os.environ.get("INGEST_HEXO", "nowhere")).absolute() / "node_modules"

pytestmark = pytest.mark.skipif(
    not (INSTALLED / "hexo").exists(), reason="Hexo is not here (`make hexo` installs it)"
)

HOSTILE = (
    "{{ 7 * 7 }}", "{% raw %}", "{% endraw %}", "{% if", "{#", "#}", "{{", "}}", "%}", "<% 1 %>",
    "<%- include('x') %>", "<!-- more -->", "---", "...", ": ", "- ", "? ", "# ", "@x", "`x`", "!x",
    "&x", "*x", "|", ">", "%41", "100%", "'", "''", '"', '"他说"', "\\", "\\n", "/", "../..", "~", "$1",
    "$&", "[x](y)", "![x](y)", "**x**", "_x_", "</div>", "<b>x</b>", "&amp;", "&#123;", "[[x]]", "null",
    "true", "0x10", "1e3", "2024-03-11", "08:30", "=", "<<", "，", "：", "“引”", "‘引’", "《书》", "😀👨‍👩‍👧🇨🇳",
    "\u202eabc\u202c", "\u200b", "\u2066x\u2069", "\u0301", "\ufeff", "\u00a0", "\u3000", "\u2028", "ﷺ",
    "🏴\U000e0067\U000e0062\U000e007f", "ＡＢＣ", "con", "aux.", "index", "posts.json", ".hidden", "_draft",
)  # fmt: skip
"""What some template engine, YAML reader, Markdown or file system takes for its own."""

CATEGORIES = (
    ("金融", "新浪财经", "新浪财经－國內"),
    ("_金融", "a: b", "{{ 7 * 7 }} {% if"),
    ("yes", "100%", "'引' \"号\" #1"),
    (".隐", "a/b", "- <% 1 %> &amp; 😀"),
)
"""Of four feeds, the last one being the feed's name."""


def hostile(number: int):
    """Return an article whose title, author and text hold three of the hostile pieces."""
    first, second, third = (HOSTILE[(number * step + step) % len(HOSTILE)] for step in (1, 7, 31))
    alone = number < len(HOSTILE)
    title = HOSTILE[number] if alone else f"{first}标题{number}{second} {third}"
    words = (f"　　第{number}段：{one}在这里，是正文里的一段话。" for one in (first, second, third))
    safe = [one.replace("&", "&amp;").replace("<", "&lt;") for one in words]
    article = made_up(number)
    code = "<pre>{% raw %}\n\n\n{{ 7 * 7 }}\n\n    [x](y)\n\n---\n</pre>"
    return replace(
        article,
        title=title,
        paragraphs=(*article.paragraphs, *safe, code),
        published_at=article.published_at + timedelta(hours=5 * number, seconds=number),
    )


@pytest.fixture
def archived(site: Site, net) -> Site:
    """Give an archive of 200 articles in four feeds."""
    feeds = []
    for number, (first, second, name) in enumerate(CATEGORIES):
        url = f"{FEED_URL}/{number}"
        publish(net, [hostile(50 * number + one) for one in range(50)], feed_url=url)
        categories = json.dumps([first, second], ensure_ascii=False)
        escaped = name.replace('"', '\\"')
        feeds.append(
            feed(url, escaped, f"categories = {categories}\nauthor = '{{{{ 作者 }}}}: #{number}'")
        )
    site.configure(*feeds)
    done = site.run("--once")
    assert done.returncode == 0, done.stderr
    return site


def generate(site: Site, folder: Path, more: str = "") -> tuple[str, list[dict]]:
    """Let Hexo make a site of the archive folder; return what it said, and the posts it knows.

    ``more`` is put into its configuration.
    """
    shutil.copytree(ROOT / "tests" / "neighbours" / "hexo", folder)
    with (folder / "_config.yml").open("a", encoding="utf-8") as configuration:
        configuration.write(more)
    (folder / "node_modules").symlink_to(INSTALLED)
    (folder / "source").mkdir()
    (folder / "source" / "_posts").symlink_to(site.folder / "archive")
    done = subprocess.run(
        ["node", "node_modules/hexo/bin/hexo", "generate", "--bail"],
        cwd=folder,
        env=os.environ | {"TZ": "Asia/Shanghai", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr, json.loads((folder / "public" / "posts.json").read_text())


def text_of(html: str) -> str:
    """Return the words of some HTML, without white space, as a browser shows them."""
    return "".join(lxml.html.fromstring(f"<div>{html}</div>").text_content().split())


def test_hexo_makes_of_200_hostile_articles_what_the_database_says(archived, tmp_path):
    """As many posts, each with its title, date, categories, picture, author and whole text."""
    said, posts = generate(archived, tmp_path / "blog")
    assert "ERROR" not in said, said
    assert "WARN" not in said, said
    rows = archived.query(
        "SELECT path, title, published_at, categories, headimg, author, content_html FROM articles"
    )
    assert len(rows) == len(posts) == 200
    by_source = {one["source"].removeprefix("_posts/"): one for one in posts}
    for path, title, published_at, categories, headimg, author, html in rows:
        post = by_source[path]
        assert post["title"] == title
        assert datetime.fromisoformat(post["date"]) == datetime.fromisoformat(published_at)
        assert post["categories"] == categories.splitlines()
        assert (post["headimg"], post["author"], post["comments"]) == (headimg, author, False)
        assert text_of(post["content"]) == text_of(html)


def test_every_post_has_a_page_of_its_own_with_its_title_and_text(archived, tmp_path):
    """No two share an address, and no template swallowed a brace on the way."""
    _, posts = generate(archived, tmp_path / "blog")
    assert len({one["path"] for one in posts}) == 200
    for post in posts:
        page = tmp_path / "blog" / "public" / post["path"] / "index.html"
        assert text_of(post["content"]) in text_of(page.read_text("utf-8"))


def test_hexo_publishes_the_pictures_where_the_posts_name_them(site, net, tmp_path):
    """With its asset folders; the excerpt ends at the mark, and the address has no folders."""
    pictures = ("//n.sinaimg.cn/made-up/1.jpg", "//n.sinaimg.cn/made-up/2.png")
    paragraphs = ("石门水泥提价，" * 30, "后面的一段话，" * 30)
    shown = tuple((address, "图") for address in pictures)
    publish(net, [replace(made_up(1), pictures=shown, paragraphs=paragraphs)])
    site.configure(
        archive="images = true\nlocal_images = true\nexcerpt = true\n"
        'extra_front_matter = ["permalink"]'
    )
    assert site.run("--once").returncode == 0
    _, (post,) = generate(site, tmp_path / "blog", "post_asset_folder: true\n")
    path = unquote(post["path"]).lstrip("/")
    assert re.fullmatch(r"2024/\d\d/2024-[^/]+\.html", path)
    page = tmp_path / "blog" / "public" / path
    tree = lxml.html.fromstring(page.read_text("utf-8"))
    sources = [name for name in tree.xpath("//img/@src") if "//" not in name]
    assert len(set(sources)) == 2
    for source in sources:
        assert (page.parent / unquote(source)).read_bytes().startswith(b"\x89PNG")
    assert "后面的一段话" not in post["excerpt"]
    assert "石门水泥提价" in post["excerpt"]

"""``ingest browse`` in a real browser: Debian's Chromium, headless; `make browser` runs it."""

import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tools.made_up_sina import finance_page, made_up, publish
from tools.running import Site
from tools.screenshots import chromium, pages_of_every_kind, served

CHROMIUM = Path(os.environ.get("INGEST_CHROMIUM", "nowhere"))

pytestmark = pytest.mark.skipif(
    not CHROMIUM.is_file(), reason="Chromium is not here (`make browser`; apt install chromium)"
)

SHAPES = {
    "a phone, dark": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    "a desk, light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
}


@pytest.fixture
def archived(site: Site, net) -> Site:
    """Give an archive of 30 articles on a security, one of them edited and with a picture."""
    articles = [replace(made_up(number), symbols="sh600001") for number in range(1, 31)]
    publish(net, articles)
    site.run("--once")
    first, *rest = articles[0].paragraphs
    edited = replace(articles[0], paragraphs=(f"{first}鲲鹏展翅，更正如上。", *rest))
    net.serve(edited.url, finance_page(edited))
    site.make_due()
    site.run("--once")
    return site


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_reader_finds_an_article_and_its_edit_and_nobody_else_is_asked(archived, shape, tmp_path):
    """Two characters, an article, its edit; then its pictures, which only then are asked for."""
    asked: list[str] = []
    said: list[str] = []
    with served(archived) as address, chromium(str(CHROMIUM)) as browser:
        page = browser.new_page(**shape, locale="en-GB")
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))

        page.goto(address)
        assert page.locator("rect.bar").count() == 1
        assert "ok" in page.locator("#feeds + .wide table").inner_text()
        looks_right(page, shape, tmp_path / "front.png")

        page.fill("input[type=search]", "鲲鹏")
        page.press("input[type=search]", "Enter")
        assert page.locator("mark").first.inner_text() == "鲲鹏"
        looks_right(page, shape, tmp_path / "search.png")

        page.press("body", "j")
        page.press(".articles li > a", "o")
        assert page.locator("ins").first.inner_text() in "鲲鹏展翅，更正如上。"
        assert page.locator("img").count() == 0
        looks_right(page, shape, tmp_path / "article.png")

        page.goto(f"{address}/archive/articles")
        assert "30 rows" in page.content()
        assert {urlsplit(one).hostname for one in asked} == {"127.0.0.1"}
        assert said == []

        page.go_back()
        page.route(re.compile("sinaimg"), lambda route: route.abort())
        page.click(".button")
        assert page.locator("article img").count() == 1
        page.locator("article img").scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")
        assert "n.sinaimg.cn" in {urlsplit(one).hostname for one in asked}


def looks_right(page, shape, picture: Path) -> None:
    """Check that the page is no wider than the screen, and as dark as is wished for."""
    page.screenshot(path=picture, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= shape["viewport"]["width"]
    red, *_ = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (int(red) < 64) == (shape["color_scheme"] == "dark")


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_axe_finds_nothing_on_any_kind_of_page(archived, shape, language):
    """axe-core's rules: contrast, names, headings, landmarks, what a keyboard reaches."""
    from axe_playwright_python.sync_playwright import Axe

    axe, found = Axe(), {}
    with served(archived) as address, chromium(str(CHROMIUM)) as browser:
        page = browser.new_page(**shape, locale=language)
        for path in pages_of_every_kind(page, address, "鲲鹏").values():
            page.goto(address + path)
            found[path] = axe.run(page, options={"iframes": False}).generate_snapshot()
        page.set_content("<html><body><img src='data:,'></body></html>")
        assert "image-alt" in axe.run(page).generate_snapshot()
    assert {path: rules for path, rules in found.items() if rules} == {}

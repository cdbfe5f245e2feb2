"""Each line for a shell that the pages show is run; those that are not, and why, stand here."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.support.feeds import rss
from tools import ROOT, forked
from tools.fake_internet import FakeInternet
from tools.fake_internet.pages import Answer
from tools.made_up_sina import (
    LIVE_API,
    demo_articles,
    live_answer,
    made_up,
    publish,
    roll_answer,
)
from tools.running import Site, feed

CHINA_OF_RSSHUB = "https://rsshub.app/sina/finance/china"
DOCS = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
PAGES = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", *DOCS]
RUN_ELSEWHERE = {
    "docs/backup.md": "tests/project/test_docs.py: a backup is restored",
    "docs/tutorial.md": "tests/project/test_docs.py: the tutorial runs",
    "docs/tutorial.zh-CN.md": "tests/project/test_docs.py: it has the same lines",
}
"""Pages whose lines follow each other, and what runs them as they do."""

NOT_RUN = {
    r"(sudo )?make .*": "what contributors and CI call: tests/project/test_docs.py has that each is there",
    r"pip install [^=]+": "needs a registry: tests/project/test_names.py has what is installed",
    r"/opt/ingestor/bin/pip install .*": "needs a registry, and a version that is older",
    r"ingest": "stays until it is stopped: tests/daemon/test_daemon.py",
    r"ingest --install-completion": "changes the user's shell: tests/cli/test_completion.py",
    r"ingest browse.*": "stays until it is stopped: tests/browse/",
    r"ingest follow.*": "stays until it is stopped: tests/cli/test_follow.py",
    r"ingest worker.*": "stays until it is stopped, and needs PostgreSQL: tests/cluster/test_cluster.py",
    r"ingest .*--defer.*": "needs PostgreSQL: tests/cluster/test_cluster.py",
    r"ingest copy .*": "needs PostgreSQL at that address: tests/maintenance/test_copy.py",
    r"createdb .*": "PostgreSQL's, on a server; its options are those of tests/cluster",
    r"export AWS_.*": "an object store's address and keys: tests/archive/test_object_store.py",
    r"(sudo )?systemctl .*": "the service manager's; here its units and verbs are looked at",
    r"sudo usermod .*": "changes the system's users",
    r"cd /var/lib/ingestor|rm -f archive\.db.*|mv archive\.db .*|cp archive\.db\.schema.*": (
        "tests/project/test_docs.py: the way back to an older version"
    ),
    r"warcio .*": "tests/project/test_docs.py: the kept pages open",
    r"python3 -m venv pywb .*|pywb/bin/.*": "needs a registry: tests/neighbours/test_replay.py",
    r"ln -s /var/lib/ingestor/.*|cd ~/blog && .*": "needs Hexo: tests/neighbours/test_hexo.py",
}
"""Lines without their comments that are not run, each with why, and where what they do is tested."""

JQ = f"""#!{sys.executable}
import json, sys
decoder, text = json.JSONDecoder(), sys.stdin.read().strip()
while text:
    value, end = decoder.raw_decode(text)
    rows = value if isinstance(value, list) else [value]
    for row in rows:
        print(row[sys.argv[2].rpartition(".")[2]])
    text = text[end:].strip()
"""
"""What the pages ask of ``jq``: one key of each object."""


OTHER_LANGUAGES = {
    ("README.md", "sql"): "tests/project/test_docs.py",
    ("README.zh-CN.md", "sql"): "tests/project/test_docs.py",
    ("docs/operations.md", "yaml"): "tests/daemon/test_health.py",
    ("docs/point-in-time.md", "python"): "tests/store/test_querying.py",
    ("docs/point-in-time.md", "sql"): "tests/store/test_querying.py",
    ("docs/python.md", "python"): "tests/api/test_tutorial.py",
    ("docs/querying.md", "python"): "tests/store/test_querying.py",
    ("docs/querying.md", "sql"): "tests/store/test_querying.py",
    ("docs/schema.md", "sql"): "tests/project/test_docs.py",
    ("docs/watch.md", "python"): "tests/watch/test_watches.py",
}
"""What runs a page's blocks of another language; configurations, wherever they are, all load."""


def shell_blocks(page: str) -> list[list[str]]:
    """Return the lines for a shell that a page shows, a list a block, without their comments."""
    found = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    lines = [[re.sub(r"(?:^|\s+)# .*", "", line) for line in text.splitlines()] for text in found]
    return [[line for line in block if line] for block in lines]


def why_not(line: str) -> str:
    """Return why a line is not run; ``""``: it is."""
    return next((why for kind, why in NOT_RUN.items() if re.fullmatch(kind, line)), "")


def lines_to_run(page: str) -> list[str]:
    if page in RUN_ELSEWHERE:
        return []
    return [line for block in shell_blocks(page) for line in block if not why_not(line)]


@pytest.fixture(scope="module")
def sina():
    """Give a made-up Sina, and who else the pages name."""
    with FakeInternet() as net:
        articles = [*demo_articles(), made_up(1)]
        publish(net, articles)
        publish(net, articles, feed_url=CHINA_OF_RSSHUB)
        roll = Answer(roll_answer(articles).encode(), "application/json")
        net.serve_function("https://feed.mix.sina.com.cn/api/roll/get", lambda *_: roll)
        live = Answer(live_answer([]).encode(), "application/json")
        net.serve_function(LIVE_API, lambda *_: live)
        link = '<link rel="alternate" type="application/rss+xml" href="/all.xml">'
        net.serve("https://example.com/news.html", f"<html><head>{link}</head></html>")
        item = "<item><title>水泥</title><link>https://example.com/1</link></item>"
        net.serve("https://example.com/all.xml", rss(item), content_type="application/xml")
        yield net


@pytest.fixture(scope="module")
def archive(sina, tmp_path_factory):
    """Give a folder with an archive, and what the lines find beside it."""
    place = Site(tmp_path_factory.mktemp("archive"), sina)
    place.configure(feed(), feed(CHINA_OF_RSSHUB, "新浪财经－7×24"))
    with (place.folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write('[[watch]]\nname = "茅台"\nfeed = "moutai.atom"\n')
    assert place.run("--once").returncode == 0
    (warc,) = (place.folder / "warc").glob("*.warc.gz")
    (place.folder / "crawl").mkdir()
    for name in ("CC-NEWS-20240501010203-00001.warc.gz", "crawl/a.warc.gz", "crawl/b.warc.gz"):
        shutil.copy(warc, place.folder / name)
    shutil.copytree(place.folder / "archive", place.folder / "blog" / "source" / "_posts")
    assert place.run("export", "browsertrix.wacz").returncode == 0
    assert place.run("feed", "export", "theirs.opml").returncode == 0
    return place


@pytest.fixture
def reader(archive, tmp_path):
    """Give what runs a line in a copy of the archive, or in the empty folder beside it."""
    folder, programs, empty = tmp_path / "home", tmp_path / "bin", tmp_path / "empty"
    shutil.copytree(archive.folder, folder)
    programs.mkdir()
    empty.mkdir()
    scripts = {"jq": JQ, "ingest": f'#!/bin/sh\nexec {sys.executable} -m ingestor "$@"\n'}
    for name, script in scripts.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    environment = archive.environment() | {
        "HOME": str(folder),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "INGEST_FETCH__PROXY": archive.net.proxy_url,
        "INGEST_FETCH__TIMEOUT": "60s",
        "INGEST_FETCH__DELAY_PER_HOST": "0s",
    }

    def run(line: str, *, is_new: bool) -> tuple[int, str]:
        place = empty if is_new else folder
        if re.search(r"[|>*~]", line):
            done = subprocess.run(
                ["bash", "-c", f"set -o pipefail; {line}"],
                cwd=place,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        else:
            done = forked.run(shlex.split(line)[1:], place, environment)
        return done.returncode, done.stderr

    return run


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if lines_to_run(page)])
def test_each_line_of_a_page_runs(page, reader):
    """As it stands, one after the other; a search that finds nothing says so by 1."""
    for block in shell_blocks(page):
        is_new = "ingest init" in block
        for line in block:
            if why_not(line):
                continue
            code, said = reader(line, is_new=is_new)
            allowed = {0, 1} if line.startswith("ingest search") else {0}
            assert code in allowed, (line, code, said)
            assert not (code and said), (line, said)


def test_what_is_not_run_is_still_shown_somewhere():
    """A reason of a line that is gone goes as well."""
    shown = [line for page in PAGES for block in shell_blocks(page) for line in block]
    assert len(shown) > 100
    idle = [kind for kind in NOT_RUN if not any(re.fullmatch(kind, line) for line in shown)]
    assert idle == []
    assert [page for page in RUN_ELSEWHERE if not shell_blocks(page)] == []


def test_blocks_of_other_languages_have_a_test_as_well():
    """A page that begins to show some needs one."""
    shown = {
        (page, language)
        for page in PAGES
        for language in re.findall(r"^```(\w+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    }
    assert {pair for pair in shown if pair[1] not in {"sh", "toml", "mermaid"}} == set(
        OTHER_LANGUAGES
    )


def test_the_tests_that_are_said_to_run_a_line_are_there():
    """Each file or folder that a reason names."""
    reasons = " ".join([*NOT_RUN.values(), *RUN_ELSEWHERE.values(), *OTHER_LANGUAGES.values()])
    named = re.findall(r"tests/[\w/.]+(?:\.py|/|\b)", reasons)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


VERBS_OF_SYSTEMD = {"enable", "start", "stop", "reload", "restart", "status", "--now"}


def test_the_service_manager_is_asked_for_units_that_are_there():
    """By verbs that it has."""
    lines = {
        line
        for page in PAGES
        for block in shell_blocks(page)
        for line in block
        if re.match(r"(?:sudo )?systemctl ", line)
    }
    assert len(lines) >= 3
    for line in lines:
        words = set(shlex.split(line)) - {"sudo", "systemctl"} - VERBS_OF_SYSTEMD
        assert words != set(), line
        assert [word for word in words if not (ROOT / "deploy" / f"{word}.service").exists()] == []

"""What strangers wrote reaches terminals, logs and file names as plain lines."""

import pickle

import pytest

from ingestor.errors import NoArticle
from tests.hostile.inert import UNSEEN
from tests.hostile.nasty_feeds import json_feed
from tests.hostile.nasty_pages import KEPT, finance
from tools.made_up_sina import FEED_URL
from tools.running import feed

EVIL = "石门\x1b]0;evil\x07\x1b[2J水泥\u202egnp\u2066\x9b31m\u200b"
"""Sets a terminal's title, clears it, colours it, and reads backwards."""

HOST = "https://finance.sina.com.cn/china/2024-03-11"
FULL, LONG, BAD = (f"{HOST}/doc-imadeup000000{number}.shtml" for number in (1, 2, 3))


@pytest.fixture
def attacked(site, net):
    """Give a user whose feeds and pages are hostile; one article, and failures of every kind."""
    items = [{"id": EVIL, "url": url, "title": EVIL, "tags": [EVIL]} for url in (FULL, LONG, BAD)]
    net.serve(FEED_URL, json_feed(*items, title=EVIL), content_type="application/json")
    net.serve("http://b.example/feed", f"<html><title>{EVIL}", content_type="text/html")
    net.serve(FULL, finance(f"<p>{KEPT}{EVIL}</p>", title=EVIL))
    net.serve(LONG, finance(f"<p>{KEPT}</p>", title=EVIL + "长" * 600))
    net.redirect(BAD, f"http://evil.example:99/{EVIL.encode().hex()}/%1b[2J")
    site.configure(feed(), feed("http://b.example/feed", name="坏"))
    return site


def test_nothing_that_is_not_seen_reaches_a_terminal_a_log_a_file_name_or_a_row(attacked):
    """Results, errors and logs: it is not there, or escaped; what can be seen of it is."""
    done = attacked.run("--once", "--verbose", "--log-format", "json")
    assert done.returncode == 1
    assert "title has" in done.stderr
    assert "HTML page" in done.stderr
    outputs = [done.stdout, done.stderr]
    for command in (
        ["--once", "--log-format", "journal"],
        ["status"],
        ["status", "--json"],
        ["show", "1", "--revisions"],
    ):
        told = attacked.run(*command)
        outputs += [told.stdout, told.stderr]
    outputs += attacked.files()
    (row,) = attacked.query("SELECT title, content_text, content_html FROM articles")
    errors = attacked.query("SELECT error FROM entries UNION ALL SELECT last_error FROM feeds")
    outputs += [*row, *(error for (error,) in errors)]
    for output in outputs:
        assert UNSEEN.findall(output.replace("\n", "")) == []
    # An escape sequence without its first character is text.
    assert row[0] == "石门 ]0;evil [2J水泥gnp 31m"


def test_an_error_quotes_a_stranger_without_what_is_not_seen():
    """Whatever is put into it, and also behind the way from a worker process."""
    error = pickle.loads(pickle.dumps(NoArticle(f"https://a.example/{EVIL}: {'x' * 9999}")))
    assert UNSEEN.findall(str(error)) == []
    assert len(str(error)) == 3_000
    assert str(error).startswith("https://a.example/石门]0;evil")

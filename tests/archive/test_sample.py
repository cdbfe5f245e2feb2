"""The sample's front matter, value for value, from a feed item and a page that are built from it."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from html import escape

import yaml

from tests.support.shared import shared
from tools.running import feed

URL = "https://finance.sina.com.cn/china/gncj/2022-04-14/doc-imadeup0414001.shtml"
FEED_URL = "https://rsshub.example/sina/finance/china"


def split(text: str) -> tuple[dict, str]:
    """Return a file's front matter and its body."""
    _, head, body = text.lstrip("\n").split("---\n", 2)
    return yaml.safe_load(head), body


def page(values: dict, body: str, published: datetime) -> str:
    local = published.astimezone(timezone(timedelta(hours=8)))
    return f"""<html><head><meta charset="utf-8"><meta name="publishid" content="madeup0414001">
<meta property="article:published_time" content="{local.isoformat()}"></head><body>
<h1 class="main-title">{escape(values["title"])}</h1><div class="article" id="artibody">{body}</div></body></html>"""


def test_the_samples_front_matter_is_reproduced_value_for_value(site, net):
    """Run as a user would: one feed, one page, one file."""
    values, body = split(next(shared("sample").iterdir()).read_text("utf-8"))
    raw = body.replace("&#123;", "{").replace("&#125;", "}")
    published = parsedate_to_datetime(values["date"]).astimezone(UTC)
    item = f"""<item><title>{escape(values["title"])}</title><link>{URL}</link><guid>{URL}</guid>
<pubDate>{values["date"]}</pubDate><description><![CDATA[{raw}]]></description></item>"""
    net.serve(FEED_URL, f'<rss version="2.0"><channel><title>x</title>{item}</channel></rss>')
    net.serve(URL, page(values, raw, published))
    site.configure(feed(FEED_URL, values["categories"][-1]))
    done = site.run("--once")
    assert done.returncode == 0, done.stderr
    ((path, text),) = site.files().items()
    ours, ours_body = split(text)
    assert ours == values
    assert list(ours) == list(values)
    assert path.startswith("/".join(values["categories"]) + "/2022-04-14-")
    assert "appendQr" not in ours_body
    assert "责任编辑" not in ours_body

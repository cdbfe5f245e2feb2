"""What was believed and turns out never to have been the article: found out later, and set right."""

from dataclasses import replace

import pytest

from tools.made_up_sina import FEED_URL, finance_page, made_up, publish
from tools.running import Site, feed

FURNITURE = "".join(
    f"本站第{number}个栏目由编辑部维护，欢迎各位读者来信提出意见和建议，我们会认真阅读每一封来信。"
    for number in range(8)
)
CAPTCHA = "<html><title>访问验证</title><body><p>请完成安全验证后继续访问，拖动滑块完成拼图。</p></body></html>"
BELIEVED = "SELECT id FROM articles WHERE doubted_at IS NULL ORDER BY id"


def announce(net, count: int, *, text: str = "") -> None:
    """Let a feed announce addresses that all answer with the same innocent text."""
    items = ""
    for number in range(1, count + 1):
        url, title = f"https://news.example/{number}/a.html", f"第{number}号公司发布年度经营报告"
        body = f"<h1>{title}</h1><div><p>{FURNITURE}</p></div>"
        net.serve(url, f"<html><head><title>{title}</title></head><body>{body}</body></html>")
        items += f"<item><title>{title}</title><link>{url}</link><guid>{number}</guid>"
        items += f"<description><![CDATA[{text}]]></description></item>" if text else "</item>"
    page = (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'
    )
    net.serve(FEED_URL, page, content_type="application/xml")


def run(site: Site) -> None:
    if (site.folder / "archive.db").exists() or site.store:
        site.make_due("feeds", "next_poll_at")
    site.run("--once")


def believed_before_it_was_found_out(site: Site, net, count: int, **more: str) -> None:
    """Let articles be as an older program had them, which compared nothing."""
    for number in range(1, count + 1):
        announce(net, number, **more)
        if number > 1:
            site.change("UPDATE captures SET text_hash = '', reading = '', reason = ''")
        run(site)
    site.change("UPDATE captures SET text_hash = '', reading = '', reason = ''")
    assert len(site.query(BELIEVED)) == count


@pytest.mark.every_store
def test_a_text_that_comes_again_was_no_article(site, net):
    """The first is believed; with the second both are none, and so are all that follow."""
    announce(net, 1)
    run(site)
    assert site.query(BELIEVED) == [(1,)]
    assert len(site.files()) == 1
    (seen,) = site.query("SELECT max(sequence) FROM changes")
    announce(net, 2)
    run(site)
    assert site.query(BELIEVED) == []
    assert site.files() == {}
    # Who follows the changes had it as an article, and is told.
    told = f"SELECT cause, article_id, revision FROM changes WHERE sequence > {seen[0]}"
    assert site.query(told) == [("doubt", 1, 1)]
    announce(net, 8)
    run(site)
    assert site.query(BELIEVED) == []
    assert site.query("SELECT state, count(*) FROM entries GROUP BY state") == [("pending", 8)]
    assert site.query("SELECT cause FROM revisions") == [("doubt",)]
    assert site.matching("编辑") == []
    assert site.run("verify").stdout == "0 disagreements; 0 foreign files\n"
    # It becomes one when its page does.
    real = made_up(1)
    net.serve(
        "https://news.example/1/a.html",
        finance_page(replace(real, title="第1号公司发布年度经营报告")),
    )
    site.make_due("entries", "next_attempt_at")
    run(site)
    assert site.query(BELIEVED) == [(1,)]
    assert site.query("SELECT revision, cause FROM revisions ORDER BY sequence") == [
        (1, "doubt"),
        (2, "new"),
    ]
    assert len(site.files()) == 1
    assert site.run("verify").stdout == "0 disagreements; 0 foreign files\n"


@pytest.mark.every_store
def test_an_archive_from_before_is_set_right(site, net):
    """By reextract; --dry-run shows it and stores nothing; a second run changes nothing."""
    believed_before_it_was_found_out(site, net, 3)
    shown = site.run("reextract", "--dry-run")
    assert "not the article: none boilerplate 3; 3 doubted" in shown.stdout, shown
    assert len(site.query(BELIEVED)) == len(site.files()) == 3
    done = site.run("reextract")
    assert "3 doubted" in done.stdout, done
    assert site.query(BELIEVED) == []
    assert site.files() == {}
    assert (
        site.query("SELECT state, attempts, article_id FROM entries") == [("pending", 0, None)] * 3
    )
    assert site.query("SELECT DISTINCT reading, reason FROM captures WHERE article_id > 0") == [
        ("none", "boilerplate")
    ]
    rows = site.query("SELECT * FROM revisions"), site.query("SELECT * FROM articles")
    assert "0 articles read again" in site.run("reextract").stdout
    assert (site.query("SELECT * FROM revisions"), site.query("SELECT * FROM articles")) == rows


def test_the_text_of_the_feed_takes_its_place(site, net):
    """Where there is one: the entry stays done, the article is no doubted one."""
    said = "<p>公司全年营业收入同比增长百分之十二，净利润创下历史新高，董事会提议每股派息三角。</p>"
    believed_before_it_was_found_out(site, net, 2, text=said)
    site.change(f"UPDATE entries SET content = '{said}'")
    assert site.run("reextract").returncode == 0
    assert (
        site.query("SELECT origin, doubted_at, revision FROM articles") == [("feed", None, 2)] * 2
    )
    assert site.query("SELECT DISTINCT state FROM entries") == [("done",)]
    assert all("百分之十二" in text for text in site.files().values())
    assert site.matching("派息") == [1, 2]
    assert site.run("verify").stdout == "0 disagreements; 0 foreign files\n"
    assert "0 changed" in site.run("reextract").stdout


@pytest.mark.every_store
def test_verify_finds_and_mends_it(site, net):
    """A line an article; after --repair nothing is left."""
    believed_before_it_was_found_out(site, net, 2)
    site.change(
        "UPDATE captures SET text_hash = 'x', reading = 'article' WHERE url LIKE '%/a.html'"
    )
    found = site.run("verify")
    assert found.returncode == 1
    assert "article 2: the same text as 1 other address of news.example" in found.stdout, found
    assert site.run("verify", "--repair").returncode == 0
    assert site.query(BELIEVED) == []
    assert site.files() == {}
    assert site.run("verify").stdout == "0 disagreements; 0 foreign files\n"


@pytest.mark.every_store
def test_the_good_revision_is_put_back(site, net):
    """A second look that an older program believed: it stays in history as a doubt."""
    site.configure(feed(), schedule='recheck = ["1h", "2h", "3h"]')
    publish(net, [made_up(1)])
    site.run("--once")
    whole, good = site.files(), made_up(1)
    for page in (CAPTCHA, finance_page(replace(good, title="改过的标题"))):
        net.serve(good.url, page)
        site.make_due()
        site.run("--once")
    site.change(
        "UPDATE revisions SET title = '访问验证', capture_id = (SELECT min(id) FROM captures"
        " WHERE reading = 'none') WHERE revision = 2",
        "UPDATE articles SET title = '访问验证', media = 'x'",
        "UPDATE captures SET text_hash = '', reading = '', reason = ''",
    )
    shown = site.run("reextract", "--dry-run")
    assert "1 would change" in shown.stdout, shown
    assert "none verification 1; 0 doubted" in shown.stdout
    assert site.run("reextract").returncode == 0
    assert site.query("SELECT title, origin, doubted_at FROM articles") == [
        (good.title, "page", None)
    ]
    causes = site.query("SELECT revision, cause FROM revisions ORDER BY sequence")
    assert causes == [(1, "new"), (2, "doubt")]
    assert site.files() == whole
    assert site.run("verify").stdout == "0 disagreements; 0 foreign files\n"
    again = site.run("reextract")
    assert "1 article read again: 0 changed" in again.stdout
    assert site.query("SELECT count(*) FROM revisions") == [(2,)]

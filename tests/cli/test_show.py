"""``ingest show``: one article and how it became what it is."""

import json
from dataclasses import replace

import pytest

from ingestor.cli.show import differences
from tools.made_up_sina import finance_page, made_up, publish


@pytest.fixture
def edited(site, net):
    """Give a site with one article that was edited after publication."""
    one = made_up(1)
    publish(net, [one])
    site.run("--once")
    first, *rest = one.paragraphs
    corrected = replace(
        one, title="更正后的标题", paragraphs=(first.replace("。", "，更正。", 1), *rest)
    )
    net.serve(one.url, finance_page(corrected))
    site.make_due()
    site.run("--once")
    return one


def test_an_article_is_shown_by_its_address_in_any_form(site, edited):
    """Facts first, then the text."""
    for named in (edited.url, edited.url.replace("https", "http") + "?from=wap", edited.mobile_url):
        shown = site.run("show", named)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.startswith("更正后的标题\n")
        assert "，更正。" in shown.stdout


@pytest.mark.every_store
def test_revisions_say_when_each_was_seen(site, edited):
    """A line each, the first included."""
    lines = site.run("show", "1", "--revisions").stdout.splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["1", "2"]
    assert edited.title in lines[-2]
    assert "edit" in lines[-1]


def test_a_diff_shows_what_changed_and_no_more(site, edited):
    """The title and one paragraph."""
    shown = site.run("show", "1", "--diff").stdout
    changed = [line for line in shown.splitlines() if line[:2] in {"- ", "+ ", "~ "}]
    assert len(changed) in {2, 3}
    assert "{+，更正+}" in shown


def test_json_has_everything(site, edited):
    """For programs."""
    found = json.loads(site.run("show", "1", "--json").stdout)
    assert [one["cause"] for one in found["revisions"]] == ["new", "edit"]
    assert found["revisions"][0]["title"] == edited.title


@pytest.mark.every_store
@pytest.mark.parametrize(
    ("named", "said"),
    {
        "99": "no such article",
        "99999999999999999999999": "no such article",
        "https://finance.sina.com.cn/nothing.shtml": "no such article",
        "贵州茅台": "neither",
        "ftp://a.example/": "neither",
    }.items(),
)
def test_what_is_not_there_is_said(site, net, named, said):
    """One line, exit 2."""
    publish(net, [made_up(1)])
    site.run("--once")
    shown = site.run("show", named)
    assert shown.returncode == 2
    assert said in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_a_changed_paragraph_is_shown_once_with_what_changed_inside():
    """Long unchanged stretches are shortened."""
    before, after = "甲" * 200 + "去年" + "乙" * 200, "甲" * 200 + "今年" + "乙" * 200
    (line,) = differences([before], [after], colours=False)
    assert line.startswith("~ 甲")
    assert "[-去-]{+今+}年" in line
    assert len(line) < 150

"""docs/python.md is a tutorial: its blocks run, one after the other, and say what they should."""

import re
from dataclasses import replace

import pytest

from tools import ROOT
from tools.made_up_sina import demo_articles, finance_page, publish

BLOCKS = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.DOTALL
)


@pytest.mark.slow
def test_the_tutorial_runs(site, net, monkeypatch):
    """Over articles that were downloaded, one of which was edited."""
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    told = demo_articles()
    publish(net, told)
    assert site.run("--once").returncode == 0
    edited = told[8]
    net.serve(edited.url, finance_page(replace(edited, title=f"{edited.title}（更正）")))
    site.make_due()
    assert site.run("--once").returncode == 0
    monkeypatch.chdir(site.folder)
    names: dict[str, object] = {}
    answers = []
    for block in BLOCKS:
        names.pop("answer", None)
        exec(block, names)
        answers.append(names.get("answer"))
    landing, edits, waited = [answer for answer in answers if answer is not None]
    assert landing.articles.sum() == len(names["newest"]) >= 1
    assert [title for title, *_ in edits] == [f"{edited.title}（更正）"]
    assert waited["count"].sum() == len(told)
    assert len(names["frame"]) == names["by_day"].sum() == len(told)
    assert names["table"].num_rows >= 1
    assert names["landed"].title == f"{edited.title}（更正）"
    # All of it was first seen today.
    assert names["before"] is None
    assert len(names["then"].articles()) == 0

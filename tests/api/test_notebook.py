"""docs/examples/questions.ipynb: it runs as it stands, and answers what is in the archive."""

import json
import os
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from ingestor.model import Body, Security
from ingestor.store import revisions
from tools import ROOT
from tools.filling import arrival_of, filled, save_articles

LONGEST = 300
"""Seconds after which a cell that does not end has failed."""

ASK = """
import json
print(json.dumps({
    "symbol": symbol,
    "mentions": by_day.mentions.tolist(),
    "all": by_day["all"].tolist(),
    "busy": by_day.is_busy.tolist(),
    "lead_minutes": by_day.lead_minutes.tolist(),
    "edits": edits.to_dict("records"),
    "delays": delays["50%"].to_dict(),
    "leads": sorted(lead.index.tolist()),
}))
"""


@pytest.fixture
def archive(tmp_path):
    """Make an archive of three days, 20 articles a day: 3, 5 and 8 of them name a security.

    Each is had 30 minutes after it was published; one of them is edited two hours after that.
    """
    place = tmp_path / "archive.db"
    with closing(filled(place, [])) as database, database.transaction() as connection:
        made = [of_day(day, number) for day in range(3) for number in range(20)]
        first = save_articles(connection, made)[0].article_id
        before = made[0].article
        body = replace(before.body, text="改过的第一段。\n第二段。")
        edit = replace(
            made[0],
            seen_at=made[0].seen_at + timedelta(hours=2),
            article=replace(before, title="更正：第一篇", body=body),
        )
        revisions.revise(connection, first, edit)
    return place


def of_day(day, number):
    """Return an article that is had so many minutes after nine, with a text that no other has."""
    arrival = arrival_of(24 * day, f"第{day}日第{number}篇", "")
    published = arrival.seen_at + timedelta(minutes=number)
    securities = (Security("sh", "sh600999", "石门水泥"),) if number < (3, 5, 8)[day] else ()
    body = Body("<p>x</p>", f"第一段，第{day}日第{number}篇。\n第二段。", (), securities)
    article = replace(
        arrival.article,
        url=f"https://finance.sina.com.cn/a/{day}-{number}.shtml",
        document_id=f"doc{day}x{number}",
        published_at=published,
        media="虚构日报",
        body=body,
    )
    return replace(arrival, article=article, seen_at=published + timedelta(minutes=30))


@pytest.mark.slow
def test_the_notebook_answers_its_three_questions(archive, monkeypatch):
    """Mentions a day, the edit and how soon it came, and the delay."""
    pytest.importorskip("pandas")
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    notebook = nbformat.read(ROOT / "docs" / "examples" / "questions.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    where = {"metadata": {"path": str(archive.parent)}}
    nbclient.NotebookClient(notebook, timeout=LONGEST, resources=where).execute()
    answers = json.loads(notebook.cells[-1].outputs[0].text)
    (edit,) = answers.pop("edits")
    assert answers == {
        "symbol": "sh600999",
        "mentions": [3, 5, 8],
        "all": [20, 20, 20],
        "busy": [False, False, True],
        "lead_minutes": [1.0, 2.0, 3.5],
        "delays": {"虚构日报": 30.0},
        "leads": [0, 1, 2],
    }
    assert (edit["title"], edit["before"]) == ("更正：第一篇", "第0日第0篇")
    assert (edit["after_hours"], edit["new_part"]) == (2.5, 0.5)

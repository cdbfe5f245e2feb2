"""The picture of a terminal in the READMEs is what the commands say."""

from xml.etree import ElementTree as ET

import pytest

from tools import ROOT
from tools.session import COMMANDS, PICTURE, drawn, lines, session

READMES = ["README.md", "README.zh-CN.md"]


def test_the_picture_asks_nothing_of_other_machines():
    """Neither fonts nor pictures; it is an SVG with a title, and small."""
    text = PICTURE.read_text("utf-8")
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    outside = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not [
        word for word in ("url(", "@import", "@font-face", "href", "src=") if word in outside
    ]
    assert len(text) < 20_000


@pytest.mark.parametrize("name", READMES)
def test_both_readmes_show_it(name):
    """As a picture that lies in the repository."""
    assert "](docs/session.svg)" in (ROOT / name).read_text("utf-8")


@pytest.mark.slow
def test_the_commands_still_say_what_the_picture_shows():
    """Word by word, but for numbers and times: `make session` draws it."""
    now = lines(drawn(session()))
    assert now == lines(PICTURE.read_text("utf-8"))
    assert all(
        words in " ".join(now) for words in ("$ ingest search", "$ ingest show", "revisions")
    )
    assert len(COMMANDS) == 3

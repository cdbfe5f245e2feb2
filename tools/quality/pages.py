"""Pages: whether the text is whole and alone, and every field right.

The made-up pages are in tests/quality/pages, made after the structures of publishers' templates of
several years; the real ones are in ../shared/sina, where that is there, and what a reader sees of
them is cut out of their source by hand-written marks. Others read the same pages, in
.venv-bench, if ``make bench-contenders`` made it.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from ingestor.errors import IngestorError
from ingestor.extract import extract_article
from ingestor.model import Page
from ingestor.text.decode import decode_page
from ingestor.text.written_dates import parse_date
from tools import ROOT
from tools.quality import FOLDER

PAGES = FOLDER / "pages"
REAL_ANSWERS = ROOT / "tests" / "extract" / "real_pages.json"
FIELDS = ("title", "published_at", "media", "editor", "pictures")
OTHERS = ("readability-lxml", "trafilatura", "GNE")
_CONTENDERS = ROOT / ".venv-bench" / "bin" / "python"

Reading = Mapping[str, Any]
"""What somebody reads on a page: its fields by name, and ``text``."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A text that is not told here: how its SHA-256 begins, in hex."""

    beginning: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A page with the right answer."""

    name: str
    page: Page
    right: Reading
    """``text`` and the fields that are known."""


def score() -> dict[str, float]:
    """Return how right we read the made-up pages: F1 of the text, shares of right fields."""
    figures = _figures(made_up(), [ours(sample.page) for sample in made_up()])
    return {f"pages {name}": value for name, value in figures.items() if value is not None}


def table() -> str:
    """Return the figures of ours and others over the made-up and the real pages."""
    sets = {f"{len(made_up())} made-up pages": made_up()} | real()
    return "\n\n".join(_table(title, samples) for title, samples in sets.items() if samples)


def made_up() -> list[Sample]:
    """Return the labelled pages of our own."""
    return [_sample(path) for path in sorted(PAGES.glob("*.html"))]


def ours(page: Page) -> Reading:
    """Return what we read on a page; nothing where we find no article."""
    try:
        article = extract_article(page)
    except IngestorError:
        return {"text": ""}
    return {
        "text": article.body.text,
        "title": article.title,
        "published_at": article.published_at,
        "media": article.media,
        "editor": article.editor,
        "pictures": [picture.url for picture in article.body.pictures],
    }


def f1(found: str, wanted: str) -> float:
    """Return the harmonic mean of precision and recall over pairs of neighbouring characters."""
    ours_, theirs = _pairs(found), _pairs(wanted)
    together = sum(ours_.values()) + sum(theirs.values())
    return 2 * sum((ours_ & theirs).values()) / together if together else 1.0


def _pairs(text: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise("".join(text.split())))


def _sample(path: Path) -> Sample:
    right = json.loads(path.with_suffix("").with_suffix(".expected.json").read_text("utf-8"))
    body = path.read_text("utf-8").encode(right["charset"], "xmlcharrefreplace")
    right["text"] = "\n".join(right["text"])
    right["published_at"] = parse_date(right["published_at"] or "")
    return Sample(path.stem, Page(right["url"], body, right["content_type"]), right)


def _figures(samples: list[Sample], read: list[Reading]) -> dict[str, float | None]:
    """Return the F1 of the text and, of each field that is read at all, the share that is right."""
    texts = [
        f1(reading.get("text", ""), sample.right["text"])
        for sample, reading in zip(samples, read, strict=True)
    ]
    figures: dict[str, float | None] = {"text F1": fmean(texts)}
    for name in FIELDS:
        right = [
            _is_right(reading.get(name), sample.right[name])
            for sample, reading in zip(samples, read, strict=True)
            if name in sample.right
        ]
        told = any(name in reading for reading in read)
        figures[name] = fmean(right) if right and told else None
    return figures


def _is_right(value: Any, right: Any) -> bool:
    """Whether a field is right; of a real page's title only a digest is known."""
    if isinstance(right, Digest):
        return hashlib.sha256(str(value).encode()).hexdigest().startswith(right.beginning)
    return bool(value == right)


def _table(title: str, samples: list[Sample]) -> str:
    columns = {"ours": _figures(samples, [ours(sample.page) for sample in samples])}
    theirs = contenders(samples)
    columns |= {name: _figures(samples, theirs[name]) for name in OTHERS if name in theirs}
    head = f"| {title} | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}"
    lines = [
        f"| {name} | {' | '.join(_shown(column[name]) for column in columns.values())} |"
        for name in ("text F1", *FIELDS)
    ]
    return "\n".join([head, *lines])


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def contenders(samples: list[Sample]) -> dict[str, list[Reading]]:
    """Return what the others read; ``{}`` where they are not installed."""
    if not _CONTENDERS.exists():
        return {}
    pages = [
        {"url": sample.page.url, "html": decode_page(sample.page.body, sample.page.content_type)}
        for sample in samples
    ]
    done = subprocess.run(
        [_CONTENDERS, Path(__file__).with_name("contenders.py")],
        input=json.dumps(pages), capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    read: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    for reading in (reading for readings in read.values() for reading in readings):
        if "published_at" in reading:
            reading["published_at"] = parse_date(reading["published_at"] or "")
    return dict(read)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the text of a real page begins and ends in its source, and what is not part of it."""

    begin: str
    end: str
    out: tuple[str, ...] = ()


_HIDDEN = ("<script.*?</script>", "<style.*?</style>", "<!--.*?-->")
SINA = {
    "finance-2018-12-28-hqfskcn2160999.html": Cut("<!-- 行情图end -->", "<!-- news_keyword_pub"),
    "news-2019-11-25-ihnzahi3275702.html": Cut('id="article">', '<p class="show_author">'),
    "tech-2019-09-11-icezzrq4972166.html": Cut(
        'J_Video_Source">', "<!-- news_keyword_pub", ('<div class="a-p-bd.*?mce-plugin-videoList2-->',)
    ),
}  # fmt: skip
ELSEWHERE = {
    "163_1.html": Cut('<p class="otitle">', '<div class="ep-source', ('<div class="gg200x300">.*?</div>\\s*<a.*?</a>\\s*</div>',)),
    "163_2.html": Cut('<p class="otitle">', '<div class="ep-source', ('<div class="gg200x300">.*?</div>\\s*<a.*?</a>\\s*</div>',)),
    "hexun_1.html": Cut('<div class="art_contextBox"', '<div style="text-align:right;font-size:12px">'),
    "ifeng_1.html": Cut('<div class="text-3zQ3cZD4">', '<div class="end-37GBinZ_">'),
    "people_1.html": Cut('id="rwb_zw">', '<div class="zdfy clearfix">', ("<p[^>]*>\\s*<a [^>]*><span [^>]*><strong>点击进入.*?</p>",)),
    "stcn_1.html": Cut('id="ctrlfscont">', '<div class="fenxiang">'),
    "thepaper_1.html": Cut('<div class="news_txt" data-size="standard">', '<div class="go_to_topic">'),
    "xinhuanet_1.html": Cut('<div id="p-detail">', '<div class="tadd">', ('<div class="lb">.*?<p>',)),
}  # fmt: skip


def real(root: Path | None = None) -> dict[str, list[Sample]]:
    """Return the real pages of ../shared, Sina's and others', with what a reader sees of each."""
    shared = root or Path(os.environ.get("INGESTOR_SHARED", ROOT.parent / "shared")) / "sina"
    sets = {"pages": SINA, "other": ELSEWHERE}
    named = {"pages": "real pages of Sina's", "other": "real pages of others"}
    return {
        f"{len(cuts)} {named[folder]}": list(_real(shared / folder, cuts))
        for folder, cuts in sets.items()
        if (shared / folder).is_dir()
    }


def _real(folder: Path, cuts: Mapping[str, Cut]) -> Iterator[Sample]:
    answers = json.loads(REAL_ANSWERS.read_text("utf-8"))
    for name, cut in cuts.items():
        body = (folder / name).read_bytes()
        text = what_a_reader_sees(decode_page(body, "text/html"), cut)
        known = answers[f"{folder.name}/{name}"]
        right = {
            "text": text,
            "title": Digest(known["title"]),
            "published_at": parse_date(known["published_at"]),
            "media": known["media"],
            "editor": known["editor"],
        }
        url = "https://finance.sina.com.cn/x.shtml" if cuts is SINA else "https://a.example/1.html"
        yield Sample(name, Page(url, body, "text/html"), right)


def what_a_reader_sees(source: str, cut: Cut) -> str:
    """Return the text between two marks of a page: no scripts, no comments, no tags."""
    begin = source.index(cut.begin) + len(cut.begin)
    text = source[begin : source.index(cut.end, begin)]
    for pattern in (*cut.out, *_HIDDEN):
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    return html.unescape(re.sub(r"^[^<>]*>|<[^>]+>", "", text))

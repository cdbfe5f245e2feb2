"""An article made from a file that somebody else's archive holds. Pure.

::

    bytes | front matter, HTML | clean | whose address? | Adoptable

Adopting a folder of front-matter files that others wrote.

::

    files | read | front matter, clean (workers) | here already? | save | write our own file

Each batch is one transaction. A run that was interrupted is run again: what it adopted is
found to be here already. The folder's files are only read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from html import escape, unescape
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from sqlalchemy import Connection

from ingestor import log
from ingestor.archive.front_matter import MOST_BYTES, Post, begins_as_post, read_post
from ingestor.clock import Clock
from ingestor.errors import Forbidden, IngestorError, PostUnreadable
from ingestor.extract import extract_fragment, untitled
from ingestor.extract.symbols import with_mentions
from ingestor.extract.template import beginning
from ingestor.identity import canonical_url, content_address, document_id, is_content_address
from ingestor.model import Article, Body, Picture
from ingestor.pipeline.save import new_article
from ingestor.store import ArticleUpsert
from ingestor.store.imports import Importer
from ingestor.text.sanitize import one_line
from ingestor.text.securities import normalised
from ingestor.text.written_dates import parse_date
from ingestor.workers import Workers

TEMPLATE = "import"
"""``Article.template`` of what was adopted."""

MOST_CATEGORIES = 8
"""Each becomes a folder, and a path has an end."""

_BASE = "https://finance.sina.com.cn/"
"""What addresses in a body without an address of its own are relative to: these are Sina's
articles, and ``//n.sinaimg.cn/…`` is the one relative form in them."""

_MARKUP = re.compile(r"<[A-Za-z!/]")
_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_ORIGINAL = r"(?:原文链接|原文地址|原文网址|原文出处|阅读原文|查看原文|来源链接|原始链接|原文)"
_SOURCE_LINK = re.compile(
    r"""(?i)href\s*=\s*["']\s*(https?://[^"'<>\s]{1,2000})["'][^<>]{0,300}>\s{0,20}[\[【（(]?\s{0,20}"""
    + _ORIGINAL
    + r"[^<]{0,5}</a>"
)
_SOURCE_TEXT = re.compile(
    rf"(?i){_ORIGINAL}\s{{0,20}}[：:]\s{{0,20}}(?:<a [^<>]{{0,2000}}>)?\s{{0,20}}(https?://[^\s<>\"']+)"
)
_EDITOR = re.compile(r"责任编辑\s*[：:]\s*([^\s<>（()）]{2,20})")


def imported_article(name: str, data: bytes, now: datetime) -> ArticleUpsert:
    """Return the article that a file holds.

    ``name`` is the file's; a publication later than ``now`` is a mistake.
    Raises :class:`PostUnreadable`, which says what is wrong with the file.
    """
    post = read_post(data)
    stem = PurePosixPath(name).stem
    address = _address(post)
    body = extract_fragment(_markup(post.html), address or _BASE)
    if not (body.text or body.pictures):
        raise PostUnreadable("has no text and no picture")
    first_line = untitled(body.text)
    title = post.title or one_line(stem) or first_line or "untitled"
    url = address or content_address(title, body.text)
    editor = _EDITOR.findall(post.html)
    article = Article(
        url=url,
        document_id=document_id(url),
        title=title,
        published_at=_published(post, stem, now),
        updated_at=parse_date(post.updated, not_after=now),
        body=with_mentions(_completed(body, post), title),
        media=post.media,
        editor=post.editor or (editor[-1] if editor else ""),
        summary=beginning(body.text),
        keywords=post.keywords,
        template=TEMPLATE,
    )
    return ArticleUpsert(
        article=article,
        author=post.author,
        categories=post.categories[:MOST_CATEGORIES],
        origin="import",
        seen_at=now,
        feed_id=None,
    )


def _published(post: Post, stem: str, not_after: datetime) -> datetime:
    """Return when it was published: what it says, else the day that its name begins with."""
    named = _DAY.match(stem)
    written = post.date or (named[0] if named else "")
    if not written:
        raise PostUnreadable("has no date")
    moment = parse_date(written, not_after=not_after)
    if moment is None:
        raise PostUnreadable(f'has a date that is none, or lies in the future: "{written[:60]}"')
    return moment


def _address(post: Post) -> str:
    """Return where the article was, as the file says; ``""`` when it does not."""
    if is_content_address(post.link):
        return post.link
    for url in (post.link, *_sources(post.html)):
        try:
            found = canonical_url(unescape(url))
        except Forbidden:
            continue
        # A site's front page is where many articles come from, and the address of none.
        if urlsplit(found).path != "/":
            return found
    return ""


def _sources(html: str) -> Iterator[str]:
    """Yield the addresses that a text itself calls those of the original."""
    for form in (_SOURCE_LINK, _SOURCE_TEXT):
        yield from (found[1] for found in form.finditer(html))


def _markup(body: str) -> str:
    """Return a body as HTML; plain text becomes a paragraph a line."""
    if _MARKUP.search(body):
        return body
    lines = (" ".join(line.split()) for line in unescape(body).splitlines())
    return "\n".join(f"<p>{escape(line, quote=False)}</p>" for line in lines if line)


def _completed(body: Body, post: Post) -> Body:
    """Add what only the front matter knows: a cover picture, securities."""
    named = {security.symbol: security for security in body.securities}
    for symbol in post.symbols:
        if security := normalised(symbol):
            named.setdefault(security.symbol, security)
    pictures = body.pictures
    cover = post.headimg
    # One that stood in the text and was cleaned away with its box is an advertisement.
    within = cover in post.html or escape(cover) in post.html
    if cover.startswith(("http://", "https://")) and not within:
        pictures = (Picture(cover), *pictures)
    return replace(body, pictures=pictures, securities=tuple(named.values()))


FILES_A_TRANSACTION = 50
"""Files that are adopted together: one wait for the disk serves them all."""

POST_SUFFIXES = frozenset({".md", ".markdown"})
"""Files of these names are posts; of the others, those that begin with front matter."""

FileOutcome = Literal["adopted", "known", "ambiguous", "failed", "other"]


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of a file."""

    path: Path
    outcome: FileOutcome
    article_id: int | None = None
    """The new article, the one that it is, or the one that it may be."""
    reason: str = ""
    """Why it failed."""


_Content: TypeAlias = bytes | OSError | None
"""What a file holds, or why it cannot be read; ``None``: it is no post."""


def import_folder(
    folder: Path,
    transaction: Callable[[], AbstractContextManager[Connection]],
    workers: Workers,
    clock: Clock,
) -> Iterator[list[ImportedFile]]:
    """Adopt every post below ``folder``; yield what became of the files, a batch at a time.

    Hidden files and folders are passed over, links to folders are not followed. Each batch is
    saved in one ``transaction()`` when it is yielded. Nothing new is begun once ``clock.stop``
    is set. Raises :class:`~ingestor.errors.ArchiveError` when the archive fails.
    """
    now = clock.now()
    importer = Importer()

    def work_for(file: tuple[Path, _Content]) -> Callable[[], ArticleUpsert] | None:
        """Return how a file is read in a worker, ``None`` where there is nothing to read."""
        path, content = file
        if not isinstance(content, bytes):
            return None
        return partial(imported_article, path.name, content, now)

    read = workers.through(_files(folder), work_for)
    while not clock.stop.is_set() and (batch := list(islice(read, FILES_A_TRANSACTION))):
        with transaction() as connection:
            done = [
                _import(connection, importer, file, outcome, seen_at=clock.now())
                for file, outcome in batch
            ]
        yield done


def count_files(folder: Path) -> int:
    """Return how many files :func:`import_folder` will look at."""
    return sum(1 for _ in _paths(folder))


def _import(
    connection: Connection,
    importer: Importer,
    file: tuple[Path, _Content],
    outcome: ArticleUpsert | Exception | None,
    *,
    seen_at: datetime,
) -> ImportedFile:
    path, content = file
    if content is None:
        return ImportedFile(path, "other")
    if isinstance(outcome, ArticleUpsert):
        result = importer.add(connection, new_article(replace(outcome, seen_at=seen_at)))
        return ImportedFile(path, result.outcome, result.article_id)
    if isinstance(content, OSError):
        return ImportedFile(path, "failed", reason=f"cannot be read: {content.strerror}")
    if isinstance(outcome, IngestorError):
        return ImportedFile(path, "failed", reason=str(outcome))
    log.error("import_failed", file=str(path), exc_info=outcome)
    return ImportedFile(path, "failed", reason=f"a bug: {outcome!r}")


def _files(folder: Path) -> Iterator[tuple[Path, _Content]]:
    for path in _paths(folder):
        try:
            yield path, _read(path)
        except OSError as error:
            yield path, error


def _read(path: Path) -> bytes | None:
    if path.is_dir():
        # It could not be listed when its turn came; that says why.
        next(path.iterdir(), None)
    if not stat.S_ISREG(path.stat().st_mode):
        # Reading a pipe would wait for ever.
        return None
    with path.open("rb") as file:
        beginning = file.read(512)
        if path.suffix.lower() not in POST_SUFFIXES and not begins_as_post(beginning):
            return None
        return beginning + file.read(MOST_BYTES + 1 - len(beginning))


def _paths(folder: Path) -> Iterator[Path]:
    """Yield what is below a folder, in the order of the names, without what is hidden."""
    unlisted: list[Path] = []
    for root, folders, names in os.walk(
        folder, onerror=lambda error: unlisted.append(Path(error.filename))
    ):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(root, name)
    yield from unlisted

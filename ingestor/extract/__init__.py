"""Bytes to an article: pure, so that it runs in worker processes and over old captures.

::

    page | decode | parse once | which template? | read its fields | clean its body | Article

A page that no template of ``extract/sites`` fits, or whose template finds no text, goes to
the generic extractor; ``Article.template`` says which one read it. An article is also made from
what a feed itself carries.
"""

from __future__ import annotations

from dataclasses import replace

from ingestor.errors import Gone, IngestorError, NoArticle, NoPage
from ingestor.extract.clean import clean
from ingestor.extract.evidence import evidence_of
from ingestor.extract.generic import generic_article, is_home, is_list
from ingestor.extract.symbols import with_mentions
from ingestor.extract.template import beginning, read_template, templates
from ingestor.extract.tree import Tree, parse, parse_fragment
from ingestor.identity import document_id, entry_address
from ingestor.model import Article, Body, Entry, Feed, Page
from ingestor.text.decode import decode_page
from ingestor.text.sanitize import MOST_TITLE_CHARACTERS, shortened
from ingestor.witness.looks import GENERIC, Evidence
from ingestor.witness.signs import LEAST_CHARACTERS

REMOVED = "页面没有找到"
"""What Sina's page says in place of an article that was removed, perhaps with status 200."""

_BINARY = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"RIFF",
    b"\x00\x00\x00",
)


def extract_article(page: Page) -> Article:
    """Return the article that a page shows.

    Raises :class:`NoArticle` when there is none that can be read, and :class:`Gone` when
    the page says that it was removed. Both name the address. What no template reads and is too
    short to be an article is none here, where nobody announced it.
    """
    return unannounced(_article(parse(_text(page), page.url)))


def unannounced(article: Article) -> Article:
    """Return what was read of a page that nobody announced, if it can be an article.

    Raises :class:`NoArticle` for a few words that no template read.
    """
    if article.template == GENERIC and len(article.body.text) < LEAST_CHARACTERS:
        raise NoArticle(f"{article.url}: no article was found on the page")
    return article


def read_page(page: Page) -> tuple[Article | IngestorError, Evidence | None]:
    """Return the article that a page shows, or why there is none, and the page's evidence.

    There is no evidence in what is no page at all. Whether a few words, or a picture, are the
    article that was announced is for :mod:`ingestor.witness` to say.
    """
    try:
        tree = parse(_text(page), page.url)
    except NoArticle as error:
        return error, None
    try:
        article = _article(tree)
    except (NoArticle, Gone) as error:
        return error, evidence_of(tree, None)
    return article, evidence_of(tree, article)


def _article(tree: Tree) -> Article:
    for template in templates():
        if template.matches(tree):
            article = read_template(template, tree)
            if _substantial(article.body):
                return _finished(article, tree.url)
    if REMOVED in tree.visible_start():
        raise Gone(f"{tree.url}: the page says that the article was removed")
    if is_list(tree) or is_home(tree):
        raise NoArticle(f"{tree.url}: a list of articles, not an article")
    article = generic_article(tree)
    if not _substantial(article.body):
        raise NoArticle(f"{tree.url}: no article was found on the page")
    return _finished(article, tree.url)


def _finished(article: Article, url: str) -> Article:
    bounded_title(article.title, url)
    return replace(article, body=with_mentions(article.body, article.title))


def extract_fragment(html: str, base_url: str) -> Body:
    """Return the cleaned body of an article that comes as HTML without a page around it.

    Raises :class:`NoArticle`, naming ``base_url``, for one that passes a bound.
    """
    if not html.strip():
        return Body("", "")
    return clean(parse_fragment(html, base_url), base_url)


def bounded_title(title: str, url: str) -> str:
    """Return an article's title; raise :class:`NoArticle` for one that is too long to be one."""
    if len(title) <= MOST_TITLE_CHARACTERS:
        return title
    begins = shortened(title, 60)
    raise NoArticle(
        f"{url}: its title has {len(title)} characters, {MOST_TITLE_CHARACTERS} at most: {begins}"
    )


def _text(page: Page) -> str:
    if not page.body.strip():
        raise NoPage(f"{page.url}: the page is empty")
    kind = page.content_type.partition(";")[0].strip().lower()
    if page.body.startswith(_BINARY) or kind.startswith(("image/", "video/", "audio/")):
        raise NoArticle(f"{page.url}: {kind or 'binary data'}, not a page")
    if kind == "application/json" or page.body.lstrip()[:1] in {b"{", b"["}:
        raise NoPage(f"{page.url}: JSON, not a page")
    return decode_page(page.body, page.content_type)


def _substantial(body: Body) -> bool:
    return bool(body.text.strip() or body.pictures)


TITLE_CHARACTERS = 80
"""How much of the text stands for a title where none is given: Sina's rule for its live items."""


def article_from_entry(feed: Feed, entry: Entry, *, shared_address: bool = False) -> Article:
    """Return the article that an entry itself carries.

    ``shared_address`` says that another entry of the feed names the same address and came
    first; this one is then told apart by its guid. Raises :class:`NoArticle` when there is
    neither a title nor a text.
    """
    address = entry_address(feed, entry, shared=shared_address)
    body = extract_fragment(entry.content or entry.summary, entry.url or feed.url)
    # No page says it better: a long title is cut rather than the text lost.
    title = shortened(entry.title, MOST_TITLE_CHARACTERS) or untitled(body.text)
    if not title or not (body.text or body.pictures):
        raise NoArticle(f"{entry.url or address}: the feed carries no text for it, or too long one")
    return Article(
        url=address,
        document_id="" if shared_address else document_id(entry.url),
        title=title,
        published_at=entry.published_at,
        body=with_mentions(with_announced(body, entry), title),
        media=entry.author,
        summary=beginning(body.text),
        keywords=entry.keywords,
        template="feed",
    )


def untitled(text: str) -> str:
    """Return what stands for the title of a text that has none: the beginning of its first line."""
    return text.partition("\n")[0][:TITLE_CHARACTERS].replace("\t", " ").rstrip()


def with_announced(body: Body, entry: Entry) -> Body:
    """Return the body with the securities that the feed names and the text does not mark."""
    marked = {security.symbol for security in body.securities}
    more = (security for security in entry.securities if security.symbol not in marked)
    return replace(body, securities=(*body.securities, *more))

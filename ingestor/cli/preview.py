"""``ingest preview URL``: what would be archived for a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from ingestor.archive.front_matter import FileContent, render
from ingestor.cli.common import Options, options, require_web_address, say, say_json
from ingestor.cli.logs import set_up_logs
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.sections import FeedSettings
from ingestor.errors import ConfigError, Unreachable
from ingestor.extract import unannounced
from ingestor.fetch.client import Fetcher
from ingestor.model import Article, Body, Request, Response
from ingestor.pipeline.look import Failed, PageRead, look_at_pages
from ingestor.pipeline.services import fetcher
from ingestor.text.counts import counted
from ingestor.text.dates import iso_utc
from ingestor.workers import Workers


def preview(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of an article.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that was found, as one JSON object.")
    ] = False,
    html: Annotated[bool, typer.Option("--html", help="The whole file, with its HTML.")] = False,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="What was taken out of the text, and why.")
    ] = False,
) -> None:
    """Show what would be archived for a page: front matter and text. Stores nothing.

    Example: ingest preview https://finance.sina.com.cn/china/2022-04-14/doc-imcwipii4221122.shtml
    """
    chosen = options(context)
    set_up_logs(chosen)
    require_web_address(url)
    settings = _settings(chosen)
    with fetcher(settings, Clock(), named=url) as client:
        look = _look(client, url)
    unannounced(look.article)
    if as_json:
        say_json(_fields(look.article), indent=2)
        return
    whole = _file(look.article, settings, look.response)
    say(whole if html else f"{whole.partition('<div>')[0]}{look.article.body.text}")
    if dropped:
        say("\n".join(_taken_out(look.article.body)))


def _look(client: Fetcher, url: str) -> PageRead:
    """Return the page and its article, with all its pages where it has several."""
    with Workers() as workers:
        pages = [(url, Request(url))]
        for seen in look_at_pages(client, workers, pages, lambda url: url, pack=False):
            match seen:
                case _, PageRead() as look:
                    return look
                case _, Failed(error=error):
                    raise error
    raise Unreachable(f"{url}: interrupted")


def _settings(chosen: Options) -> Settings:
    """Return the configuration; without any, the defaults do for a look."""
    try:
        return chosen.settings()
    except ConfigError:
        if chosen.config:
            raise
        return Settings()


def _file(article: Article, settings: Settings, response: Response) -> str:
    feed = settings.feeds[0] if settings.feeds else FeedSettings(name="preview", url=response.url)
    return render(
        FileContent(
            title=article.title,
            categories=(*feed.categories, feed.name),
            headimg=article.headimg,
            author=feed.author,
            published_at=article.published_at or response.fetched_at,
            html=article.body.html,
        )
    )


def _taken_out(body: Body) -> Iterator[str]:
    """Yield how much was taken out, then what, each with why."""
    lines = body.dropped
    yield (
        f"\ntaken out: {counted(len(lines), 'line')}, "
        f"{counted(sum(len(line.text) for line in lines), 'character')}"
    )
    yield from (f"  {line.why}: {line.text}" for line in lines)


def _fields(article: Article) -> dict[str, object]:
    return {
        "url": article.url,
        "document_id": article.document_id,
        "template": article.template,
        "title": article.title,
        "published_at": iso_utc(article.published_at) if article.published_at else None,
        "updated_at": iso_utc(article.updated_at) if article.updated_at else None,
        "media": article.media,
        "editor": article.editor,
        "summary": article.summary,
        "keywords": list(article.keywords),
        "symbols": [security.symbol for security in article.body.securities],
        "images": [picture.url for picture in article.body.pictures],
        "content_text": article.body.text,
        "content_html": article.body.html,
        "dropped": [{"why": line.why, "text": line.text} for line in article.body.dropped],
    }

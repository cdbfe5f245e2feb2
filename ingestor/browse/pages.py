"""The pages by their addresses: each reads what it shows, and says in what form.

An address that a stranger makes up is a page that says so, never an error of the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

from ingestor.api.archive import Archive
from ingestor.api.lists import FoundList
from ingestor.archive.atom import MEDIA_TYPE, AtomEntry, AtomFeed, entry_element, feed_xml
from ingestor.archive.storage import storage
from ingestor.browse import article as of_article
from ingestor.browse import guard, listed, views
from ingestor.browse.application import Answer, Page, PageRequest, static
from ingestor.browse.languages import N_
from ingestor.browse.page_html import picture_type, received_html
from ingestor.errors import CaptureLost, StorageFailed, UsageError
from ingestor.store.filters import symbol_called
from ingestor.store.stored_articles import current

NO_ARTICLE = N_("There is no such article, or revision of it, in the archive.")
NO_LOOK = N_("There is no such look at this article.")
NOT_KEPT = N_("What was received at this look is not there to be shown.")


def _front(request: PageRequest) -> Answer:
    until = request.asked.get("until", "")
    values = request.recall(views.front, request.archive.clock.now(), until)
    return request.page("front", values)


def _search(request: PageRequest, form: str | None) -> Answer:
    # How many there are at once is for programs: a page of a thousand is none to read.
    asked = request.asked if form else {**request.asked, "size": ""}
    found = request.read(views.results, asked)
    if form:
        return _FORMS[form](request, found)
    chosen = {name: value for name in views.LIST_FILTERS if (value := request.asked.get(name))}
    values = {"found": found, "entries": views.entries(found.articles, found.words)}
    return request.page("search", {**values, "chosen": chosen, "query": request.asked.get("q", "")})


def _csv(request: PageRequest, found: FoundList) -> Answer:
    del request
    attachment = ("content-disposition", 'attachment; filename="articles.csv"')
    body = listed.as_csv(found).encode("utf-8", "replace")
    return Answer(body, "text/csv; charset=utf-8", headers=(attachment,))


def _json(request: PageRequest, found: FoundList) -> Answer:
    del request
    return Answer(listed.as_json(found).encode("utf-8", "replace"), "application/json")


def _atom(request: PageRequest, found: FoundList) -> Answer:
    query = {name: value for name, value in request.asked.items() if name != "lang"}
    named = request.asked.get("q") or " ".join(query.values())
    entries = listed.article_entries(found.articles, partial(_absolute, request))
    title = f"{named} ingestor".strip()
    return _feed(request, "search", entries, title=title, query=query)


_FORMS = {"csv": _csv, "json": _json, "atom": _atom}


def _absolute(request: PageRequest, article_id: int) -> str:
    return request.origin + request.url(f"/article/{article_id}")


def _feed(
    request: PageRequest,
    page: str,
    entries: list[AtomEntry],
    *,
    title: str,
    query: Mapping[str, str],
) -> Answer:
    words = f"?{urlencode(query)}" if query else ""
    own, there = (f"{request.origin}{request.url(f'/{page}{end}')}" for end in (".atom", ""))
    newest = max((entry.updated for entry in entries), default=datetime(1970, 1, 1, tzinfo=UTC))
    feed = AtomFeed(own + words, own + words, there + words, title, newest)
    xml = feed_xml(feed, list(map(entry_element, entries)))
    return Answer(xml.encode(), f"{MEDIA_TYPE}; charset=utf-8")


def _edits(request: PageRequest, form: str | None) -> Answer:
    if form:
        edits = request.read(views.newest_edits)
        entries = listed.edit_entries(edits, partial(_absolute, request))
        return _feed(request, "edits", entries, title=request.language.gettext("Edits"), query={})
    now = request.archive.clock.now()
    return request.page("edits", request.read(views.edits, now, request.asked))


def _security(request: PageRequest, code: str) -> Answer:
    try:
        symbol = request.read(symbol_called, code)
    except UsageError:
        return request.missing()
    if symbol != code:
        there = request.url(f"/security/{symbol}")
        return Answer(b"", status=302, headers=(("location", there),))
    values = request.read(views.security, symbol, request.archive.clock.now(), request.asked)
    return request.page("security", values) if values else request.missing()


def _medium(request: PageRequest, name: str) -> Answer:
    values = request.read(views.medium, name, request.archive.clock.now(), request.asked)
    return request.page("medium", values) if values else request.missing()


def _article(request: PageRequest, number: str) -> Answer:
    article_id = int(number)
    if article_id > views.LARGEST_ID:
        return request.missing(NO_ARTICLE)
    folder = request.url("/picture/")
    values = request.read(of_article.article, article_id, request.asked, folder)
    if values is None:
        return request.missing(NO_ARTICLE)
    values["citation"] = of_article.citation(values["article"], request.language)
    policy = guard.WITH_PICTURES if values["pictures"] else guard.OURS
    return request.page("article", values, policy=policy)


def _markdown(request: PageRequest, number: str) -> Answer:
    article_id = int(number)
    article = request.read(current, article_id) if article_id <= views.LARGEST_ID else None
    if article is None:
        return request.missing(NO_ARTICLE)
    text = of_article.markdown(article, request.language).encode("utf-8", "replace")
    return Answer(text, "text/markdown; charset=utf-8")


def _look(request: PageRequest, number: str, look: str) -> Answer:
    looks = _looks(request, number)
    at = next((at for at, each in enumerate(looks) if str(each.id) == look), None)
    if at is None:
        return request.missing(NO_LOOK)
    values = {
        "number": int(number),
        "look": looks[at],
        "before": looks[at - 1] if at else None,
        "after": looks[at + 1] if at + 1 < len(looks) else None,
    }
    return request.page("look", values, policy=guard.WITH_FRAME)


def _looks(request: PageRequest, number: str) -> list[of_article.PageLook]:
    if int(number) > views.LARGEST_ID:
        return []
    looks: list[of_article.PageLook] = request.read(of_article.looks, int(number))
    return looks


def _received(request: PageRequest, number: str, look: str) -> Answer:
    article_id = int(number)
    library = Archive(request.archive.database, request.archive.raw)
    captures = library.captures(article_id) if article_id <= views.LARGEST_ID else ()
    capture = next((each for each in captures if str(each.id) == look), None)
    if capture is None:
        return request.missing(NO_LOOK)
    try:
        kept = capture.kept
    except CaptureLost:
        return request.missing(NOT_KEPT)
    paths = request.read(of_article.picture_paths, article_id)
    html = received_html(
        kept.body,
        kept.content_type,
        capture.final_url,
        lambda address: _picture_of(request, paths.get(address, "")),
    )
    policy = (("content-security-policy", guard.RECEIVED),)
    if html is None:
        return Answer(kept.body, "text/plain; charset=utf-8", headers=policy)
    return Answer(html.encode("utf-8", "replace"), headers=policy)


def _picture_of(request: PageRequest, path: str) -> tuple[str, bytes] | None:
    """Return the media type and the bytes of a kept picture; ``None``: it is not there."""
    kind = picture_type(path)
    if not kind or request.archive.images is None:
        return None
    try:
        return kind, storage(request.archive.images).read(path)
    except (OSError, StorageFailed):
        return None


def _picture(request: PageRequest, path: str) -> Answer:
    found = _picture_of(request, path)
    if found is None:
        return request.missing()
    kind, data = found
    headers = (
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("cache-control", "private, max-age=86400"),
    )
    return Answer(data, kind, headers=headers)


ROUTES: Mapping[str, Page] = {
    r"/": _front,
    r"/search(?:\.(?P<form>csv|json|atom))?": _search,
    r"/edits(?:\.(?P<form>atom))?": _edits,
    r"/article/(?P<number>[0-9]{1,19})": _article,
    r"/article/(?P<number>[0-9]{1,19})\.md": _markdown,
    r"/article/(?P<number>[0-9]{1,19})/look/(?P<look>[0-9]{1,19})": _look,
    r"/article/(?P<number>[0-9]{1,19})/raw/(?P<look>[0-9]{1,19})": _received,
    r"/security/(?P<code>.{1,100})": _security,
    r"/medium/(?P<name>.{1,200})": _medium,
    r"/picture/(?P<path>.{1,100})": _picture,
    r"/style/(?P<name>[a-z.]{1,20})": static,
    r"/favicon\.ico": partial(static, name="icon.svg"),
}
"""Patterns of addresses, and the pages there."""

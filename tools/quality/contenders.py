"""What other extractors read on the pages that come as JSON on stdin; JSON on stdout.

Run by the Python of .venv-bench, where they are, and which has nothing of ours.
"""

import json
import logging
import sys

import lxml.html
import trafilatura
from gne import GeneralNewsExtractor
from readability import Document

logging.disable(logging.CRITICAL)


def _readability(page: dict) -> dict:
    document = Document(page["html"], url=page["url"])
    body = lxml.html.fromstring(document.summary(html_partial=True))
    return {"text": "\n".join(body.itertext()), "title": document.short_title()}


def _trafilatura(page: dict) -> dict:
    document = trafilatura.bare_extraction(page["html"], url=page["url"], with_metadata=True)
    if document is None:
        return {"text": ""}
    image = [document.image] if document.image else []
    return {
        "text": document.text or "",
        "title": document.title,
        "published_at": document.date,
        "media": document.author or document.sitename or "",
        "pictures": image,
    }


def _gne(page: dict) -> dict:
    found = GeneralNewsExtractor().extract(page["html"], host=page["url"])
    return {
        "text": found["content"],
        "title": found["title"],
        "published_at": found["publish_time"],
        "media": found["author"],
        "pictures": found["images"],
    }


READERS = {"readability-lxml": _readability, "trafilatura": _trafilatura, "GNE": _gne}


def _read(reader, page: dict) -> dict:
    try:
        return reader(page)
    except Exception as error:  # noqa: BLE001 - strangers' programs, strangers' errors
        # What one of them raises, whatever it is, is its reading: none.
        print(f"{page['url']}: {type(error).__name__}", file=sys.stderr)
        return {"text": ""}


if __name__ == "__main__":
    pages = json.load(sys.stdin)
    json.dump(
        {name: [_read(reader, page) for page in pages] for name, reader in READERS.items()},
        sys.stdout,
    )

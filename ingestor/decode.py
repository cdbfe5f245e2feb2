"""Bytes to text, as browsers do it. Pure.

The declared character set counts (byte order mark, HTTP header, then the document); gb2312
and GBK mean GB18030, as the WHATWG's Encoding Standard has it. A declaration under which
bytes are left over gives way to one that reads them all; a stray byte costs only itself.
"""

from __future__ import annotations

import re

from charset_normalizer import from_bytes
from w3lib.encoding import (
    html_body_declared_encoding,
    http_content_type_encoding,
    read_bom,
    resolve_encoding,
)

_XML_ENCODING = re.compile(
    rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']"
)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}\?>")
_ILLEGAL_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FAMILY = {"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030"}
_FOREIGN = re.compile("[^\x00-\x7f]")
_REPLACEMENT = "\ufffd"
_DETECTION_BYTES = 200_000
"""How much of a body is looked at to guess its character set."""


def decode_page(body: bytes, content_type: str) -> str:
    """Return the text of an HTML page; ``content_type`` is the HTTP header, or ``""``."""
    declared = http_content_type_encoding(content_type or None)
    return _decode(body, declared or html_body_declared_encoding(body))


def decode_feed(body: bytes, content_type: str) -> str:
    """Return the text of a feed, without the characters that XML forbids.

    Its XML declaration goes too: it no longer says what the text is.
    """
    found = _XML_ENCODING.match(body[:500].removeprefix(b"\xef\xbb\xbf"))
    declared = http_content_type_encoding(content_type or None)
    if not declared and found:
        declared = resolve_encoding(found[1].decode("ascii"))
    text = _decode(body, declared)
    return _ILLEGAL_XML.sub("", _XML_DECLARATION.sub("", text, count=1))


def _decode(body: bytes, declared: str | None) -> str:
    named, mark = read_bom(body)
    if named and mark:
        return body[len(mark) :].decode(named, "replace")
    first = _FAMILY.get((declared or "").lower(), declared or "utf-8")
    candidates = dict.fromkeys([first, "utf-8", "gb18030"])
    best = _try(body, first)
    if (
        first == "gb18030"
        and (text := _strictly(body, "utf-8"))
        and len(_FOREIGN.findall(text)) > 2
    ):
        # Almost any UTF-8 is valid GB18030 as well, but hardly any GB18030 is valid UTF-8.
        return text
    if _REPLACEMENT not in best:
        return best
    # A body that was cut in the middle of a character, or has a stray byte, is still in
    # its declared character set: another one has to read all of it to be believed.
    for name in candidates:
        text = _strictly(body, name)
        if text is not None:
            return text
    if declared and best.count(_REPLACEMENT) <= max(3, len(best) // 200):
        return best
    guess = from_bytes(body[:_DETECTION_BYTES]).best()
    guessed = _try(body, guess.encoding) if guess else best
    return min((best, _try(body, "gb18030"), guessed), key=lambda text: text.count(_REPLACEMENT))


def _try(body: bytes, name: str) -> str:
    try:
        return body.decode(name, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _strictly(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeDecodeError, LookupError):
        return None

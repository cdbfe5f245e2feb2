"""Text by strangers: without what lies to a reader, and how long it may be. Pure.

A title reaches YAML, a file name, a terminal and a log line. Control characters move a
terminal's cursor, bidirectional overrides let a line read as another one ("Trojan Source",
CVE-2021-42574), and zero-width characters make two titles that look like one.
Secrets in addresses stay out of what people and log collectors read.
"""

from __future__ import annotations

import re

MOST_TITLE_CHARACTERS = 500
"""A headline has at most about eighty; a longer "title" is a text, or malice."""

MOST_NAME_CHARACTERS = 200
"""A medium, an author, an editor: a longer one is no name, and is left out."""

MOST_KEYWORD_CHARACTERS = 100
"""A longer keyword is a sentence, and is left out."""

MOST_KEYWORDS = 200
"""Real pages state about ten, and none a hundred."""

MOST_CONTENT_CHARACTERS = 2 * 1024**2
"""Text of one article: the longest real ones have a tenth of it."""

_CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029"
_UNSEEN = (
    # Directions: marks, embeddings, overrides, isolates. Widths of zero, but for the joiners
    # (U+200C, U+200D), which emoji and several scripts need.
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    # Annotations between lines, lone surrogates and non-characters, which no UTF-8 may hold.
    "\ufff9-\ufffb\ud800-\udfff\ufffe\uffff"
)
_CONTROL = re.compile(f"[{_CONTROLS}]+")
_INVISIBLE = re.compile(f"[{_UNSEEN}]+")
_EITHER = re.compile(f"[{_CONTROLS}{_UNSEEN}]")
_BREAKS = re.compile(r"(?<!\s)[^\S\t\r\n]*+[\t\r\n]\s*+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def one_line(text: str) -> str:
    """Return ``text`` as one line that YAML, a terminal, a log and a file name can hold."""
    if not text.isprintable():
        text = _CONTROL.sub(" ", _INVISIBLE.sub("", text))
    return " ".join(text.split())


def visible(text: str) -> str:
    """Return ``text`` with its lines and spaces as they are, and nothing that is not seen."""
    return _EITHER.sub(lambda unseen: unseen[0] if unseen[0] in "\n\t" else "", text)


def escaped(text: str) -> str:
    r"""Return a JSON text in which everything that is not seen is written as ``\uXXXX``.

    JSON reads the same values back, for such characters stand only inside its strings.
    """
    return _EITHER.sub(
        lambda unseen: unseen[0] if unseen[0] in "\n\t" else f"\\u{ord(unseen[0]):04x}", text
    )


def storable(text: str) -> str:
    """Return ``text`` without the NULs and lone surrogates that no database and no UTF-8 takes."""
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))


def address_text(text: str) -> str:
    """Return an address as browsers read it, so far as its spaces go (WHATWG URL, 4.4).

    What is around it, tabs and line breaks go, the latter with the indentation beside them; a
    space within is ``%20``.
    """
    return "%20".join(visible(_BREAKS.sub("", text)).strip().split(" "))


def shortened(text: str, most: int) -> str:
    """Return ``text``, or its beginning and ``…``, in at most ``most`` characters: for messages."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def bounded_name(text: str) -> str:
    """Return who somebody is, on one line; ``""`` for what is too long to be a name."""
    line = one_line(text)
    return line if len(line) <= MOST_NAME_CHARACTERS else ""


def bounded_keywords(words: list[str]) -> tuple[str, ...]:
    """Return these keywords, each on one line and once, without those that are none."""
    lines = [line for word in words if (line := one_line(word))]
    kept = [line for line in lines if len(line) <= MOST_KEYWORD_CHARACTERS]
    return tuple(dict.fromkeys(kept))[:MOST_KEYWORDS]


_USERINFO = re.compile(
    r"""([a-z][a-z0-9+.-]{0,20}://)(?:[^/\s'"]{1,300}|[^/\s@:'"]{0,300}:(?!\d{1,5}/)[^\s'"]{1,300})@""",
    re.IGNORECASE,
)
"""User and password, which may hold a slash; ``host:80/@name`` is none."""
_BARE_USERINFO = re.compile(
    r"""(?<![\w/.@:-])(?!mailto:)[\w.+%-]{1,100}:(?!//)[^\s@'"]{1,300}@(?=\w)"""
)
"""The same before a proxy's name that has no scheme: ``user:password@proxy:3128``."""
_KEYS = re.compile(
    r"""([?&;#](?:access_?key|access_?token|api_?key|auth|code|key|pass(?:wd|word)?|pwd|secret|sig"""
    r"""|sign|signature|token|x-amz-signature|x-amz-credential)=)[^&;\s'"#]+""",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return ``text`` with no URL's user and password, nor the keys in its query, in it.

    RSSHub's access key travels as ``?key=`` or ``?code=``, a proxy's password as userinfo.
    """
    text = _BARE_USERINFO.sub("***@", _USERINFO.sub(r"\1***@", text))
    return _KEYS.sub(r"\1***", text)


_FORMULA = re.compile(r"[=+\-@\t\r]")


def spreadsheet_cell(text: str) -> str:
    """Return a text as a cell of CSV: a spreadsheet would run one that begins like a formula.

    It gets an apostrophe, as OWASP's page on CSV injection has it.
    """
    return f"'{text}" if _FORMULA.match(text) else text

"""Keeping secrets out of what people and log collectors read. Pure."""

from __future__ import annotations

import re

_USERINFO = re.compile(r"([a-z][a-z0-9+.-]*://)[^/\s@'\"]+@", re.IGNORECASE)
_KEYS = re.compile(
    r"([?&](?:key|code|token|access_token|api_?key|password|secret)=)[^&\s'\"#]+", re.IGNORECASE
)


def redact(text: str) -> str:
    """Return ``text`` with no URL's user and password, nor the keys in its query, in it.

    RSSHub's access key travels as ``?key=`` or ``?code=``, a proxy's password as userinfo.
    """
    return _KEYS.sub(r"\1***", _USERINFO.sub(r"\1***@", text))

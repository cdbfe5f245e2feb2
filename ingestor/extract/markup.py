"""Which elements stay in an article, and what the others mean: data, not code."""

from __future__ import annotations

BREAK = frozenset(
    ("address", "article", "aside", "body", "center", "dd", "details", "div", "dl", "dt",
     "fieldset", "footer", "header", "html", "li", "main", "p", "pre", "section", "summary")
)  # fmt: skip
"""Elements that begin a new paragraph."""

HEADINGS = {f"h{level}": f"h{max(level, 2)}" for level in range(1, 7)}
"""The page's title is not in the body: a heading there is one of the second level or less."""

INLINE = {"b": "strong", "strong": "strong", "i": "em", "em": "em", "sup": "sup", "sub": "sub",
           "u": "u", "del": "del", "s": "del", "code": "code", "a": "a"}  # fmt: skip
NESTED = {"ul": "ul", "ol": "ol", "blockquote": "blockquote"}
CAPTIONS = frozenset(("img_descr", "pic-descr", "img-descr"))
VOID = frozenset(("embed", "source", "track"))
"""They have no inside (HTML, 13.1.2), but libxml2 puts what follows them there."""

FOREIGN = frozenset(("svg", "math"))
BREAKS_OUT = frozenset(
    ("b", "blockquote", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "h1", "h2",
     "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span",
     "strong", "sub", "sup", "table", "u", "ul")
)  # fmt: skip
"""Elements that end an SVG or a formula left open (HTML, 13.2.6.5)."""

TAGS = {"p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "table", "tr", "td",
         "th", "figure", "figcaption", "img", *set(INLINE.values())}  # fmt: skip
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "referrerpolicy"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}

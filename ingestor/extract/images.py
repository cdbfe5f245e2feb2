"""Pictures of an article: where they are, their captions, and the figure that shows both. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import islice, takewhile
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from ingestor.extract.boilerplate import is_hidden
from ingestor.text.sanitize import address_text, one_line

_SINA = re.compile(r"(?:^|\.)(?:sinaimg\.cn|sina\.com\.cn|sina\.cn|sinajs\.cn)$")
_LAZY = (
    "data-original", "data-src", "real-src", "real_src", "data-real-src", "data-lazy-src",
    "data-lazyload-src", "data-lazyload", "data-lazy", "data-echo", "data-actualsrc",
    "data-ks-lazyload", "data-srcimg", "lazy-src", "lazysrc", "lazyload", "_src", "src2",
    "original", "zoomfile", "file",
)  # fmt: skip
"""Where lazily loaded pictures keep their address, beside a placeholder."""

_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_BETWEEN = re.compile(r",\s+|(?<=\d[wx]),")
"""Between two candidates of a srcset: an address may have commas of its own."""

_ADDRESS = re.compile(r"[/.]")
_OTHER_NAME = re.compile(r"^data-|src|lazy|origin")
_PICTURE_FILE = re.compile(r"(?i)^(?!data:)\S+\.(?:jpe?g|png|webp|gif|avif|bmp)(?:[?!@]\S*)?$")
"""What an attribute that is not listed above has to hold, and how it is called."""

_PLACEHOLDER = re.compile(
    r"(?i)(?:^|[/_-])(?:blank|spacer|placeholder|transparent|1x1|1px|no_?(?:pic|img|image)"
    r"|default(?:[_-]?(?:pic|img|image))?|(?:load(?:ing)?|pixel|lazy(?:load)?|gr[ae]y|dot|none|clear)"
    r"(?!.*\.(?:jpe?g|webp)$))"
    r"(?:[_-]?(?:\d{1,4}(?:x\d{1,4})?|bg|img|image|pic|white|icon|small|big))*"
    r"\.(?:gif|png|svg|jpe?g|webp)$"
    r"|/[a-z0]\.gif$|/(?:hm|beacon|count|stat|track)\w*\.gif$|/tr/?$"
    r"|/(?:[\w-]*[_-])?logo(?:[_-]?(?:\d{1,3}|white|black|small|bg|top|foot(?:er)?|head(?:er)?))*\.(?:png|gif)$"
    # What Sina's blogs show until a picture is loaded, and what their pages are made of.
    r"|/blog7style/"
    # Icons, and videos and sounds.
    r"|\.(?:ico|svg|mp[34]|m4[av]|m3u8|flv|f4v|mov|avi|wmv|webm|ogg|swf)$|/(?:icons?|favicon)[/_.-]"
    # What a site's templates are made of.
    r"|/(?:templates?|skins?|css|themes?)/"
    # Marks at the end of a text, and QR codes (二维码), by the names that publishers give them.
    r"|/(?:end_[a-z]+|(?:ewm|erweima|qr_?code)\d*)\.(?:png|gif|jpe?g)$"
)
_SPACER_PIXELS = 2
_ICON_PIXELS = 32
"""What is so small on both sides shows nothing of an event: an icon, a face in a text."""

_MOST_CHARACTERS = 2_000
_SIZE = re.compile(r"^\s*(\d{1,5})(?:\.\d*)?(?:px)?\s*$")
_STYLE_SIZE = re.compile(r"(?i)(?:^|;)\s*(width|height)\s*:\s*(\d{1,5})px")


_CAPTIONS = frozenset(("img_descr", "pic-descr", "img-descr"))
_UNCAPTIONED = "></figure>"


def is_caption(element: Any) -> bool:
    """Whether an element says what the picture before it shows."""
    return element.tag == "figcaption" or not _CAPTIONS.isdisjoint(element.get("class", "").split())


def figure(address: str, caption: str = "") -> str:
    """Return the HTML of a picture, with its caption if it has one."""
    note = f"<figcaption>{escape(caption, quote=False)}</figcaption>" if caption else ""
    return f'<figure><img src="{escape(address)}" referrerpolicy="no-referrer">{note}</figure>'


def is_uncaptioned(html: str) -> bool:
    """Whether a block is a :func:`figure` that a caption may still come for."""
    return html.endswith(_UNCAPTIONED)


def video_title(box: Any) -> str:
    """Return the title that a video box shows, ``''`` where it shows none."""
    titles = box.xpath(".//*[contains(@class,'video-info') or @id='J_Video_Source']")
    return one_line(titles[0].text_content()) if titles else ""


def video_poster(box: Any) -> Any:
    """Return the element that names a video box's poster, else an ``img`` in it, or the box."""
    posters = (inner for inner in box.iter() if inner.get("poster") or inner.get("data-poster"))
    return next(posters, next(box.iterdescendants("img"), box))


def unscripted(noscript: Any, base_url: str) -> list[Any]:
    """Return the pictures that a page shows where no script runs, unless one beside it is such.

    That one may stand in a box of its own, if it is one that a script loads; so may the noscript.
    """
    for element in (noscript, *_boxes(noscript)):
        for beside in (element.getprevious(), element.getnext()):
            if beside is not None and any(
                picture_address(image, base_url) and (image is beside or _is_lazy(image, base_url))
                for image in _lone_images(beside)
            ):
                return []
    return [image for image in noscript.iter("img") if not is_hidden(image)]


_MOST_BOXES = 3
"""Elements inside each other around a lone picture."""


def _boxes(element: Any) -> Iterator[Any]:
    """Yield the boxes around an element that hold nothing else."""
    for box in islice(element.iterancestors("div", "span", "p", "figure", "a"), _MOST_BOXES):
        if (
            len(box) > 1
            or (box.text or "").strip()
            or any((child.tail or "").strip() for child in box)
        ):
            return
        yield box


def _lone_images(element: Any) -> list[Any]:
    """Return an image, or those of a box that says nothing."""
    if not isinstance(element.tag, str) or element.tag == "noscript":
        return []
    if element.tag == "img":
        return [element]
    if _text(element):
        return []
    return [
        image
        for image in element.iter("img")
        if next(image.iterancestors("noscript"), None) is None
    ]


def _text(element: Any) -> str:
    """Return what an element says to readers whose scripts run."""
    texts = element.xpath("descendant::text()[not(ancestor::noscript)]")
    return "".join(texts).strip()


def is_picture_box(element: Any, base_url: str) -> bool:
    """Whether an element says nothing, and shows pictures."""
    return any(picture_address(image, base_url) for image in _lone_images(element))


def _is_lazy(image: Any, base_url: str) -> bool:
    """Whether a script puts a picture in the place of what the ``src`` shows."""
    address = _absolute(image.get("src") or "", base_url)
    return not _is_shown(urlsplit(address)) or address != picture_address(image, base_url)


_BACKGROUND = re.compile(
    r"(?i)background(?:-image)?\s*:[^;]*?url\(\s*[\"']?([^\"')]{4,2000})[\"']?\s*\)"
)
_LAZY_BACKGROUNDS = ("data-bg", "data-background", "data-background-image", "data-bg-src")
_FRAMES = ("div", "span", "p", "i", "a", "figure", "section", "em", "b", "li")


def show_backgrounds(root: Any) -> None:
    """Make an image of each element of a page's text that only shows one as its background.

    Where it says something, its background is decoration.
    """
    for element in list(root.iter(*_FRAMES)):
        styled = _BACKGROUND.search(element.get("style") or "")
        lazy = next(filter(None, map(element.get, _LAZY_BACKGROUNDS)), "")
        if (styled or lazy) and not _text(element) and element.find(".//img") is None:
            for child in list(element):
                element.remove(child)
            element.text = None
            element.tag = "img"
            if styled:
                element.set("src", address_text(styled[1]))
            if lazy:
                bare = lazy.removeprefix("url(").rstrip(")").strip("\"'")
                element.set("data-src", address_text(bare))


def link_address(href: str, base_url: str) -> str:
    """Return where a link leads, absolute; ``''`` for anything but http, https and mailto."""
    absolute = _absolute(href, base_url)
    return absolute if urlsplit(absolute).scheme in {"http", "https", "mailto"} else ""


def picture_address(element: Any, base_url: str) -> str:
    """Return the address of a picture, or a video's poster; ``''`` for one that shows nothing."""
    if _is_tiny(element):
        return ""
    for stated in _stated(element):
        address = _absolute(stated, base_url)
        parts = urlsplit(address)
        if _is_shown(parts):
            secure = _SINA.search(parts.hostname or "")
            return re.sub("^http:", "https:", address) if secure else address
    return ""


def _is_shown(parts: SplitResult) -> bool:
    """Whether an absolute address is one of a picture that shows something."""
    return parts.scheme in {"http", "https"} and not _PLACEHOLDER.search(parts.path)


def _stated(element: Any) -> Iterator[str]:
    """Yield where a picture may be, the likeliest first."""
    # Some of these hold a mere "true" elsewhere.
    yield from filter(_ADDRESS.search, (element.get(name) or "" for name in _LAZY))
    if element.tag == "video" or element.get("poster"):
        yield element.get("poster") or element.get("data-poster") or ""
        return
    yield element.get("src") or ""
    yield from (_largest(element.get(name) or "") for name in _SETS)
    # libxml2 puts what follows a <source> inside it.
    for outer in takewhile(
        lambda outer: outer.tag in {"source", "picture"}, element.iterancestors()
    ):
        for source in outer.iter("source"):
            yield from (_largest(source.get(name) or "") for name in _SETS)
    for name, value in element.items():
        if _OTHER_NAME.search(name) and _PICTURE_FILE.match(value.strip()):
            yield value


def _largest(srcset: str) -> str:
    """Return the widest or densest picture of a srcset (HTML, 4.8.4.2.1)."""
    candidates = [words for part in _BETWEEN.split(srcset.strip(" ,")) if (words := part.split())]
    return max(candidates, key=_width, default=[""])[0]


def _width(candidate: list[str]) -> float:
    number = candidate[-1][:-1] if len(candidate) > 1 else ""
    return float(number) if re.fullmatch(r"\d{1,5}(?:\.\d{1,3})?", number) else 1.0


def _absolute(address: str, base_url: str) -> str:
    cleaned = address_text(address)
    if not cleaned or cleaned.startswith("#") or len(cleaned) > _MOST_CHARACTERS:
        return ""
    try:
        absolute = urljoin(base_url, cleaned)
        urlsplit(absolute)
    except ValueError:
        return ""
    return absolute


def _is_tiny(element: Any) -> bool:
    """Whether a picture is a spacer or an icon, by the size that the page gives it."""
    sizes = dict(_STYLE_SIZE.findall(element.get("style", "")))
    for name in ("width", "height"):
        if stated := _SIZE.match(element.get(name) or ""):
            sizes[name] = stated[1]
    pixels = [int(size) for size in sizes.values()]
    return any(0 < size <= _SPACER_PIXELS for size in pixels) or (
        len(pixels) == 2 and max(pixels) <= _ICON_PIXELS
    )

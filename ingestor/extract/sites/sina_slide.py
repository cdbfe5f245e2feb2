"""Sina's slides (``slide.*.sina.com.cn``): pictures and captions in ``var slide_data``.

``images[]`` has ``download_img`` and ``intro`` (RSSHub ``lib/routes/sina/utils.tsx``);
``slide`` names the title and the time where it is there, else the usual marks do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingestor.extract.template import Template, assigned, scripts, show, without_tags
from ingestor.extract.tree import Tree


def _prepare(tree: Tree) -> None:
    data = assigned(scripts(tree), "slide_data")
    images = data.get("images")
    if isinstance(images, list):
        show(tree, "slide_data", [*_head(data.get("slide")), *_figures(images)])


def _head(slide: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(slide, dict):
        yield "h1", _text(slide, "title"), ""
        yield "time", _text(slide, "createtime"), ""
        yield "p", _text(slide, "long_intro") or _text(slide, "short_intro"), ""


def _figures(images: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the pictures; a caption that is the one before again is not said twice."""
    before = ""
    for image in images:
        if not isinstance(image, dict):
            continue
        address = _text(image, "download_img") or _text(image, "image_url")
        caption = without_tags(_text(image, "intro") or _text(image, "title"))
        if address:
            yield "figure", caption if caption != before else "", address
            before = caption


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


TEMPLATE = Template(
    name="sina-slide",
    marks=("//script[contains(text(),'slide_data')]", "//script[contains(text(),'download_img')]"),
    prepare=_prepare,
    body=("//*[@data-from='slide_data']/section",),
    title=("//*[@data-from='slide_data']/h1", "//h1"),
    date=("//*[@data-from='slide_data']/time", "//*[contains(@class,'date')]"),
    media=("id('media_name')", "//*[contains(@class,'source')]"),
)

"""Sina's mobile page: ``section.art_content``."""

from ingestor.extract.scripted import captions
from ingestor.extract.template import Template
from ingestor.extract.tree import Tree


def _prepare(tree: Tree) -> None:
    captions(tree, "//section//h2[contains(@class,'art_img_tit')]")


TEMPLATE = Template(
    name="sina-mobile",
    marks=("//section[contains(@class,'art_content')]", "//h1[contains(@class,'art_tit_h1')]"),
    prepare=_prepare,
    body=("//section[contains(@class,'art_content')]",),
    title=("//h1[contains(@class,'art_tit_h1')]",),
    date=("//time[contains(@class,'art_time') or contains(@class,'weibo_time')]",),
    media=("//cite[contains(@class,'art_cite')]", "//h2[contains(@class,'weibo_user')]"),
)

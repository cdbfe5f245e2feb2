"""Pages of Sina's that list articles, from which the generic extractor would make one."""

from __future__ import annotations

from ingestor.extract.paths import find
from ingestor.extract.tree import Tree
from ingestor.identity import is_sina

LISTS = (
    "//*[@id='result']//*[contains(@class,'box-result')]",
    "//ul[contains(@class,'list_009')]/li",
    "//*[@id='d_list']//*[contains(@class,'c_tit')]",
    "//*[contains(concat(' ',@class,' '),' datelist ')]//a",
)
"""What a search's answers, the roll pages of three generations and a company's news are made of."""

LEAST_ITEMS = 3
"""A box of related articles has one or two."""


def is_list(tree: Tree) -> bool:
    """Whether a page that no template fits is one of these lists."""
    return is_sina(tree.url) and any(len(find(tree.root, path)) >= LEAST_ITEMS for path in LISTS)

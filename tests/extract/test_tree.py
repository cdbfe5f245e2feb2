"""The quick form of an XPath finds what the plain one finds."""

import pytest
from lxml import html

from ingestor.extract.generic import LISTS
from ingestor.extract.template import templates
from ingestor.extract.tree import find, find_first, quick, quick_first
from tools.made_up_sina import finance_page, made_up

PATHS = sorted(
    {
        path
        for template in templates()
        for field in ("marks", "body", "title", "date", "media", "editor", "keywords")
        for path in getattr(template, field)
    }
    | set(LISTS)
    | {
        "//h1[2]",
        "//p[last()]",
        "//p[position()<3]",
        "//p",
        "//p/text()",
        "//a/@href",
        "//p | //h1",
    }
    | {"//p[.//a]", "//body//p[a]", "//*[@id='x' or @class='y'][contains(@class,'y')]"}
)

PAGE = """<html><head><meta name='publishid' content='1'></head><body class='y'>
<h1>a</h1><div><p>b<a href='/1'>c</a></p><p class='y'>d</p><h1 class='main-title'>e</h1>
<div class='date-source'><span class='date'>f</span><a class='source x'>g</a></div></div>
<div class='date-source'><span class='date'>h</span></div><p>i</p></body></html>"""


@pytest.fixture(params=[PAGE, finance_page(made_up(3))], ids=["a small page", "a finance page"])
def page(request):
    return html.document_fromstring(request.param)


@pytest.mark.parametrize("path", PATHS)
def test_quick_paths_find_the_same(page, path):
    """The same elements in the same order, and the same first one."""
    plain = page.xpath(path)
    assert find(page, path) == plain
    assert find_first(page, path) == (plain[0] if plain else None)


def test_quick_paths_are_other_paths():
    """Else the test above would compare a path with itself."""
    assert quick("//p | //h1") == "/descendant::p | /descendant::h1"
    assert quick_first("//p[@class='a'][contains(.,'b')]") == (
        "/descendant::p[@class='a'][contains(.,'b')][1]"
    )
    assert quick_first("//p/a") == "/descendant::p/a"
    assert quick("//p[1]") == quick_first("//p[1]") == "//p[1]"


def test_the_first_of_two_old_forms_is_the_first_in_the_page(page):
    """The templates' way to look inside the first of several blocks."""
    inside = "*[contains(@class,'date')]"
    assert find(page, f"/descendant::*[contains(@class,'date-source')][1]//{inside}") == page.xpath(
        f"(//*[contains(@class,'date-source')])[1]//{inside}"
    )

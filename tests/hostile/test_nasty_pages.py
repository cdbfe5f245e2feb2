"""Pages that mean harm are archived inert and whole, or refused with a reason."""

import pytest

from ingestor.errors import NoArticle
from ingestor.extract import extract_article, extract_fragment
from ingestor.model import Article, Page
from tests.hostile.inert import dangers, judge
from tests.hostile.nasty_pages import BODIES, BYTES, HEADS, KEPT, LAST, REFUSED, TEMPLATES, finance

URL = "https://finance.sina.com.cn/china/gncj/2024-03-11/doc-imadeup0000001.shtml"


def read(page: str | bytes) -> Article:
    body = page.encode("utf-8", "surrogatepass") if isinstance(page, str) else page
    return extract_article(Page(URL, body, "text/html"))


def around(attack: str) -> str:
    """Put an attack between two paragraphs; one that never ends brings its own."""
    return attack if attack.startswith(f"<p>{KEPT}") else f"<p>{KEPT}</p>{attack}<p>{LAST}</p>"


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("attack", BODIES.values(), ids=BODIES)
def test_an_attack_in_a_body_is_archived_inert(attack, template):
    """On every page template, judged as a browser reads it; the text around it is kept."""
    article = read(template(around(attack)))
    judge(article)
    assert KEPT in article.body.text


@pytest.mark.parametrize("attack", BODIES.values(), ids=BODIES)
def test_an_attack_in_a_feeds_text_is_archived_inert(attack):
    """The same, where no page is asked for."""
    body = extract_fragment(around(attack), URL)
    assert dangers(body.html) == []
    assert KEPT in body.text


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_an_attack_in_the_fields_is_a_line_of_text(head, template):
    """Title, medium, keywords and addresses: nothing ends the front matter or the line."""
    article = read(template(f"<p>{KEPT}</p>", **head))
    judge(article)
    assert KEPT in article.body.text
    assert "u:p@" not in f"{article.url} {article.aliases}"
    assert len(article.keywords) <= 200
    assert len(article.aliases) <= 50
    assert len(article.media) <= 200
    assert len(article.summary) <= 2000


@pytest.mark.parametrize("body", BYTES.values(), ids=BYTES)
def test_an_attack_in_the_bytes_is_archived_inert(body):
    """Whatever the character set says it is."""
    article = read(body)
    judge(article)
    assert KEPT in article.body.text


@pytest.mark.parametrize(("page", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_passes_a_bound_or_is_no_page_is_refused_with_a_reason(page, reason):
    """Never a part of it."""
    with pytest.raises(NoArticle, match=reason) as caught:
        read(page)
    assert len(str(caught.value)) < 400
    assert URL in str(caught.value)


def test_what_follows_an_attack_is_kept():
    """For nearly all of them the article goes on behind it; the rest swallow it in a browser too."""
    swallowed = [
        name
        for name, attack in BODIES.items()
        if LAST not in read(finance(around(attack))).body.text
    ]
    assert set(swallowed) <= SWALLOWED


SWALLOWED = {
    "MathML that mutates",
    "a form that mutates",
    "a select that mutates",
    "elements closed in the wrong order",
    "video and audio",
}
"""Attacks that end the article's element, or open one whose inside is no text of the article."""


def test_the_judge_finds_what_it_is_there_for():
    """A judge that cannot condemn would acquit everybody."""
    for html in (
        "<p onclick=x>",
        "<script>",
        "<a href=' javascript:x'>",
        "<a href='java\tscript:x'>",
        "<img src=data:,x>",
        "<svg>",
        "<p style=x>",
        "\u202e",
        "<iframe>",
        "<!-- x -->",
    ):
        assert dangers(html) != []
    assert dangers('<p><a href="https://a.example/">x</a></p>') == []

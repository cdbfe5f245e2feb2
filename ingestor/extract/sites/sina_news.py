"""Sina's news page of 2017 on: news and mil.news (``#article``)."""

from ingestor.extract.template import Template

TEMPLATE = Template(
    name="sina-news",
    marks=(
        "id('article')",
        "//h1[contains(@class,'main-title')] | //meta[@name='publishid'] | //meta[@name='mediaid']",
    ),
    body=("id('article')",),
    title=("//h1[contains(@class,'main-title')]",),
    date=("(//*[contains(@class,'date-source')])[1]//*[contains(@class,'date')]", "id('pub_date')"),
    media=(
        "(//*[contains(@class,'date-source')])[1]//*[contains(concat(' ',@class,' '),' source ')]",
    ),
)

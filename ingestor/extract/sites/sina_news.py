"""Sina's news page of 2017 on: news and mil.news (``#article``)."""

from ingestor.extract.template import DATE_SOURCE, Template

TEMPLATE = Template(
    name="sina-news",
    marks=(
        "id('article')",
        "//h1[contains(@class,'main-title')] | //meta[@name='publishid'] | //meta[@name='mediaid']",
    ),
    body=("id('article')",),
    title=("//h1[contains(@class,'main-title')]",),
    date=(
        f"{DATE_SOURCE}//*[contains(@class,'date')]",
        "id('pub_date')",
    ),
    media=(f"{DATE_SOURCE}//*[contains(concat(' ',@class,' '),' source ')]",),
)

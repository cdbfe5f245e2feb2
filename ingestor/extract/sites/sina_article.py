"""Sina's article page of 2015 on: finance, tech, sports, ent (``#artibody``)."""

from ingestor.extract.template import DATE_SOURCE, Template

TEMPLATE = Template(
    name="sina-article",
    marks=(
        "id('artibody')",
        "//h1[contains(@class,'main-title')] | //meta[@name='publishid'] | //meta[@name='mediaid']",
    ),
    body=("id('artibody')",),
    title=("//h1[contains(@class,'main-title')]", "//h1[@id='artibodyTitle']"),
    date=(
        f"{DATE_SOURCE}//*[contains(@class,'date')]",
        "id('pub_date')",
        "//*[contains(@class,'time-source')]",
    ),
    media=(
        f"{DATE_SOURCE}//*[contains(concat(' ',@class,' '),' source ')]",
        "//*[@data-sudaclick='media_name']",
        "id('media_name')",
    ),
)

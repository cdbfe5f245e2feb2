"""Sina's article page of before 2016: ``h1#artibodyTitle``, often in GBK."""

from ingestor.extract.template import Template

TEMPLATE = Template(
    name="sina-old",
    marks=(
        "id('artibody')",
        "//*[@id='artibodyTitle' or @id='pub_date' or @id='media_name' or @id='navtimeSource']",
    ),
    body=("id('artibody')",),
    title=("//h1[@id='artibodyTitle']", "//h1"),
    date=(
        "id('pub_date')",
        "//*[contains(@class,'time-source')]",
        "id('navtimeSource')",
        "//*[contains(@class,'page-info')]//span",
    ),
    media=(
        "id('media_name')",
        "//*[@data-sudaclick='media_name']",
        "//*[contains(@class,'time-source')]//a",
        "id('navtimeSource')//a",
    ),
)

"""Sina's article page of before 2016: ``h1#artibodyTitle``, often in GBK."""

from ingestor.extract.template import Template

TEMPLATE = Template(
    name="sina-old",
    marks=(
        "//*[@id='artibody']",
        "//h1[@id='artibodyTitle'] | //*[@id='pub_date'] | //*[@id='media_name']",
    ),
    body=("//*[@id='artibody']",),
    title=("//h1[@id='artibodyTitle']", "//h1"),
    date=("//*[@id='pub_date']", "//*[contains(@class,'time-source')]"),
    media=("//*[@id='media_name']", "//*[contains(@class,'time-source')]//a"),
)

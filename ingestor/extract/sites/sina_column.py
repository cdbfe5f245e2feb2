"""Columns and other authors at Sina (``cj.sina.com.cn/articles/view/…``): 财经头条.

The page is made like an article's of its time; who wrote it is the columnist. Older ones have
the time in ``.page-info``, mobile ones (``cj.sina.cn``) are made like the mobile article.
"""

from ingestor.extract.template import DATE_SOURCE, Template, show_captions

TEMPLATE = Template(
    name="sina-column",
    marks=("//*[@id='artibody' or @id='article' or contains(@class,'art_content')]",),
    address=r"^https?://(?:t\.)?cj\.sina\.(?:com\.cn|cn)/articles?/view/",
    prepare=show_captions,
    body=(
        "id('artibody')",
        "id('article')",
        "//section[contains(@class,'art_content')]",
    ),
    title=(
        "//h1[contains(@class,'main-title')]",
        "//h1[contains(@class,'art_tit_h1')]",
        "//h1[@id='artibodyTitle']",
        "//h1",
    ),
    date=(
        f"{DATE_SOURCE}//*[contains(@class,'date')]",
        "//time[contains(@class,'art_time') or contains(@class,'weibo_time')]",
        "//*[contains(@class,'page-info')]//span",
        "id('pub_date')",
        "//time",
    ),
    media=(
        f"{DATE_SOURCE}//*[contains(concat(' ',@class,' '),' source ')]",
        "//h2[contains(@class,'weibo_user')]",
        "//cite[contains(@class,'art_cite')]",
        "//meta[@property='article:author' or @name='article:author']/@content",
        "//*[@id='author_ename' or @id='media_name']",
    ),
)

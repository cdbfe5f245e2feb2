"""Sina's mobile page: ``section.art_content``; in 2017 and 2018 ``article.art_box``.

The older one has title, author and time inside the text's element: ``h1.art_tit_h1``, then
``figure.weibo_info`` or ``time.art_time > cite.art_cite``, then ``p.art_p``. ``doc.sina.cn`` shows
either.
"""

from ingestor.extract.template import Template, show_captions

TEMPLATE = Template(
    name="sina-mobile",
    marks=(
        "//section[contains(@class,'art_content')] | //article[contains(@class,'art_box')]",
        "//h1[contains(@class,'art_tit_h1')]",
    ),
    prepare=show_captions,
    body=(
        "//section[contains(@class,'art_content')]",
        "//article[contains(@class,'art_box')]",
    ),
    title=("//h1[contains(@class,'art_tit_h1')]",),
    date=("//time[contains(@class,'art_time') or contains(@class,'weibo_time')]",),
    media=("//cite[contains(@class,'art_cite')]", "//h2[contains(@class,'weibo_user')]"),
)

"""Which parameters of an address name the article, and which only the visit. Data. Pure.

Collected from real Sina pages, from addresses in public code and from the documentation of
those who add them. What stands in no list here stays in the address: a mark too many makes
a second article of one, a mark too few loses one.
"""

from __future__ import annotations

import re

NAMING = frozenset(
    (
        "id",  # finance.sina.com.cn/7x24/notification.shtml?id=N
        "docid",
        "doc_id",
        "newsid",
        "news_id",
        "articleid",
        "article_id",
        "aid",
        "nid",
        "oid",
        "tid",  # guba.sina.com.cn/?s=thread&bid=N&tid=N
        "vid",
        "video_id",
        "videoid",
        "zhibo_id",
        "zhiboid",
        "live_id",
        "liveid",
        "rptid",
    )
)
"""Parameters that name the article on Sina's hosts, in lower case."""

SINA_TRACKING = frozenset(
    (
        "from",
        "froms",
        "frompage",
        "finpagefr",  # which list of the finance pages
        "cre",  # with mod, loc, r, rfunc, tj, tr: the recommendation that was followed
        "mod",
        "loc",
        "r",
        "rfunc",
        "tj",
        "tr",
        "wm",  # the application or partner
        "vt",  # the version of the mobile site
        "pos",
        "doct",
        "subch",
        "autocallup",  # whether the application opens
        "isfromsina",
        "sinawapsharesource",
        "t",  # with _t, _, ts, timestamp, rand, random: what keeps a cache from answering
        "_t",
        "_",
        "ts",
        "timestamp",
        "rand",
        "random",
    )
)
"""Parameters with which Sina's own pages and applications mark where a reader came from."""

STATIC_TRACKING = frozenset(("from",))
"""Those that other publishers' static pages carry as well; WeChat adds it."""

TRACKING = re.compile(
    r"utm_\w+|hm(?:sr|pl|cu|kw|ci)"  # campaigns: Google's and Baidu's
    r"|(?:pk|mtm|piwik|matomo)_(?:campaign|kwd|keyword|source|medium|content|cid|group|placement)"
    r"|at_(?:medium|campaign)|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|vero_id|oly_(?:enc|anon)_id"
    r"|spm|scm|adtag|ref_src|ref_url"  # Alibaba, Tencent, Twitter
    r"|[gdy]clid|fbclid|msclkid|gclsrc|[gw]braid|igshid|_g[al]"  # clicks on advertisements
    r"|share_(?:token|source|medium|from|plat|platform|tag|times|session_id)|_refluxos|tt_from"
    r"|bdshare|bsh_bid|qq-pf-to"  # Baidu's buttons, QQ
    r"|isappinstalled|nsukey|wx_?share\w*|clicktime|enterid"  # WeChat
    r"|weibo_share|luicode|lfid|featurecode"  # Weibo
)
"""Parameters that name a visit on any site, in lower case and whole."""

"""Words of pages that are no articles: data, and how they are looked for. Pure.

They only add doubt (:mod:`ingestor.witness`): a long article may quote any of them. Each is
compared without case, width, white space and punctuation, so that only its letters count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ingestor.text.similarity import alphanumerics

Category = Literal["verification", "blocked", "maintenance", "removed", "login", "shell"]
"""What such a page wants or says; ``shell``: it is filled, or left, by a script."""

WORDS: Mapping[Category, tuple[str, ...]] = {
    # Sliders and clicks of Aliyun, Tencent, GeeTest; Sina's and Weibo's visitor page; Cloudflare,
    # PerimeterX, DataDome, hCaptcha, Anubis.
    "verification": (
        "访问验证", "安全验证", "完成验证", "人机验证", "滑块验证", "行为验证", "身份验证中",
        "拖动滑块", "拖动下方滑块", "按住滑块", "滑动验证", "向右滑动", "点击按钮进行验证",
        "请输入验证码", "输入图中", "验证码", "点选验证", "网络环境存在异常", "网络环境异常",
        "访问行为异常", "检测到异常流量", "异常访问请求", "您的访问过于频繁", "访问过于频繁",
        "操作过于频繁", "请求过于频繁", "请求频率过高", "不是机器人", "正在进行浏览器检查",
        "正在验证您的浏览器", "正在检测您的浏览器", "Sina Visitor System",
        "新浪访客系统", "Just a moment", "Attention Required", "verify you are human",
        "verify that you are human", "verifying you are human", "are you a robot",
        "I'm not a robot", "not a robot", "Human Verification", "robot or human", "captcha",
        "complete the security check", "security check", "Checking your browser",
        "checking if the site connection is secure", "needs to review the security of your",
        "Pardon Our Interruption", "unusual traffic", "Enable JavaScript and cookies to continue",
        "Press & Hold", "making sure you're not a bot",
    ),
    # Web firewalls (Aliyun, Tencent, Chaitin SafeLine, Knownsec, 360, Baota, safedog), carriers'
    # pages, unregistered domains, Akamai, Cloudflare, Incapsula, geographical bars.
    "blocked": (
        "访问被拒绝", "拒绝访问", "禁止访问", "访问被阻断", "请求已被阻断", "访问被拦截",
        "请求被拦截", "已被拦截", "已被运营商拦截", "已被网站管理员设置拦截", "云防护拦截",
        "拦截提示", "安全拦截", "网站防火墙", "可能对网站造成安全威胁", "可能对网站造成威胁",
        "可能存在威胁", "不合法的参数", "请求包含恶意行为", "疑似黑客攻击", "检测到可疑访问",
        "创宇盾", "网站内容违规", "该网站内容违规", "网站暂时无法访问", "网站已暂停",
        "该网站未备案",
        "未备案或未接入", "域名未备案", "备案信息", "停止访问该网页", "已停止访问", "违法违规网站",
        "涉嫌违法", "根据相关法律法规", "您所在的地区", "所在区域无法访问", "您的IP", "IP已被封",
        "IP地址已被", "没有权限访问", "无权访问", "联系网站管理员", "Access Denied",
        "Access to this page has been denied", "Access to this page has been blocked",
        "You don't have permission to access", "Sorry, you have been blocked",
        "you have been blocked", "Request blocked", "has been blocked", "Request unsuccessful",
        "Incapsula incident ID", "The incident ID is", "403 Forbidden", "405 Not Allowed",
        "Error 1020", "Cloudflare Ray ID", "security service to protect itself",
        "potential threats to the server", "not available in your region",
        "not available in your country", "unavailable for legal reasons", "Too Many Requests",
        "rate limited", "errors.aliyun.com",
    ),
    # Maintenance, broken servers, parked and expired domains.
    "maintenance": (
        "系统维护", "维护中", "升级维护", "网站维护", "停机维护", "服务维护", "正在维护",
        "正在进行系统升级", "系统升级", "恢复访问", "给您带来的不便", "带来不便", "敬请谅解",
        "服务器繁忙", "系统繁忙", "服务器开小差", "网络开小差", "服务暂不可用", "服务不可用",
        "服务器内部错误", "服务器错误", "请稍后再试", "请稍后重试", "稍后刷新", "网络超时",
        "加载失败", "正在建设", "网站建设中", "域名已过期", "域名出售", "该域名正在出售",
        "Under Maintenance", "scheduled maintenance", "down for maintenance", "be back soon",
        "be right back", "temporarily unavailable", "Service Unavailable", "Bad Gateway",
        "Gateway Timeout", "Internal Server Error", "try again later", "under construction",
        "domain is for sale", "domain has expired", "buy this domain", "parked free",
        "this domain is parked",
    ),
    # Soft 404s: Sina's own 页面没有找到, columns, blogs, Weibo and the usual frames.
    "removed": (
        "页面没有找到", "页面不存在", "页面未找到", "找不到页面", "找不到该页", "没有找到您要",
        "没有找到相关页面", "无法找到该页", "您访问的内容不存在", "访问的内容不存在", "内容不存在",
        "访问的页面不存在", "您访问的页面", "您要查看的页面", "您查看的内容", "网页不存在",
        "文章不存在", "文章已被删除", "文章已删除", "已被作者删除", "已被删除", "已经被删除",
        "内容已删除", "内容已下线", "文章已下线", "已被系统屏蔽", "该内容无法查看", "无法查看",
        "已被移除", "删除或者移动", "不存在或已被删除", "违反相关规定", "输入了错误的网址",
        "返回首页", "网址有误", "链接已失效", "页面走丢了", "404 Not Found", "404错误",
        "Page Not Found", "page could not be found", "page cannot be found",
        "couldn't find this page", "page you are looking for", "page you were looking for",
        "page you requested", "does not exist", "doesn't exist", "no longer available",
        "頁面不存在", "已被刪除", "返回首頁",
        "has been removed", "has been deleted", "nothing was found", "content is not available",
    ),
    # Login, subscription and cookie walls.
    "login": (
        "请登录", "请先登录", "請登入", "登录后查看", "登录后阅读", "登录后即可", "登录后继续",
        "登录查看更多",
        "立即登录", "用户登录", "扫码登录", "手机号登录", "密码登录", "忘记密码", "注册账号",
        "立即注册", "开通会员", "订阅后阅读", "付费阅读", "购买后阅读", "剩余内容", "阅读全文请",
        "打开APP阅读全文", "客户端阅读全文", "请在微信客户端打开", "我们使用Cookie", "接受Cookie",
        "Sign in to continue", "Log in to continue", "Please log in", "Please sign in",
        "Forgot password", "Subscribe to continue", "subscribe to read", "Create an account",
        "We use cookies", "Accept all cookies", "cookies are disabled", "Please enable cookies",
    ),
    # Pages that a script fills or leaves.
    "shell": (
        "请启用JavaScript", "启用JavaScript", "不支持JavaScript", "浏览器版本过低", "正在加载",
        "页面加载中", "正在跳转", "自动跳转", "没有跳转请点击", "Please enable JavaScript",
        "enable JavaScript to run this app", "JavaScript is disabled", "requires JavaScript",
        "you are being redirected", "redirecting", "Loading...", "document has moved",
    ),
}  # fmt: skip
"""What such pages say, by kind, in Chinese and English. Compiled from what public crawlers and
firewall detectors look for, the error pages of common frames, and ../shared/cases."""

_LETTERS: Mapping[Category, tuple[str, ...]] = {
    category: tuple(
        sorted({alphanumerics(word) for word in words}, key=lambda word: (-len(word), word))
    )
    for category, words in WORDS.items()
}

_REMOVAL = (
    r"(?:下架|下线|撤下|撤稿|撤回|撤销|撤除|删除|移除|移走|失效|过期|作废|隐藏|封存|不可见|不见了|看不到了|不存在|屏蔽|消失|丢失|走丢|去火星|飞走了?"
    r"|关闭|停止展示|终止|(?:无法|不能|不予|不再|暂不|停止|未能|未?不?能)(?:被)?(?:显示|查看|访问|浏览|打开|展示|提供|阅读|找到|对外))"
)
_PATTERNS: Mapping[Category, re.Pattern[str]] = {
    "removed": re.compile(
        r"(?:[您你该此]|本[篇条]?|这[篇条个]|当前|所请求|原)[\u4e00-\u9fff]{0,7}?"
        r"(?:文章?|内容|新闻|稿件?|页面?|网页|帖子?|博文|信息|链接|资讯|报道|视频|图集)"
        rf"[\u4e00-\u9fff]{{0,12}}?{_REMOVAL}"
        rf"|(?:文章|页面|网页|稿件|链接|帖子|博文)(?:已经?|被|因|暂|可能)[\u4e00-\u9fff]{{0,8}}?{_REMOVAL}"
        rf"|作者已?(?:经|将|把)[\u4e00-\u9fff]{{0,8}}?{_REMOVAL}"
        r"|(?:this|the)(?:story|article|page|post|content|item|link)(?:youwant|yourequested)?"
        r"(?:isnolonger|isnot|isnt|hasnot|has|is|was|nolonger|cannotbe|couldnotbe|maybe|mayhavebeen)(?:been)?"
        r"(?:gone|withdrawn|removed|unpublished|retracted|available|deleted|takendown|expired|found"
        r"|displayed|exists?|viewable|accessible|unavailable|moved)"
    ),
}
"""How such pages say it in words of their own, as :func:`alphanumerics` has them."""

MOST_LETTERS = 4_000
"""How much of a page's text is searched: what is no article is short, or says so soon."""


@dataclass(frozen=True, slots=True)
class FoundWords:
    """The words of doubt in a text."""

    categories: tuple[Category, ...]
    """The one with the most letters first."""
    share: float
    """Share of the text's letters that belong to them, 0 to 1."""


def doubt_words(text: str) -> FoundWords:
    """Return the words of doubt in a text that a page shows."""
    searched = alphanumerics(text)[:MOST_LETTERS]
    covered = bytearray(len(searched))
    counts: dict[Category, int] = {}
    for category, words in _LETTERS.items():
        count = sum(_cover(covered, searched, word) for word in words)
        told = _PATTERNS[category].finditer(searched) if category in _PATTERNS else ()
        if count := count + sum(_mark(covered, *match.span()) for match in told):
            counts[category] = count
    ordered = sorted(counts, key=lambda category: -counts[category])
    return FoundWords(tuple(ordered), sum(covered) / len(searched) if searched else 0.0)


def _cover(covered: bytearray, text: str, word: str) -> int:
    """Mark where a word stands in a text; return how many letters it is the first to mark."""
    count, at = 0, text.find(word)
    while at >= 0:
        count += _mark(covered, at, at + len(word))
        at = text.find(word, at + len(word))
    return count


def _mark(covered: bytearray, begin: int, end: int) -> int:
    count = end - begin - sum(covered[begin:end])
    covered[begin:end] = b"\x01" * (end - begin)
    return count

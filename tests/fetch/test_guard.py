"""Where we refuse to go, in every form in which an address can be written."""

import pytest

from ingestor.errors import Forbidden
from ingestor.fetch.guard import GuardedBackend, Network, check_address, checked_url

INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[ff02::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:53aa:64c::]/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://printer.local/",
    "http://metadata.google.internal/",
    "http://metadata.google.internal。/",
    "http://169。254。169。254/",
    "http://10｡0｡0｡1/",
    "http://１２７.0.0.1/",
    "http://0x7f。1/",
    "http://%31%32%37.0.0.1/",
    "http://%30x7f%2e1/",
    "http://loc%61lhost/",
    "http://ＬＯＣＡＬＨＯＳＴ/",
    "http://%E2%93%9Bocalhost/",
    "http://a.locaｌ。:80/x",
]
NEVER = [
    "ftp://a.example/",
    "file:///etc/passwd",
    "gopher://a.example/",
    "javascript:alert(1)",
    "//a.example/",
    "http://user:password@a.example/",
    "http://a.example:port/",
    "http:///x",
    "http://a.example:6379/",
    "https://a.example:0/",
    "http://a%2fb.example/",
    "http://a%00.example/",
    "http://a%40b.example/",
    "http://%ff.example/",
    "http://a b.example/",
    "",
]
OUTSIDE = [
    "http://a.example/",
    "https://finance.sina.com.cn/x",
    "http://93.184.215.14/",
    "https://[2606:4700::1111]/",
    "https://a.example:443/",
    "http://8.8.8.8:80/",
]


@pytest.mark.parametrize("url", INSIDE)
def test_an_address_inside_the_network_is_refused(url):
    """By name or number, old forms and new, mapped ones too."""
    with pytest.raises(Forbidden, match="inside the network"):
        checked_url(url, allow_private=False)


@pytest.mark.parametrize("url", INSIDE)
def test_an_intranet_may_be_allowed(url):
    """The operator's word counts."""
    checked_url(url, allow_private=True)


@pytest.mark.parametrize("url", NEVER)
@pytest.mark.parametrize("allow_private", [True, False])
def test_what_is_no_plain_web_address_is_always_refused(url, allow_private):
    """Other schemes, credentials, no host."""
    with pytest.raises(Forbidden):
        checked_url(url, allow_private=allow_private)


@pytest.mark.parametrize("url", OUTSIDE)
def test_a_public_address_is_asked(url):
    """The guard is not in the way."""
    checked_url(url, allow_private=False)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://Finance.Sina.com.cn/A?b", "https://Finance.Sina.com.cn/A?b"),
        ("https://finance.sina。com.cn:443/a?b#c", "https://finance.sina.com.cn:443/a?b#c"),
        ("http://新闻.example/一", "http://xn--efvy88h.example/一"),
        ("http://f%69nance.example/%41", "http://finance.example/%41"),
    ],
)
def test_what_is_judged_is_what_is_asked(url, asked):
    """The host in ASCII; the rest as it was written."""
    assert checked_url(url, allow_private=False) == asked


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "::1", "fe80::1%eth0", "::ffff:192.168.0.1"]
)
def test_the_address_that_is_connected_to_is_judged(address):
    """Whatever name led there."""
    with pytest.raises(Forbidden):
        check_address(address)


def test_a_name_that_leads_inside_is_not_connected_to():
    """The look-up and the connection are one step: nothing can change in between."""
    with pytest.raises(Forbidden):
        GuardedBackend(Network()).connect_tcp("localhost", 80, timeout=1)


def test_a_port_that_a_feed_names_is_asked():
    """An RSSHub listens on 1200."""
    checked_url("http://a.example:1200/x", allow_private=False, ports=frozenset({1200}))

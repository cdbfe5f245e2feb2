"""Where we refuse to go: addresses inside somebody's network, and anything but http(s).

A feed is written by strangers. Without this check it could make the daemon ask the
router, a cloud's metadata service or a database on loopback (server-side request forgery).
The check is made on the address that is really connected to, so that neither a redirect
nor a name that changes its address between two look-ups gets around it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import httpcore
import idna

from ingestor.errors import Forbidden
from ingestor.identity import MOST_URL_CHARACTERS

_NAME = re.compile(r"[A-Za-z0-9_.~!$&'()*+,;=-]+")
"""What RFC 3986 lets stand for itself in a name."""
_NUMERIC_HOST = re.compile(r"(?i)^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*\.?$")
_LOCAL_NAME = re.compile(r"(?i)(?:^|\.)(?:localhost|local|internal|intranet|lan|home\.arpa)\.?$")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


USUAL_PORTS = frozenset({80, 443})
"""Where web pages are. Behind others may be anything: mail, a database, a printer."""


def checked_url(url: str, *, allow_private: bool, ports: frozenset[int] = USUAL_PORTS) -> str:
    """Return an address in the form in which it is asked.

    Its host is read as whoever is asked for it would, a proxy included: without percent signs
    (RFC 3986, 3.2.2), wide letters and foreign dots (UTS 46). Raises :class:`Forbidden` for one
    that must not be asked, by its form alone.
    """
    if len(url) > MOST_URL_CHARACTERS:
        raise Forbidden(f"the address is too long ({len(url)} characters): {url[:80]}…")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Forbidden(f"not an address: {url[:200]}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise Forbidden(f"only http and https addresses are asked: {url[:200]}")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("an address with a user name or password in it is not asked")
    if port is not None and port not in ports:
        raise Forbidden(f"port {port} is not asked, for no feed names it: {url[:200]}")
    asked = host if ":" in host else _plain_host(host)
    if not allow_private:
        if _LOCAL_NAME.search(asked):
            raise _inside(asked)
        if _NUMERIC_HOST.match(asked) or ":" in asked:
            check_address(_numeric(asked))
    if asked == host:
        return url
    netloc = asked if port is None else f"{asked}:{port}"
    return urlunsplit(parts._replace(netloc=netloc))


def _plain_host(host: str) -> str:
    """Return a host's name in ASCII; raise :class:`Forbidden` for what can be no name."""
    try:
        name = unquote(host, errors="strict")
        plain = name if name.isascii() else idna.uts46_remap(name, std3_rules=False)
        plain = plain if plain.isascii() else idna.encode(plain).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise Forbidden(f"{host}: not a host's name") from error
    if not _NAME.fullmatch(plain):
        raise Forbidden(f"{host}: not a host's name")
    return plain.lower().rstrip(".")


def check_address(address: str) -> None:
    """Raise :class:`Forbidden` unless ``address`` (a numeric IP) is a public one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if inner := ip.ipv4_mapped or ip.sixtofour or _nat64(ip):
            check_address(str(inner))
        if ip.teredo or ip.is_multicast or (not ip.is_global and not ip.ipv4_mapped):
            raise _inside(address)
    elif not ip.is_global or ip.is_multicast:
        raise _inside(address)


def _inside(host: str) -> Forbidden:
    return Forbidden(
        f"{host} is inside the network and is not asked (fetch.allow_private_addresses allows it)"
    )


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None


def _numeric(host: str) -> str:
    """Read a numeric host as the system's resolver would: 127.1, 0x7f000001, 017700000001."""
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except OSError as error:
        raise Forbidden(f"{host}: not an address") from error


def system_look_up(host: str, port: int) -> list[str]:
    """Return the numeric addresses of a name, as the system finds them; raises ``OSError``.

    The system's resolver bounds its own time: 10 seconds for each name server (resolv.conf(5)).
    """
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


@dataclass(frozen=True, slots=True)
class Network:
    """What lies below the guard: names and sockets, the system's unless others are handed in."""

    look_up: Callable[[str, int], list[str]] = system_look_up
    sockets: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)


class GuardedBackend(httpcore.NetworkBackend):
    """Opens TCP connections, to public addresses only.

    The name is looked up here, every address found is checked, and the connection is made
    to a checked address: there is no second look-up that could answer differently.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def connect_tcp(  # noqa: PLR0917 - httpcore's signature
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to ``host``; raise :class:`Forbidden` if it is, or resolves to, one inside."""
        try:
            addresses = self._network.look_up(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host}: no such host") from error
        for address in addresses:
            check_address(address)
        return self._first(addresses, port, timeout, local_address, socket_options)

    def _first(
        self, addresses: list[str], port: int, timeout: float | None, *rest: Any
    ) -> httpcore.NetworkStream:
        for address in addresses[:-1]:
            try:
                return self._network.sockets.connect_tcp(address, port, timeout, *rest)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._network.sockets.connect_tcp(addresses[-1], port, timeout, *rest)

"""Which way a request leaves: straight, over checked addresses, or through a proxy."""

from __future__ import annotations

import ssl
from urllib.request import getproxies_environment, proxy_bypass

import httpcore
import httpx

from ingestor.errors import ConfigError
from ingestor.fetch.deadline import TimedBackend
from ingestor.fetch.guard import GuardedBackend, Network


def transport(
    proxy: str, *, connections: int, allow_private: bool, network: Network
) -> httpx.BaseTransport:
    """Return the transport for a client.

    ``proxy`` is the configured proxy's address; with ``""`` the variables HTTP_PROXY,
    HTTPS_PROXY and NO_PROXY decide. Certificates are checked against the usual
    authorities, or those that SSL_CERT_FILE names. Raises :class:`ConfigError` for a
    proxy address that is none.
    """
    backend = network.sockets if allow_private else GuardedBackend(network)
    return _Routes(proxy, connections, backend)


def _on(backend: httpcore.NetworkBackend, transport: httpx.HTTPTransport) -> httpx.HTTPTransport:
    """Let a transport open its connections through a backend of ours."""
    # httpx offers no way to hand its pool a network backend; both are pinned to the minor
    # version in which these attributes hold them.
    transport._pool._network_backend = TimedBackend(backend)  # noqa: SLF001
    return transport


class _Routes(httpx.BaseTransport):
    """Sends each request through the proxy that its scheme and host ask for, or straight."""

    def __init__(self, proxy: str, connections: int, backend: httpcore.NetworkBackend) -> None:
        tls = httpx.create_ssl_context()
        limits = httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
        )
        self._direct = _on(backend, httpx.HTTPTransport(verify=tls, limits=limits))
        self._configured = bool(proxy)
        named = {"http": proxy, "https": proxy} if proxy else _environment()
        self._proxied = {scheme: _proxy(url, tls, limits) for scheme, url in named.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request the way it has to go."""
        proxied = self._proxied.get(request.url.scheme)
        if proxied is None or (not self._configured and proxy_bypass(request.url.host)):
            proxied = self._direct
        return proxied.handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        for one in (self._direct, *self._proxied.values()):
            one.close()


def _environment() -> dict[str, str]:
    found = getproxies_environment()
    every = found.get("all", "")
    named = {scheme: found.get(scheme, every) for scheme in ("http", "https")}
    return {
        scheme: url if "://" in url else f"http://{url}" for scheme, url in named.items() if url
    }


def _proxy(url: str, tls: ssl.SSLContext, limits: httpx.Limits) -> httpx.HTTPTransport:
    try:
        proxied = httpx.HTTPTransport(verify=tls, limits=limits, proxy=url)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigError(f"fetch.proxy: not a proxy that can be used: {error}") from error
    return _on(httpcore.SyncBackend(), proxied)

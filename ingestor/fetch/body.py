"""Reading a body within bounds: bytes received, bytes unpacked, and how one grows to the other.

Bodies are unpacked here and not by httpx, whose decoders unpack a whole chunk at once: 64 KiB
of a compression bomb are 64 MiB before anybody can count them. Here never more than
:data:`STEP_BYTES` come into being between two looks at the bounds.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

import httpcore

from ingestor.errors import CutOff, TooLarge, Unreachable

ACCEPT_ENCODING = "gzip, deflate"
"""What we can unpack step by step. Brotli and Zstandard cannot be bounded in their common
Python bindings, and are not asked for."""

STEP_BYTES = 64 * 1024
"""The most that is unpacked at once."""

MOST_RATIO = 200
"""Real pages shrink to a fifth or a tenth, tables of numbers to a fiftieth."""

RATIO_FREE_BYTES = 1024**2
"""Up to here the ratio is not looked at: a small page of spaces harms nobody."""

_GZIP = 16 + zlib.MAX_WBITS
_WBITS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}
_MAGIC = b"\x1f\x8b"
_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,200})?\r?\n")

_ENDS = (
    Unreachable,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
)
"""How a body ends in the middle."""

_NOT_ASKED_FOR = frozenset(
    {"br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "aes128gcm", "pack200-gzip"}
)
"""The other codings that there are (IANA's HTTP Content Coding Registry). What is none of these,
such as ``utf-8`` or ``none``, says nothing of the body."""


def bounded_body(chunks: Iterable[bytes], encoding: str, most: int, url: str) -> bytes:
    """Return a whole body, unpacked; ``chunks`` come from the wire, ``encoding`` from its header.

    Raises :class:`TooLarge` as soon as a bound is passed, :class:`CutOff` for a body of which
    only the beginning came, and :class:`Unreachable` for one of which nothing did, or that is
    packed in a way that was not asked for; what follows the packed body is none of it. ``url`` is
    for the error.
    """
    named = [name.strip().lower() for name in encoding.split(",")]
    packed = [name for name in named if name in _WBITS or name in _NOT_ASKED_FOR]
    if len(packed) > 1 or not _NOT_ASKED_FOR.isdisjoint(packed):
        raise Unreachable(f"{url}: packed as {', '.join(packed)!r:.42}, which was not asked for")
    name = "".join(packed)
    received = _Counted(chunks, most, url)
    body = bytearray()
    try:
        for part in _unpacked(received, name, url) if name else received:
            body += part
            if len(body) > most:
                raise TooLarge(f"{url}: more than {most} bytes unpacked (fetch.max_bytes)")
            if len(body) > max(RATIO_FREE_BYTES, MOST_RATIO * received.bytes):
                raise TooLarge(f"{url}: it unpacks to more than {MOST_RATIO} times its size")
    except _ENDS as error:
        if not body:
            raise
        raise CutOff(_reason(error, url), bytes(body)) from error
    return bytes(body)


def _reason(error: Exception, url: str) -> str:
    if isinstance(error, Unreachable):
        return str(error)
    if isinstance(error, httpcore.TimeoutException):
        return f"{url}: it is cut off: no whole answer in time (fetch.timeout)"
    return f"{url}: it is cut off: {error or type(error).__name__}"


class _Counted:
    """Chunks, counted as they come."""

    def __init__(self, chunks: Iterable[bytes], most: int, url: str) -> None:
        self._chunks = chunks
        self._most = most
        self._url = url
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.bytes += len(chunk)
            if self.bytes > self._most:
                raise TooLarge(f"{self._url}: more than {self._most} bytes (fetch.max_bytes)")
            yield chunk


def _unpacked(chunks: Iterable[bytes], name: str, url: str) -> Iterator[bytes]:
    """Yield what the chunks unpack to; a gzip body may have several members (RFC 1952, 2.2).

    What is behind a member and begins no other is left out, as browsers do it: zeros, or the
    words of a program that went on writing.
    """
    unpacker, begun, over, data = None, False, False, b""
    try:
        for chunk in chunks:
            # What is left out is counted all the same.
            data = b"" if over else data + chunk
            while data and (unpacker or len(data) >= len(_MAGIC)):
                if unpacker is None and begun and not data.startswith(_MAGIC):
                    over = True
                    break
                unpacker = unpacker or zlib.decompressobj(_wbits(name, data))
                begun = True
                yield unpacker.decompress(data, STEP_BYTES)
                if unpacker.eof:
                    data, unpacker = unpacker.unused_data.lstrip(b"\0"), None
                else:
                    data = unpacker.unconsumed_tail
        if not begun:
            yield data
        # All was read, yet zlib may still hold back what did not fit into the last step.
        while unpacker and not unpacker.eof and (part := unpacker.decompress(b"", STEP_BYTES)):
            yield part
    except zlib.error as error:
        raise Unreachable(f"{url}: the body is not {name}: {error}") from error
    if unpacker and not unpacker.eof:
        raise Unreachable(f"{url}: the packed body is cut off")


def _wbits(name: str, data: bytes) -> int:
    """Return zlib's mode; "deflate" without zlib's header is wrong, and common."""
    if name == "deflate" and (data[0] & 0x0F != zlib.DEFLATED):
        return -zlib.MAX_WBITS
    return _WBITS[name]


def unchunked(body: bytes) -> bytes:
    """Return a body without the lengths of its chunks (RFC 9112, 7.1); one without any as it is.

    Raises ``ValueError`` for one that breaks off.
    """
    if not _CHUNK_HEAD.match(body):
        return body
    joined, at = bytearray(), 0
    while found := _CHUNK_HEAD.match(body, at):
        length = int(found[1], 16)
        if not length:
            return bytes(joined)
        part = body[found.end() : found.end() + length]
        if len(part) < length:
            break
        joined += part
        at = found.end() + length
        at += 2 if body[at : at + 2] == b"\r\n" else 1
    raise ValueError("a body in chunks that breaks off")

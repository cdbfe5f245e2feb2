"""A real S3 server for tests: moto's, in this process, on loopback."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self
from unittest import mock
from urllib.parse import urlsplit

import boto3
from moto.server import ThreadedMotoServer


class S3Server:
    """What a test knows of the server: its address, and what a user sets to use it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "key-for-tests",
            "AWS_SECRET_ACCESS_KEY": "secret-for-tests",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with mock.patch.dict(os.environ, self.environment):
            self.client = boto3.client("s3")

    def keys(self, bucket: str) -> list[str]:
        """Return the keys of a bucket, in order."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Give a server with nothing in it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()


class Relay:
    """Passes everything on to a server, but an upload to a key of some ending is interfered with."""

    def __init__(self, url: str, ending: str) -> None:
        """Interfere with uploads to keys of this ending."""
        self._there = urlsplit(url)
        self._ending = ending.encode()
        self.interferes = True
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def interfere(self, head: bytes, client: socket.socket, server: socket.socket) -> None:
        """Deal with an upload that begins with these bytes; the connections are closed after."""
        raise NotImplementedError

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection((self._there.hostname, self._there.port))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                line = data.partition(b" HTTP/1.1\r\n")[0]
                upload = line.startswith(b"PUT ") and line.endswith(self._ending)
                if upload and self.interferes:
                    self.interfere(data, one, other)
                    break
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class HangingRelay(Relay):
    """Takes an upload's beginning and then nothing more."""

    def __init__(self, url: str, ending: str) -> None:
        super().__init__(url, ending)
        self.hanging = threading.Event()
        """Set once an upload is in its middle."""

    def interfere(self, head: bytes, client: socket.socket, server: socket.socket) -> None:
        """Pass on the head and a little of the body; wait until who uploads is gone."""
        head, end, body = head.partition(b"\r\n\r\n")
        server.sendall(head + end)
        body = body or client.recv(65536)
        server.sendall(body[:100])
        self.hanging.set()
        while client.recv(65536):
            continue


class RefusingRelay(Relay):
    """Answers an upload as a store does that has no room."""

    def interfere(self, head: bytes, client: socket.socket, server: socket.socket) -> None:  # noqa: ARG002 - the base's
        """Refuse it."""
        client.sendall(
            b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )

"""A real S3 server for tests: moto's, in this process, on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

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
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()

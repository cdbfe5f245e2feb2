"""A replay tool of the standard opens what was kept: pywb, which `make replay` installs.

It has many dependencies and a release rhythm of its own; so it lives in an environment of its
own, and this is skipped where ``INGEST_PYWB`` does not name its folder of programs.
"""

import os
import socket
import sqlite3
import subprocess
import urllib.request
from contextlib import closing, contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.faults.laboratory import Driver
from tools.living import wait_for
from tools.made_up_sina import finance_page, made_up, publish
from tools.running import Site

PROGRAMS = Path(os.environ.get("INGEST_PYWB", "nowhere")).absolute()

pytestmark = pytest.mark.skipif(
    not (PROGRAMS / "wayback").exists(), reason="pywb is not here (`make replay` installs it)"
)


@contextmanager
def replayed(site: Site, folder: Path):
    """Index the WARC files as a collection, serve it, and give its address."""
    folder.mkdir()
    kept = sorted(map(str, (site.folder / "warc").glob("*.warc.gz")))
    for arguments in (("init", "kept"), ("add", "kept", *kept)):
        subprocess.run(
            [PROGRAMS / "wb-manager", *arguments], cwd=folder, check=True, capture_output=True
        )
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        port = one.getsockname()[1]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [PROGRAMS / "wayback", "-b", "127.0.0.1", "-p", str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(lambda: answers(port))
            yield f"http://127.0.0.1:{port}/kept"
        finally:
            server.terminate()
            server.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_pywb_replays_every_capture_byte_for_byte(site, net, tmp_path):
    """Feed and pages, and a page that came again and is a revisit record."""
    articles = [made_up(number) for number in range(1, 4)]
    publish(net, articles)
    site.run("--once")
    with closing(sqlite3.connect(site.folder / "archive.db")) as connection, connection:
        # The server cannot say "unchanged": the pages come again.
        connection.execute("UPDATE articles SET etag = '', last_modified = ''")
    with Driver() as driver:
        # A replay tool tells captures apart by their second.
        driver.run(site, "--once", clock_shift=2 * 3600)
    served = {one.url: finance_page(one).encode() for one in articles}
    rows = site.query("SELECT final_url, fetched_at, warc_length FROM captures ORDER BY id")
    again = [row for row in rows if row[0] == articles[0].url]
    assert len(again) == 2
    assert again[1][2] < again[0][2] / 2
    with replayed(site, tmp_path / "pywb") as address:
        for url, moment, _ in rows:
            stamp = "".join(one for one in moment if one.isdigit())
            with urllib.request.urlopen(f"{address}/{stamp}id_/{url}") as answer:
                body = answer.read()
            memento = parsedate_to_datetime(answer.headers["Memento-Datetime"])
            assert memento == datetime.fromisoformat(moment)
            if url in served:
                assert body == served[url]
            else:
                assert body.startswith(b"<?xml")

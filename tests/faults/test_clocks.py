"""A clock that jumps by chance, by libfaketime where that is installed (Debian: ``libfaketime``)."""

import os
import random
from pathlib import Path

import pytest

from tests.faults.laboratory import SOAK
from tools.living import Daemon, wait_for
from tools.made_up_sina import made_up, publish
from tools.running import feed

JUMPS = 40 if SOAK else 2

FARTHEST = 10 * 365 * 86_400
"""Seconds by which the clock is ahead or behind at most."""

LIBRARY = next(Path("/usr").glob("lib*/**/faketime/libfaketimeMT.so.1"), None)
if named := os.environ.get("INGEST_LIBFAKETIME"):
    LIBRARY = Path(named)


@pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not here")
def test_jumps_by_years_in_both_directions_stop_no_poll(site, net, tmp_path, figures):
    """After each of them what is new is archived, and the archive agrees at the end."""
    offset, chance = tmp_path / "offset", random.Random(20240403)
    offset.write_text("+0\n", "utf-8")
    environment = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        # By the monotonic clock waiting is measured: it does not jump.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), schedule='jitter = "0s"', fetch="robots = false")
    with Daemon(site, environment=environment, whole=True) as daemon:
        wait_for(lambda: len(site.files()) == 1)
        for count in range(2, JUMPS + 2):
            changed = offset.with_suffix(".new")
            changed.write_text(f"{chance.randrange(-FARTHEST, FARTHEST):+d}\n", "utf-8")
            changed.replace(offset)
            publish(net, [made_up(number) for number in range(1, count + 1)])
            wait_for(lambda count=count: len(site.files()) == count)
        assert "clock_jumped" in daemon.said()
        assert daemon.stop() == 0, daemon.said()
    assert "Traceback" not in daemon.said()
    found = site.run("verify")
    assert found.returncode == 0, found.stdout
    figures(f"{JUMPS} jumps of the clock: every poll came, and the archive agrees")

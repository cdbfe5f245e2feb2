"""What ``/metrics`` says, and the alerts of the page, before Prometheus's own ``promtool``."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tools import ROOT, reference

PROMTOOL = Path(os.environ.get("INGEST_PROMTOOL", "nowhere")).absolute()

pytestmark = pytest.mark.skipif(
    not PROMTOOL.exists(), reason="promtool is not here (`make promtool` installs it)"
)


def promtool(*arguments: object, told: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROMTOOL, *arguments], input=told, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_metrics_are_as_prometheus_wants_them():
    """Names, units, help and types."""
    done = promtool("check", "metrics", told=reference.exposition())
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_no_metric_is_found():
    """Else the test above could not fail."""
    assert promtool("check", "metrics", told="ingestor-x{ 1\n").returncode != 0


def test_the_alerts_of_the_page_are_rules(tmp_path):
    """All of them."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    (rules,) = re.findall(r"```yaml\n(groups:.*?)```", page, re.DOTALL)
    (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    done = promtool("check", "rules", tmp_path / "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{rules.count('alert:')} rules found" in done.stdout

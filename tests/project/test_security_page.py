"""docs/security.md: what it names is there."""

import re
from functools import cache

import pytest

from ingestor.config.sections import FetchSettings
from tools import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| threat")
]


@cache
def sources(folder: str) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((ROOT / folder).rglob("*.py")))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_each_named_test_exists(name):
    """Under exactly this name."""
    assert re.search(rf"^def {name}\(", sources("tests"), re.MULTILINE)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([A-Z]\w*_\w+)`", PAGE))))
def test_each_named_constant_exists(name):
    """With its reason in the line below."""
    assert re.search(rf'^{name} = .*\n"""', sources("ingestor"), re.MULTILINE)


@pytest.mark.parametrize("key", sorted(set(re.findall(r"`fetch\.(\w+)`", PAGE))))
def test_each_named_key_exists(key):
    """In the configuration."""
    assert key in FetchSettings.model_fields


def test_each_threat_has_its_bound_and_its_test():
    """Three cells, none empty."""
    assert len(ROWS) > 30
    for row in ROWS:
        threat, bound, shown = row
        assert threat
        assert bound
        assert re.search(r"`test_\w+`|the same", shown), threat


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readmes_lead_there(name):
    """In both languages."""
    assert "(docs/security.md)" in (ROOT / name).read_text("utf-8")

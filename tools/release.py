"""Tries a wheel as its users will: ``python -m tools.release WHEEL FOLDER`` (``make release``).

The wheel alone is installed into a new environment, and its ``ingest`` archives a made-up Sina on
loopback, finds what it archived, and verifies it. What is in that environment is written down
beside the wheel: an SBOM (CycloneDX), and a table of licences.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path

from ingestor.version import __version__
from tools import ROOT
from tools.fake_internet import FakeInternet
from tools.made_up_sina import demo_articles, publish
from tools.running import Site

TABLE_HEAD = "| package | version | licence |\n|---|---|---|\n"


def main(arguments: Sequence[str]) -> int:
    """Install the wheel, try it, and write down what it needs; return 0 when all is well."""
    wheel, folder = (Path(argument).absolute() for argument in arguments)
    if wrong := disagreements(wheel.name, changelog(), tags()):
        sys.exit(wrong)
    programs = _installed(wheel, folder)
    _try(programs / "ingest")
    packages = _packages(folder)
    (wheel.parent / "licences.md").write_text(licence_table(packages), encoding="utf-8")
    print(f"{wheel.name}: {len(packages)} packages; licences.md is beside it")
    return 0


def changelog() -> str:
    """Return the changelog."""
    return (ROOT / "CHANGELOG.md").read_text("utf-8")


def releases(text: str) -> list[str]:
    """Return the versions that a changelog has a dated section of, in its order: newest first."""
    return re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)


def tags() -> list[str]:
    """Return the tags of versions (``v1.0.0``) at this commit; none where there is no git."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        return []
    command = ["git", "-C", str(ROOT), "tag", "--points-at", "HEAD", "--list", "v*"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def disagreements(wheel: str, text: str, tagged: Sequence[str]) -> str:
    """Return what does not agree with the program's version; ``""``: wheel, changelog and tag do."""
    if f"-{__version__}-" not in wheel:
        return f"{wheel}: is not version {__version__}"
    if releases(text)[:1] != [__version__]:
        return f"CHANGELOG.md: its newest release is not {__version__}"
    if tagged and f"v{__version__}" not in tagged:
        return f"this commit is tagged {', '.join(tagged)}, and is version {__version__}"
    return ""


def _installed(wheel: Path, folder: Path) -> Path:
    """Install a wheel into a new environment; return the folder of its programs."""
    venv.create(folder, with_pip=True, clear=True)
    python, quietly = str(folder / "bin" / "python"), "--disable-pip-version-check"
    subprocess.run([python, "-m", "pip", "install", "--quiet", quietly, str(wheel)], check=True)
    return folder / "bin"


def _try(ingest: Path) -> None:
    """Let the installed program archive, find and verify; exit with what it said if it cannot."""
    told = demo_articles()
    with tempfile.TemporaryDirectory() as folder, FakeInternet() as net:
        publish(net, told)
        site = Site(Path(folder), net)
        site.configure()
        summary = json.loads(_said(ingest, site, "--once", "--json"))
        if summary["articles_new"] != len(told):
            sys.exit(f"{len(told)} articles were published, {summary['articles_new']} came in")
        found = _said(ingest, site, "search", "石门水泥", "--titles")
        verified = _said(ingest, site, "verify")
    print(found, verified, sep="", end="")


def _said(ingest: Path, site: Site, *arguments: str) -> str:
    # Not this source tree: what is tried is what was installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [ingest, *arguments],
        cwd=site.folder,
        env=environment | {"SSL_CERT_FILE": site.net.ca_file},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"ingest {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def _packages(folder: Path) -> list[Distribution]:
    (libraries,) = folder.glob("lib/python3*/site-packages")
    found = {each.name: each for each in distributions(path=[str(libraries)])}
    return [found[name] for name in sorted(found, key=str.lower) if name != "pip"]


def licence_table(packages: Sequence[Distribution]) -> str:
    """Return the licence of each package, as its metadata says it (PEP 639, else the classifiers)."""
    rows = (f"| {each.name} | {each.version} | {licence(each)} |\n" for each in packages)
    return TABLE_HEAD + "".join(rows)


def licence(package: Distribution) -> str:
    """Return what a package says of its licence; raise ``ValueError`` where it says nothing."""
    told = package.metadata
    classified = [
        line.rpartition(" :: ")[2]
        for line in told.get_all("Classifier") or []
        if line.startswith("License :: OSI Approved ::")
    ]
    (named,) = told.get_all("License") or [""]
    (expression,) = told.get_all("License-Expression") or [""]
    first, _, whole_text = named.strip().partition("\n")
    answer = expression or ("" if whole_text else first) or ", ".join(classified) or first
    if not answer:
        raise ValueError(f"{package.name} {package.version}: no licence in its metadata")
    return answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

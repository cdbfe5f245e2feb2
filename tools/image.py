"""Builds the image without an engine: the Dockerfile's steps, one by one, in a Debian root folder.

What stands in for ``python:3.12-slim`` is a Debian with Debian's own Python, made to look like
that image: ``python`` and pip lie in /usr/local. A container is a chroot in mount namespace of
its own, on the machine's network.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import ROOT
from tools.dockerfile import Stage, stages, variables

BASE = ROOT / "build" / "image-base"
"""The Debian root folder; made once, `make clean` removes it."""

DEBIAN = "bookworm"
TOOLS = ("debootstrap", "unshare", "chroot", "mount")
AS_IN_THE_IMAGE = """
set -e
ln -sf /usr/bin/python3 /usr/local/bin/python
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
python "$(echo /usr/share/python-wheels/pip-*.whl)/pip" install \
  --quiet --root-user-action=ignore --no-index --find-links /usr/share/python-wheels pip
"""
CONTAINER = """
set -e
mount --bind "$ROOT" "$ROOT"
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount --bind "$DATA" "$ROOT/data"
mount -o remount,bind,ro "$ROOT"
exec chroot --userspec="$OWNER" --groups= "$ROOT" env -i -C /data "$@"
"""
"""As ``docker run --read-only --tmpfs /tmp -v DATA:/data``."""


def missing() -> str:
    """Return why no image can be built here; ``""``: it can."""
    if os.geteuid() != 0:
        return "only root can make a Debian root folder"
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    allowed = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return "" if allowed.returncode == 0 else "this machine lets nobody mount"


@dataclass
class Image:
    """What the Dockerfile makes: a root folder, and how it wants to be run."""

    root: Path
    stage: Stage
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, data: Path, command: Sequence[str], **more: Any) -> subprocess.Popen[str]:
        """Start a command as the image's user, over a read-only root, with ``data`` at /data."""
        given = self.environment | more.pop("environment", {})
        return subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", CONTAINER, "sh", *_settings(given), *command],
            env=os.environ | {"ROOT": str(self.root), "DATA": str(data), "OWNER": self.owner()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(
        self, data: Path, *command: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with self.start(data, command, environment=environment) as process:
            out, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(list(command), process.returncode, out, errors)

    def owner(self) -> str:
        """Return the image's user and group as numbers: those that the volume belongs to."""
        name = self.stage.last("USER")
        for line in (self.root / "etc" / "passwd").read_text("utf-8").splitlines():
            known, _, user, group, *_ = line.split(":")
            if known == name:
                return f"{user}:{group}"
        raise AssertionError(f"USER {name} is not in the image")


def built(folder: Path) -> Image:
    """Carry out the Dockerfile's steps below ``folder``; return what its last stage is."""
    _make_base()
    done: dict[str, Image] = {}
    for stage in stages((ROOT / "Dockerfile").read_text("utf-8")):
        root = folder / stage.name
        _check(["cp", "-a", "--reflink=auto", str(BASE), str(root)])
        image = done[stage.name] = Image(root, stage, {"PATH": os.defpath})
        image.environment["PATH"] = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        for instruction, arguments in stage.steps:
            _step(image, instruction, arguments, {name: one.root for name, one in done.items()})
    return list(done.values())[-1]


def _step(image: Image, instruction: str, arguments: str, roots: dict[str, Path]) -> None:
    if instruction == "RUN":
        _in(image.root, arguments, image.environment)
    elif instruction in {"ARG", "ENV"}:
        image.environment |= variables(arguments, image.environment)
    elif instruction == "COPY":
        *options, source, target = arguments.split()
        to = image.root / target.lstrip("/")
        if options:
            stage = options[0].removeprefix("--from=")
            shutil.copytree(roots[stage] / source.lstrip("/"), to, symlinks=True)
        elif (ROOT / source).is_file():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, to)
        else:
            shutil.copytree(ROOT / source, to, ignore=_ignored, dirs_exist_ok=True)
    elif instruction in {"VOLUME", "WORKDIR"}:
        (image.root / arguments.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif instruction not in {"USER", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT"}:
        raise AssertionError(f"{instruction}: not known here")


def _ignored(folder: str, names: list[str]) -> list[str]:
    """Leave out what .dockerignore names; its patterns are of the top folder only."""
    if Path(folder) != ROOT:
        return []
    patterns = (ROOT / ".dockerignore").read_text("utf-8").split()
    return [name for name in names if any(fnmatch.fnmatch(name, one) for one in patterns)]


def _make_base() -> None:
    if BASE.exists():
        return
    unfinished = BASE.with_name("image-base.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(exist_ok=True)
    packages = "--include=python3,python3-venv,ca-certificates"
    _check(["debootstrap", "--variant=minbase", packages, DEBIAN, str(unfinished)])
    _in(unfinished, AS_IN_THE_IMAGE, {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
    unfinished.rename(BASE)


def _in(root: Path, script: str, environment: dict[str, str]) -> None:
    """Run a script in a root folder, with the network as it is on this machine."""
    for path in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"):
        if Path(path).exists():
            shutil.copyfile(path, root / path.lstrip("/"))
    ours = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    _check(["chroot", str(root), "env", "-i", *_settings(ours | environment), "sh", "-c", script])


def _settings(environment: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def _check(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"

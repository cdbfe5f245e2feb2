"""Reads a Dockerfile as far as ours needs it: stages, and the steps of each."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass
class Stage:
    """One ``FROM``, and what is done on top of it."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Instruction and arguments, in order."""

    def last(self, instruction: str) -> str:
        """Return the arguments of the last step of this kind; fail when there is none."""
        return [arguments for one, arguments in self.steps if one == instruction][-1]

    def command(self, instruction: str) -> list[str]:
        """Return the command of the last step of this kind, which is in its JSON form."""
        found = json.loads(re.sub(r"^.*?(?=\[)", "", self.last(instruction), flags=re.DOTALL))
        assert isinstance(found, list)
        return found


def stages(text: str) -> list[Stage]:
    """Return the stages; a stage without a name is called by its number."""
    found: list[Stage] = []
    for instruction, arguments in _steps(text):
        if instruction == "FROM":
            base, _, name = arguments.partition(" AS ")
            found.append(Stage(base, name or str(len(found))))
        else:
            found[-1].steps.append((instruction, arguments))
    return found


def variables(arguments: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return what an ``ENV`` sets; ``$NAME`` stands for what was set before."""
    pairs = (one.partition("=") for one in shlex.split(arguments))
    return {
        name: re.sub(r"\$(\w+)", lambda found: known.get(found[1], ""), value)
        for name, _, value in pairs
    }


def _steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield instructions; a line that ends in a backslash goes on, comments within it do not."""
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    for step in "\n".join(lines).replace("\\\n", " ").splitlines():
        instruction, _, arguments = step.strip().partition(" ")
        yield instruction, " ".join(arguments.split("\n")).strip()

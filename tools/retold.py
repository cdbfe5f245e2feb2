"""Stories told again with edits: a made set, for measuring how well copies are found.

``python -m tools.retold`` prints the table of docs/querying.md. The texts are made of words that
a generator draws, so that no two have more in common than a template and its phrases.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

from ingestor.store.schema import stories
from tools.filling import filled

CHARACTERS = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 1500))
"""Common characters make up nearly all of a text; which ones does not matter here."""

Edit = Callable[[random.Random, str, float], str]


def words(dice: random.Random, count: int) -> list[str]:
    return ["".join(dice.choices(CHARACTERS, k=dice.choice([2, 2, 2, 3, 4]))) for _ in range(count)]


VOCABULARY = words(random.Random("vocabulary"), 4_000)
CLOSING = "".join(words(random.Random("closing"), 40))


def text(dice: random.Random, characters: int) -> str:
    """Make a text of sentences, with numbers, and the disclaimer that all of them end with."""
    weights = [1 / rank for rank in range(1, len(VOCABULARY) + 1)]
    found = ""
    while len(found) < characters:
        found += "".join(dice.choices(VOCABULARY, weights, k=dice.randrange(6, 14)))
        found += f"{dice.uniform(1, 900):.2f}%，" if dice.random() < 0.3 else "。"
    return f"{found}\n{CLOSING}"


def notice(template: str, dice: random.Random) -> str:
    """Make a report that comes every day: the same sentences, with other numbers."""
    parts = template.split("#")
    return "".join(f"{part}{dice.uniform(1, 9000):.2f}" for part in parts[:-1]) + parts[-1]


def scattered(dice: random.Random, original: str, share: float) -> str:
    """Replace single characters, each by itself: the hardest to recognise."""
    return "".join(dice.choice(CHARACTERS) if dice.random() < share else one for one in original)


def phrased(dice: random.Random, original: str, share: float) -> str:
    """Rewrite, drop and add phrases of 4 to 24 characters, as editors do."""
    left, found = int(share * len(original)), original
    while left > 0:
        length = dice.randrange(4, 25)
        at = dice.randrange(max(1, len(found) - length))
        new = "".join(dice.choices(CHARACTERS, k=length))
        found = found[:at] + dice.choice([new, new, ""]) + found[at + length :]
        if dice.random() < 0.3:
            found = found[:at] + new + found[at:]
        left -= length
    return found


def made_set(seed: int, count: int, edit: Edit, share: float) -> Iterator[tuple[int, str]]:
    """Yield texts with the number of their story: copies, singles, and daily notices.

    A quarter has one copy, a quarter two; the rest are alone, a part of it notices of a template.
    """
    dice = random.Random(seed)
    template = text(dice, 500) + "".join(f"{word}#" for word in words(dice, 12))
    found: list[tuple[int, str]] = []
    for number in range(count):
        if number % 10 == 9:
            found.append((number, notice(template, dice)))
            continue
        original = text(dice, int(dice.lognormvariate(6.6, 0.7)) + 60)
        copies = {0: 1, 1: 2}.get(number % 4, 0)
        found += [(number, original)]
        found += [(number, edit(dice, original, share)) for _ in range(copies)]
    # Copies come within days: an archive gets one of these texts an hour.
    for at in range(0, len(found), 100):
        part = found[at : at + 100]
        dice.shuffle(part)
        yield from part


def measured(path: Path, every: list[tuple[int, str]]) -> tuple[float, float]:
    """Return precision and recall over pairs, of what an archive of these texts has grouped."""
    database = filled(path, ((f"第{at}篇", one) for at, (_, one) in enumerate(every)))
    with database.reading() as connection:
        rows = connection.execute(stories.select().order_by(stories.c.article_id)).all()
    database.close()
    return scores([row.story_id for row in rows], [number for number, _ in every])


def scores(found: list[int], true: list[int]) -> tuple[float, float]:
    """Return precision and recall of a grouping, over pairs."""
    together, same = pairs(found), pairs(true)
    return len(together & same) / max(1, len(together)), len(together & same) / max(1, len(same))


def pairs(groups: list[int]) -> set[tuple[int, int]]:
    members: dict[int, list[int]] = {}
    for at, group in enumerate(groups):
        members.setdefault(group, []).append(at)
    return {pair for one in members.values() for pair in combinations(one, 2)}


def main() -> None:
    """Print precision and recall by kind and share of edits, of five sets each."""
    for edit in (phrased, scattered):
        for share in (0.05, 0.1, 0.2):
            with tempfile.TemporaryDirectory() as folder:
                found = [
                    measured(Path(folder) / f"{seed}.db", list(made_set(seed, 150, edit, share)))
                    for seed in range(11, 16)
                ]
            precision, recall = (sum(one) / len(found) for one in zip(*found, strict=True))
            least = min(one for one, _ in found)
            print(f"{edit.__name__} {share:.0%}: {precision:.3f} ({least:.3f}) {recall:.3f}")


if __name__ == "__main__":
    main()

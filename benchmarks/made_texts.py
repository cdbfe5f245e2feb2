"""Chinese news that nobody wrote, in any number: for archives of the size of many years.

Words are drawn with the frequencies of a language (Zipf's law with Mandelbrot's correction), their
characters likewise, so that pairs of characters are as common and as rare as in real texts: a few
stand in most articles, most of them in a handful. A third of a text's words belong to its subject,
which is why words of one article come together elsewhere too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import accumulate

CHARACTERS = 3_500
"""As many as China's table of commonly used characters holds (1988)."""

WORDS = 18_000
PHRASES = 40_000
"""Words that often follow one another, of which half of a text consists."""

SUBJECTS = 4_000
"""Companies, places and persons that news are about; the most common ones are in many."""

SUBJECT_WORDS = 40
_SHARE_OF_SUBJECT = 0.33
_PARTICLES = "的了在是和有不为上中与对也将而及等从后由到被就以并都"
_TRADE = (
    "公司", "市场", "投资", "经济", "企业", "发展", "银行", "增长", "同比", "亿元", "中国", "基金",
    "股份", "表示", "行业", "产品", "价格", "资金", "业务", "政策", "风险", "指数", "数据", "报告",
    "证券", "集团", "技术", "股东", "上涨", "下跌",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadeText:
    """A title, and paragraphs of plain text."""

    title: str
    paragraphs: tuple[str, ...]
    subject: int
    """Which of :data:`SUBJECTS` it is about."""


@dataclass(slots=True)
class Writer:
    """Writes texts; the same seed and number, the same text."""

    seed: int = 8
    words: list[str] = field(init=False)
    _phrases: list[str] = field(init=False)
    _weights: list[float] = field(init=False)
    _subjects: list[float] = field(init=False)

    def __post_init__(self) -> None:
        dice = random.Random(f"words {self.seed}")
        characters = dice.sample([chr(0x4E00 + at) for at in range(8_000)], CHARACTERS)
        common = list(accumulate((rank + 20) ** -1.2 for rank in range(CHARACTERS)))
        invented: dict[str, None] = {}
        while len(invented) < WORDS - len(_PARTICLES) - len(_TRADE):
            length = dice.choices((2, 3, 4), (70, 18, 12))[0]
            invented["".join(dice.choices(characters, cum_weights=common, k=length))] = None
        self.words = [*_PARTICLES, *_TRADE, *invented]
        weights = list(accumulate(1 / (rank + 8) for rank in range(len(self.words))))
        phrases = dice.choices(self.words, cum_weights=weights, k=3 * PHRASES)
        drawn = (
            one
            for at in range(PHRASES)
            for one in ("".join(phrases[3 * at : 3 * at + 2 + at % 2]), *self.words[at : at + 1])
        )
        self._phrases = [*self.words[:20], *drawn]
        self._weights = list(accumulate(1 / (rank + 8) for rank in range(len(self._phrases))))
        self._subjects = list(accumulate(1 / (rank + 20) for rank in range(SUBJECTS)))

    def text(self, number: int) -> MadeText:
        """Write text ``number``: 350 to 900 characters, as most news have."""
        dice = random.Random(self.seed * 1_000_003 + number)
        subject = dice.choices(range(SUBJECTS), cum_weights=self._subjects)[0]
        count = int(dice.triangular(100, 270, 150))
        own = int(count * _SHARE_OF_SUBJECT)
        drawn = dice.choices(self._phrases, cum_weights=self._weights, k=count - own)
        drawn += dice.choices(self.of_subject(subject), k=own)
        dice.shuffle(drawn)
        title = f"{self.name(subject)}{''.join(drawn[:7])}"
        return MadeText(title, tuple(_paragraphs(dice, drawn)), subject)

    def of_subject(self, subject: int) -> list[str]:
        """Return the words that belong to a subject, its name first."""
        first = len(_PARTICLES) + len(_TRADE) + subject * 4
        return self.words[first : first + SUBJECT_WORDS]

    def name(self, subject: int) -> str:
        """Return what a subject is called."""
        return self.of_subject(subject)[0]


def _paragraphs(dice: random.Random, drawn: list[str]) -> list[str]:
    """Make sentences of words, with numbers in them, and paragraphs of sentences."""
    found, paragraph, at = [], "", 0
    while at < len(drawn):
        length = 4 + int(dice.random() * 9)
        paragraph += "".join(drawn[at : at + length])
        at += length
        chance = dice.random()
        if chance < 0.15:
            paragraph += f"{chance * 3000:.2f}%，"
        elif chance < 0.25:
            paragraph += f"{2010 + int(chance * 64)}年{int(chance * 50)}月，"
        else:
            paragraph += "，" if chance < 0.6 else "。"
        if len(paragraph) > 140 and paragraph[-1] == "。":
            found.append(paragraph)
            paragraph = ""
    return [*found, f"{paragraph}（完）"]

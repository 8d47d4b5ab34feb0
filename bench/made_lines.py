"""Made-up lines by the million, as unevenly worded as a language, and takes that hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.misheard import Mishearer
from core.speech import Line, Word
from models.speech.pronunciation import english_dictionary

RATE = 48_000
LINES_A_TAKE = 50
VOCABULARY = 20_000
SYLLABLES = ("ba", "de", "fi", "go", "ha", "jo", "ka", "li", "mo", "nu", "pe", "ra", "so", "ti")
SEED = 1


def made_lines(rng: np.random.Generator, count: int) -> list[tuple[str, ...]]:
    """Lines of 1 to 15 made-up words, which are as unevenly frequent as those of a language."""
    words = vocabulary()
    share = 1 / np.arange(1, len(words) + 1)
    lengths = rng.integers(1, 16, count)
    chosen: NDArray[np.int64] = rng.choice(len(words), int(lengths.sum()), p=share / share.sum())
    ends = np.cumsum(lengths)
    return [
        tuple(words[at] for at in chosen[end - length : end])
        for end, length in zip(ends, lengths, strict=True)
    ]


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Distinct English words, the commonest first and short; made-up ones without a dictionary."""
    known = [word for word in english_dictionary() if word.isascii() and word.isalpha()]
    if len(known) >= VOCABULARY:
        chosen = np.random.default_rng(SEED).permutation(len(known))[:VOCABULARY]
        return tuple(sorted((known[i] for i in chosen), key=lambda word: len(word) // 3))
    return _syllables()


def _syllables() -> tuple[str, ...]:
    """Distinct made-up words, the shortest first."""
    base = len(SYLLABLES)

    def word(number: int) -> str:
        spelt = SYLLABLES[number % base]
        while number >= base:
            number = number // base - 1
            spelt += SYLLABLES[number % base]
        return spelt

    return tuple(word(number) for number in range(VOCABULARY))


def takes_of(texts: Sequence[tuple[str, ...]]) -> Iterator[list[Line]]:
    """The lines of one take after the other."""
    for first in range(0, len(texts), LINES_A_TAKE):
        some = texts[first : first + LINES_A_TAKE]
        yield [_line(number, words) for number, words in enumerate(some)]


def _line(number: int, words: Sequence[str]) -> Line:
    start = number * 5 * RATE
    spoken = tuple(
        Word(word, start + i * RATE // 4, start + (i + 1) * RATE // 4)
        for i, word in enumerate(words)
    )
    return Line(f"SPEAKER {number % 4}", start, spoken[-1].end, spoken, "bench")


@dataclass(frozen=True)
class MadeTake:
    """A take that nobody recorded."""

    essence: str
    name: str
    scene: str
    take: str
    frames: int


def take_of(number: int) -> MadeTake:
    """A take by its number, counted from 0."""
    scene, take = str(number // 8 + 1), str(number % 8 + 1)
    return MadeTake(
        essence=hashlib.sha256(str(number).encode()).hexdigest(),
        name=f"{scene}-T{take}",
        scene=scene,
        take=take,
        frames=5 * RATE * LINES_A_TAKE,
    )


def mishear(
    texts: list[tuple[str, ...]], rng: np.random.Generator, count: int
) -> dict[int, tuple[str, ...]]:
    """Puts misheard lines in the place of some; gives what was spoken, by the line's number."""
    mishearer = Mishearer(vocabulary(), rng)
    long = [number for number, line in enumerate(texts) if len(line) >= 4]
    spoken = {int(i): texts[i] for i in rng.choice(long, count, replace=False)}
    for number, line in spoken.items():
        texts[number] = mishearer.misheard(line)
    return spoken

"""Lines as a recogniser might have misheard them: words taken for others that sound alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from core.phones import Phones, difference
from models.speech.pronunciation import pronouncer

_SUBSTITUTED, _DROPPED, _ADDED = 0.20, 0.05, 0.05
_COMPARED = 200


class Mishearer:
    """Makes 30 % of words wrong: two in three taken for another, the rest dropped or added.

    words: what may be heard instead, the commonest first.
    """

    def __init__(self, words: Sequence[str], rng: np.random.Generator) -> None:
        self._words, self._rng = words, rng
        self._said: dict[str, Phones] = {word: _said(word) for word in words}
        self._of_length: dict[int, list[str]] = defaultdict(list)
        for word in words:
            self._of_length[len(self._said[word])].append(word)

    def misheard(self, line: Sequence[str]) -> tuple[str, ...]:
        """A line with its errors."""
        heard: list[str] = []
        for word in line:
            chance = self._rng.random()
            if chance < _SUBSTITUTED:
                heard.append(self._taken_for(word))
            elif chance < _SUBSTITUTED + _DROPPED:
                continue
            else:
                heard.append(word)
                if chance < _SUBSTITUTED + _DROPPED + _ADDED:
                    heard.append(self._words[int(self._rng.integers(0, 200))])
        return tuple(heard) or tuple(line)

    def _taken_for(self, word: str) -> str:
        """The most alike of some other words of about that length."""
        said = self._said[word]
        pool = [
            other
            for length in (len(said) - 1, len(said), len(said) + 1)
            for other in self._of_length.get(length, ())
        ]
        some = {pool[i] for i in self._rng.integers(0, len(pool), _COMPARED)} - {word}
        nearest: str = min(sorted(some), key=lambda other: difference(said, self._said[other]))
        return nearest


def _said(word: str) -> Phones:
    return pronouncer("en").phones(word)[0]

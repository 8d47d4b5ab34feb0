"""Word error rate, and which sentence a file holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

NOBODYS = 0.6


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation but apostrophes."""
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.lower().replace("\u2019", "'"))


def word_errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, deletions and insertions, the fewest that lead from one to the other."""
    row = list(range(len(heard) + 1))
    for number, said in enumerate(reference, start=1):
        above, row[0] = row[:], number
        for place, word in enumerate(heard, start=1):
            row[place] = min(
                above[place] + 1, row[place - 1] + 1, above[place - 1] + (said != word)
            )
    return row[-1]


def nearest_sentence(heard: Sequence[str], sentences: Sequence[str]) -> str:
    """The sentence that was spoken, by what an engine heard of it.

    Empty where the nearest has more than 0.6 errors a word: then none of them was spoken.
    """

    def rate(sentence: str) -> float:
        said = words_of(sentence)
        return word_errors(said, heard) / max(len(said), 1)

    best = min(sentences, key=rate, default="")
    return best if best and rate(best) <= NOBODYS else ""

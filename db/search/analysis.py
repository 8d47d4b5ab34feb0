"""What is indexed of a line: its words, their stems, and how they sound.

All knowledge of language is here, not in the database: each index holds plain tokens with spaces
between them, so that SQLite and PostgreSQL find the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.phones import Phones
from core.query import tokens
from core.sounds import sound_classes

# Raise it whenever a line would be indexed otherwise than before.
INDEX_VERSION = 1

# Sounds are indexed in runs of this many sound classes, letters of a word in runs of that many.
SOUND_GRAM = 4
LETTER_GRAM = 3

# Between the words as corrected and as heard of one line. Databases take it for a token, so that no
# phrase reaches over it; nobody can ask for it.
BREAK = "\u2016"

Sound = Callable[[str], Phones]
"""How a folded word sounds; no phones where that is not known."""

_STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}


@dataclass(frozen=True)
class Analysed:
    """A line as it is indexed: tokens with spaces between them.

    words: as spoken, folded. stems: of the words, in order. sounds: each run of sound classes
    once, in order of the alphabet; empty where nobody knows how the words sound.
    """

    words: str
    stems: str
    sounds: str


def analysed(
    text: str, language: str, sound: Sound | None, corrected: str | None = None
) -> Analysed:
    """What is indexed of a line of that language.

    corrected: its words as a person has them; both are indexed then, with a BREAK between them.
    """
    if corrected is not None:
        parts = [analysed(corrected, language, sound), analysed(text, language, sound)]
        sounds = {run for part in parts for run in part.sounds.split()}
        return Analysed(
            words=f" {BREAK} ".join(part.words for part in parts),
            stems=f" {BREAK} ".join(part.stems for part in parts),
            sounds=" ".join(sorted(sounds)),
        )
    words = tokens(text)
    said = "" if sound is None else "".join(sound_classes(sound(word)) for word in words)
    return Analysed(
        words=" ".join(words),
        stems=" ".join(stem(word, language) for word in words),
        sounds=" ".join(sorted(set(grams(said, SOUND_GRAM)))),
    )


def grams(text: str, size: int) -> tuple[str, ...]:
    """Every run of that many letters, in order; none of a shorter text."""
    return tuple(text[at : at + size] for at in range(len(text) - size + 1))


def letter_grams(word: str) -> tuple[str, ...]:
    """Runs of three letters of a word with its ends marked, each once (for typing errors)."""
    # A private-use character: no word begins or ends with it by chance, and it is a token's.
    return tuple(dict.fromkeys(grams(f"\ue000{word}\ue000", LETTER_GRAM)))


@lru_cache(maxsize=1 << 16)
def stem(word: str, language: str) -> str:
    """The stem of a folded word (Snowball); the word itself in a language without a stemmer."""
    name = _STEMMERS.get(language or "en")
    return word if name is None else str(_stemmer(name).stemWord(word))


@lru_cache
def _stemmer(name: str) -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer(name)


def near(asked: str, words: Sequence[str]) -> tuple[str, ...]:
    """Those of some words that a typing error or two could have made of the one asked for.

    See `errors_in`.
    """
    most = errors_in(asked)
    return tuple(word for word in words if most and word != asked and _edits(asked, word, most))


def errors_in(word: str) -> int:
    """How many typing errors are forgiven in a word.

    None in words of up to three letters, one up to seven, else two.
    """
    return 0 if len(word) <= 3 else 1 if len(word) <= 7 else 2


def spoilt_by(errors: int) -> int:
    """How many runs of letters of a word some typing errors change.

    Two letters that are swapped stand in four runs. That both errors are such is not expected.
    """
    return LETTER_GRAM * errors + (1 if errors == 1 else 0)


def _edits(one: str, two: str, most: int) -> bool:
    """Whether at most so many letters differ: left out, added, changed, or swapped with the next.

    (Optimal string alignment distance.)
    """
    if abs(len(one) - len(two)) > most:
        return False
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i] + [0] * len(two)
        for j, other in enumerate(two, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == two[j - 2] and one[i - 2] == other:
                row[j] = min(row[j], last[j - 2] + 1)
        if min(row) > most:
            return False
    return row[-1] <= most

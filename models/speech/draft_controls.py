"""Whether what PocketSphinx wrote down was spoken, and in English.

It writes English for whatever it hears: another language, singing, a street. Three figures of
its own decoding tell, at no cost:

- how well the sounds of the words fit: the mean acoustic log likelihood of a frame, which the
  decoder counts against the best-fitting sound of that frame, so that it is the cost of the
  words over an unconstrained string of sounds;
- how sure it is: the posterior probability of the words, each weighted by its length;
- how fast somebody would have spoken.

A language doesn't change from sentence to sentence, so half of a stretch's score is that of its
take.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from core.speech import Word

_RATE = 16_000
_FRAMES = 100


@dataclass(frozen=True)
class DraftControls:
    """When a stretch of speech is believed.

    least_score: fit (natural logarithm, a frame) plus sureness (0 to 1), half the stretch's own
        and half its take's. Higher drops more invented text and more of what was spoken in noise
        or far from the microphone.
    least_words_a_second: of a stretch; slower speech is none. Higher drops more of what traffic
        leaves, and single words in a long stretch.
    least_letters_a_second: of the words' own time; slower words are held sounds. Higher drops
        more of what chords and singing leave, and drawled words.
    """

    least_score: float = -3.55
    least_words_a_second: float = 1.0
    least_letters_a_second: float = 5.0


@dataclass(frozen=True)
class Stretch:
    """What was written down of a stretch of speech.

    length: samples at 16 kHz. fit, sure: of its words; frames: of 10 ms, that they last.
    """

    words: tuple[Word, ...]
    length: int
    fit: float
    sure: float
    frames: int

    @property
    def score(self) -> float:
        """The higher, the better the words fit what was spoken."""
        return self.fit + self.sure

    def is_spoken_fast_enough(self, controls: DraftControls) -> bool:
        """Whether somebody can have spoken so slowly."""
        letters = sum(len(word.text) for word in self.words)
        return (
            len(self.words) >= controls.least_words_a_second * self.length / _RATE
            and letters >= controls.least_letters_a_second * self.frames / _FRAMES
        )


def stretch(
    words: Sequence[Word], length: int, likelihoods: Sequence[float], frames: Sequence[int]
) -> Stretch:
    """A stretch from its words, with each word's acoustic likelihood and length in frames."""
    total = sum(frames)
    if not total:
        return Stretch((), length, -math.inf, 0.0, 0)
    logarithms = (math.log(max(value, sys.float_info.min)) for value in likelihoods)
    sure = sum(w.confidence * n for w, n in zip(words, frames, strict=True)) / total
    return Stretch(tuple(words), length, sum(logarithms) / total, sure, total)


def believable(stretches: Sequence[Stretch], controls: DraftControls) -> tuple[bool, ...]:
    """For each stretch of a take whether its words are to be believed."""
    heard = [item for item in stretches if item.frames]
    frames = sum(item.frames for item in heard)
    of_take = sum(item.score * item.frames for item in heard) / frames if frames else -math.inf
    return tuple(
        bool(item.frames)
        and (item.score + of_take) / 2 >= controls.least_score
        and item.is_spoken_fast_enough(controls)
        for item in stretches
    )

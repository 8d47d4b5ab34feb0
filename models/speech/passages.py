"""Passages: neighbouring spans of speech taken together, as long as a Whisper model hears at once.

Each is decoded on its own, so memory and a failure stay within one, and silence between
passages can't be hallucinated into text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.speech import Word
from models.speech.protocol import Span, TranscribeOptions, Transcript

_RATE = 16_000
_LONGEST = 28 * _RATE
_WIDEST_GAP = 3 * _RATE
_ENDLESS = 600 * _RATE
_EDGE = _RATE // 5
_DETECTED_FROM = 3
_HOPELESS = 0.5


@dataclass(frozen=True)
class Heard:
    """A segment as Whisper gives it. words: text (with its spaces), start and end in seconds
    from the passage's first sample, probability.
    """

    words: tuple[tuple[str, float, float, float], ...]
    log_probability: float
    no_speech: float
    compression: float


Decode = Callable[[NDArray[np.float32], str], Iterable[Heard]]
"""Segments of a passage (mono, 16 kHz) in a language."""
Detect = Callable[[NDArray[np.float32]], tuple[str, float]]
"""The language of a passage and its probability."""


def passages(spans: Sequence[Span], length: int) -> tuple[Span, ...]:
    """Spans joined into passages of at most 28 s with no gap over 3 s, and 0.2 s at both ends.

    A single longer span stays whole up to ten minutes (music can look like speech for an hour),
    then it is cut. Passages don't overlap and lie inside 0 … length.
    """
    joined: list[Span] = []
    for start, end in _bounded(spans):
        fits = joined and start - joined[-1][1] <= _WIDEST_GAP and end - joined[-1][0] <= _LONGEST
        if fits:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return _widened(joined, length)


def single_passages(spans: Sequence[Span], length: int) -> tuple[Span, ...]:
    """Each span by itself, with 0.2 s at both ends, cut after ten minutes; none overlap."""
    return _widened(_bounded(spans), length)


def _bounded(spans: Sequence[Span]) -> list[Span]:
    """Spans cut into pieces of at most ten minutes."""
    return [
        (first, min(first + _ENDLESS, end))
        for start, end in spans
        for first in range(start, end, _ENDLESS)
    ]


def _widened(spans: Sequence[Span], length: int) -> tuple[Span, ...]:
    """Spans with 0.2 s more at both ends, neighbours meeting at most in the middle of a gap."""
    widened = []
    for index, (start, end) in enumerate(spans):
        floor = (spans[index - 1][1] + start) // 2 if index else 0
        ceiling = (end + spans[index + 1][0]) // 2 if index + 1 < len(spans) else length
        widened.append((max(start - _EDGE, floor), min(end + _EDGE, ceiling)))
    return tuple(widened)


def transcribe_passages(
    sound: NDArray[np.float32],
    spans: Sequence[Span],
    options: TranscribeOptions,
    decode: Decode,
    detect: Detect,
) -> Transcript:
    """The words of a sound, passage by passage, without what a recogniser invented."""
    found = passages(spans, len(sound))
    language = options.language or _language(sound, found, detect)
    words: list[Word] = []
    dropped_segments = dropped_words = 0
    for start, end in found:
        for heard in decode(sound[start:end], language):
            if _invented(heard, options):
                dropped_segments += 1
                continue
            for word in _words(heard, start, end, words[-1].start if words else 0):
                if _near(word, spans, options.outside_ms * _RATE // 1000):
                    words.append(word)
                else:
                    dropped_words += 1
    warnings = []
    if dropped_segments:
        warnings.append(f"{dropped_segments} segments were dropped as not understood or invented.")
    if dropped_words:
        warnings.append(f"{dropped_words} words were dropped because nobody speaks where they lie.")
    return Transcript(tuple(words), language, tuple(warnings))


def _language(sound: NDArray[np.float32], found: Sequence[Span], detect: Detect) -> str:
    """The language with the most probability over the three longest passages."""
    votes: dict[str, float] = {}
    longest = sorted(found, key=lambda span: (span[0] - span[1], span[0]))[:_DETECTED_FROM]
    for start, end in longest:
        language, probability = detect(sound[start : min(end, start + 30 * _RATE)])
        votes[language] = votes.get(language, 0.0) + probability
    return max(votes, key=lambda language: votes[language]) if votes else ""


def _invented(heard: Heard, options: TranscribeOptions) -> bool:
    """Whether a segment that survived all temperatures is still not to be believed."""
    floor = options.min_log_probability
    return (
        heard.log_probability < floor - _HOPELESS
        or (heard.no_speech > options.no_speech and heard.log_probability < floor)
        or heard.compression > options.max_compression
    )


def _words(heard: Heard, start: int, end: int, not_before: int) -> Iterable[Word]:
    """Words in samples of the sound, inside the passage, each starting no earlier than the last."""
    for text, from_s, to_s, probability in heard.words:
        first = min(max(start + round(from_s * _RATE), start, not_before), end)
        last = min(max(start + round(to_s * _RATE), first), end)
        not_before = first
        if text.strip():
            yield Word(text.strip(), first, last, min(max(float(probability), 0.0), 1.0))


def _near(word: Word, spans: Sequence[Span], distance: int) -> bool:
    """Whether a word lies within distance of a span."""
    return any(
        word.start <= end + distance and word.end >= start - distance for start, end in spans
    )

"""Passages: neighbouring spans of speech taken together, as long as a Whisper model hears at once.

Each is decoded on its own, so memory and a failure stay within one, and silence between
passages can't be hallucinated into text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.speech import Word
from models.speech.controls import Heard, believed, doubtful, failed
from models.speech.protocol import Span, TranscribeOptions, Transcript

_RATE = 16_000
_LONGEST = 28 * _RATE
_WIDEST_GAP = 3 * _RATE
_ENDLESS = 600 * _RATE
_AT_ONCE = 30 * _RATE
_EDGE = _RATE // 5
_DETECTED_FROM = 3


Decode = Callable[[NDArray[np.float32], str], Iterable[Heard]]
"""Segments of a passage (mono, 16 kHz) in a language."""
DecodeTogether = Callable[[Sequence[NDArray[np.float32]], str], Iterable[Sequence[Heard]]]
"""Segments of several passages of at most 30 s each, decoded at once and without a second go."""
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
    together: DecodeTogether | None = None,
) -> Transcript:
    """The words of a sound, passage by passage, without what a recogniser invented.

    together: decodes options.batch passages at once where that is faster. Passages that fail its
    controls there are decoded once more by themselves, with all temperatures.
    """
    found = passages(spans, len(sound))
    language = options.language or _language(sound, found, detect)
    words: list[Word] = []
    segments_dropped = words_dropped = 0
    for passage, segments in _decoded(sound, found, language, options, decode, together):
        left = believed(segments, passage, spans, options, words[-1].start if words else 0)
        words += left.words
        segments_dropped += left.segments_dropped
        words_dropped += left.words_dropped
    warnings = []
    if segments_dropped:
        warnings.append(f"Segments dropped as not understood or invented: {segments_dropped}.")
    if words_dropped:
        warnings.append(f"Words dropped because nobody speaks where they lie: {words_dropped}.")
    return Transcript(tuple(words), language, tuple(warnings), doubtful(words, spans, options))


def _decoded(
    sound: NDArray[np.float32],
    found: Sequence[Span],
    language: str,
    options: TranscribeOptions,
    decode: Decode,
    together: DecodeTogether | None,
) -> Iterator[tuple[Span, Sequence[Heard]]]:
    """Each passage with its segments, in order."""
    size = max(options.batch, 1) if together else 1
    for some in (found[at : at + size] for at in range(0, len(found), size)):
        short = [span for span in some if together and span[1] - span[0] <= _AT_ONCE]
        firsts: dict[Span, Sequence[Heard]] = {}
        if together and len(short) > 1:
            pieces = [sound[start:end] for start, end in short]
            firsts = dict(zip(short, together(pieces, language), strict=True))
        for start, end in some:
            segments = firsts.get((start, end))
            if segments is None or any(failed(heard, options) for heard in segments):
                segments = tuple(decode(sound[start:end], language))
            yield (start, end), segments


def _language(sound: NDArray[np.float32], found: Sequence[Span], detect: Detect) -> str:
    """The language with the most probability over the three longest passages."""
    votes: dict[str, float] = {}
    longest = sorted(found, key=lambda span: (span[0] - span[1], span[0]))[:_DETECTED_FROM]
    for start, end in longest:
        language, probability = detect(sound[start : min(end, start + 30 * _RATE)])
        votes[language] = votes.get(language, 0.0) + probability
    return max(votes, key=lambda language: votes[language]) if votes else ""

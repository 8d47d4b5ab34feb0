"""What every recogniser takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.speech import Word
from models.card import ModelCard

Device = Literal["auto", "cpu", "cuda"]
Span = tuple[int, int]
"""A stretch of sound, (start, end), in 16 kHz samples."""


@dataclass(frozen=True)
class TranscribeOptions:
    """How speech becomes words. A recogniser that lacks a control says so in a warning.

    language: code (`en`), or empty to detect it from the longest stretches of speech.
    prompt: names and terms of the film, as a sentence; helps spelling. Long prompts can leak
        into the text.
    beam_size: hypotheses kept while decoding. Higher is slower and a little better.
    temperatures: tried in turn while a decoding looks failed; the first should be 0.
    no_speech: probability of no speech above which a segment is dropped when its log
        probability is low as well. Lower drops more invented text and more soft speech.
    min_log_probability: average log probability of a segment's tokens under which a decoding
        looks failed; a segment still under it minus 0.5 at the end is dropped. Lower keeps
        more of what was hardly understood.
    max_compression: ratio of gzip above which a text looks like a loop and counts as failed.
    silence_s: with a suspicious segment, silence longer than this is skipped rather than
        transcribed; 0 switches this off.
    outside_ms: a word further than this from all speech is taken for invented and dropped.
    unsure: mean confidence of a stretch's words under which it is worth a second try in the
        cleaned sound; 0 tries again only where no word was understood.
    batch: passages decoded at once on a GPU. Higher is faster and takes more memory; 1 decodes
        each by itself, as a CPU does, which gains nothing from batches.
    """

    language: str = ""
    prompt: str = ""
    beam_size: int = 5
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6)
    no_speech: float = 0.6
    min_log_probability: float = -1.0
    max_compression: float = 2.4
    silence_s: float = 2.0
    outside_ms: int = 300
    unsure: float = 0.3
    batch: int = 8


@dataclass(frozen=True)
class Transcript:
    """What was written down.

    words: in 16 kHz samples, in order. language: a code. warnings: a sentence each.
    doubtful: spans of speech in which no word, or hardly one, was understood, in order.
    path: how it was computed (`cpu int8`), for the record.
    """

    words: tuple[Word, ...]
    language: str
    warnings: tuple[str, ...] = ()
    doubtful: tuple[Span, ...] = ()
    path: str = ""


class Recogniser(Protocol):
    """An engine that writes down what is said.

    draft: its work is a stand-in, to be redone when a real engine is there.
    """

    @property
    def card(self) -> ModelCard:
        """What is known of the engine and its weights."""
        ...

    @property
    def draft(self) -> bool:
        """Whether this is a stand-in."""
        ...

    def transcribe(
        self, sound: NDArray[np.float32], spans: Sequence[Span], options: TranscribeOptions
    ) -> Transcript:
        """The words of a mono sound at 16 kHz within spans of speech, in its samples.

        Spans are in order and don't overlap. Words are in order of their starts, lie inside
        the sound and have text. Raises EngineError where the engine or weights are at fault.
        """
        ...

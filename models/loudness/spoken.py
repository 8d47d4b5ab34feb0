"""The speech-gated estimate: how loud a programme is while somebody speaks.

Streaming platforms ask for dialogue-gated loudness (ITU-R BS.1770-1 over the speech that Dolby's
Dialogue Intelligence finds). That detector is not public: ours is voice activity by Silero, so the
number is an estimate and is called one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.loudness.meter import STEPS_A_SECOND, LoudnessMeter
from models.loudness.weighting import channel_weights
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.rate import SPEECH_RATE

SECTION_S = 300
"""Seconds that voice activity is found in at once: what bounds the memory (20 MB)."""

_STEP = SPEECH_RATE // STEPS_A_SECOND


@dataclass(frozen=True)
class Spoken:
    """Loudness over speech. lufs: -inf where nobody speaks. share: of the time, 0 to 1."""

    lufs: float
    share: float


class SpeechDetector:
    """Finds the steps of 100 ms with speech in a sound that is fed in blocks.

    The channels are heard together (an LFE is not). Memory: five minutes at 16 kHz; the sections
    are cut on a fixed grid, so the result does not depend on the blocks.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        """sample_rate: Hz. channels: 1 to 6 in the order of BS.1770. Raises UsageError."""
        import soxr

        heard = channel_weights(channels) > 0
        self._mix = heard / np.count_nonzero(heard)
        self._stream = soxr.ResampleStream(sample_rate, SPEECH_RATE, 1, dtype="float32")
        self._open: list[NDArray[np.float32]] = []
        self._held = 0
        self._steps: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        self._done = 0

    def add(self, block: NDArray[np.floating[Any]]) -> None:
        """Take in the next samples: finite float (n, channels), or (n,) for one channel."""
        sound = block[:, None] if block.ndim == 1 else block
        self._hold(self._stream.resample_chunk((sound @ self._mix).astype(np.float32)))

    def finish(self) -> NDArray[np.int64]:
        """The numbers of the steps of 100 ms, from 0, that are at least half speech.

        Nothing may be added afterwards. Raises EngineError where voice activity can't be loaded.
        """
        self._hold(self._stream.resample_chunk(np.zeros(0, np.float32), last=True))
        self._find(np.concatenate([np.zeros(0, np.float32), *self._open]))
        self._open, self._held = [], 0
        return np.concatenate(self._steps)

    def _hold(self, sound: NDArray[np.float32]) -> None:
        self._open.append(sound.reshape(-1))
        self._held += len(self._open[-1])
        size = SECTION_S * SPEECH_RATE
        while self._held >= size:
            joined = np.concatenate(self._open)
            self._find(joined[:size])
            self._open, self._held = [joined[size:]], self._held - size

    def _find(self, section: NDArray[np.float32]) -> None:
        speech = np.zeros(-(-len(section) // _STEP) * _STEP, dtype=bool)
        if len(section):
            for start, end in speech_spans(section, ActivityOptions()):
                speech[start:end] = True
        steps = np.flatnonzero(np.mean(speech.reshape(-1, _STEP), axis=1) >= 0.5)
        self._steps.append(steps + self._done)
        self._done += len(speech) // _STEP


def speech_gated(meter: LoudnessMeter, speech: NDArray[np.int64]) -> Spoken:
    """The speech-gated estimate of a programme that a meter has heard.

    speech: the steps of 100 ms with speech, as `SpeechDetector.finish` gives them. Their mean
    energy is taken with no gate (BS.1770-1).
    """
    if meter.steps == 0:
        return Spoken(-math.inf, 0.0)
    inside = speech[speech < meter.steps]
    return Spoken(meter.mean_of(inside), len(inside) / meter.steps)

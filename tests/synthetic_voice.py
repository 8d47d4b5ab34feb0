"""A made voice that a voice activity detector takes for speech, so that tests need no recording.

A pulse train at a wandering pitch through three vowel resonances, in syllables.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

_VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (530, 1840, 2480),
    (570, 840, 2410),
    (300, 870, 2240),
)


def synthetic_voice(seconds: float, pitch_hz: float) -> NDArray[np.float32]:
    """A voice at 16 kHz with peaks at 0.3."""
    count = int(seconds * 16_000)
    time = np.arange(count) / 16_000
    pitch = pitch_hz * (1 + 0.12 * np.sin(4.4 * time) + 0.02 * np.sin(31.4 * time))
    breath = np.random.default_rng(1).normal(size=count)
    source = np.diff(np.floor(np.cumsum(pitch) / 16_000), prepend=0) + 0.01 * breath
    voice = np.zeros(count)
    memory = [np.zeros(2)] * 3
    for number, start in enumerate(range(0, count, 2_500)):
        sound = source[start : start + 2_500]
        for i, resonance in enumerate(_VOWELS[number % len(_VOWELS)]):
            radius = np.exp(-np.pi * (60 + 30 * i) / 16_000)
            feedback = [1, -2 * radius * np.cos(2 * np.pi * resonance / 16_000), radius**2]
            sound, memory[i] = lfilter([1 - radius], feedback, sound, zi=memory[i])
        voice[start : start + 2_500] = sound
    voice *= np.clip(np.sin(20.1 * time) + 0.4, 0, 1) ** 0.7
    return (0.3 * voice / np.abs(voice).max()).astype(np.float32)


def placed(
    voice: NDArray[np.float32], at_s: float, seconds: float, noise_db: float = -70.0
) -> NDArray[np.float32]:
    """A voice from at_s on in a stretch of white noise at 16 kHz."""
    noise = np.random.default_rng(2).normal(size=int(seconds * 16_000)) * 10 ** (noise_db / 20)
    start = int(at_s * 16_000)
    noise[start : start + len(voice)] += voice
    return noise.astype(np.float32)

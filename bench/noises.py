"""Noises made from numbers, each the same at every run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

RATE = 48_000
NOISE_S = 20
FRAMES = NOISE_S * RATE
BABBLERS = 14
GUESTS = 9
SEED, FRESH_SEED = 4, 90
DROPS_A_SECOND = 220
GUSTS_S = 2.5


def made_noises(clips: Sequence[Samples]) -> list[Samples]:
    """A mains hum, an air conditioner with its fan, and many of the voices, half of them backwards.

    The constants of the recipes were chosen on these.
    """
    random = np.random.default_rng(SEED)
    seconds = np.arange(FRAMES) / RATE
    hum = 0.1 * coloured(random, 0.5)
    for harmonic in range(1, 10):
        phase = random.uniform(0, 2 * np.pi)
        hum += np.sin(2 * np.pi * 50 * harmonic * seconds + phase) / harmonic
    fan = 0.15 * sum(np.sin(2 * np.pi * tone * seconds) for tone in (118.3, 236.6, 473.0))
    voices = np.zeros(FRAMES)
    for voice in range(BABBLERS):
        clip = clips[voice % len(clips)][:: -1 if voice % 2 else 1]
        said = np.resize(np.roll(clip, int(random.integers(len(clip)))), FRAMES)
        voices += said / np.std(said)
    return [hum, coloured(random, 0.9) + fan, _dulled(voices, 3500)]


def fresh_noises() -> list[Samples]:
    """Rain, traffic, a fan with its blades, a generator, and wind: for the held-out mixes."""
    random = np.random.default_rng(FRESH_SEED)
    return [_rain(random), _traffic(random), _fan(random), _generator(random), _wind(random)]


def babble(clips: Sequence[Samples]) -> Samples:
    """A full room: voices forwards at other speeds and distances, in a hall of 0.4 s."""
    random = np.random.default_rng(FRESH_SEED + 1)
    said = np.zeros(FRAMES)
    for guest in range(GUESTS):
        clip = clips[guest % len(clips)]
        speed = random.uniform(0.85, 1.2)
        voice = np.interp(np.arange(0, len(clip) - 1, speed), np.arange(len(clip)), clip)
        voice = np.resize(np.roll(voice, int(random.integers(len(voice)))), FRAMES)
        said += voice / np.std(voice) * 10 ** (random.uniform(-8, 0) / 20)
    tail = random.standard_normal(RATE // 2) * np.exp(-np.arange(RATE // 2) / (0.06 * RATE))
    size = 2 * FRAMES
    hall = np.fft.irfft(np.fft.rfft(said, size) * np.fft.rfft(tail, size), size)[:FRAMES]
    return _even(_even(said) + 1.5 * _even(hall))


def coloured(random: np.random.Generator, slope: float) -> Samples:
    """Noise whose amplitude falls with frequency to the power of `slope`, from 60 Hz on."""
    spectrum = np.fft.rfft(random.standard_normal(FRAMES)) / np.maximum(_hz(), 60) ** slope
    return _even(np.fft.irfft(spectrum, FRAMES))


def _rain(random: np.random.Generator) -> Samples:
    """A hiss, and drops that ring for milliseconds at 1 to 7 kHz."""
    rain = 0.5 * coloured(random, 0.25)
    drops = np.zeros(FRAMES)
    length = RATE // 100
    at = np.arange(length) / RATE
    for start in random.integers(0, FRAMES - length, DROPS_A_SECOND * NOISE_S):
        tone = np.sin(2 * np.pi * random.uniform(1_000, 7_000) * at)
        drops[start : start + length] += random.exponential() * tone * np.exp(-at * 500)
    return np.asarray(rain + 0.8 * _even(drops))


def _traffic(random: np.random.Generator) -> Samples:
    """Cars that pass: each a swell of some seconds, dark far away and brighter near."""
    seconds = np.arange(FRAMES) / RATE
    far, near = coloured(random, 1.2), coloured(random, 0.6)
    street = 0.5 * far
    for _ in range(7):
        centre, width = random.uniform(0, NOISE_S), random.uniform(0.6, 1.8)
        swell = np.exp(-np.square((seconds - centre) / width)) * random.uniform(0.6, 1.8)
        street = street + swell * (far + 0.7 * swell * near)
    return street


def _fan(random: np.random.Generator) -> Samples:
    """Air with the tones of seven blades at 11.3 turns a second, which beat and waver."""
    seconds = np.arange(FRAMES) / RATE
    turns = 11.3 * seconds + 0.02 * np.sin(2 * np.pi * 0.4 * seconds)
    air = coloured(random, 0.7) * (1 + 0.25 * np.sin(2 * np.pi * turns))
    for harmonic in range(1, 7):
        phase = random.uniform(0, 2 * np.pi)
        air += 0.5 / harmonic * np.sin(2 * np.pi * 7 * harmonic * turns + phase)
    return air


def _generator(random: np.random.Generator) -> Samples:
    """An engine whose speed drifts about 29 Hz, with forty harmonics and its exhaust's noise."""
    seconds = np.arange(FRAMES) / RATE
    turns = 29.2 * seconds + 0.6 * np.sin(2 * np.pi * 0.11 * seconds)
    engine = 0.4 * coloured(random, 0.8) * (1 + 0.5 * np.sin(2 * np.pi * turns))
    for harmonic in range(1, 41):
        phase = random.uniform(0, 2 * np.pi)
        height = random.uniform(0.4, 1.0) / harmonic**0.8
        engine += height * np.sin(2 * np.pi * harmonic * turns + phase)
    return engine


def _wind(random: np.random.Generator) -> Samples:
    """Dark noise in gusts of a second or three."""
    count = round(NOISE_S / GUSTS_S * 4)
    marks = np.square(random.uniform(0, 1, count)) * 2 + 0.1
    gusts = np.interp(np.arange(FRAMES), np.linspace(0, FRAMES, count), marks)
    return np.asarray(gusts * (coloured(random, 1.6) + 0.25 * coloured(random, 0.8)))


def _dulled(sound: Samples, hz: float) -> Samples:
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) / (1 + np.square(_hz() / hz)), FRAMES))


def _hz() -> Samples:
    return np.asarray(np.fft.rfftfreq(FRAMES, 1 / RATE), np.float64)


def _even(noise: Samples) -> Samples:
    return np.asarray(noise / np.std(noise))

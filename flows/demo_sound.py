"""The sound of the demo production: voices in a place, heard by a boom and by lavs.

Everything is made from recorded lines and shaped noise. Arrays are float64, full scale 1.0;
whatever is random comes from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

SPEED_OF_SOUND = 343.0
"""Metres a second, in dry air at 20 degrees Celsius."""

BOOM_LEVEL_DB = -26.0
"""Level of speech at the boom, dBFS RMS, of someone a metre below it."""

LAV_LEVEL_DB = -24.0
"""Level of the wearer's speech at a lav, dBFS RMS."""

_LINE_LEVEL_DB = -20.0
_PARTNER_METRES = 1.5
_BLEED_DB = -16.0
_LAV_AMBIENCE_DB = -12.0
_LAV_HISS_DB = -76.0

# Level in dB at frequencies in Hz, joined by straight lines over log frequency. Traffic falls
# about 5 dB an octave above 1 kHz; the recorder's low cut takes what lies under 80 Hz.
_STREET = ((30, -20), (80, 0), (200, -5), (1000, -12), (2000, -17), (8000, -30), (20000, -44))
_CAR = ((30, -24), (90, -6), (400, -6), (1200, 0), (3000, -8), (8000, -22), (20000, -40))
_DUCT = ((30, -18), (70, -2), (160, 0), (400, -6), (1000, -12), (4000, -24), (20000, -46))
_HISS = ((30, -6), (1000, 0), (20000, 3))
_HARMONICS_DB = (0.0, -2.0, -5.0, -8.0, -12.0, -16.0)


@dataclass(frozen=True)
class Place:
    """How a place sounds. reverb_seconds: decay by 60 dB. reverb_db: against the direct sound."""

    reverb_seconds: float
    reverb_db: float


PLACES: Mapping[str, Place] = {
    "street": Place(reverb_seconds=0.25, reverb_db=-16.0),
    "depot": Place(reverb_seconds=0.45, reverb_db=-9.0),
}


def decibels(gain_db: float) -> float:
    """The factor that a gain in dB stands for."""
    return float(10.0 ** (gain_db / 20.0))


def rms(sound: Samples) -> float:
    """The root of the mean square, over everything."""
    return float(np.sqrt(np.mean(sound**2)))


def shaped_noise(
    rng: np.random.Generator, frames: int, sample_rate: int, shape: tuple[tuple[int, int], ...]
) -> Samples:
    """Gaussian noise of RMS 1 with the spectrum that (Hz, dB) points draw."""
    size = 1 << (frames - 1).bit_length()
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / sample_rate), 1.0)
    points = np.array(shape, dtype=np.float64)
    level = np.interp(np.log(hertz), np.log(points[:, 0]), points[:, 1])
    noise = np.fft.irfft(spectrum * 10.0 ** (level / 20.0), size)[:frames]
    return np.asarray(noise / rms(noise), dtype=np.float64)


def _swell(rng: np.random.Generator, frames: int, sample_rate: int, depth_db: float) -> Samples:
    """A gain that wanders by about depth_db (one standard deviation) over seconds."""
    knots = max(frames // (2 * sample_rate) + 3, 4)
    heights = rng.standard_normal(knots) * depth_db
    place = np.linspace(0, knots - 1, frames)
    before = np.minimum(place.astype(np.int64), knots - 2)
    ease = (1 - np.cos(np.pi * (place - before))) / 2
    return np.asarray(
        10.0 ** ((heights[before] * (1 - ease) + heights[before + 1] * ease) / 20.0),
        dtype=np.float64,
    )


def street(
    rng: np.random.Generator, frames: int, sample_rate: int, cars: tuple[int, ...]
) -> Samples:
    """Street noise of RMS 1: traffic that swells, and a car that passes at each sample of cars."""
    sound = shaped_noise(rng, frames, sample_rate, _STREET)
    sound *= _swell(rng, frames, sample_rate, 1.5)
    tyres = shaped_noise(rng, frames, sample_rate, _CAR)
    clock = np.arange(frames) / sample_rate
    for at in cars:
        seconds = (clock - at / sample_rate) / 1.1
        sound += tyres * 0.8 / (1 + seconds**2) ** 1.5
    return np.asarray(sound / rms(sound), dtype=np.float64)


def ventilation(rng: np.random.Generator, frames: int, sample_rate: int) -> Samples:
    """The steady rush of an air duct, of RMS 1."""
    return shaped_noise(rng, frames, sample_rate, _DUCT)


def hum(frames: int, sample_rate: int, hertz: int) -> Samples:
    """Mains hum of RMS 1: six harmonics of hertz that fall from the first on."""
    clock = np.arange(frames) / sample_rate
    sound = np.zeros(frames)
    for i, level in enumerate(_HARMONICS_DB, 1):
        sound += decibels(level) * np.sin(2 * np.pi * hertz * i * clock + i)
    return np.asarray(sound / rms(sound), dtype=np.float64)


def click(rng: np.random.Generator) -> Samples:
    """One click: three to six samples that alternate and die away, up to 0.15–0.35."""
    length = int(rng.integers(3, 7))
    peak = rng.uniform(0.15, 0.35) * rng.choice((-1.0, 1.0))
    steps = np.arange(length)
    return np.asarray(peak * (-0.6) ** steps, dtype=np.float64)


def room(rng: np.random.Generator, sample_rate: int, place: Place) -> Samples:
    """An impulse response: the direct sound at sample 0, early reflections, a tail that decays."""
    frames = int(place.reverb_seconds * sample_rate)
    clock = np.arange(frames) / sample_rate
    tail = rng.standard_normal(frames) * 10.0 ** (-3.0 * clock / place.reverb_seconds)
    tail[: sample_rate // 100] *= 0.2
    for reflection in rng.integers(sample_rate // 250, sample_rate // 40, 5):
        tail[reflection] += rng.choice((-1.0, 1.0)) * 4.0
    tail[0] = 0.0
    tail *= decibels(place.reverb_db) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(tail, dtype=np.float64)


def _convolved(sound: Samples, response: Samples) -> Samples:
    """The sound in the room, cut to its own length."""
    size = 1 << (len(sound) + len(response) - 2).bit_length()
    product = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size)[: len(sound)], dtype=np.float64)


def travelled(sound: Samples, metres: float, sample_rate: int) -> Samples:
    """The sound as it arrives after a distance, later but as loud."""
    delay = round(metres / SPEED_OF_SOUND * sample_rate)
    return np.concatenate((np.zeros(delay), sound))[: len(sound)]


def boom_speech(
    voices: Mapping[str, Samples],
    metres: Mapping[str, float],
    response: Samples,
    sample_rate: int,
) -> Samples:
    """What the boom hears of the voices: each at its distance (level by 1/r), in one room."""
    heard = sum(
        (travelled(v, metres[who], sample_rate) / metres[who] for who, v in voices.items()),
        start=np.zeros(len(next(iter(voices.values())))),
    )
    return _convolved(heard, response) * decibels(BOOM_LEVEL_DB - _LINE_LEVEL_DB)


def lav(
    rng: np.random.Generator,
    wearer: str,
    voices: Mapping[str, Samples],
    ambience: Samples,
    sample_rate: int,
) -> Samples:
    """A lav: its wearer close, the others quieter and later, less of the place, its own hiss.

    ambience: as the boom hears it, at the level it has there.
    """
    sound = voices[wearer].copy()
    for who, voice in voices.items():
        if who != wearer:
            sound += travelled(voice, _PARTNER_METRES, sample_rate) * decibels(_BLEED_DB)
    sound *= decibels(LAV_LEVEL_DB - _LINE_LEVEL_DB)
    hiss = shaped_noise(rng, len(sound), sample_rate, _HISS) * decibels(_LAV_HISS_DB)
    return np.asarray(sound + ambience * decibels(_LAV_AMBIENCE_DB) + hiss, dtype=np.float64)

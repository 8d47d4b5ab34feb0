"""Which microphone of a take serves a line best, and why.

Measured over the line on every microphone: how far the voice stands above the noise, how far up
it reaches, how dry it is, and what spoils it (rustle, clipping, other voices).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.alignment import Read, Span
from models.repair.clipping import ClippingOptions, Rails, find_rails

Power = NDArray[np.float64]

microphones_version = "1"
"""Part of the key of what is remembered of microphones: raised when an answer may change."""

_SIZE_S = 0.043
_BATCH = 256
_LONGEST_S = 60.0
_VOICE_HZ = (150.0, 8000.0)
_RUSTLE_HZ = (1000.0, 8000.0)
_DECAY_HZ = (500.0, 4000.0)
_RUSTLE_DB = 12.0
_RUSTLE_ABOVE_DB = 15.0
_AUDIBLE_DB = 6.0
_REACHED_SHARE = 90.0
_DECAY_STEP_S = 0.005
_EARLY_S = 0.05
_DECAY_ABOVE_DB = 25.0
_FASTEST = 98.0
DRY_DB = 25.0
_FEWEST_FALLS = 20
_SILENCE = 1e-20


class Kind(StrEnum):
    """What kind of microphone a channel is."""

    BOOM = "boom"
    LAV = "lav"
    OTHER = "other"


@dataclass(frozen=True)
class Microphone:
    """A microphone of a take. channel: of the file, from 0. owner: whose lav it is, or empty."""

    channel: int
    name: str
    kind: Kind
    owner: str = ""


@dataclass(frozen=True)
class Noise:
    """What a microphone hears in the pauses: mean power of each bin of a 43 ms window (Hann)."""

    power: Power

    def band(self, hz: tuple[float, float], sample_rate: int) -> float:
        """Power within a band."""
        return float(self.power[_bins(hz, sample_rate)].sum())

    def level_dbfs(self, sample_rate: int) -> float:
        """RMS level in dBFS (a full-scale square wave is 0), 150 Hz to 8 kHz; -200 for silence."""
        size = _size(sample_rate)
        # Parseval for one side of a windowed spectrum: 2 P / (N Σw²); Σw² of a Hann is 3N/8.
        mean = 2 * self.band(_VOICE_HZ, sample_rate) / (size * 3 * size / 8)
        return 10 * math.log10(max(mean, _SILENCE))


@dataclass(frozen=True)
class Quality:
    """How a microphone hears a line.

    snr_db: the voice over the noise of the pauses, 150 Hz to 8 kHz. bandwidth_hz: up to where the
    voice stands 6 dB above the noise. c50_db: the first 50 ms over what follows them, from the
    fastest falls of level; dry speech reads about 20, a bathroom 0; None where noise hides the
    falls. rustle: share of the line (0 to 1) with cloth or handling that the reference does not
    hear. clipped: samples at the rails of the channel. bleed_db: loudest other voice against this
    one, on this microphone. overlap: share of the line in which somebody else speaks as well.
    """

    snr_db: float
    bandwidth_hz: float
    c50_db: float | None
    rustle: float
    clipped: int
    bleed_db: float
    overlap: float


@dataclass(frozen=True)
class Weights:
    """What the choice of a microphone weighs, in dB of signal to noise ratio.

    enough_snr_db: more than this is worth nothing. octave: each octave of band that the other
    has more. dry: each dB of C50, up to 20. rustle: a line that rustles throughout.
    clipping: a clipped line. bleed: each dB that other voices are less than 25 dB down, times
    the share of the line in which they speak. boom: what a boom has over a lav, whose voice
    needs more work to sound like the room.
    """

    enough_snr_db: float = 35.0
    octave: float = 4.0
    dry: float = 0.5
    rustle: float = 40.0
    clipping: float = 10.0
    bleed: float = 0.5
    boom: float = 3.0


@dataclass(frozen=True)
class Choice:
    """The microphone proposed for a line. margin_db: over the next best, by the weights."""

    channel: int
    reason: str
    margin_db: float


def noise_of(read: Read, pauses: Sequence[Span], sample_rate: int) -> Noise:
    """The noise of a microphone: mean spectrum over the pauses (samples), read in blocks."""
    size = _size(sample_rate)
    total, count = np.zeros(size // 2 + 1), 0
    for start, end in pauses:
        frames = (end - start - size) // (size // 2) + 1
        for first in range(0, frames, _BATCH):
            many = min(_BATCH, frames - first)
            power = _spectra(read, start + first * size // 2, many, size)
            total += power.sum(axis=0)
            count += len(power)
    return Noise(total / max(1, count))


def voice_power(read: Read, spans: Sequence[Span], noise: Noise, sample_rate: int) -> float:
    """Mean power of the voice band over spans, less the noise; 0 where nothing is above it."""
    size = _size(sample_rate)
    band = _bins(_VOICE_HZ, sample_rate)
    total, count = 0.0, 0
    for start, end in spans:
        frames = max(1, (end - start - size) // (size // 2) + 1)
        for first in range(0, frames, _BATCH):
            many = min(_BATCH, frames - first)
            power = _spectra(read, start + first * size // 2, many, size)
            total += float(power[:, band].sum())
            count += many
    floor = noise.band(_VOICE_HZ, sample_rate)
    return max(0.0, total / max(1, count) - floor)


def quietest(read: Read, frames: int, sample_rate: int) -> list[Span]:
    """The quietest tenth of the half seconds of a channel that are not digital silence.

    For a take without pauses, as what comes nearest to its noise.
    """
    step = sample_rate // 2
    levels = []
    for start in range(0, frames - step + 1, step):
        power = float(np.mean(np.square(read(start, step))))
        if power > _SILENCE:
            levels.append((power, start))
    levels.sort()
    chosen = sorted(start for _, start in levels[: max(1, len(levels) // 10)])
    return [(start, start + step) for start in chosen]


def decibels(power: float, other: float) -> float:
    """A power against another in dB, from -99 to 99; -99 where the first is nothing."""
    if power <= _SILENCE:
        return -99.0
    return min(99.0, max(-99.0, 10 * math.log10(power / max(other, _SILENCE))))


def rails_of(read: Read, frames: int) -> Rails | None:
    """Where a channel clips, or None where it does not."""
    return find_rails(read, frames, ClippingOptions())


def hear_line(
    read: Read,
    line: Span,
    noise: Noise,
    sample_rate: int,
    rails: Rails | None,
    reference: tuple[Read, Noise] | None,
    bleed_db: float,
    overlap: float,
) -> Quality:
    """How a microphone hears a line.

    line: samples; of one longer than a minute, its first minute. rails: of `rails_of`.
    reference: another microphone of the same voice and its noise, to hear rustle against; None
    where none is looked for. bleed_db, overlap: as of Quality.
    """
    start, end = line[0], min(line[1], line[0] + round(_LONGEST_S * sample_rate))
    size = _size(sample_rate)
    count = max(1, (end - start - size) // (size // 2) + 1)
    power = _spectra(read, start, count, size)
    band = _bins(_VOICE_HZ, sample_rate)
    floor = max(noise.band(_VOICE_HZ, sample_rate), _SILENCE)
    voice = max(float(power[:, band].sum(axis=1).mean()) - floor, 1e-3 * floor)
    rustle = 0.0
    if reference is not None:
        other = _spectra(reference[0], start, count, size)
        rustle = _rustle(power, other, noise, reference[1], sample_rate)
    sound = read(start, end - start)
    return Quality(
        snr_db=10 * math.log10(voice / floor),
        bandwidth_hz=_bandwidth(power, noise, sample_rate),
        c50_db=c50(sound, sample_rate, noise),
        rustle=rustle,
        clipped=0 if rails is None else int(np.sum(rails.hit(sound))),
        bleed_db=bleed_db,
        overlap=overlap,
    )


def c50(sound: NDArray[np.float64], sample_rate: int, noise: Noise) -> float | None:
    """Clarity of a voice, blind: early energy (50 ms) over late, in dB, as the level's falls allow.

    Where a steady sound stops, the level 50 ms later is the late part of the room's answer, so
    the fastest falls of 500 Hz to 4 kHz over 50 ms read 10 log10(1 + C50) (C50: ISO 3382-1).
    A voice neither stops at once nor fills the room before it does, which blurs the value by
    some 5 dB: it compares the microphones of one line, and is no measurement of the room.
    None where too few falls stand clear of the noise; 25 at the most, which is dry.
    """
    step = round(_DECAY_STEP_S * sample_rate)
    size = 4 * step
    if len(sound) < 4 * size:
        return None
    framed = np.lib.stride_tricks.sliding_window_view(sound, size)[::step]
    spectra = np.abs(np.fft.rfft(framed * np.hanning(size + 1)[:-1], axis=1)) ** 2
    power = spectra[:, _band_bins(_DECAY_HZ, sample_rate, size)].sum(axis=1)
    # The window is shorter than that of the noise: power goes with the length of the window.
    floor = noise.band(_DECAY_HZ, sample_rate) * (size / _size(sample_rate)) ** 2
    floor = max(floor, _SILENCE)
    ahead = round(_EARLY_S / _DECAY_STEP_S)
    before, after = power[:-ahead], power[ahead:]
    clear = before > floor * 10 ** (_DECAY_ABOVE_DB / 10)
    falls = 10 * np.log10(before[clear] / np.maximum(after[clear] - floor, 0.5 * floor))
    falls = falls[falls > 0]
    if len(falls) < _FEWEST_FALLS:
        return None
    fastest = float(np.percentile(falls, _FASTEST))
    return min(DRY_DB, 10 * math.log10(max(10 ** (fastest / 10) - 1, 1e-2)))


def choose(heard: Sequence[tuple[Microphone, Quality]], weights: Weights = Weights()) -> Choice:
    """The microphone that serves a line best, with the reason as a clause for people.

    heard: the candidates; one at least. Of equals the earlier wins.
    """
    widest = max(quality.bandwidth_hz for _, quality in heard)
    known = all(quality.c50_db is not None for _, quality in heard)
    scored = [_score(mic, quality, widest, known, weights) for mic, quality in heard]
    order = sorted(range(len(heard)), key=lambda k: -sum(scored[k].values()))
    best = order[0]
    if len(heard) == 1:
        return Choice(heard[best][0].channel, "the only microphone", 0.0)
    next_best = order[1]
    gains = {name: scored[best][name] - scored[next_best][name] for name in scored[best]}
    margin = sum(gains.values())
    reason = _reason(heard[best], heard[next_best], gains)
    return Choice(heard[best][0].channel, reason, margin)


def _score(
    mic: Microphone, quality: Quality, widest: float, known: bool, weights: Weights
) -> Mapping[str, float]:
    missing = math.log2(widest / max(quality.bandwidth_hz, 100.0))
    close = max(0.0, quality.bleed_db + 25) * quality.overlap
    dry = min(quality.c50_db or 0.0, 20.0) if known else 0.0
    return {
        "snr": min(quality.snr_db, weights.enough_snr_db),
        "band": -weights.octave * missing,
        "dry": weights.dry * dry,
        "rustle": -weights.rustle * quality.rustle,
        "clipping": -weights.clipping * (quality.clipped > 0),
        "bleed": -weights.bleed * close,
        "boom": weights.boom * (mic.kind is Kind.BOOM),
    }


def _reason(
    best: tuple[Microphone, Quality],
    other: tuple[Microphone, Quality],
    gains: Mapping[str, float],
) -> str:
    """What speaks most for the best against the other, at most three things, the first first."""
    mine, (rival, theirs) = best[1], other
    said = {
        "snr": f"{mine.snr_db:.0f} dB above the noise against {theirs.snr_db:.0f}",
        "band": f"reaches {mine.bandwidth_hz / 1000:.1f} kHz against "
        f"{theirs.bandwidth_hz / 1000:.1f}",
        "dry": f"drier (C50 {mine.c50_db or 0:.0f} dB against {theirs.c50_db or 0:.0f})",
        "rustle": f"{rival.name} rustles in {100 * theirs.rustle:.0f} % of the line",
        "clipping": f"{rival.name} clips",
        "bleed": f"other voices {-mine.bleed_db:.0f} dB down against {-theirs.bleed_db:.0f}",
        "boom": "a boom sounds of the room",
    }
    strong = [name for name in sorted(gains, key=lambda name: -gains[name]) if gains[name] >= 1.0]
    if not strong:
        return f"as good as {rival.name}"
    return f"over {rival.name}: " + "; ".join(said[name] for name in strong[:3])


def _rustle(
    power: Power, other: Power, noise: Noise, other_noise: Noise, sample_rate: int
) -> float:
    """Share of the frames in which 1 to 8 kHz is far louder than the reference tells."""
    band = _bins(_RUSTLE_HZ, sample_rate)
    mine, theirs = power[:, band].sum(axis=1), other[:, band].sum(axis=1)
    floor = max(noise.band(_RUSTLE_HZ, sample_rate), _SILENCE)
    heard = max(other_noise.band(_RUSTLE_HZ, sample_rate), _SILENCE)
    both = (mine > 4 * floor) & (theirs > 4 * heard)
    if np.sum(both) < 8:
        return 0.0
    usual = float(np.median(np.log10(mine[both] / theirs[both])))
    told = np.maximum(theirs, heard) * 10**usual
    above = mine > floor * 10 ** (_RUSTLE_ABOVE_DB / 10)
    rustling = above & (mine > told * 10 ** (_RUSTLE_DB / 10))
    return float(np.mean(rustling))


def _bandwidth(power: Power, noise: Noise, sample_rate: int) -> float:
    """The upper edge of the highest third of an octave in which the voice is clear, in Hz."""
    top = 0.0
    bands = int(3 * math.log2(min(20_000.0, sample_rate / 2) / 200))
    for number in range(bands):
        low = 200 * 2 ** (number / 3)
        chosen = _bins((low, low * 2 ** (1 / 3)), sample_rate)
        loud = float(np.percentile(power[:, chosen].sum(axis=1), _REACHED_SHARE))
        floor = max(float(noise.power[chosen].sum()), _SILENCE)
        if loud > floor * 10 ** (_AUDIBLE_DB / 10):
            top = low * 2 ** (1 / 3)
    return top


def _size(sample_rate: int) -> int:
    return round(_SIZE_S * sample_rate / 2) * 2


def _bins(hz: tuple[float, float], sample_rate: int) -> slice:
    return _band_bins(hz, sample_rate, _size(sample_rate))


def _band_bins(hz: tuple[float, float], sample_rate: int, size: int) -> slice:
    width = sample_rate / size
    return slice(math.ceil(hz[0] / width), max(math.ceil(hz[1] / width), 1))


def _spectra(read: Read, start: int, count: int, size: int) -> Power:
    """Power of half-overlapping windows from `start`, shape (count, bins)."""
    sound = read(start, (count + 1) * (size // 2))
    framed = np.lib.stride_tricks.sliding_window_view(sound, size)[:: size // 2]
    return np.asarray(
        np.abs(np.fft.rfft(framed * np.hanning(size + 1)[:-1], axis=1)) ** 2, np.float64
    )

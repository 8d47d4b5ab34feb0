"""How two microphones of one recording lie to each other: delay, polarity, drift, and their sum.

The delay comes from the phase of the cross-spectrum over speech, each frequency weighted by what
its coherence says about the phase (the maximum-likelihood form of the generalised
cross-correlation: Knapp and Carter, IEEE Trans. ASSP 24, 1976). Two microphones hear the same
room as well, from elsewhere: the cross-spectrum of the pauses is taken off first, so that the
voice decides and not the traffic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
Read = Callable[[int, int], Samples]
"""read(start, n): n mono samples (full scale 1.0) from `start`, zeros outside the channel."""

Span = tuple[int, int]

alignment_version = "1"
"""Part of the key of what is remembered of microphones: raised when an answer may change."""

_FRAME_S = 0.17
_BATCH = 64
_SURE_PHASE = 0.98
_SIGNIFICANT = 2.0
_TAPS = 64
_KAISER_BETA = 10.0


@dataclass(frozen=True)
class AlignOptions:
    """How a delay is looked for.

    reach_s: the longest delay either way. Sound takes 3 ms a metre, and a wireless link some
        20 ms; wider finds more and needs more speech to be sure.
    low_hz, high_hz: the band that is compared. Lower lets rumble in, higher what a lav under a
        shirt does not hear.
    least_confidence: agreement below which nothing is said. Lower answers on noisier lines.
    most_rival: the highest other peak, more than 1 ms away, as a share of the peak. Higher
        takes a guess where two places explain the sound.
    """

    reach_s: float = 0.04
    low_hz: float = 150.0
    high_hz: float = 7000.0
    least_confidence: float = 0.15
    most_rival: float = 0.8


@dataclass(frozen=True)
class LineDelay:
    """The delay over one line. at: its middle, in samples. delay: samples, as of Alignment."""

    at: int
    delay: float
    confidence: float


@dataclass(frozen=True)
class Alignment:
    """How a microphone lies to another.

    delay: samples by which it comes later, with parts of a sample. inverted: whether its polarity
    is turned. confidence: 0 to 1, how well the phases of all frequencies agree on it.
    lines: each line that was sure enough, in order. drift_ppm: by how many millionths of the time
    the delay grows; 0 where no drift stands out from the spread of the lines. spread: between the
    earliest and the latest line, in samples: somebody walked, or the clocks drift.
    """

    delay: float
    inverted: bool
    confidence: float
    lines: tuple[LineDelay, ...]
    drift_ppm: float
    spread: float


@dataclass
class _Sums:
    """Cross- and power spectra, summed over frames; shape (bins,)."""

    bins: int
    count: int = 0
    cross: NDArray[np.complex128] = field(init=False)
    first: Samples = field(init=False)
    second: Samples = field(init=False)

    def __post_init__(self) -> None:
        self.cross = np.zeros(self.bins, np.complex128)
        self.first, self.second = np.zeros(self.bins), np.zeros(self.bins)

    def add(self, other: _Sums) -> None:
        """Take in the frames of other sums."""
        self.count += other.count
        self.cross += other.cross
        self.first += other.first
        self.second += other.second


@dataclass(frozen=True)
class _Peak:
    """delay: samples. confidence: height at the peak, 0 to 1. rival: share of the next one."""

    delay: float
    inverted: bool
    confidence: float
    rival: float


def align(
    reference: Read,
    microphone: Read,
    lines: Sequence[Span],
    pauses: Sequence[Span],
    sample_rate: int,
    options: AlignOptions = AlignOptions(),
) -> Alignment | None:
    """How a microphone lies to a reference, or None where they do not agree on anything.

    lines: where a voice speaks that both hear (best the microphone's owner), in samples.
    pauses: where nobody speaks. Read in blocks, twice; memory does not grow with the length.
    """
    size = _size(sample_rate)
    noise = _over(reference, microphone, pauses, size, 0)
    whole = _Sums(size // 2 + 1)
    for line in lines:
        whole.add(_over(reference, microphone, [line], size, 0))
    rough = _peak(whole, noise, sample_rate, options)
    if rough is None or rough.rival > options.most_rival:
        return None
    # Again with both windows on the same words: a window that has slid off loses coherence.
    shift = round(rough.delay)
    noise = _over(reference, microphone, pauses, size, shift)
    near = AlignOptions(
        reach_s=max(8, sample_rate // 1000) / sample_rate,
        low_hz=options.low_hz,
        high_hz=options.high_hz,
        least_confidence=options.least_confidence,
    )
    whole, found = _Sums(size // 2 + 1), []
    for start, end in lines:
        sums = _over(reference, microphone, [(start, end)], size, shift)
        whole.add(sums)
        peak = _peak(sums, noise, sample_rate, near)
        if peak is not None and peak.inverted == rough.inverted:
            found.append(LineDelay((start + end) // 2, peak.delay + shift, peak.confidence))
    fine = _peak(whole, noise, sample_rate, near)
    if fine is None or fine.inverted != rough.inverted or fine.confidence < near.least_confidence:
        return None
    sure = tuple(item for item in found if item.confidence >= options.least_confidence)
    return Alignment(
        delay=fine.delay + shift,
        inverted=fine.inverted,
        confidence=fine.confidence,
        lines=sure,
        drift_ppm=_drift(sure),
        spread=_spread(sure),
    )


def _size(sample_rate: int) -> int:
    """Samples in a window: the power of two nearest to 0.17 s."""
    return int(2 ** round(math.log2(sample_rate * _FRAME_S)))


def _over(first: Read, second: Read, spans: Sequence[Span], size: int, shift: int) -> _Sums:
    """Spectra over spans; the second is read `shift` samples later."""
    sums = _Sums(size // 2 + 1)
    window = np.hanning(size + 1)[:-1]
    for start, end in spans:
        for at, many in _batches(start, end, size):
            length = (many + 1) * size // 2
            one = _framed(first(at, length), size) * window
            two = _framed(second(at + shift, length), size) * window
            ours, theirs = np.fft.rfft(one, axis=1), np.fft.rfft(two, axis=1)
            sums.cross += np.sum(theirs * np.conj(ours), axis=0)
            sums.first += np.sum(np.abs(ours) ** 2, axis=0)
            sums.second += np.sum(np.abs(theirs) ** 2, axis=0)
            sums.count += many
    return sums


def _batches(start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Where batches of half-overlapping windows inside a span start, and how many each has."""
    hop = size // 2
    count = (end - start - size) // hop + 1
    if count < 1 and end - start >= size // 4:
        # A word shorter than a window is heard with what surrounds it.
        yield (start + end - size) // 2, 1
    for first in range(0, count, _BATCH):
        yield start + first * hop, min(_BATCH, count - first)


def _framed(sound: Samples, size: int) -> Samples:
    return np.lib.stride_tricks.sliding_window_view(sound, size)[:: size // 2]


def _peak(speech: _Sums, noise: _Sums, sample_rate: int, options: AlignOptions) -> _Peak | None:
    """The delay on which most of the phases agree; None where there is no coherent sound."""
    if speech.count == 0:
        return None
    size = 2 * (speech.bins - 1)
    unit, weight = _phases(speech, noise, sample_rate, options)
    total = float(np.sum(weight))
    if total <= 0:
        return None
    finer = 4
    spectrum = np.zeros(finer * size // 2 + 1, np.complex128)
    spectrum[: len(unit)] = unit * weight
    curve = np.fft.irfft(spectrum) * (finer * size / 2) / total
    reach = min(round(options.reach_s * sample_rate), size // 2 - 1) * finer
    around = np.concatenate([curve[-reach:], curve[: reach + 1]])
    best = int(np.argmax(np.abs(around)))
    sign = 1.0 if around[best] > 0 else -1.0
    delay = _refined(sign * unit, weight, (best - reach) / finer, size)
    apart = np.abs(np.arange(len(around)) - best) > finer * sample_rate // 1000
    rival = float(np.max(np.abs(around[apart]), initial=0.0)) / abs(float(around[best]))
    return _Peak(delay, sign < 0, min(1.0, abs(float(around[best]))), rival)


def _phases(
    speech: _Sums, noise: _Sums, sample_rate: int, options: AlignOptions
) -> tuple[NDArray[np.complex128], Samples]:
    """Unit phasors of the voice's cross-spectrum, and what each is worth; shape (bins,)."""
    cross = speech.cross - _of_the_room(speech, noise)
    power = np.maximum(speech.first * speech.second, 1e-60)
    coherence = np.minimum(np.abs(cross) ** 2 / power, 1.0)
    chance = min(0.9, _SIGNIFICANT * _chance(speech.count))
    coherence = np.maximum(coherence - chance, 0.0) / (1.0 - chance)
    hertz = np.arange(speech.bins) * sample_rate / (2 * (speech.bins - 1))
    band = (hertz >= options.low_hz) & (hertz <= min(options.high_hz, 0.45 * sample_rate))
    sure = np.minimum(coherence, _SURE_PHASE)
    weight = np.where(band, sure / (1 - sure), 0.0)
    # No frequency may outvote the rest: a hum is coherent, and says nothing of delay.
    if np.any(weight > 0):
        weight = np.minimum(weight, 4 * float(np.mean(weight[band])))
    return cross / np.maximum(np.abs(cross), 1e-30), weight


def _of_the_room(speech: _Sums, noise: _Sums) -> NDArray[np.complex128]:
    """The part of the cross-spectrum that the pauses have as well, where it is no chance there."""
    if noise.count == 0:
        return np.zeros(speech.bins, np.complex128)
    coherence = np.abs(noise.cross) ** 2 / np.maximum(noise.first * noise.second, 1e-60)
    real = np.clip(1 - _SIGNIFICANT * _chance(noise.count) / np.maximum(coherence, 1e-9), 0, 1)
    return np.asarray(real * noise.cross * (speech.count / noise.count), np.complex128)


def _chance(frames: int) -> float:
    """The coherence that unlike sounds show on average, over half-overlapping Hann windows."""
    return 1.5 / frames


def _refined(unit: NDArray[np.complex128], weight: Samples, delay: float, size: int) -> float:
    """The top of the correlation near a delay, by Newton's steps on the phases themselves."""
    omega = 2 * np.pi * np.arange(len(unit)) / size
    for _ in range(4):
        turned = unit * np.exp(1j * omega * delay)
        slope = -float(np.sum(weight * omega * turned.imag))
        bend = -float(np.sum(weight * omega**2 * turned.real))
        if bend >= 0:
            break
        delay -= min(max(slope / bend, -0.5), 0.5)
    return delay


def _drift(lines: Sequence[LineDelay]) -> float:
    """Parts in a million by which the delay grows, where that stands out from the spread."""
    if len(lines) < 4:
        return 0.0
    at = np.array([line.at for line in lines], np.float64)
    delay = np.array([line.delay for line in lines])
    slope, offset = np.polyfit(at - at.mean(), delay, 1)
    rest = delay - offset - slope * (at - at.mean())
    error = float(np.sqrt(np.sum(rest**2) / (len(lines) - 2) / np.sum((at - at.mean()) ** 2)))
    grown = abs(float(slope)) * float(np.ptp(at))
    return 1e6 * float(slope) if grown > 1.0 and abs(slope) > 4 * error else 0.0


def _spread(lines: Sequence[LineDelay]) -> float:
    return max((line.delay for line in lines), default=0.0) - min(
        (line.delay for line in lines), default=0.0
    )


def delayed(read: Read, delay: float) -> Read:
    """A channel that comes `delay` samples later (earlier where negative).

    Whole samples are moved bit for bit; parts of a sample by a windowed sinc of 64 taps
    (Kaiser, beta 10), flat within 0.1 dB up to 0.94 of half the sample rate.
    """
    whole = math.floor(delay + 0.5)
    part = delay - whole
    if abs(part) < 1e-6:
        return lambda start, frames: read(start - whole, frames)
    half = _TAPS // 2
    at = np.arange(-half + 1, half + 1) - part
    taps = np.sinc(at) * np.i0(_KAISER_BETA * np.sqrt(np.maximum(0, 1 - (at / half) ** 2)))
    taps /= np.sum(taps)

    def moved(start: int, frames: int) -> Samples:
        around = read(start - whole - half, frames + _TAPS - 1)
        return np.asarray(np.convolve(around, taps, "valid"), np.float64)

    return moved

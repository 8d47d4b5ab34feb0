"""Hum: sinusoids at the multiples of the mains frequency, tracked and subtracted.

No notch: a harmonic is a slowly turning complex amplitude, estimated where the pauses let it be
heard, and only that is taken away. The voice that crosses the same frequency stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from models.repair.mains import HOPS_PER_S, LowBand, Mains, find_mains, low_band, read_low
from models.repair.patches import Read, Samples

Phasors = NDArray[np.complex128]
Number = TypeVar("Number", np.float64, np.complex128)

FRAME_HOPS = 4
BLOCK_FRAMES = 40
BESIDE_BINS = (3, 7)
FREQUENCY_SPAN_S = 20.0
OVERLAP_FACTOR = 2.7
"""Frames of a second every quarter of a second tell this many times less than so many alone."""
CERTAIN = 30.0
"""Power over its variance at which one harmonic alone proves that there is hum."""
LIKELY = 4.0
"""The same for the other harmonics of hum that is proved."""
GATE_FRAMES = 9
FEWEST_FRAMES = 8
FLOOR = 1e-16


@dataclass(frozen=True)
class HumOptions:
    """How hum is tracked.

    highest_hz: harmonics above it are left. Raise it for the buzz of a dimmer, up to 1500.
    settle_s: seconds over which a harmonic's amplitude is averaged. Higher takes the hum out
        more exactly, lower follows hum whose level changes, as when the boom moves.
    """

    highest_hz: float = 1200.0
    settle_s: float = 20.0

    def __post_init__(self) -> None:
        if not 50 <= self.highest_hz <= 1500 or not 2 <= self.settle_s <= 120:
            raise UsageError(
                f"Hum up to {self.highest_hz} Hz averaged over {self.settle_s} s can't be "
                "tracked; give 50 to 1500 Hz and 2 to 120 s."
            )


@dataclass(frozen=True)
class Hum:
    """The hum of a channel, to be subtracted.

    hz: fundamental at the start of the search. hop: samples from one frame to the next, the
    first at sample 0. phase: shape (frames,), how far the hum has run ahead of `hz`, in radians.
    harmonics: shape (count,), multiples of the fundamental. amplitudes: shape (frames, count),
    complex, full scale 1.0, 0 where no hum was found.
    """

    hz: float
    sample_rate: int
    hop: int
    phase: Samples
    harmonics: NDArray[np.intp]
    amplitudes: Phasors


def find_hum(read: Read, frames: int, sample_rate: int, options: HumOptions) -> Hum | None:
    """The hum of a channel of `frames` samples at `sample_rate` Hz, or None.

    What is kept of an hour is 15 MB where there is hum, nothing where there is none.
    """
    mains = find_mains(read, frames, sample_rate)
    if mains is None:
        return None
    band = low_band(sample_rate)
    top = min(options.highest_hz, band.highest_hz)
    count = frames // (band.hop * band.step) + 2
    harmonics = np.arange(1, int(top // mains.hz) + 1)
    heard, noise = _demodulated(read, frames, band, mains, harmonics, count)
    phase = _phase(heard, noise, harmonics)
    heard = heard * np.exp(-1j * phase[:, None] * harmonics)
    amplitudes = _settled(heard, noise, options.settle_s)
    kept = np.sum(amplitudes != 0, axis=0) >= FEWEST_FRAMES
    if not kept.any():
        return None
    hop = band.hop * band.step
    return Hum(mains.hz, sample_rate, hop, phase, harmonics[kept], amplitudes[:, kept])


def without_hum(read: Read, frames: int, hum: Hum) -> Read:
    """A reader of a channel of `frames` samples less its hum.

    Bit-identical where no hum was found; zeros outside the channel.
    """

    def read_clean(start: int, count: int) -> Samples:
        sound = read(start, count)
        copied = False
        for section in range(max(0, start // hum.hop), (start + count - 1) // hum.hop + 1):
            wave = _section(hum, section)
            if wave is None:
                continue
            if not copied:
                sound, copied = sound.copy(), True
            first = section * hum.hop
            low, high = max(start, first), min(start + count, first + hum.hop, frames)
            if low >= high:
                continue
            sound[low - start : high - start] -= wave[low - first : high - first]
        return sound

    return read_clean


def hum_defects(hum: Hum, frames: int) -> tuple[Defect, ...]:
    """The stretches of a channel of `frames` samples in which hum was found."""
    active = np.any(hum.amplitudes != 0, axis=1)
    edges = np.flatnonzero(np.diff(np.r_[False, active, False].astype(np.int8)))
    found = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        part = hum.amplitudes[first:last]
        level = float(np.sqrt(np.mean(np.sum(np.abs(part) ** 2, axis=1)) / 2))
        drift = np.diff(hum.phase[first:last]) * (hum.sample_rate / hum.hop / (2 * np.pi))
        hz = hum.hz + (float(np.mean(drift)) if len(drift) else 0.0)
        note = (
            f"{hz:.2f} Hz, {int(np.sum(np.any(part != 0, axis=0)))} harmonics at "
            f"{20 * np.log10(level):.0f} dBFS; subtracted"
        )
        start, end = max(0, (first - 1) * hum.hop), min(frames, last * hum.hop)
        if start < end:
            found.append(Defect(DefectKind.HUM, int(start), int(end), note=note))
    return tuple(found)


def _section(hum: Hum, section: int) -> Samples | None:
    """The hum between two frames, always computed whole: the same bytes for any reader."""
    if not 0 <= section < len(hum.phase) - 1:
        return None
    here, following = hum.amplitudes[section], hum.amplitudes[section + 1]
    if not here.any() and not following.any():
        return None
    along = np.arange(hum.hop) / hum.hop
    turns = hum.hz * ((section * hum.hop + np.arange(hum.hop)) / hum.sample_rate)
    drift = hum.phase[section] * (1 - along) + hum.phase[section + 1] * along
    angle = 2 * np.pi * (turns % 1.0) + drift
    wave = np.zeros(hum.hop)
    turn = np.exp(1j * angle)
    turned, reached = turn, 1
    for k, first, last in zip(hum.harmonics, here, following, strict=True):
        # The harmonics rise: each is as many turns of the fundamental further.
        for _ in range(reached, int(k)):
            turned = turned * turn
        reached = int(k)
        if first != 0 or last != 0:
            amplitude = first + (last - first) * along
            wave += amplitude.real * turned.real - amplitude.imag * turned.imag
    return wave


def _demodulated(
    read: Read,
    frames: int,
    band: LowBand,
    mains: Mains,
    harmonics: NDArray[np.intp],
    count: int,
) -> tuple[Phasors, Samples]:
    """Amplitude of each harmonic in each frame, and the noise power beside it.

    Shapes (count, harmonics). Frames not wholly inside the channel have infinite noise.
    """
    window = np.hanning(FRAME_HOPS * band.hop + 1)[:-1]
    quarters = window.reshape(FRAME_HOPS, band.hop).T
    scale = 2 / window.sum()
    heard = np.zeros((count, len(harmonics)), np.complex128)
    noise = np.full((count, len(harmonics)), np.inf)
    beside = np.r_[-BESIDE_BINS[1] : -BESIDE_BINS[0] + 1, BESIDE_BINS[0] : BESIDE_BINS[1] + 1]
    centres = np.rint(harmonics * mains.hz * len(window) / band.rate).astype(np.intp)
    last_inside = frames // (band.hop * band.step) - FRAME_HOPS // 2
    for first in range(FRAME_HOPS // 2, last_inside + 1, BLOCK_FRAMES):
        some = min(BLOCK_FRAMES, last_inside + 1 - first)
        start = (first - FRAME_HOPS // 2) * band.hop
        kept = read_low(read, band, start, (some + FRAME_HOPS - 1) * band.hop)
        turns = mains.hz * ((start + np.arange(len(kept))) / band.rate)
        carrier = np.exp(-2j * np.pi * (turns % 1.0))
        turned = kept.astype(np.complex128)
        for index in range(len(harmonics)):
            turned *= carrier
            parts = turned.reshape(-1, band.hop) @ quarters
            heard[first : first + some, index] = scale * sum(
                parts[q : q + some, q] for q in range(FRAME_HOPS)
            )
        for frame in range(some):
            piece = kept[frame * band.hop : frame * band.hop + len(window)] * window
            line = np.abs(np.fft.rfft(piece)[centres[:, None] + beside]) ** 2
            noise[first + frame] = scale**2 * line.mean(axis=1) + FLOOR
    return heard, noise


def _phase(heard: Phasors, noise: Samples, harmonics: NDArray[np.intp]) -> Samples:
    """How far the hum runs ahead of its assumed frequency, in radians for each frame.

    All harmonics turn together: their turning over one second, then over four, gives the
    deviation of the fundamental that fits them best, over 20 s around each frame.
    """
    phase = np.zeros(len(heard))
    for lag, widest, usable in ((4, 0.1, 4), (16, 0.02, 6)):
        if len(heard) <= lag:
            break
        turned = heard[:, :usable] * np.exp(-1j * phase[:, None] * harmonics[:usable])
        weight = 1 / np.maximum(noise[lag:, :usable], noise[:-lag, :usable])
        pairs = np.zeros((len(heard), turned.shape[1]), np.complex128)
        pairs[lag // 2 : len(heard) - lag + lag // 2] = turned[lag:] * turned[:-lag].conj() * weight
        kernel = np.hanning(round(FREQUENCY_SPAN_S * HOPS_PER_S) + 3)[1:-1]
        pairs = _smoothed(pairs, kernel)
        best = np.full(len(heard), -np.inf)
        deviation = np.zeros(len(heard))
        for hz in np.linspace(-widest, widest, 81):
            turn = np.exp(-2j * np.pi * hz * lag / HOPS_PER_S * harmonics[:usable])
            score = np.real(pairs @ turn)
            better = score > best
            best[better], deviation[better] = score[better], hz
        deviation = _smoothed(deviation, np.ones(2 * HOPS_PER_S + 1) / (2 * HOPS_PER_S + 1))
        phase = phase + 2 * np.pi * np.cumsum(deviation) / HOPS_PER_S
    return phase


def _settled(heard: Phasors, noise: Samples, settle_s: float) -> Phasors:
    """Amplitudes averaged over `settle_s`, frames with little noise counting most.

    Zero where the average is no more than chance, where the sound nearby speaks against it (the
    hum began or ended there), and where no harmonic is certain.
    """
    kernel = np.hanning(round(settle_s * HOPS_PER_S) + 3)[1:-1]
    weight = 1 / noise
    total = _smoothed(weight, kernel)
    covered = np.maximum(total, FLOOR)
    settled = _smoothed(weight * heard, kernel) / covered
    variance = OVERLAP_FACTOR * _smoothed(weight, kernel**2) / covered**2
    power = np.abs(settled) ** 2
    near = np.ones(GATE_FRAMES)
    evidence = _smoothed(weight, near)
    against = power * evidence - 2 * np.real(settled.conj() * _smoothed(weight * heard, near))
    doubt = np.sqrt(2 * OVERLAP_FACTOR * evidence * power)
    there = against <= doubt
    certain = np.any(there & (power > CERTAIN * variance), axis=1)
    gate = (there & (power > LIKELY * variance) & certain[:, None]).astype(np.float64)
    return np.asarray(settled * _smoothed(gate, np.array([0.25, 0.5, 0.25])))


def _smoothed(values: NDArray[Number], kernel: Samples) -> NDArray[Number]:
    """Each column convolved with a kernel of odd length, as long as before."""
    half = len(kernel) // 2
    columns = values.reshape(len(values), -1)
    padded = np.pad(columns, ((half, half), (0, 0)))
    out = np.zeros_like(columns)
    for k, factor in enumerate(kernel):
        out += factor * padded[k : k + len(columns)]
    return out.reshape(values.shape)

"""An attenuation limit for every band and moment, around any engine that separates noise.

The engine divides what it hears, X, into what it keeps, Y, and what it takes, D = X - Y. A limit
gives part of D back: `Y + G*D`. One number for G is a poor bargain: deep enough for the pauses it
costs breath, sibilants and air; shallow enough for those it leaves the noise. Here G follows the
sound in bands about 9 % of their frequency wide, 100 times a second:

- Where the noise of a band is strong it goes deeper, where it is weak it goes less deep, so that
  the rest is more even than the noise was: evenly spread noise is heard least for its power.
  Below 100 Hz it goes to 0.6 of the limit at most.
- Above 4 kHz, while the engine hears speech there, G rises to 0.6 times the Wiener amplitude
  sqrt(xi / (1 + xi)), xi being the sound over the noise: sibilants and air.
- A burst in what the engine took, well above the noise in many bands at once, comes back whole,
  with a fast attack and a release of about 150 ms: doors, steps, breaths with a shape.

The noise is a running mean over 1.5 s of what the engine takes, heard a second ahead and slow to
believe in bursts, so that the depth moves with the room and not with the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
Powers = NDArray[np.float32]
Spectra = NDArray[np.complex64]

FRAMES_A_SECOND = 100
BATCH = 200
"""Frames analysed at once; about three batches wait inside."""

TOP_HZ = 20_000.0
"""Where the bands end. Above, to half the sample rate, the gain of the highest band holds: no
engine hears there, and near its own end the resampler takes part of the sound."""

AHEAD = 100
MEMORY_FRAMES = 150.0
BELIEVED = 4.0
SETTLED_FRAMES = 20
TINY = 1e-14

MEDIAN_DEPTH = 0.7
LEAST_DEPTH = 0.15
FLATTENING = 1.0
WEAKEST_DB = 40.0
# Engines take the lowest octave of deep voices for rumble.
RUMBLE_HZ, RUMBLE_DEPTH = 100.0, 0.6

AIR_HZ = (4_000.0, 12_000.0)
AIR_RAMP_HZ = (3_000.0, 5_000.0)
AIR_LEAST_XI = 0.5
AIR_SHARE = 0.6

BURST_HZ = 12_000.0
BURST_DB = 12.0
BURST_SHARE = (0.15, 0.25)
BURST_CELL_DB = (2.0, 6.0)
BURST_ATTACK = 3
BURST_HOLD = 10
BURST_RELEASE = 7


@dataclass(frozen=True)
class Bands:
    """The bands of a sample rate. The first lies at 0 Hz, none reaches above 20 kHz.

    mean: (bins, bands), takes bin powers to band means. spread: (bands, bins), takes the gains of
    bands to bins, straight lines between the centres. centres: (bands,) in Hz.
    """

    mean: Powers
    spread: Powers
    centres: NDArray[np.float64]


def bands_of(sample_rate: int) -> Bands:
    """Bands 100 Hz wide at the bottom and 9 % of their frequency above, for 20 ms frames."""
    bins = hop_of(sample_rate) + 1
    hz = sample_rate / 2 / (bins - 1)
    top = min(bins, int(TOP_HZ / hz) + 1)
    edges = [0]
    while edges[-1] < top:
        edges.append(min(top, edges[-1] + max(2, round(0.09 * edges[-1]))))
    if len(edges) > 2 and edges[-1] - edges[-2] < 0.05 * top:
        del edges[-2]
    mean = np.zeros((bins, len(edges) - 1), np.float32)
    for band, (low, high) in enumerate(pairwise(edges)):
        mean[low:high, band] = 1 / (high - low)
    centres = np.array([(low + high - 1) / 2 for low, high in pairwise(edges)])
    unit = np.eye(len(centres))
    spread = np.stack([np.interp(np.arange(bins), centres, row) for row in unit])
    return Bands(mean, spread.astype(np.float32), centres * hz)


def hop_of(sample_rate: int) -> int:
    """Samples from one frame to the next, 10 ms; a frame has twice as many."""
    return max(2, round(sample_rate / FRAMES_A_SECOND))


class AdaptiveLimit:
    """A group of channels on its way through the limit; one set of gains for all of them.

    With one channel the answer is `Y + G*(X - Y)`. With more, every channel's X is multiplied by
    the same real gain, the root of the power that this leaves in the group over the power that
    was there, so that no channel moves against another.

    `push` takes blocks of any length, X and Y alike, and gives what is ready; `finish` gives the
    rest. Joined, the answers are as long as the blocks and do not depend on them; zero lag. About
    6 s wait inside.
    """

    def __init__(
        self, sample_rate: int, channels: int, limit_db: float, adaptive: bool = True
    ) -> None:
        """sample_rate: Hz. limit_db: the deepest attenuation; everywhere where not adaptive."""
        self._hop = hop_of(sample_rate)
        self._window = np.sin(np.pi * (np.arange(2 * self._hop) + 0.5) / (2 * self._hop)).astype(
            np.float32
        )
        self._bands = bands_of(sample_rate)
        self._limit_db, self._adaptive = limit_db, adaptive
        self._noise = NoiseFloor(len(self._bands.centres))
        silence = np.zeros((2, channels, self._hop), np.float32)
        self._before, self._waiting = silence, [np.zeros((2, channels, 0), np.float32)]
        self._waits = self._length = self._given = 0
        bins = self._hop + 1
        self._spectra = np.zeros((2, channels, BATCH, bins), np.complex64)
        quiet = np.zeros((4, BATCH, len(self._bands.centres)), np.float32)
        self._history = [quiet, quiet]
        self._overlap = np.zeros((channels, self._hop), np.float32)
        # The first batch answers for silence before the channel, and its first frame for a hop.
        self._early = (BATCH + 1) * self._hop

    def push(self, raw: Samples, wet: Samples) -> Samples:
        """The next samples, X and Y, each (samples, channels); gives what is ready."""
        self._waiting.append(np.stack([raw.T, wet.T]).astype(np.float32))
        self._waits += len(raw)
        self._length += len(raw)
        size = BATCH * self._hop
        ready = [np.zeros((0, raw.shape[1]))]
        if self._waits >= size:
            both = np.concatenate(self._waiting, axis=2)
            while both.shape[2] >= size:
                ready.append(self._batch(both[:, :, :size]))
                both = both[:, :, size:]
            self._waiting, self._waits = [both.copy()], both.shape[2]
        return np.concatenate(ready)

    def finish(self) -> Samples:
        """What is left when nothing more comes. The limit is spent then."""
        rest = np.concatenate(self._waiting, axis=2)
        ready = [np.zeros((0, rest.shape[1]))]
        missing = self._length - self._given
        while self._given < self._length:
            padding = BATCH * self._hop - rest.shape[2]
            ready.append(self._batch(np.pad(rest, ((0, 0), (0, 0), (0, padding)))))
            rest = rest[:, :, :0]
        return np.concatenate(ready)[:missing]

    def _batch(self, both: NDArray[np.float32]) -> Samples:
        """Takes BATCH hops of X and Y (2, channels, samples), answers the batch before."""
        from scipy.fft import rfft

        sound = np.concatenate([self._before, both], axis=2)
        self._before = sound[:, :, -self._hop :]
        framed = np.lib.stride_tricks.sliding_window_view(sound, 2 * self._hop, axis=2)
        spectra = rfft(framed[:, :, :: self._hop] * self._window)
        heard = self._heard(spectra)
        before, spectra_before = self._history, self._spectra
        self._history, self._spectra = [before[1], heard], spectra
        given = self._given_back(np.concatenate([*before, heard], axis=1))
        return self._synthesised(self._limited(spectra_before, given))

    def _heard(self, spectra: Spectra) -> Powers:
        """Band powers of X, Y, D (means over the channels) and the noise: (4, frames, bands)."""
        raw, wet = spectra
        powers = [
            np.mean(np.square(part.real) + np.square(part.imag), axis=0)
            for part in (raw, wet, raw - wet)
        ]
        bands = np.stack(powers) @ self._bands.mean
        return np.concatenate([bands, self._noise.after(bands[0], bands[1])[None]])

    def _given_back(self, heard: Powers) -> Powers:
        """Share of D that stays, for the batch in the middle of three: (frames, bins)."""
        least = np.float32(10 ** (-self._limit_db / 20))
        if not self._adaptive:
            return np.full((BATCH, 1), least)
        middle = slice(BATCH, 2 * BATCH)
        raw, wet, taken, _ = heard
        noise = np.roll(heard[3], -AHEAD, axis=0)
        gains = room_gain(noise, self._bands.centres, self._limit_db)
        gains = np.maximum(gains, air_gain(raw, wet, noise, self._bands.centres))
        gains = np.maximum(running_mean(gains, 3), burst_gain(taken, noise, self._bands.centres))
        return np.asarray(np.clip(gains[middle], least, 1) @ self._bands.spread, np.float32)

    def _limited(self, spectra: Spectra, given: Powers) -> Spectra:
        """The spectra (channels, frames, bins) that go out."""
        raw, wet = spectra
        limited = wet + given * (raw - wet)
        if len(raw) == 1:
            return np.asarray(limited, np.complex64)
        before, after = (np.sum(np.square(np.abs(part)), axis=0) for part in (raw, limited))
        shared = np.sqrt(after / np.maximum(before, 1e-30))
        return np.asarray(raw * np.clip(shared, given, 1), np.complex64)

    def _synthesised(self, spectra: Spectra) -> Samples:
        """Overlap-add of a batch: (samples, channels)."""
        from scipy.fft import irfft

        hop = self._hop
        halves = irfft(spectra, 2 * hop) * self._window
        ends = np.concatenate([self._overlap[:, None], halves[:, :, hop:]], axis=1)
        self._overlap = ends[:, -1]
        sound = (halves[:, :, :hop] + ends[:, :-1]).reshape(len(spectra), -1)
        early = min(self._early, sound.shape[1])
        self._early -= early
        self._given += sound.shape[1] - early
        return np.asarray(sound[:, early:].T, np.float64)


class NoiseFloor:
    """The running mean power of the noise in each band, frame by frame."""

    def __init__(self, bands: int) -> None:
        self._power = np.zeros(bands)
        self._weight = np.zeros(bands)

    def after(self, raw: Powers, wet: Powers) -> Powers:
        """The noise after each frame; raw, wet: band powers of X and Y, (frames, bands).

        A frame counts as far as the engine took its sound, and never as more than four times the
        noise so far: a slammed door is not the room. Digital silence does not count.
        """
        kept = np.sqrt(np.minimum(1, wet / (raw + TINY))).astype(np.float64)
        sure = np.square(np.clip(1 - 2 * kept, 0, 1))
        weights = np.where(raw.sum(1, keepdims=True) > 0, sure + 2e-4, 0)
        powers = np.where(sure > 1e-3, raw, raw * np.square(1 - kept)).astype(np.float64)
        sums = self._weights_so_far(weights)
        settled = np.asarray(sums > SETTLED_FRAMES)
        shares = weights / np.maximum(sums, TINY)
        everywhere = np.asarray(np.all(settled, axis=1))
        noise = np.zeros(raw.shape, np.float32)
        power = self._power
        for frame, (now, share) in enumerate(zip(powers, shares, strict=True)):
            believed = np.minimum(now, BELIEVED * power)
            if not everywhere[frame]:
                believed = np.where(settled[frame], believed, now)
            power = power + (believed - power) * share
            noise[frame] = power
        self._power = power
        return noise

    def _weights_so_far(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The fading sum of the weights, after each frame."""
        from scipy.signal import lfilter

        decay = float(np.exp(-1 / MEMORY_FRAMES))
        sums, _ = lfilter([1.0], [1.0, -decay], weights, axis=0, zi=decay * self._weight[None])
        self._weight = sums[-1]
        return np.asarray(sums, np.float64)


def room_gain(noise: Powers, centres: NDArray[np.float64], limit_db: float) -> Powers:
    """Share of the noise that stays while there is nothing else, deeper where it is stronger.

    noise: band powers (frames, bands). limit_db: of the strongest bands.
    """
    level = decibels(noise)
    level = np.maximum(level, level.max(1, keepdims=True) - WEAKEST_DB)
    over = level - level[:, centres < 16_000].mean(1, keepdims=True)
    depth = MEDIAN_DEPTH * limit_db + FLATTENING * over
    most = np.where(centres < RUMBLE_HZ, RUMBLE_DEPTH, 1.0) * limit_db
    return np.asarray(10 ** (-np.clip(depth, LEAST_DEPTH * limit_db, most) / 20), np.float32)


def air_gain(raw: Powers, wet: Powers, noise: Powers, centres: NDArray[np.float64]) -> Powers:
    """Up to AIR_SHARE above 4 kHz while the engine hears speech there; else 0."""
    band = (centres > AIR_HZ[0]) & (centres < AIR_HZ[1])
    if not band.any():
        return np.zeros_like(raw)
    xi = np.maximum(running_mean(raw, 3) - noise, 0) / (noise + TINY)
    speech = decibels(running_mean(wet[:, band].mean(1, keepdims=True), 3))
    over = speech - decibels(noise[:, band].mean(1, keepdims=True))
    active = np.clip((over + 3) / 6, 0, 1)
    ramp = np.clip((centres - AIR_RAMP_HZ[0]) / (AIR_RAMP_HZ[1] - AIR_RAMP_HZ[0]), 0, 1)
    gain = np.where(xi > AIR_LEAST_XI, np.sqrt(xi / (1 + xi)), 0) * active * ramp
    return np.asarray(AIR_SHARE * gain, np.float32)


def burst_gain(taken: Powers, noise: Powers, centres: NDArray[np.float64]) -> Powers:
    """1 where what was taken is a burst in many bands at once, well above the noise; else 0."""
    over = decibels(running_mean(taken, 3)) - decibels(noise)
    share = np.mean(over[:, centres < BURST_HZ] > BURST_DB, axis=1, keepdims=True)
    sure = np.clip((share - BURST_SHARE[0]) / (BURST_SHARE[1] - BURST_SHARE[0]), 0, 1)
    burst = sure * np.clip((over - BURST_CELL_DB[0]) / (BURST_CELL_DB[1] - BURST_CELL_DB[0]), 0, 1)
    held = np.asarray(burst, np.float32)
    for later in range(1, BURST_HOLD + 1):
        held[later:] = np.maximum(held[later:], burst[:-later])
    for sooner in range(1, BURST_ATTACK + BURST_RELEASE // 2 + 1):
        held[:-sooner] = np.maximum(held[:-sooner], burst[sooner:])
    return running_mean(held, BURST_RELEASE)


def running_mean(values: Powers, frames: int) -> Powers:
    """Mean over an odd number of frames around each; at the ends as if silence went on."""
    half = frames // 2
    padded = np.pad(values, ((half, half), (0, 0)))
    return np.asarray(
        sum(padded[at : at + len(values)] for at in range(frames)) / np.float32(frames), np.float32
    )


def decibels(power: Powers) -> Powers:
    """10 log10 of a power, at least -140."""
    return np.asarray(10 * np.log10(power + np.float32(TINY)), np.float32)

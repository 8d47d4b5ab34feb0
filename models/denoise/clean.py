"""A whole channel cleaned: level into the engine, attenuation limit, level restored.

A take goes through in one pass from its first sample, so the output does not depend on which part
somebody asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError, UsageError
from models.denoise.level import active_level
from models.denoise.protocol import Denoiser

__all__ = ["DenoiseOptions", "Read", "active_level", "clean_channel", "process_version"]

process_version = "2"
"""Part of the key of cleaned audio: raised whenever the output bytes of this module change."""

Read = Callable[[int, int], NDArray[np.float64]]
"""read(start, n): n mono samples from `start`, zeros outside the channel."""

LARGEST_GAIN_DB = 60.0
SILENT_RUN_S = 0.02
BLOCK = 1 << 18


@dataclass(frozen=True)
class DenoiseOptions:
    """How far the noise is taken down.

    limit_db: the most that any sound is attenuated. Higher takes more noise and more of the
        breaths, sibilants and room tone with it: 6 is gentle, 12 takes 75 % of the noise.
        None is no limit; 0 gives the original back bit for bit. Lower it when a voice sounds
        thin or the background pumps, raise it when the noise still distracts in the mix.
    target_level_dbfs: active speech level at which the engine hears the take (it is undone
        after). Lower than about -35 and quiet speech is muted; 6 dB higher takes slightly
        less speech. Change it only for an engine trained at another level.
    """

    limit_db: float | None = 12.0
    target_level_dbfs: float = -26.0

    def __post_init__(self) -> None:
        if self.limit_db is not None and not 0 <= self.limit_db <= 120:
            raise UsageError(
                f"An attenuation limit of {self.limit_db} dB is not possible; give 0 to 120 dB, "
                "or none for no limit."
            )

    @property
    def kept(self) -> float:
        """Linear share of the original that always stays: 1 is a bypass, 0 no limit."""
        return 0.0 if self.limit_db is None else float(10 ** (-self.limit_db / 20))


def clean_channel(
    read: Read, frames: int, sample_rate: int, engine: Denoiser, options: DenoiseOptions
) -> Iterator[NDArray[np.float64]]:
    """Clean a channel of `frames` samples at `sample_rate` Hz, in one pass from its first sample.

    Yields mono blocks whose lengths sum to exactly `frames` and don't depend on the sound:
    `kept`*X + (1-kept)*Y, X being the original samples and Y what the engine made of them, zero
    lag. Where the engine's rate is lower, the band above it counts as noise and stays at the
    limit. Runs of digital silence of 20 ms and more stay digital silence; samples that are no
    finite number become 0.

    Memory does not grow with the take. Raises EngineError where the engine answers with the wrong
    length or no numbers.
    """
    if options.kept == 1.0:
        yield from (_finite(block) for block in _blocks(read, frames))
        return
    level = active_level(_blocks(read, frames), sample_rate)
    gain_db = min(options.target_level_dbfs - level, LARGEST_GAIN_DB)
    gain = float(10 ** (gain_db / 20)) if level > float("-inf") else 1.0
    start = 0
    for wet in _suppressed(read, frames, sample_rate, engine, gain):
        yield _mixed(read, start, wet, sample_rate, options.kept)
        start += len(wet)


def _blocks(read: Read, frames: int) -> Iterator[NDArray[np.float64]]:
    for start in range(0, frames, BLOCK):
        yield read(start, min(BLOCK, frames - start))


def _suppressed(
    read: Read, frames: int, sample_rate: int, engine: Denoiser, gain: float
) -> Iterator[NDArray[np.float64]]:
    """The engine's full suppression of the channel, heard under `gain`, in blocks of any length."""
    common = gcd(sample_rate, engine.sample_rate)
    # A whole number of periods of both rates, so that going there and back keeps the length.
    periods = -(-frames // (sample_rate // common))
    padded = periods * (sample_rate // common)
    expected = periods * (engine.sample_rate // common)
    there = _AtRate(sample_rate, engine.sample_rate, expected)
    back = _AtRate(engine.sample_rate, sample_rate, padded)
    stream = engine.stream()
    answered = given = 0
    for start in range(0, padded, BLOCK):
        last = start + BLOCK >= padded
        sound = _finite(read(start, min(BLOCK, padded - start))) * gain
        answer = stream.push(there.block(sound, last).astype(np.float32))
        if last:
            answer = np.concatenate([answer, stream.finish()])
        answered += len(answer)
        if (last and answered != expected) or not np.all(np.isfinite(answer)):
            raise EngineError(
                f"{engine.card.name} answered {expected} samples with {answered}, or with values "
                "that are no numbers; fetch its weights again with `roomtone models fetch`."
            )
        wet = back.block(answer.astype(np.float64), last)[: frames - given] / gain
        given += len(wet)
        if len(wet):
            yield wet


class _AtRate:
    """A passage at another sample rate, block by block, zero lag, of a length known before.

    length: samples that come out in all; what the resampler rounds away is silence.
    """

    def __init__(self, rate: int, new_rate: int, length: int) -> None:
        import soxr

        same = rate == new_rate
        self._stream = (
            None if same else soxr.ResampleStream(rate, new_rate, 1, "float64", quality="VHQ")
        )
        self._left = length

    def block(self, sound: NDArray[np.float64], last: bool) -> NDArray[np.float64]:
        """The next samples (samples,); gives those that are ready, at the last all the rest."""
        ready = sound if self._stream is None else self._stream.resample_chunk(sound, last)
        ready = ready[: self._left]
        self._left -= len(ready)
        return np.pad(ready, (0, self._left)) if last else ready


def _mixed(
    read: Read, start: int, wet: NDArray[np.float64], sample_rate: int, kept: float
) -> NDArray[np.float64]:
    """The original at the limit and the engine's sound above it; digital silence stays."""
    run = max(1, round(SILENT_RUN_S * sample_rate))
    around = _finite(read(start - run, len(wet) + 2 * run))
    silent = _in_silent_run(around, run)[run : run + len(wet)]
    mixed = kept * around[run : run + len(wet)] + (1 - kept) * wet
    mixed[silent] = 0.0
    return mixed


def _in_silent_run(sound: NDArray[np.float64], run: int) -> NDArray[np.bool_]:
    """For each sample, whether it lies in a run of at least `run` zeros."""
    count = np.concatenate([[0], np.cumsum(sound != 0)])
    starts = np.concatenate([[0], np.cumsum(count[run:] == count[:-run])])
    last = np.minimum(np.arange(len(sound)), len(starts) - 2) + 1
    first = np.clip(np.arange(len(sound)) - run + 1, 0, len(starts) - 1)
    return np.asarray(starts[last] > starts[first])


def _finite(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """A copy in which samples that are no finite number are 0."""
    return np.nan_to_num(np.asarray(sound, np.float64), nan=0.0, posinf=0.0, neginf=0.0)

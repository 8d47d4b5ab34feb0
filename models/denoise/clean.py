"""Channels cleaned: level into the engine, attenuation limit, level restored.

A take goes through in one pass from its first sample, so the output does not depend on which part
somebody asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError, UsageError
from models.denoise.adaptive import AdaptiveLimit
from models.denoise.level import active_level
from models.denoise.protocol import Denoiser
from models.denoise.two_pass import TwoPasses
from models.samples import finite

__all__ = [
    "DenoiseOptions",
    "Read",
    "active_level",
    "clean_channel",
    "clean_group",
    "process_version",
]

process_version = "4"
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
        breaths, sibilants and room tone with it: where `adaptive` is off, 6 is gentle and 12
        takes 75 % of the noise. None is no limit; 0 gives the original back bit for bit. Lower
        it when a voice sounds thin or the background pumps, raise it when the noise still
        distracts in the mix.
    target_level_dbfs: active speech level at which the engine hears the take (it is undone
        after). Lower than about -35 and quiet speech is muted; 6 dB higher takes slightly
        less speech. Change it only for an engine trained at another level.
    adaptive: the limit is reached only in the strongest noise; sibilants, air, weak noise and
        bursts such as doors and steps are attenuated less (`models/denoise/adaptive.py`). Off,
        the limit holds for everything alike. Without a limit it changes nothing.
    two_pass: the engine hears the take twice, the second time with half of the limit (6 dB
        where there is none) taken already. Slower; try it on very loud noise.
    """

    limit_db: float | None = 12.0
    target_level_dbfs: float = -26.0
    adaptive: bool = False
    two_pass: bool = False

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

    Yields mono blocks whose lengths depend on `frames` alone and sum to it:
    `Y + G*(X-Y)`, X being the original samples and Y what the engine made of them, zero lag; G is
    `kept` throughout, or follows the sound where the options are adaptive. Where the engine's
    rate is lower, the band above it counts as noise and stays at the limit, or adaptively at the
    gain of the band below 20 kHz. Runs of digital silence of 20 ms and more stay digital silence;
    samples that are no finite number become 0.

    Memory does not grow with the take. Raises EngineError where the engine answers with the wrong
    length or no numbers.
    """
    for block in clean_group((read,), frames, sample_rate, engine, options):
        yield block[:, 0]


def clean_group(
    reads: Sequence[Read], frames: int, sample_rate: int, engine: Denoiser, options: DenoiseOptions
) -> Iterator[NDArray[np.float64]]:
    """Clean the channels of one microphone group (a stereo boom, M and S) alike.

    As `clean_channel`, in blocks (samples, channels) whose lengths depend on `frames` alone, so
    that groups of one take go side by side. The engine hears every channel, for a mean
    would lose what lies out of phase between them. What it leaves of their summed power becomes
    one real gain per bin and frame that multiplies all of them, so no sound moves in the image. A
    group of one is what `clean_channel` gives.
    """
    if options.kept == 1.0:
        yield from (_stacked(reads, start, many) for start, many in _grid(frames))
        return
    start = 0
    for block in _even(_limited(reads, frames, sample_rate, engine, options)):
        for column, read in zip(block.T, reads, strict=True):
            _silence(read, start, column, sample_rate)
        start += len(block)
        yield block


def _limited(
    reads: Sequence[Read], frames: int, sample_rate: int, engine: Denoiser, options: DenoiseOptions
) -> Iterator[NDArray[np.float64]]:
    """Original and engine's sound of the group, mixed under the limit: (samples, channels)."""
    alike = options.limit_db is None or not options.adaptive
    depth = float("inf") if options.limit_db is None else options.limit_db
    limit = AdaptiveLimit(sample_rate, len(reads), depth, not alike)
    channels = [_suppressed(read, frames, sample_rate, engine, options) for read in reads]
    start = 0
    for blocks in zip(*channels, strict=True):
        wet = np.stack(blocks, axis=1)
        raw = _stacked(reads, start, len(wet))
        start += len(wet)
        if alike and len(reads) == 1:
            yield options.kept * raw + (1 - options.kept) * wet
        elif len(ready := limit.push(raw, wet)):
            yield ready
    if len(rest := limit.finish()):
        yield rest


def _grid(frames: int) -> Iterator[tuple[int, int]]:
    for start in range(0, frames, BLOCK):
        yield start, min(BLOCK, frames - start)


def _even(blocks: Iterator[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
    """The same sound in blocks of BLOCK samples, the last one shorter."""
    waiting: list[NDArray[np.float64]] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= BLOCK:
            sound = np.concatenate(waiting)
            whole = len(sound) // BLOCK * BLOCK
            # A copy each, since what is digital silence is written into the block.
            yield from (sound[at : at + BLOCK].copy() for at in range(0, whole, BLOCK))
            waiting = [sound[whole:]]
    if waiting and len(rest := np.concatenate(waiting)):
        yield rest


def _stacked(reads: Sequence[Read], start: int, frames: int) -> NDArray[np.float64]:
    """The original samples of a group: (samples, channels)."""
    return np.stack([finite(read(start, frames)) for read in reads], axis=1)


def _suppressed(
    read: Read, frames: int, sample_rate: int, engine: Denoiser, options: DenoiseOptions
) -> Iterator[NDArray[np.float64]]:
    """The engine's full suppression of a channel, at its own level, in blocks of any length."""
    level = active_level((read(*span) for span in _grid(frames)), sample_rate)
    gain_db = min(options.target_level_dbfs - level, LARGEST_GAIN_DB)
    gain = float(10 ** (gain_db / 20)) if level > float("-inf") else 1.0
    common = gcd(sample_rate, engine.sample_rate)
    # A whole number of periods of both rates, so that going there and back keeps the length.
    periods = -(-frames // (sample_rate // common))
    padded = periods * (sample_rate // common)
    expected = periods * (engine.sample_rate // common)
    there = _AtRate(sample_rate, engine.sample_rate, expected)
    back = _AtRate(engine.sample_rate, sample_rate, padded)
    stream = engine.stream()
    if options.two_pass:
        stream = TwoPasses(stream, engine.stream(), options.limit_db)
    answered = given = 0
    for start in range(0, padded, BLOCK):
        last = start + BLOCK >= padded
        sound = finite(read(start, min(BLOCK, padded - start))) * gain
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


def _silence(read: Read, start: int, sound: NDArray[np.float64], sample_rate: int) -> None:
    """Set to 0, in place, what was digital silence in the original from `start` on."""
    run = max(1, round(SILENT_RUN_S * sample_rate))
    around = finite(read(start - run, len(sound) + 2 * run))
    if around.all():
        return
    sound[_in_silent_run(around, run)[run : run + len(sound)]] = 0.0


def _in_silent_run(sound: NDArray[np.float64], run: int) -> NDArray[np.bool_]:
    """For each sample, whether it lies in a run of at least `run` zeros."""
    count = np.concatenate([[0], np.cumsum(sound != 0)])
    starts = np.concatenate([[0], np.cumsum(count[run:] == count[:-run])])
    last = np.minimum(np.arange(len(sound)), len(starts) - 2) + 1
    first = np.clip(np.arange(len(sound)) - run + 1, 0, len(starts) - 1)
    return np.asarray(starts[last] > starts[first])

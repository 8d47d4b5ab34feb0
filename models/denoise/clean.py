"""A whole channel cleaned: level into the engine, chunks, attenuation limit, level restored.

Every chunk lies on a grid anchored at the first sample of the take, so the output does not
depend on which part somebody asked for.
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

process_version = "1"
"""Part of the key of cleaned audio: raised whenever the output bytes of this module change."""

Read = Callable[[int, int], NDArray[np.float64]]
"""read(start, n): n mono samples from `start`, zeros outside the channel."""

TAIL_S = 0.2
LARGEST_GAIN_DB = 60.0
SILENT_RUN_S = 0.02
LEVEL_BLOCK = 1 << 20


@dataclass(frozen=True)
class DenoiseOptions:
    """How far the noise is taken down, and how a long take is divided.

    limit_db: the most that any sound is attenuated. Higher takes more noise and more of the
        breaths, sibilants and room tone with it: 6 is gentle, 12 takes 75 % of the noise.
        None is no limit; 0 gives the original back bit for bit. Lower it when a voice sounds
        thin or the background pumps, raise it when the noise still distracts in the mix.
    target_level_dbfs: active speech level at which the engine hears the take (it is undone
        after). Lower than about -35 and quiet speech is muted; 6 dB higher takes slightly
        less speech. Change it only for an engine trained at another level.
    chunk_s: seconds a chunk. Higher costs memory (about 14 MB a second with DeepFilterNet3),
        lower gives more joins. A shorter take is one pass.
    lead_in_s: seconds that the engine hears before a chunk, to settle. Lower is faster and
        makes the two sides of a join less alike.
    crossfade_s: seconds over which one chunk goes over into the next, at equal gain.
    """

    limit_db: float | None = 12.0
    target_level_dbfs: float = -26.0
    chunk_s: int = 120
    lead_in_s: int = 10
    crossfade_s: float = 0.5

    def __post_init__(self) -> None:
        if self.limit_db is not None and not 0 <= self.limit_db <= 120:
            raise UsageError(
                f"An attenuation limit of {self.limit_db} dB is not possible; give 0 to 120 dB, "
                "or none for no limit."
            )
        if self.chunk_s < 1 or self.lead_in_s < 0 or not 0 <= self.crossfade_s <= self.chunk_s / 2:
            raise UsageError(
                f"Chunks of {self.chunk_s} s with {self.lead_in_s} s of lead-in and "
                f"{self.crossfade_s} s of crossfade do not fit together; chunk_s must be at least "
                "1 and twice crossfade_s."
            )

    @property
    def kept(self) -> float:
        """Linear share of the original that always stays: 1 is a bypass, 0 no limit."""
        return 0.0 if self.limit_db is None else float(10 ** (-self.limit_db / 20))


def clean_channel(
    read: Read, frames: int, sample_rate: int, engine: Denoiser, options: DenoiseOptions
) -> Iterator[NDArray[np.float64]]:
    """Clean a channel of `frames` samples at `sample_rate` Hz.

    Yields mono blocks whose lengths sum to exactly `frames`: `kept`*X + (1-kept)*Y, X being the
    original samples and Y what the engine made of them, zero lag. Where the engine's rate is
    lower, the band above it counts as noise and stays at the limit. Runs of digital silence of
    20 ms and more stay digital silence; samples that are no finite number become 0.

    Memory follows chunk_s, not the take (DeepFilterNet3 at 120 s: 1.7 GB, for an hour as for
    two minutes). Raises EngineError where the engine answers with the wrong length or no numbers.
    """
    chunk = options.chunk_s * sample_rate
    if options.kept == 1.0:
        for start in range(0, frames, chunk):
            yield _finite(read(start, min(chunk, frames - start)))
        return
    level = active_level(_blocks(read, frames), sample_rate)
    gain_db = min(options.target_level_dbfs - level, LARGEST_GAIN_DB)
    gain = float(10 ** (gain_db / 20)) if level > float("-inf") else 1.0
    fade = round(options.crossfade_s * sample_rate)
    chunks = max(1, -(-(frames - fade) // chunk))
    carried = np.zeros(0)
    for k in range(chunks):
        start = k * chunk
        last = k == chunks - 1
        stop = frames if last else start + chunk + fade
        wet = _pass(read, (start, stop), frames, sample_rate, engine, options, gain)
        if len(carried):
            rise = (np.arange(fade) + 0.5) / fade
            wet[:fade] = carried * (1 - rise) + wet[:fade] * rise
        if not last:
            wet, carried = wet[:chunk], wet[chunk:]
        yield _mixed(read, start, wet, sample_rate, options.kept)


def _blocks(read: Read, frames: int) -> Iterator[NDArray[np.float64]]:
    for start in range(0, frames, LEVEL_BLOCK):
        yield read(start, min(LEVEL_BLOCK, frames - start))


def _pass(
    read: Read,
    span: tuple[int, int],
    frames: int,
    sample_rate: int,
    engine: Denoiser,
    options: DenoiseOptions,
    gain: float,
) -> NDArray[np.float64]:
    """The engine's full suppression of a span of samples, at the level and rate of the take."""
    import soxr

    start, stop = span
    first = max(0, start - options.lead_in_s * sample_rate)
    length = min(frames, stop + round(TAIL_S * sample_rate)) - first
    common = gcd(sample_rate, engine.sample_rate)
    # A whole number of periods of both rates, so that going there and back keeps the length.
    padded = -(-length // (sample_rate // common)) * (sample_rate // common)
    expected = padded // (sample_rate // common) * (engine.sample_rate // common)
    sound = np.pad(_finite(read(first, length)), (0, padded - length)) * gain
    if sample_rate != engine.sample_rate:
        sound = soxr.resample(sound, sample_rate, engine.sample_rate, quality="VHQ")
        sound = _fitted(sound, expected)
    wet = engine.denoise(sound.astype(np.float32)).astype(np.float64)
    if len(wet) != expected or not np.all(np.isfinite(wet)):
        raise EngineError(
            f"{engine.card.name} answered {expected} samples with {len(wet)}, or with values that "
            "are no numbers; fetch its weights again with `roomtone models fetch`."
        )
    if sample_rate != engine.sample_rate:
        wet = _fitted(soxr.resample(wet, engine.sample_rate, sample_rate, quality="VHQ"), padded)
    return np.asarray(wet[start - first : stop - first] / gain, np.float64)


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


def _fitted(sound: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Exactly `length` samples: what the resampler rounded away is silence."""
    return np.pad(sound[:length], (0, max(0, length - len(sound))))

"""Measure sound files: loudness, range, true peak and the speech-gated estimate."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from adapters.media.probe import probe
from config.deliveries import DeliverySpec
from core.errors import InputError, UsageError
from core.media import MediaFile
from flows.progress import Progress
from models.loudness import LoudnessMeter, SpeechDetector, Spoken, speech_gated

BLOCK = 1 << 15
SHORTEST_S = 0.4
PEAK_TOLERANCE_DB = 0.1
"""By which meters may differ in a true peak before it counts as passing the ceiling."""

_LAYOUTS = (1, 2, 5, 6)
_SPEAKERS = frozenset(("L", "R", "C", "LFE", "LS", "RS", "LEFT", "RIGHT", "CENTRE", "CENTER"))
_STEP = "Measuring"


@dataclass(frozen=True)
class Measured:
    """Loudness of a file, or of one channel of it.

    channel: its name where the file's channels are microphones, else empty. channels: how many
    were measured together. integrated, max_short_term, max_momentary: LUFS. loudness_range: LU.
    true_peak: dBTP. speech: the speech-gated estimate, None where it was not asked for. -inf
    stands for silence and for sound that is too short. momentary, short_term: LUFS every 100 ms
    from 0.4 s and from 3 s on.
    """

    path: Path
    channel: str
    sample_rate: int
    channels: int
    frames: int
    integrated: float
    loudness_range: float
    max_short_term: float
    max_momentary: float
    true_peak: float
    speech: Spoken | None
    momentary: NDArray[np.float64]
    short_term: NDArray[np.float64]

    @property
    def name(self) -> str:
        """The file's name, and the channel's where there is one."""
        return f"{self.path.name} {self.channel}".rstrip()


@dataclass(frozen=True)
class Verdict:
    """A measured sound held against a specification.

    measure: which loudness was asked for. lufs: that loudness. off_lu: how far from the target.
    passes: within tolerance and under the ceiling. said: why not, or that it is right, a clause.
    """

    measure: Literal["integrated", "speech-gated estimate"]
    lufs: float
    off_lu: float
    passes: bool
    said: str


def measure_files(
    paths: Sequence[Path], progress: Progress, *, speech: bool = True
) -> tuple[Measured, ...]:
    """Every file measured, in order; a row for each channel where they are microphones.

    Mono, stereo, 5.0 and 5.1 are measured as a whole; other numbers of channels, and channels
    that a recorder named after anything but loudspeakers, one by one. speech: whether the
    speech-gated estimate is made (it takes longer than all the rest).
    Raises InputError for a file that can't be read, EngineError where voice activity is missing.
    """
    media = [probe(path) for path in paths]
    progress.step(_STEP, sum(_seconds(item) for item in media))
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="roomtone-") as scratch:
        for item in media:
            measured += _file(item, sound_file(item, Path(scratch)), progress, speech)
    return tuple(measured)


def judge(measured: Measured, spec: DeliverySpec) -> Verdict:
    """A measured sound held against a specification.

    Raises UsageError for a specification without a loudness, and where it asks for the
    dialogue's and speech was not measured.
    """
    if spec.integrated_lufs is None:
        raise UsageError(f"The delivery specification {spec.name} asks for no loudness.")
    measure: Literal["integrated", "speech-gated estimate"] = "integrated"
    lufs = measured.integrated
    if spec.gate == "dialogue":
        if measured.speech is None:
            raise UsageError(
                f"{spec.name} asks for the loudness of the dialogue; leave --no-speech out."
            )
        measure, lufs = "speech-gated estimate", measured.speech.lufs
    off = lufs - spec.integrated_lufs
    faults = []
    if not np.isfinite(lufs):
        faults.append(_nothing(measured, spec))
    elif abs(off) > spec.tolerance_lu + 0.05:
        faults.append(f"{abs(off):.1f} LU too {'loud' if off > 0 else 'quiet'}")
    ceiling = spec.true_peak_dbtp
    if ceiling is not None and measured.true_peak > ceiling + PEAK_TOLERANCE_DB:
        faults.append(f"true peak {measured.true_peak - ceiling:.1f} dB too high")
    return Verdict(measure, lufs, off, not faults, ", ".join(faults) or "within specification")


def _nothing(measured: Measured, spec: DeliverySpec) -> str:
    """Why a sound has no loudness, a clause. BS.1770 measures in blocks of 0.4 s."""
    if measured.frames < round(SHORTEST_S * measured.sample_rate):
        return f"too short to measure ({SHORTEST_S:g} s at least)"
    return "nobody speaks" if spec.gate == "dialogue" else "silent"


def _seconds(media: MediaFile) -> int:
    return -(-media.frames // media.sample_rate)


def _file(media: MediaFile, path: Path, progress: Progress, speech: bool) -> list[Measured]:
    groups = _groups(media)
    rate = media.sample_rate
    meters = [LoudnessMeter(rate, len(group)) for _, group in groups]
    detectors = [SpeechDetector(rate, len(group)) for _, group in groups] if speech else []
    done = 0
    with Sound(path) as sound:
        for start in range(0, media.frames, BLOCK):
            count = min(BLOCK, media.frames - start)
            block = sound.read(start, count, range(media.channels))
            if not np.isfinite(block).all():
                raise InputError(
                    f"{path} holds samples that are no numbers; render it again before measuring."
                )
            for number, (_, group) in enumerate(groups):
                part = np.ascontiguousarray(block[:, list(group)])
                meters[number].add(part)
                if speech:
                    detectors[number].add(part)
            progress.advance(_STEP, -(-(start + count) // rate) - done)
            done = -(-(start + count) // rate)
    rows = []
    for number, (name, group) in enumerate(groups):
        meter = meters[number]
        spoken = speech_gated(meter, detectors[number].finish()) if speech else None
        rows.append(_read(media, name, len(group), meter, spoken))
    return rows


def _groups(media: MediaFile) -> list[tuple[str, tuple[int, ...]]]:
    """What is measured together: (name, channels)."""
    every = tuple(range(media.channels))
    names = [media.notes.track_name(channel) for channel in every]
    microphones = any(name and name.upper().split()[-1] not in _SPEAKERS for name in names)
    if media.channels == 1 or (media.channels in _LAYOUTS and not microphones):
        return [("", every)]
    return [(names[channel] or f"channel {channel + 1}", (channel,)) for channel in every]


def _read(
    media: MediaFile, name: str, channels: int, meter: LoudnessMeter, spoken: Spoken | None
) -> Measured:
    return Measured(
        path=media.path,
        channel=name,
        sample_rate=media.sample_rate,
        channels=channels,
        frames=media.frames,
        integrated=meter.integrated(),
        loudness_range=meter.loudness_range(),
        max_short_term=meter.max_short_term(),
        max_momentary=meter.max_momentary(),
        true_peak=meter.true_peak(),
        speech=spoken,
        momentary=meter.momentary(),
        short_term=meter.short_term(),
    )

"""Noisy speech to clean: the mixes that the recipes were tuned on, and mixes that nobody heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from bench.noises import babble, fresh_noises, made_noises
from bench.repair import repaired
from core.errors import InputError

Samples = NDArray[np.float64]

RATE = 48_000
SNRS_DB = (0, 5, 10, 15)
BOOM = 1
UNHEARD = ("p234_007.wav", "vctk_b.wav")
"""Clips of clean48 that stand for the whole band among the held-out mixes."""


@dataclass(frozen=True)
class Mix:
    """A clean clip and the same with noise, mono at 48 kHz. snr_db: by RMS over the clip."""

    clean: Samples
    noisy: Samples
    snr_db: float


def tuned_mixes(shared: Path) -> tuple[Mix, ...]:
    """Every clip of speech/clean48 at every SNR: noises of speech/noise48 and made-up ones in turn.

    The constants of the recipes were chosen on these. Raises InputError where the clips are absent.
    """
    clips = [read_clip(path) for path in sorted((shared / "speech" / "clean48").glob("*.wav"))]
    recorded = [read_clip(path) for path in sorted((shared / "speech" / "noise48").glob("*.wav"))]
    if not clips or not recorded:
        raise InputError(
            f"{shared} has no speech/clean48 and speech/noise48; give the folder that has with "
            "--shared."
        )
    return _in_turn(clips, [*recorded, *made_noises(clips)])


def held_out_mixes(shared: Path) -> tuple[Mix, ...]:
    """Mixes that no constant was chosen on: other noises, and mostly another voice.

    The voice of speech/pairs16 was recorded at 16 kHz, so it has nothing above 8 kHz; two clips of
    clean48 stand for the whole band. Their speech was heard in tuning, their noises were not.
    """
    narrow = [
        read_clip(path) for path in sorted((shared / "speech" / "pairs16" / "clean").glob("*.wav"))
    ]
    wide = [read_clip(shared / "speech" / "clean48" / name) for name in UNHEARD]
    if not narrow:
        raise InputError(
            f"{shared} has no speech/pairs16/clean; give the folder that has with --shared."
        )
    return _in_turn([*wide, *narrow], [*fresh_noises(), babble(narrow)])


def harbour_mixes(shared: Path) -> tuple[Mix, ...]:
    """The booms of the production in shared data, mended, and the clean track of each."""
    found = []
    folder = shared / "production" / "harbour"
    for path in sorted((folder / "sound").glob("*.wav")):
        clean = read_clip(folder / "truth" / f"{path.stem}.boom-clean.flac")
        with Sound(path) as sound:
            boom = np.ascontiguousarray(sound.read(0, sound.frames, [BOOM])[:, 0])
        noisy = repaired(boom, RATE).read(0, len(boom))
        snr = 10 * np.log10(np.mean(np.square(clean)) / np.mean(np.square(noisy - clean)))
        found.append(Mix(clean, noisy, float(snr)))
    return tuple(found)


def _in_turn(clips: Sequence[Samples], noises: Sequence[Samples]) -> tuple[Mix, ...]:
    """Every clip at every SNR, the noises taking turns; each goes on where it left off."""
    reached = [0] * len(noises)
    mixes = []
    for turn, clean in enumerate(clips):
        for at, snr in enumerate(SNRS_DB):
            which = (turn + at) % len(noises)
            span = range(reached[which], reached[which] + len(clean))
            reached[which] += len(clean)
            under = np.take(noises[which], span, mode="wrap")
            mixes.append(Mix(clean, mixed(clean, under, snr), snr))
    return tuple(mixes)


def mixed(clean: Samples, noise: Samples, snr_db: float) -> Samples:
    """Clean sound with noise at an SNR: the ratio in dB of the mean squares of both."""
    gain = np.sqrt(np.mean(np.square(clean)) / np.mean(np.square(noise))) * 10 ** (-snr_db / 20)
    return np.asarray(clean + gain * noise)


def read_clip(path: Path) -> Samples:
    """The first channel of a file, brought to 48 kHz."""
    import soxr

    with Sound(path) as sound:
        samples = sound.read(0, sound.frames, [0])[:, 0]
        if sound.sample_rate == RATE:
            return np.ascontiguousarray(samples)
        return np.asarray(soxr.resample(samples, sound.sample_rate, RATE, "VHQ"), np.float64)

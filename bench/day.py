"""A day of dailies, made of a production's sound: as many takes of a minute as are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound
from adapters.media.probe import probe
from adapters.media.write import WaveWriter
from core.media import SoundNotes
from core.stems import to_grid
from core.time import RATES

TAKE_S = 60
ROLL = 20
STEP_S = 0.37
"""By which each take starts later in the sound than the one before, so that no two are the same."""


def channels_of(sounds: Sequence[Path]) -> int:
    """How many channels all of the files have."""
    return min(probe(path).channels for path in sounds)


def make_day(
    folder: Path,
    sounds: Sequence[Path],
    takes: int,
    channels: tuple[int, ...] = (),
    seconds: int = TAKE_S,
) -> list[Path]:
    """Writes takes on rolls of twenty, of the sound of all files one after another.

    channels: of the files, from 0; none: all that they have in common. seconds: of a take. A
    checksum list lies in each roll. Gives the takes' paths.
    """
    chosen = channels or tuple(range(channels_of(sounds)))
    media = [probe(path) for path in sounds]
    rate = media[0].sample_rate
    parts = []
    for item in media:
        with Sound(item.path) as sound:
            parts.append(sound.read(0, item.frames, chosen))
    whole = np.concatenate(parts)
    names = dict(media[0].notes.track_names)
    made = []
    for number in range(takes):
        first = round(number * STEP_S * rate)
        notes = SoundNotes(
            scene=str(1 + number // 5),
            take=str(1 + number % 5),
            tape=f"SR{1 + number // ROLL:03d}",
            origination_date="2026-05-04",
            track_names=tuple(
                (at, names[channel]) for at, channel in enumerate(chosen) if channel in names
            ),
            timecode_rate=RATES["24"],
            time_reference=(36_000 + 2 * TAKE_S * number) * rate,
        )
        path = folder / notes.tape / f"{notes.scene}-T{notes.take}.wav"
        at = (first + np.arange(seconds * rate)) % len(whole)
        with WaveWriter(path, rate, len(chosen), "PCM_24", notes) as writer:
            writer.write(to_grid(whole[at]))
        with (path.parent / "roll.md5").open("a", encoding="utf-8") as sums:
            sums.write(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.name}\n")
        made.append(path)
    return made

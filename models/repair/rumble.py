"""Sub-sonic rumble (wind, handling, air): a high-pass of linear phase, only where it is found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from models.repair.low_levels import FRAMES_PER_S, LowLevels, averaged, decibels
from models.repair.lowcut import Cut, without_low
from models.repair.patches import Read

STEPS_PER_S = 2
JOINED_STEPS = 6
FEWEST_STEPS = 4
STAYS_DB = 9.0
FADE_S = 0.5
HIGH_PASS_HZ = 32.0
FLANK_HZ = 16.0


@dataclass(frozen=True)
class RumbleOptions:
    """What counts as rumble.

    under_voice_db: how far below the voice (150 to 500 Hz) the sound under 36 Hz must stay.
        Higher takes the weak rumble of any room for a defect.
    over_low_db: how far it must stand above the sound at 22 to 75 Hz, or it is the low end of
        something that is heard, such as an engine.
    quietest_dbfs: rumble below this costs nothing and is left.
    """

    under_voice_db: float = 8.0
    over_low_db: float = -3.0
    quietest_dbfs: float = -55.0

    def __post_init__(self) -> None:
        if not -20 <= self.under_voice_db <= 40:
            raise UsageError(
                f"Rumble {self.under_voice_db} dB under the voice can't be looked for; give "
                "-20 to 40 dB."
            )


def find_rumble(
    levels: LowLevels, frames: int, sample_rate: int, options: RumbleOptions
) -> tuple[tuple[Cut, ...], tuple[Defect, ...]]:
    """Where a channel of `frames` samples rumbles, and a defect for each stretch.

    Found in half seconds, held through lulls of three seconds; less than two seconds are none.
    """
    width = FRAMES_PER_S // STEPS_PER_S
    rumble = decibels(averaged(levels.rumble, width))
    low = decibels(averaged(levels.thump, width))
    least = max(float(decibels(levels.voice_power)) - options.under_voice_db, options.quietest_dbfs)
    there = (rumble >= least) & (rumble >= low + options.over_low_db)
    held = (rumble >= least - STAYS_DB) & (rumble >= low + options.over_low_db - STAYS_DB)
    cuts, defects = [], []
    fade = round(FADE_S * sample_rate)
    for first, last in _stretches(there, held):
        start = max(0, first * width * levels.hop - fade)
        end = min(frames, last * width * levels.hop + fade)
        if last == len(rumble):
            end = frames
        cuts.append(Cut(start, end, fade, 1.0))
        level = float(np.median(rumble[first:last]))
        note = f"{level:.0f} dBFS below 36 Hz; high-pass at {HIGH_PASS_HZ:.0f} Hz"
        defects.append(Defect(DefectKind.RUMBLE, start, end, note=note))
    return tuple(cuts), tuple(defects)


def without_rumble(read: Read, frames: int, sample_rate: int, cuts: tuple[Cut, ...]) -> Read:
    """A reader of a channel less what lies below 32 Hz in the cuts; the same bit elsewhere."""
    return without_low(read, frames, sample_rate, cuts, HIGH_PASS_HZ, FLANK_HZ)


def _stretches(there: NDArray[np.bool_], held: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Steps that rumble, joined over lulls, as far as it is held."""
    found: list[tuple[int, int]] = []
    for step in np.flatnonzero(there):
        first = last = int(step)
        while first > 0 and held[first - 1]:
            first -= 1
        while last + 1 < len(held) and held[last + 1]:
            last += 1
        # Two seconds lie between the fades of two stretches, so that they never overlap.
        if found and first - found[-1][1] < JOINED_STEPS:
            first = found.pop()[0]
        found.append((first, last + 1))
    return [(first, last) for first, last in found if last - first >= FEWEST_STEPS]

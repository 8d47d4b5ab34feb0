"""Thumps of wind, breath and handling: turned down below the voice, only while they last.

A thump is a burst at 22 to 75 Hz that far exceeds both its surroundings and what sounds above it;
a voice, however low, has more above 150 Hz than below 75. The consonant that came with it lies
higher and is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from models.repair.low_levels import FRAMES_PER_S, LowLevels, decibels
from models.repair.lowcut import Cut, without_low
from models.repair.patches import Read, Samples

AROUND_S = 1.5
ENDS_DB = 8.0
SHORTEST_S = 0.03
FADE_S = 0.03
MOST_DB = 24.0
CROSSOVER_HZ = 120.0
FLANK_HZ = 60.0


@dataclass(frozen=True)
class ThumpOptions:
    """What counts as a thump.

    above_around_db: how far it must exceed the median of the three seconds around it.
    above_voice_band_db: how far it must exceed what sounds at 150 to 500 Hz at the same time.
        Lower takes the fundamental of a deep voice for a thump.
    under_voice_db: how far below the loud voice it may lie; softer ones disturb nobody.
    longest_s: a longer one is wind or an engine: it is flagged and left.
    """

    above_around_db: float = 14.0
    above_voice_band_db: float = 3.0
    under_voice_db: float = 4.5
    longest_s: float = 0.4

    def __post_init__(self) -> None:
        if self.above_around_db < 6 or not 0.05 <= self.longest_s <= 2:
            raise UsageError(
                f"Thumps {self.above_around_db} dB above their surroundings and up to "
                f"{self.longest_s} s long can't be told; give 6 dB or more and 0.05 to 2 s."
            )


def find_thumps(
    levels: LowLevels, frames: int, sample_rate: int, options: ThumpOptions
) -> tuple[tuple[Cut, ...], tuple[Defect, ...]]:
    """The thumps of a channel of `frames` samples: what is turned down, and a defect for each."""
    loud, voice = decibels(_spread(levels.thump)), decibels(_spread(levels.voice))
    around = _median_around(loud, round(AROUND_S * FRAMES_PER_S))
    least = np.maximum(
        around + options.above_around_db,
        float(decibels(levels.voice_power)) - options.under_voice_db,
    )
    there = (loud >= least) & (loud >= voice + options.above_voice_band_db)
    cuts: list[Cut] = []
    defects: list[Defect] = []
    fade = round(FADE_S * sample_rate)
    for first, last in _stretches(there, loud >= around + ENDS_DB):
        start = max(0, first * levels.hop - fade)
        end = min(frames, last * levels.hop + fade)
        excess = float(loud[first:last].max() - around[first:last].min())
        seconds = (last - first) / FRAMES_PER_S
        if seconds < SHORTEST_S or end <= start or (cuts and start < cuts[-1].end):
            continue
        told = f"{1000 * seconds:.0f} ms, {excess:.0f} dB above its surroundings"
        if seconds > options.longest_s:
            defects.append(Defect(DefectKind.THUMP, start, end, note=f"{told}; left as it is"))
            continue
        taken = min(MOST_DB, excess)
        cuts.append(Cut(start, end, fade, 1 - 10 ** (-taken / 20)))
        note = f"{told}; turned down {taken:.0f} dB below {CROSSOVER_HZ:.0f} Hz"
        defects.append(Defect(DefectKind.THUMP, start, end, note=note))
    return tuple(cuts), tuple(defects)


def without_thumps(read: Read, frames: int, sample_rate: int, cuts: tuple[Cut, ...]) -> Read:
    """A reader of a channel whose thumps are turned down; the same bit elsewhere."""
    return without_low(read, frames, sample_rate, cuts, CROSSOVER_HZ, FLANK_HZ)


def _spread(power: Samples) -> Samples:
    """Each frame averaged with its neighbours."""
    return np.convolve(power, np.array([0.25, 0.5, 0.25]), "same") if len(power) else power


def _median_around(loud: Samples, reach: int) -> Samples:
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(loud, 2 * reach + 1, mode="nearest"))


def _stretches(there: NDArray[np.bool_], held: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Frames around each mark, as far as they are held, none twice."""
    found: list[tuple[int, int]] = []
    for mark in np.flatnonzero(there):
        if found and mark < found[-1][1]:
            continue
        first = last = int(mark)
        while first > 0 and held[first - 1]:
            first -= 1
        while last + 1 < len(held) and held[last + 1]:
            last += 1
        found.append((first, last + 1))
    return found

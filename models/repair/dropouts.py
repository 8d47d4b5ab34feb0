"""Dropouts: samples that a recorder or a radio lost. Short ones are filled, longer ones told.

Three marks betray them. The value stands still in the middle of sound (zeros, a held sample). A
stretch repeats an earlier one to the bit, as when a buffer is played twice. The level falls and
comes back from one half millisecond to the next; a voice stops and starts more gently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from models.repair.patches import Patch, Read, Samples, patched
from models.repair.prediction import filled_gap
from models.repair.repeats import repeated_stretches
from models.samples import finite

BLOCK_S = 10
MARGIN_S = 0.5
SIDE_S = 0.003
"""Seconds on either side in which there must be sound."""
BIN_S = 0.0005
FALL = 0.02
RAIL = 0.98


@dataclass(frozen=True)
class DropoutOptions:
    """What counts as a dropout, and which are filled.

    shortest_ms: a value that stands still for less is none. Lower takes the steps of quiet
        16-bit sound for dropouts.
    longest_ms: a longer hole is a pause of the edit. filled_ms: longer ones are flagged only.
    quietest_dbfs: level of the sound on both sides below which nobody hears the hole.
    """

    shortest_ms: float = 0.25
    longest_ms: float = 100.0
    filled_ms: float = 20.0
    quietest_dbfs: float = -55.0

    def __post_init__(self) -> None:
        if not 0 < self.shortest_ms <= self.filled_ms <= self.longest_ms <= 200:
            raise UsageError(
                f"Dropouts from {self.shortest_ms} to {self.longest_ms} ms, filled up to "
                f"{self.filled_ms} ms, can't be looked for; give rising lengths up to 200 ms."
            )


@dataclass(frozen=True)
class Hole:
    """Samples that were lost, and how they look: `zeros`, `held sample`, `repeated`, `gap`."""

    start: int
    end: int
    look: str


def find_dropouts(
    read: Read, frames: int, sample_rate: int, options: DropoutOptions
) -> tuple[tuple[Patch, ...], tuple[Defect, ...]]:
    """The dropouts of a channel of `frames` samples at `sample_rate` Hz, and what fills them.

    Memory follows the number of dropouts, not the length. Returns patches in order, none
    overlapping another, and a defect for each dropout, filled or not.
    """
    patches: list[Patch] = []
    defects: list[Defect] = []
    longest_filled = options.filled_ms / 1000 * sample_rate
    for hole in _apart(_holes(read, frames, sample_rate, options)):
        count = hole.end - hole.start
        length = f"{1000 * count / sample_rate:.1f} ms, {hole.look}"
        filled = None
        if count <= longest_filled:
            filled = filled_gap(patched(read, patches[-1:]), frames, sample_rate, hole.start, count)
        if filled is not None:
            patches.append(Patch(hole.start, filled))
        outcome = "left as it is" if filled is None else "filled"
        note = f"{length}; {outcome}"
        defects.append(Defect(DefectKind.DROPOUT, hole.start, hole.end, note=note))
    return tuple(patches), tuple(defects)


def _apart(holes: Iterator[Hole]) -> Iterator[Hole]:
    """Holes in order, each beginning behind the end of the one before."""
    end = 0
    for hole in holes:
        if hole.start >= end:
            yield hole
            end = hole.end


def _holes(read: Read, frames: int, sample_rate: int, options: DropoutOptions) -> Iterator[Hole]:
    block, margin = BLOCK_S * sample_rate, round(MARGIN_S * sample_rate)
    for start in range(0, frames, block):
        sound = finite(read(start - margin, block + 2 * margin))
        size = np.abs(np.diff(sound))
        found = [
            *_still(sound, size, sample_rate, options),
            *(Hole(first, last, "repeated") for first, last in repeated_stretches(sound)),
            *(
                hole
                for hole in _gaps(size, sample_rate, options)
                if not _clipped(sound, hole, sample_rate)
            ),
        ]
        for hole in sorted(found, key=lambda hole: (hole.start, -hole.end)):
            placed = Hole(hole.start + start - margin, hole.end + start - margin, hole.look)
            inside = placed.start > 0 and placed.end < frames
            if start <= placed.start < start + block and inside:
                short_enough = hole.end - hole.start <= options.longest_ms / 1000 * sample_rate
                if short_enough and _amid_sound(sound, hole, sample_rate, options):
                    yield placed


def _clipped(sound: Samples, hole: Hole, sample_rate: int) -> bool:
    """Whether a stretch lies at the top of its surroundings: it may be clipped, another's work."""
    side = round(SIDE_S * sample_rate)
    around = sound[max(0, hole.start - side) : hole.end + side]
    inside = np.abs(sound[hole.start : hole.end])
    return bool(len(inside)) and float(np.median(inside)) >= RAIL * float(np.abs(around).max())


def _amid_sound(sound: Samples, hole: Hole, sample_rate: int, options: DropoutOptions) -> bool:
    """Whether there is sound just before the hole and just after it."""
    side = round(SIDE_S * sample_rate)
    least = 10 ** (options.quietest_dbfs / 20)
    before, after = sound[max(0, hole.start - side) : hole.start], sound[hole.end :][:side]
    return bool(len(before) and len(after) and min(np.std(before), np.std(after)) >= least)


def _still(
    sound: Samples, size: Samples, sample_rate: int, options: DropoutOptions
) -> Iterator[Hole]:
    """Stretches in which the value stands still, though the sound around it moves."""
    side = round(SIDE_S * sample_rate)
    shortest = max(6, round(options.shortest_ms / 1000 * sample_rate))
    edges = np.flatnonzero(np.diff(np.r_[False, size == 0, False].astype(np.int8)))
    starts, ends = edges[::2], edges[1::2] + 1
    for first, last in zip(*_long(starts, ends, shortest), strict=True):
        value = sound[first]
        around = np.r_[sound[max(0, first - side) : first], sound[last : last + side]]
        moved = np.r_[size[max(0, first - side) : first], size[last - 1 : last - 1 + side]]
        moved = moved[moved > 0]
        if not len(moved) or np.sqrt(np.mean(moved**2)) < 6 * moved.min():
            continue
        # What lies at the top of its surroundings may be clipped, and is another's.
        if value != 0 and abs(value) >= RAIL * np.abs(around).max():
            continue
        jump = max(size[first - 1] if first else 0.0, size[last - 1] if last <= len(size) else 0.0)
        if jump < np.median(moved):
            continue
        # The first sample of a value that is held is the last that was recorded.
        start = first if value == 0 else first + 1
        yield Hole(int(start), int(last), "zeros" if value == 0 else "held sample")


def _long(
    starts: NDArray[np.intp], ends: NDArray[np.intp], shortest: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    enough = ends - starts >= shortest
    return starts[enough], ends[enough]


def _gaps(size: Samples, sample_rate: int, options: DropoutOptions) -> Iterator[Hole]:
    """Stretches into which the level falls at once and out of which it rises at once.

    size: of the steps from one sample to the next, which tell of sound without regard to slow
    waves under it.
    """
    width = max(8, round(BIN_S * sample_rate))
    count = len(size) // width
    peak = size[: count * width].reshape(count, width).max(axis=1)
    loud = np.minimum(peak[:-1], peak[1:])
    least = 10 ** (options.quietest_dbfs / 20) / 4
    # A bin is left out on either side, in which the hole begins or ends.
    falls = np.flatnonzero((peak[3:] < FALL * loud[:-2]) & (loud[:-2] > least)) + 3
    rises = np.flatnonzero((peak[:-3] < FALL * loud[2:]) & (loud[2:] > least))
    most = int(options.longest_ms / 1000 / BIN_S)
    end = -1
    for fall in falls:
        if fall <= end:
            continue
        later = rises[(rises >= fall) & (rises < fall + most)]
        if not len(later) or later[0] - fall + 1 < 1:
            continue
        rise = int(later[0])
        limit = FALL * min(loud[fall - 3], loud[rise + 2])
        if peak[fall : rise + 1].max() >= limit:
            continue
        end = rise
        before = np.flatnonzero(size[(fall - 1) * width : fall * width] >= limit)
        after = np.flatnonzero(size[(rise + 1) * width : (rise + 3) * width] >= limit)
        first = (fall - 1) * width + (int(before[-1]) + 1 if len(before) else 0)
        last = (rise + 1) * width + (int(after[0]) + 1 if len(after) else width)
        if last - first >= sample_rate / 1000:
            yield Hole(int(first), int(last), "gap")

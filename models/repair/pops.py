"""Pops: bursts of 1 to 5 ms, as of a plug, a static spark or a bad edit; found and filled.

They are too long for the matched filters that find clicks. On the residual of linear prediction a
pop stands above all that is near it, and is over within milliseconds; the burst of a consonant
goes on, and the pulses of a voice come again. A lip does the same softly: only what is louder
than the voice itself is taken for a pop. A smooth bump leaves no mark on the residual and is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from models.repair.click_search import ORDER, Grid
from models.repair.patches import Patch, Read, Samples
from models.repair.prediction import fill_gaps, filled_gap, prediction_coefficients, residual
from models.samples import finite

REACH_BINS = 30
"""Milliseconds on either side that must be calmer."""
GUARD_BINS = 1
FALL_DB = 15.0
"""A burst lasts as long as it stays this near its loudest millisecond."""
COARSE_ALONE_DB, COARSE_ABOVE_DB = 8.0, 20.0
MODELS = 3
CALM_DB = 3.0
"""How far what was filled may stand out of its surroundings."""
FADED = 1.0
"""Power of a burst over that of its surroundings at which it ends."""
VOICE_SHARE = 95
TINY = 1e-16


@dataclass(frozen=True)
class PopOptions:
    """What counts as a pop.

    longest_ms: a longer burst is a consonant, or something that belongs to the scene.
    alone_db: how far its residual must exceed, in some millisecond, that of any other within
        30 ms. Lower takes lips and plosives for pops.
    onset_db: by how much the sound after it may be louder or softer than before; a burst where a
        sound begins belongs to it.
    over_voice_db: how far its peak must exceed the loud part of the channel (the 95th percentile
        of the level of 20 ms). Lower mends softer pops, and the mouth's own.
    """

    longest_ms: float = 5.0
    alone_db: float = 18.0
    onset_db: float = 12.0
    over_voice_db: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.longest_ms <= 10 or self.alone_db < 6:
            raise UsageError(
                f"Pops up to {self.longest_ms} ms and {self.alone_db} dB above their surroundings "
                "can't be told; give 1 to 10 ms and 6 dB or more."
            )


@dataclass
class PopSearch:
    """The search of one channel, block by block, beside that for clicks.

    places: stretches that may be pops, in samples of the channel. levels: mean square of each hop.
    """

    grid: Grid
    options: PopOptions
    places: list[tuple[int, int]] = field(default_factory=list)
    levels: list[Samples] = field(default_factory=list)

    def look(self, sound: Samples, error: Samples, origin: int, inside: slice) -> None:
        """Take in a block and its residual, both of whole hops.

        origin: sample of the channel at which the block begins. inside: samples of the block that
        are no margin.
        """
        hops = np.square(sound[inside]).reshape(-1, self.grid.hop).mean(axis=1)
        self.levels.append(hops)
        for first, last in bursts(error, self.grid, self.options):
            if inside.start <= first < inside.stop:
                self.places.append((origin + first, origin + last))

    def found(
        self, read: Read, frames: int, clicks: Iterable[Patch]
    ) -> tuple[tuple[Patch, ...], tuple[Defect, ...]]:
        """The pops of the channel of `frames` samples, and what replaces them.

        read: the channel, its clicks mended. clicks: their patches, which no pop may touch.
        """
        taken = [(patch.start, patch.end) for patch in clicks]
        voice = float(np.percentile(np.concatenate(self.levels), VOICE_SHARE)) if self.levels else 0
        least = np.sqrt(voice) * 10 ** (self.options.over_voice_db / 20)
        patches: list[Patch] = []
        defects: list[Defect] = []
        for first, last in self.places:
            mend = mended_pop(read, frames, (first, last), self.grid, self.options, least)
            if mend is None:
                continue
            patch, height = mend
            if any(start < patch.end and patch.start < end for start, end in taken):
                continue
            taken.append((patch.start, patch.end))
            patches.append(patch)
            long = 1000 * len(patch.values) / self.grid.sample_rate
            note = f"pop of {long:.1f} ms, {height:.0f} dB above the residual; interpolated"
            defects.append(Defect(DefectKind.CLICK, patch.start, patch.end, note=note))
        return tuple(patches), tuple(defects)


def bursts(error: Samples, grid: Grid, options: PopOptions) -> list[tuple[int, int]]:
    """Stretches of a residual, in samples, whose milliseconds stand above all around them."""
    power = 10 * np.log10(np.square(error).reshape(-1, grid.bin).mean(axis=1) + TINY)
    most = round(options.longest_ms)
    highest = sliding_window_view(np.pad(power, most, constant_values=-np.inf), 2 * most + 1)
    found = []
    for top in np.flatnonzero(power == highest.max(axis=1)):
        first = last = int(top)
        while first > 0 and power[first - 1] > power[top] - FALL_DB and last - first < most:
            first -= 1
        while last + 1 < len(power) and power[last + 1] > power[top] - FALL_DB:
            last += 1
            if last - first >= most:
                break
        if last - first >= most:
            continue
        before = power[max(0, first - GUARD_BINS - REACH_BINS) : max(0, first - GUARD_BINS)]
        after = power[last + 1 + GUARD_BINS :][:REACH_BINS]
        if min(len(before), len(after)) < REACH_BINS:
            continue
        beside = np.concatenate([before, after])
        alone = power[top] - beside.max() >= COARSE_ALONE_DB
        if alone and power[top] - np.median(beside) >= COARSE_ABOVE_DB:
            found.append((first * grid.bin, (last + 1) * grid.bin))
    return found


def mended_pop(
    read: Read,
    frames: int,
    place: tuple[int, int],
    grid: Grid,
    options: PopOptions,
    least: float,
) -> tuple[Patch, float] | None:
    """The patch of a burst and its height in dB, or None where it is no pop.

    place: the stretch of whole milliseconds in which it was found. least: of its peak.
    """
    reach = REACH_BINS * grid.bin
    first, last = place[0] - grid.bin // 2, place[1] + grid.bin // 2
    if first < reach or last > frames - reach:
        return None
    stretch = finite(read(first - reach, last - first + 2 * reach))
    gap = np.arange(reach, reach + last - first)
    calm = stretch.copy()
    for _ in range(MODELS):
        # The first model still knows the burst; the later ones, of the filled stretch, do not.
        model = prediction_coefficients(calm[None], ORDER)[0]
        calm[gap] = fill_gaps(calm, gap, model)
    if float(np.abs(stretch[gap] - calm[gap]).max()) < least:
        return None
    errors = [_power(residual(sound, model), grid) for sound in (stretch, calm)]
    inside = slice(gap[0] - ORDER - grid.bin, gap[-1] + 1 - ORDER)
    before, after = errors[0][: inside.start], errors[0][inside.stop + ORDER :]
    loudest = max(before.max(), after.max())
    height = float(errors[0][inside].max() - loudest)
    if height < options.alone_db or errors[1][inside].max() - loudest > CALM_DB:
        return None
    if abs(float(np.median(before) - np.median(after))) > options.onset_db:
        return None
    start, end = _extent(stretch, model, gap)
    end = max(end, _faded(stretch, start, grid, options))
    values = filled_gap(read, frames, grid.sample_rate, first - reach + start, end - start)
    return None if values is None else (Patch(first - reach + start, values), height)


def _faded(stretch: Samples, start: int, grid: Grid, options: PopOptions) -> int:
    """Where a burst that begins at `start` has fallen to the level of its surroundings.

    A ring or a decay is soon predicted, so that the residual ends before it does.
    """
    gap = np.arange(start, start + round(options.longest_ms * grid.bin))
    filled = stretch.copy()
    for _ in range(MODELS):
        model = prediction_coefficients(filled[None], ORDER)[0]
        filled[gap] = fill_gaps(filled, gap, model)
    around = np.concatenate([stretch[:start], stretch[gap[-1] + 1 :]])
    burst = np.square(stretch[gap] - filled[gap])
    width = max(2, grid.bin // 2)
    loud = np.convolve(burst, np.ones(width) / width, "same") > FADED * np.mean(np.square(around))
    return start + int(np.flatnonzero(loud)[-1]) + 1 if loud.any() else start


def _power(error: Samples, grid: Grid) -> Samples:
    """Mean power of a residual over each millisecond that begins at a sample, in dB."""
    sums = np.cumsum(np.concatenate([[0.0], np.square(error)]))
    return np.asarray(10 * np.log10((sums[grid.bin :] - sums[: -grid.bin]) / grid.bin + TINY))


def _extent(stretch: Samples, model: Samples, gap: NDArray[np.intp]) -> tuple[int, int]:
    """First and past-last sample of the burst: where it rises, heard forwards and backwards."""
    forward = np.abs(residual(stretch, model))
    backward = np.abs(residual(stretch[::-1], model))[::-1]
    first, last = int(gap[0]), int(gap[-1]) + 1
    limit = max(forward[: first - ORDER].max(), backward[last:].max())
    rises = np.flatnonzero(forward[first - ORDER : last - ORDER] > limit)
    falls = np.flatnonzero(backward[first:last] > limit)
    if not len(rises) or not len(falls) or falls[-1] < rises[0]:
        return first, last
    return first + int(rises[0]), first + int(falls[-1]) + 1

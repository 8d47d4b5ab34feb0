"""Clicks and pops: found on the residual of linear prediction, only their samples interpolated.

A click is a short burst that the sound around it does not predict, forwards or backwards, and
that stands alone: the pulses of a voice recur with its pitch, those of a consonant come in
crowds. What remains must be as calm as its surroundings, or the place is left as it was.
After S. Godsill and P. Rayner, "Digital Audio Restoration" (Springer 1998), chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from core.words import counted
from models.repair.click_search import (
    ORDER,
    Grid,
    close_look,
    coarse_places,
    peaks_of_residual,
)
from models.repair.patches import Patch, Read, Samples, patched
from models.repair.pops import PopOptions, PopSearch
from models.repair.prediction import fill_gaps, prediction_coefficients, residual
from models.samples import finite

HOPS_PER_BLOCK = 200
MARGIN_HOPS = 4
SILENCE = 1e-12
ROUNDS = 3
CALM = 1.6
ONSET = 8.0
STEP = 5.0
ONSET_BINS = 3
CLEARLY = 2.0
STEADILY = 1.6
STEADY = 6.5
"""Largest over median response in noise that neither pulses nor crackles."""
EDGE = 5.0
"""Times the median of the residual at which a burst begins and ends."""
EDGE_SHARE = 0.02
"""Share of its own peak, for the same."""
NORMAL_MEDIAN = 0.6745


@dataclass(frozen=True)
class ClickOptions:
    """What counts as a click.

    alone: how many times the burst must exceed, through filters matched to short clicks, all that
        is within 20 ms of it. Lower finds weaker clicks and takes lip smacks and creaky voices
        for clicks; raise it when consonants lose their edge.
    above: how many times it must exceed the median there. A burst that stands twice as far out
        needs not, nor does one in steady noise that stands out 1.6 times as far.
    longest_ms: a longer burst is no click. Raise it for pops up to about 4 ms.
    least_db: how far the mean power of the burst's residual must stand above that of its
        surroundings. Lower takes more of the mouth's own noises.
    one_sided: share of the burst that must push the same way, as a spark or a splice does, unless
        it stands `certain_db` above its surroundings.
    quietest_dbfs: bursts whose residual peaks below this are not heard, and left.
    """

    alone: float = 3.5
    above: float = 55.0
    longest_ms: float = 0.33
    least_db: float = 19.5
    one_sided: float = 0.85
    certain_db: float = 36.0
    quietest_dbfs: float = -60.0

    def __post_init__(self) -> None:
        if self.alone <= 1 or self.above <= 1 or not 0 < self.longest_ms <= 5:
            raise UsageError(
                f"Clicks {self.alone} and {self.above} times above their surroundings and up to "
                f"{self.longest_ms} ms long can't be found; give factors above 1 and 0 to 5 ms."
            )


def find_clicks(
    read: Read,
    frames: int,
    sample_rate: int,
    options: ClickOptions,
    pops: PopOptions | None = None,
) -> tuple[tuple[Patch, ...], tuple[Defect, ...]]:
    """The clicks of a channel of `frames` samples at `sample_rate` Hz, and what replaces them.

    pops: where given, pops are found, too. Memory follows the number of clicks, not the length.
    Returns patches in order, none overlapping another, and a defect for each.
    """
    grid = Grid(sample_rate)
    block = HOPS_PER_BLOCK * grid.hop
    margin = MARGIN_HOPS * grid.hop
    patches: list[Patch] = []
    defects: list[Defect] = []
    search = None if pops is None else PopSearch(grid, pops)
    for start in range(0, frames, block):
        sound = finite(read(start - margin, block + 2 * margin))
        found, error = _mend_block(sound, margin, block, grid, options)
        if search is not None:
            search.look(sound, error, start - margin, slice(margin, margin + block))
        for patch, height in found:
            placed = Patch(patch.start + start - margin, patch.values)
            if patches and placed.start < patches[-1].end:
                continue
            if placed.start < ORDER or placed.end > frames - ORDER:
                continue
            patches.append(placed)
            length = counted(len(placed.values), "sample")
            note = f"{length}, {height:.0f} dB above the residual; interpolated"
            defects.append(Defect(DefectKind.CLICK, placed.start, placed.end, note=note))
    if search is not None:
        more, told = search.found(patched(read, patches), frames, patches)
        patches = sorted([*patches, *more], key=lambda patch: patch.start)
        defects = sorted([*defects, *told], key=lambda defect: defect.start)
    return tuple(patches), tuple(defects)


def _mend_block(
    sound: Samples, margin: int, block: int, grid: Grid, options: ClickOptions
) -> tuple[list[tuple[Patch, float]], Samples]:
    """Patches within `margin` … `margin + block` of a block, in order, with heights in dB.

    The block itself is mended. Gives its residual, too, as it was before the last patch at most.
    """
    found: list[tuple[Patch, float]] = []
    refused: set[int] = set()
    for _ in range(ROUNDS):
        new = 0
        error, peaks = peaks_of_residual(sound, grid)
        places = coarse_places(error, peaks, grid, 10 ** (options.quietest_dbfs / 20))
        inside = places[(places >= margin) & (places < margin + block)]
        for place in places_of_clicks(sound, inside, grid, options):
            if place // grid.bin in refused:
                continue
            mend = mended(sound, place, grid, options)
            refused.add(place // grid.bin)
            if mend is not None and not any(_overlap(mend[0], patch) for patch, _ in found):
                sound[mend[0].start : mend[0].end] = mend[0].values
                found.append(mend)
                new += 1
        if not new:
            break
    return sorted(found, key=lambda item: item[0].start), error


def places_of_clicks(
    sound: Samples, places: NDArray[np.intp], grid: Grid, options: ClickOptions
) -> list[int]:
    """Those of the places that withstand the close look, in order."""
    half = longest_click(grid, options)
    alone, above = close_look(sound, places, grid, half)
    clear = (alone >= options.alone) & (above >= options.above)
    clear |= alone >= CLEARLY * options.alone
    clear |= (alone >= STEADILY * options.alone) & (above <= STEADY * alone)
    return [int(place) for place in places[clear]]


def longest_click(grid: Grid, options: ClickOptions) -> int:
    """Samples of the longest click."""
    return max(2, round(options.longest_ms * grid.bin))


def _overlap(one: Patch, other: Patch) -> bool:
    return one.start < other.end and other.start < one.end


def mended(
    sound: Samples, place: int, grid: Grid, options: ClickOptions
) -> tuple[Patch, float] | None:
    """The patch of the burst at `place` and its height in dB, or None where it is no click."""
    reach = grid.reach
    first = place - reach
    if first < 0 or place + reach > len(sound):
        return None
    stretch = sound[first : place + reach]
    longest = longest_click(grid, options)
    gap = np.arange(reach - longest, reach + longest + 1)
    filled = stretch.copy()
    for _ in range(2):
        model = prediction_coefficients(filled[None], ORDER)[0]
        filled[gap] = fill_gaps(filled, gap, model)
    model = prediction_coefficients(filled[None], ORDER)[0]
    edges = _extent(stretch, model, gap)
    if edges is None or edges[1] - edges[0] > longest:
        return None
    exact = np.arange(*edges)
    values = fill_gaps(stretch, exact, model)
    filled = stretch.copy()
    filled[exact] = values
    height = _height_db(stretch, filled, model, len(exact))
    burst = stretch[exact] - values
    one_sided = abs(float(burst.sum())) >= options.one_sided * float(np.abs(burst).sum())
    alike = one_sided and not _is_onset(filled, model, exact, grid)
    if height < (options.least_db if alike else options.certain_db):
        return None
    if not _is_calm(filled, model, exact, grid):
        return None
    return Patch(first + int(exact[0]), values), height


def _height_db(stretch: Samples, filled: Samples, model: Samples, count: int) -> float:
    """Mean power of a burst of `count` samples on the residual, over that of its surroundings."""
    calm = residual(filled, model)
    burst = np.sum(residual(stretch, model) ** 2) - np.sum(calm**2)
    deviation = float(np.median(np.abs(calm))) / NORMAL_MEDIAN
    power = max(float(burst), SILENCE**2) / (count * max(deviation, SILENCE) ** 2)
    return float(10 * np.log10(power))


def _extent(stretch: Samples, model: Samples, gap: NDArray[np.intp]) -> tuple[int, int] | None:
    """First and past-last sample of the burst in `gap`, or None where nothing stands out.

    Forwards the residual rises at the first sample of a burst, backwards at its last.
    """
    forward = np.abs(residual(stretch, model))
    backward = np.abs(residual(stretch[::-1], model))[::-1]
    reach = len(gap)
    left = float(np.median(forward[: gap[0] - ORDER]))
    right = float(np.median(backward[gap[-1] + 1 :]))
    inside = slice(gap[0] - ORDER, gap[0] - ORDER + reach)
    limit = max(left, right, SILENCE) * EDGE
    limit = max(limit, EDGE_SHARE * float(forward[inside].max()))
    rises = np.flatnonzero(forward[gap[0] - ORDER : gap[0] - ORDER + reach] > limit)
    falls = np.flatnonzero(backward[gap[0] : gap[0] + reach] > limit)
    if not len(rises) or not len(falls) or falls[-1] < rises[0]:
        return None
    if rises[0] == 0 or falls[-1] == reach - 1:
        return None
    return int(gap[0] + rises[0]), int(gap[0] + falls[-1] + 1)


def _is_onset(filled: Samples, model: Samples, exact: NDArray[np.intp], grid: Grid) -> bool:
    """Whether a louder sound begins here, or one ends: then the burst belongs to it."""
    error = residual(filled, model)
    first, last = int(exact[0]) - ORDER, int(exact[-1]) + 1 - ORDER
    before, after = error[first - ONSET_BINS * grid.bin : first], error[last:]
    louder = np.sum(after[: ONSET_BINS * grid.bin] ** 2) > STEP**2 * np.sum(before**2)
    levels = sorted((np.median(np.abs(error[:first])), np.median(np.abs(error[last:]))))
    return bool(louder or levels[1] > ONSET * levels[0])


def _is_calm(filled: Samples, model: Samples, exact: NDArray[np.intp], grid: Grid) -> bool:
    """Whether the residual around the mended samples is like that beside them."""
    error = np.abs(residual(filled, model))
    first, last = int(exact[0]) - ORDER, int(exact[-1])
    mended_peak = error[max(0, first - grid.bin) : last + grid.bin].max()
    beside = np.r_[error[: max(1, first - grid.bin)], error[last + grid.bin :]]
    return bool(mended_peak <= CALM * beside.max())

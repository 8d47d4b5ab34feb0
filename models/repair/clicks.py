"""Clicks and pops: found on the residual of linear prediction, only their samples interpolated.

A click is a short burst that the sound around it does not predict, forwards or backwards, and
that stands alone: the pulses of a voice recur with its pitch, those of a consonant come in
crowds. What remains must be as calm as its surroundings, or the place is left as it was.
After S. Godsill and P. Rayner, "Digital Audio Restoration" (Springer 1998), chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from models.repair.patches import Patch, Read, Samples, finite
from models.repair.prediction import fill_gaps, prediction_coefficients, residual

ORDER = 32
BINS_PER_HOP = 10
HOPS_PER_FRAME = 4
HOPS_PER_BLOCK = 400
CONTEXT_BINS = 25
GUARD_BINS = 2
MARGIN_HOPS = 6
SILENCE = 1e-12
ROUNDS = 3
CALM = 1.6
ONSET = 8.0
NORMAL_MEDIAN = 0.6745


@dataclass(frozen=True)
class ClickOptions:
    """What counts as a click.

    alone: how many times the burst must exceed the largest residual within 25 ms on either side.
        Lower finds weaker clicks and takes lip smacks and creaky voices for clicks; raise it
        when consonants lose their edge.
    above: how many times it must exceed the median of the residual's 1 ms peaks there.
    longest_ms: a longer burst is no click. Raise it for pops up to about 4 ms.
    least_db: how far the mean power of the burst's residual must stand above that of its
        surroundings. Lower takes more of the mouth's own noises.
    quietest_dbfs: bursts whose residual peaks below this are not heard, and left.
    """

    alone: float = 2.5
    above: float = 5.0
    longest_ms: float = 0.3
    least_db: float = 22.0
    quietest_dbfs: float = -60.0

    def __post_init__(self) -> None:
        if self.alone <= 1 or self.above <= 1 or not 0 < self.longest_ms <= 5:
            raise UsageError(
                f"Clicks {self.alone} and {self.above} times above their surroundings and up to "
                f"{self.longest_ms} ms long can't be found; give factors above 1 and 0 to 5 ms."
            )


@dataclass(frozen=True)
class Grid:
    """The fixed grid on which a channel is searched, from its first sample on.

    bin: samples in about 1 ms. hop: samples of ten bins, each with a model of its own.
    """

    bin: int

    @property
    def hop(self) -> int:
        """Samples from one model to the next."""
        return self.bin * BINS_PER_HOP


def find_clicks(
    read: Read, frames: int, sample_rate: int, options: ClickOptions
) -> tuple[tuple[Patch, ...], tuple[Defect, ...]]:
    """The clicks of a channel of `frames` samples at `sample_rate` Hz, and what replaces them.

    Memory follows the number of clicks, not the length. Returns patches in order, none
    overlapping another, and a defect for each.
    """
    grid = Grid(max(8, round(sample_rate / 1000)))
    block = HOPS_PER_BLOCK * grid.hop
    margin = MARGIN_HOPS * grid.hop
    patches: list[Patch] = []
    defects: list[Defect] = []
    for start in range(0, frames, block):
        sound = finite(read(start - margin, block + 2 * margin))
        for patch, height in _mend_block(sound, margin, block, grid, options):
            placed = Patch(patch.start + start - margin, patch.values)
            if patches and placed.start < patches[-1].end:
                continue
            if placed.start < ORDER or placed.end > frames - ORDER:
                continue
            patches.append(placed)
            note = f"{len(placed.values)} samples, {height:.0f} dB above the residual; interpolated"
            defects.append(Defect(DefectKind.CLICK, placed.start, placed.end, note=note))
    return tuple(patches), tuple(defects)


def _mend_block(
    sound: Samples, margin: int, block: int, grid: Grid, options: ClickOptions
) -> list[tuple[Patch, float]]:
    """Patches within `margin` … `margin + block` of a block, in order, with heights in dB."""
    found: list[tuple[Patch, float]] = []
    refused: set[int] = set()
    for _ in range(ROUNDS):
        forward, backward = residuals(sound, grid)
        new = 0
        for place in candidates(forward, backward, grid, options):
            if not margin <= place < margin + block or place // grid.bin in refused:
                continue
            mend = mended(sound, place, grid, options)
            refused.add(place // grid.bin)
            if mend is not None and not any(_overlap(mend[0], patch) for patch, _ in found):
                sound[mend[0].start : mend[0].end] = mend[0].values
                found.append(mend)
                new += 1
        if not new:
            break
    return sorted(found, key=lambda item: item[0].start)


def _overlap(one: Patch, other: Patch) -> bool:
    return one.start < other.end and other.start < one.end


def residuals(sound: Samples, grid: Grid) -> tuple[Samples, Samples]:
    """Forward and backward prediction errors of a stretch, each as long as the stretch.

    The stretch is a whole number of hops; each hop has the model of the four hops around it.
    """
    hop, length = grid.hop, HOPS_PER_FRAME * grid.hop
    count = len(sound) // hop
    around = np.pad(sound, (2 * hop, 2 * hop))
    centred = sliding_window_view(around, length)[hop // 2 :: hop][:count]
    models = prediction_coefficients(centred, ORDER)
    before = sliding_window_view(around, hop + ORDER)[2 * hop - ORDER :: hop][:count]
    after = sliding_window_view(around, hop + ORDER)[2 * hop :: hop][:count]
    forward, backward = np.zeros((count, hop)), np.zeros((count, hop))
    for k in range(ORDER + 1):
        tap = models[:, k : k + 1]
        forward += tap * before[:, ORDER - k : ORDER - k + hop]
        backward += tap * after[:, k : k + hop]
    return forward.ravel(), backward.ravel()


def candidates(forward: Samples, backward: Samples, grid: Grid, options: ClickOptions) -> list[int]:
    """Samples at which both residuals peak far above their surroundings."""
    quietest = 10 ** (options.quietest_dbfs / 20)
    peaks = [np.abs(error).reshape(-1, grid.bin).max(axis=1) for error in (forward, backward)]
    near = [sliding_window_view(np.pad(peak, 1), 3).max(axis=1) for peak in peaks]
    loud = (near[0] >= quietest) & (near[1] >= quietest)
    places = np.flatnonzero(loud & (peaks[0] == _local_maximum(peaks[0])))
    beside = np.r_[-CONTEXT_BINS:-GUARD_BINS, GUARD_BINS + 1 : CONTEXT_BINS + 1]
    for peak, top in zip(peaks, near, strict=True):
        context = np.pad(peak, CONTEXT_BINS)[places[:, None] + CONTEXT_BINS + beside]
        places = places[top[places] > options.alone * context.max(axis=1)]
        context = np.pad(peak, CONTEXT_BINS)[places[:, None] + CONTEXT_BINS + beside]
        places = places[top[places] > options.above * np.median(context, axis=1)]
    starts = places * grid.bin
    return [int(s + np.argmax(np.abs(forward[s : s + grid.bin]))) for s in starts]


def _local_maximum(peak: Samples) -> Samples:
    width = 2 * GUARD_BINS + 1
    return np.asarray(sliding_window_view(np.pad(peak, GUARD_BINS), width).max(axis=1))


def mended(
    sound: Samples, place: int, grid: Grid, options: ClickOptions
) -> tuple[Patch, float] | None:
    """The patch of the burst at `place` and its height in dB, or None where it is no click."""
    reach = 2 * grid.hop
    first = place - reach
    if first < 0 or place + reach > len(sound):
        return None
    stretch = sound[first : place + reach]
    longest = max(2, round(options.longest_ms * grid.bin))
    gap = np.arange(reach - longest, reach + longest + 1)
    filled = stretch.copy()
    for _ in range(2):
        model = prediction_coefficients(filled[None], ORDER)[0]
        filled[gap] = fill_gaps(filled, gap, model)
    model = prediction_coefficients(filled[None], ORDER)[0]
    edges = _extent(stretch, model, gap, options)
    if edges is None or edges[1] - edges[0] > longest:
        return None
    exact = np.arange(*edges)
    values = fill_gaps(stretch, exact, model)
    filled = stretch.copy()
    filled[exact] = values
    height = _height_db(stretch, filled, model, len(exact))
    if height < options.least_db or not _is_calm(filled, model, exact, grid):
        return None
    return Patch(first + int(exact[0]), values), height


def _height_db(stretch: Samples, filled: Samples, model: Samples, count: int) -> float:
    """Mean power of a burst of `count` samples on the residual, over that of its surroundings."""
    calm = residual(filled, model)
    burst = np.sum(residual(stretch, model) ** 2) - np.sum(calm**2)
    deviation = float(np.median(np.abs(calm))) / NORMAL_MEDIAN
    power = max(float(burst), SILENCE**2) / (count * max(deviation, SILENCE) ** 2)
    return float(10 * np.log10(power))


def _extent(
    stretch: Samples, model: Samples, gap: NDArray[np.intp], options: ClickOptions
) -> tuple[int, int] | None:
    """First and past-last sample of the burst in `gap`, or None where nothing stands out.

    Forwards the residual rises at the first sample of a burst, backwards at its last.
    """
    forward = np.abs(residual(stretch, model))
    backward = np.abs(residual(stretch[::-1], model))[::-1]
    reach = len(gap)
    left = float(np.median(forward[: gap[0] - ORDER]))
    right = float(np.median(backward[gap[-1] + 1 :]))
    if max(left, right) > ONSET * min(left, right):
        return None
    limit = max(left, right, SILENCE) * options.above
    rises = np.flatnonzero(forward[gap[0] - ORDER : gap[0] - ORDER + reach] > limit)
    falls = np.flatnonzero(backward[gap[0] : gap[0] + reach] > limit)
    if not len(rises) or not len(falls) or falls[-1] < rises[0]:
        return None
    if rises[0] == 0 or falls[-1] == reach - 1:
        return None
    return int(gap[0] + rises[0]), int(gap[0] + falls[-1] + 1)


def _is_calm(filled: Samples, model: Samples, exact: NDArray[np.intp], grid: Grid) -> bool:
    """Whether the residual around the mended samples is like that beside them."""
    error = np.abs(residual(filled, model))
    first, last = int(exact[0]) - ORDER, int(exact[-1])
    mended_peak = error[max(0, first - grid.bin) : last + grid.bin].max()
    beside = np.r_[error[: max(1, first - grid.bin)], error[last + grid.bin :]]
    return bool(mended_peak <= CALM * beside.max())

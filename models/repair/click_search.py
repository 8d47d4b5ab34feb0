"""Where clicks may be: a coarse look at the whole channel, a close look at few places.

The coarse look is the residual of linear prediction, in which a click stands above the median of
its surroundings, though a voice may pulse nearly as high. The close look leaves the click out of
the model, which then expects nothing of it, and listens with filters matched to the shape of
short clicks (S. Godsill and P. Rayner, "Digital Audio Restoration", Springer 1998, chapter 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.repair.patches import Samples
from models.repair.prediction import fill_like_gaps, prediction_coefficients

ORDER = 32
BINS_PER_HOP = 20
CONTEXT_BINS = 25
GUARD_BINS = 2
REACH_BINS = 20
COARSE_ALONE = 0.6
"""Times the largest residual around it that a place must reach to be looked at closely."""
COARSE_ABOVE = 3.0
"""Times the median of the residual's peaks around it, for the same."""
SHAPES_S = (0.00004, 0.00008, 0.000125, 0.00017)
"""Lengths of the bells that the close look listens for."""
CLOSE_AT_ONCE = 64


@dataclass(frozen=True)
class Grid:
    """The fixed grid on which a channel is searched, from its first sample on.

    sample_rate: Hz. bin: samples in about 1 ms. hop: samples of twenty bins, each with a model
    of its own. reach: samples on either side of a place that the close look hears.
    """

    sample_rate: int

    @property
    def bin(self) -> int:
        """Samples of which the largest residual is kept."""
        return max(8, round(self.sample_rate / 1000))

    @property
    def hop(self) -> int:
        """Samples from one model to the next."""
        return self.bin * BINS_PER_HOP

    @property
    def reach(self) -> int:
        """Samples on either side of a place under the close look."""
        return self.bin * REACH_BINS

    @property
    def shapes(self) -> tuple[Samples, ...]:
        """The bells, each a Hann window without its zeros."""
        lengths = sorted({max(1, round(length * self.sample_rate)) for length in SHAPES_S})
        return tuple(np.hanning(length + 2)[1:-1] for length in lengths)


def peaks_of_residual(sound: Samples, grid: Grid) -> tuple[Samples, Samples]:
    """Forward prediction error of a stretch of whole hops, and the largest of each bin.

    Each hop has the model of the two hops around it.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    hop = grid.hop
    count = len(sound) // hop
    around = np.pad(sound, (hop // 2 + ORDER, hop // 2))
    centred = sliding_window_view(around[ORDER:], 2 * hop)[::hop][:count]
    models = prediction_coefficients(centred, ORDER)
    heard = sliding_window_view(around[hop // 2 :], hop + ORDER)[::hop][:count]
    size = next_fast_len(hop + ORDER, real=True)
    product = rfft(heard, size, axis=1) * rfft(models, size, axis=1)
    error = irfft(product, size, axis=1)[:, ORDER : hop + ORDER].ravel()
    return error, np.abs(error).reshape(-1, grid.bin).max(axis=1)


def coarse_places(error: Samples, peaks: Samples, grid: Grid, quietest: float) -> NDArray[np.intp]:
    """Samples at which the residual peaks above the median of its surroundings, in order.

    quietest: peaks below this are left, full scale 1.0.
    """
    near = sliding_window_view(np.pad(peaks, 1), 3).max(axis=1)
    highest = sliding_window_view(np.pad(peaks, GUARD_BINS), 2 * GUARD_BINS + 1).max(axis=1)
    bins = np.flatnonzero((near >= quietest) & (peaks == highest))
    beside = np.r_[-CONTEXT_BINS:-GUARD_BINS, GUARD_BINS + 1 : CONTEXT_BINS + 1]
    context = np.pad(peaks, CONTEXT_BINS)[bins[:, None] + CONTEXT_BINS + beside]
    bins = bins[near[bins] > COARSE_ALONE * context.max(axis=1, initial=0.0)]
    context = np.pad(peaks, CONTEXT_BINS)[bins[:, None] + CONTEXT_BINS + beside]
    bins = bins[near[bins] > COARSE_ABOVE * np.median(context, axis=1)] if len(bins) else bins
    inside = np.abs(error).reshape(-1, grid.bin)[bins]
    return np.asarray(bins * grid.bin + np.argmax(inside, axis=1), np.intp)


def close_look(
    sound: Samples, places: NDArray[np.intp], grid: Grid, half: int
) -> tuple[Samples, Samples]:
    """How far each place stands out for the matched filters.

    places: at least `grid.reach` from both ends. half: samples on either side of a place that
    may belong to a click. Returns for each place the response over the largest around it, and
    over the median around it, each for the bell that it suits best.
    """
    alone, above = np.zeros(len(places)), np.zeros(len(places))
    for first in range(0, len(places), CLOSE_AT_ONCE):
        some = slice(first, first + CLOSE_AT_ONCE)
        alone[some], above[some] = _close_look(sound, places[some], grid, half)
    return alone, above


def _close_look(
    sound: Samples, places: NDArray[np.intp], grid: Grid, half: int
) -> tuple[Samples, Samples]:
    from scipy.fft import irfft, next_fast_len, rfft

    reach = grid.reach
    around = sliding_window_view(sound, 2 * reach)[places - reach]
    filled = around.copy()
    gap = slice(reach - half, reach + half + 1)
    # The first model still knows the click; the second, of the filled stretch, does not.
    for _ in range(2):
        models = prediction_coefficients(filled, ORDER)
        filled[:, gap] = fill_like_gaps(filled, gap.start, gap.stop, models)
    models = prediction_coefficients(filled, ORDER)
    size = next_fast_len(2 * reach + 2 * ORDER, real=True)
    whitened = rfft(around, size, axis=1) * rfft(models, size, axis=1)
    # A matched filter is the correlation with the whitened bell: the error, whitened once more
    # by the conjugate of the model.
    twice = whitened * rfft(models, size, axis=1).conj()
    alone, above = np.zeros(len(places)), np.zeros(len(places))
    for bell in grid.shapes:
        response = np.abs(irfft(twice * rfft(bell, size).conj(), size, axis=1))
        top = response[:, gap.start - len(bell) : gap.stop].max(axis=1)
        beside = np.concatenate(
            [
                response[:, ORDER : gap.start - grid.bin],
                response[:, gap.stop + grid.bin : 2 * reach - ORDER - len(bell)],
            ],
            axis=1,
        )
        tiny = np.finfo(np.float64).tiny
        better = top / np.maximum(beside.max(axis=1), tiny)
        over = top / np.maximum(np.median(beside[:, ::4], axis=1), tiny)
        above = np.where(better > alone, over, above)
        alone = np.maximum(alone, better)
    return alone, above

"""Clipping: the rail is found by the samples that lie flat on it, and they are drawn anew.

A clipped sample is known to have been at the rail or beyond. Each is set to what linear
prediction makes of its surroundings under that bound; every other sample stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from models.repair.patches import Patch, Read, Samples, blocks, patched
from models.repair.prediction import normal_equations, prediction_coefficients
from models.samples import finite

BLOCK = 1 << 19
FLAT = 1e-4
"""Samples within this share of the rail lie on it."""
CORNER = 2e-3
"""Share of the rail that separates a flat top from its neighbours; a round peak is closer."""
SHORTEST_FLAT = 3
ORDER_AT_48K = 64
CONTEXT_S = 0.02
APART_S = 0.005
LONGEST_S = 0.06
LONGEST_FLAT_S = 0.01
PASSAGE_S = 0.1
MODELS = 4
BOUND_ROUNDS = 8
MOST = 4.0


@dataclass(frozen=True)
class ClippingOptions:
    """What counts as clipping.

    fewest_flats: flat tops of three samples and more that a polarity must show before its
        highest level is taken for a rail. Higher leaves takes that clipped a few times.
    quietest_dbfs: a rail below this is none (the noise of a muted channel has few steps).
    """

    fewest_flats: int = 4
    quietest_dbfs: float = -40.0

    def __post_init__(self) -> None:
        if self.fewest_flats < 1:
            raise UsageError(
                f"{self.fewest_flats} flat tops can't be asked of clipping; give 1 or more."
            )


@dataclass(frozen=True)
class Rails:
    """Levels at which a channel is clipped, infinite where it is not. low is negative."""

    low: float
    high: float

    @property
    def level_dbfs(self) -> float:
        """The lower of the two rails."""
        return float(20 * np.log10(min(self.high, -self.low)))

    def hit(self, sound: Samples) -> NDArray[np.bool_]:
        """For each sample whether it lies on a rail."""
        near = 1 - FLAT
        return np.asarray((sound >= self.high * near) | (sound <= self.low * near))


@dataclass
class _Tops:
    """Flat tops of one polarity that were counted so far, and how far their corners stand off."""

    level: float
    count: int = 0
    cornered: int = 0


def find_rails(read: Read, frames: int, options: ClippingOptions) -> Rails | None:
    """The rails of a channel of `frames` samples, or None where it was not clipped.

    Flat tops at the very highest (or lowest) level of the channel that end in a corner.
    """
    high, low = 0.0, 0.0
    for _, sound in blocks(read, frames, BLOCK):
        high, low = max(high, float(sound.max())), min(low, float(sound.min()))
    quietest = 10 ** (options.quietest_dbfs / 20)
    found = []
    for sign, level in ((1.0, high), (-1.0, -low)):
        tops = _Tops(level)
        if level >= quietest:
            for start in range(0, frames, BLOCK):
                _count_tops(tops, sign * finite(read(start - 1, min(BLOCK, frames - start) + 2)))
        clipped = tops.count >= options.fewest_flats and 2 * tops.cornered > tops.count
        found.append(level if clipped else np.inf)
    rails = Rails(-found[1], found[0])
    return rails if np.isfinite(found).any() else None


def _count_tops(tops: _Tops, sound: Samples) -> None:
    flat = sound >= tops.level * (1 - FLAT)
    flat[[0, -1]] = False
    if not flat.any():
        return
    edges = np.flatnonzero(np.diff(flat.astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= SHORTEST_FLAT:
            tops.count += 1
            beside = max(sound[first], sound[last + 1])
            tops.cornered += bool(beside < tops.level * (1 - CORNER))


def mend_clipping(
    read: Read, frames: int, sample_rate: int, rails: Rails
) -> tuple[tuple[Patch, ...], tuple[Defect, ...], int]:
    """What replaces the clipped samples of a channel at `sample_rate` Hz.

    Returns the patches in order, a defect for each passage (clipped less than 0.1 s apart), and
    how many samples were restored; they may pass the rail by 12 dB at most. Memory follows the
    number of clipped samples, not the length.
    """
    patches: list[Patch] = []
    passages: list[_Passage] = []
    for cluster in _clusters(read, frames, sample_rate, rails):
        patch = _drawn_anew(read, patches[-1:], cluster, sample_rate, rails)
        patches.append(patch)
        new = _Passage(patch.start, patch.end, len(cluster), float(np.abs(patch.values).max()))
        if passages and new.start - passages[-1].end < PASSAGE_S * sample_rate:
            new = passages.pop().joined(new)
        passages.append(new)
    defects = tuple(
        Defect(
            DefectKind.CLIPPING,
            passage.start,
            passage.end,
            note=f"{passage.counted} at {rails.level_dbfs:.1f} dBFS; {passage.outcome}",
        )
        for passage in passages
    )
    return tuple(patches), defects, sum(passage.clipped for passage in passages)


@dataclass(frozen=True)
class _Passage:
    """Clipped samples that follow close upon one another, and how far they reach when restored."""

    start: int
    end: int
    clipped: int
    peak: float

    @property
    def counted(self) -> str:
        return f"{self.clipped} clipped sample" + ("s" if self.clipped > 1 else "")

    @property
    def outcome(self) -> str:
        return f"restored up to {20 * np.log10(self.peak):.1f} dBFS"

    def joined(self, after: _Passage) -> _Passage:
        clipped, peak = self.clipped + after.clipped, max(self.peak, after.peak)
        return _Passage(self.start, after.end, clipped, peak)


def _clusters(
    read: Read, frames: int, sample_rate: int, rails: Rails
) -> Iterator[NDArray[np.intp]]:
    """Clipped samples that are near each other, in order. What lies flat for long is left."""
    apart, longest = round(APART_S * sample_rate), round(LONGEST_S * sample_rate)
    held: list[int] = []
    for run_start, run_end in _runs(read, frames, rails):
        if run_end - run_start > LONGEST_FLAT_S * sample_rate:
            continue
        if held and (run_start - held[-1] > apart or run_end - held[0] > longest):
            yield np.array(held, np.intp)
            held = []
        held.extend(range(run_start, run_end))
    if held:
        yield np.array(held, np.intp)


def _runs(read: Read, frames: int, rails: Rails) -> Iterator[tuple[int, int]]:
    """First and past-last samples of every stretch on a rail."""
    open_at = -1
    for start, sound in blocks(read, frames, BLOCK):
        flat = np.r_[open_at >= 0, rails.hit(sound)]
        for edge in np.flatnonzero(np.diff(flat.astype(np.int8))):
            if open_at < 0:
                open_at = start + int(edge)
            else:
                yield open_at, start + int(edge)
                open_at = -1
    if open_at >= 0:
        yield open_at, frames


def _drawn_anew(
    read: Read,
    before: Sequence[Patch],
    cluster: NDArray[np.intp],
    sample_rate: int,
    rails: Rails,
) -> Patch:
    """The stretch of a cluster with its clipped samples set to the bounded AR estimate.

    The model and the samples are estimated in turn (A. Janssen, R. Veldhuis, L. Vries, IEEE
    Trans. ASSP 34, 1986); samples that would fall inside the rail are put on it and the rest
    solved again, an active-set solution of the bounded least-squares problem.
    """
    order = min(128, max(32, round(ORDER_AT_48K * sample_rate / 48_000)))
    context = round(CONTEXT_S * sample_rate) + order
    first, last = int(cluster[0]), int(cluster[-1]) + 1
    origin = first - context
    stretch = finite(patched(read, before)(origin, last - first + 2 * context))
    unknown = np.flatnonzero(rails.hit(stretch))
    mended_before = before[-1].end - origin if before else 0
    unknown = unknown[(unknown >= max(order, mended_before)) & (unknown < len(stretch) - order)]
    sign = np.sign(stretch[unknown])
    rail = np.abs(stretch[unknown])
    for _ in range(MODELS):
        model = prediction_coefficients(stretch[None], order)[0]
        stretch[unknown] = sign * bounded_gaps(stretch, unknown, model, sign, rail)
    values = finite(read(first, last - first))
    values[cluster - first] = stretch[cluster - origin]
    return Patch(first, values)


def bounded_gaps(
    sound: Samples, unknown: NDArray[np.intp], model: Samples, sign: Samples, rail: Samples
) -> Samples:
    """Magnitudes at `unknown`, none below its `rail`, that make the residual small.

    sound: a stretch. model: its AR coefficients. sign, rail: of each unknown sample.
    """
    matrix, right = normal_equations(sound, unknown, model)
    matrix = matrix * sign[:, None] * sign[None, :]
    right = right * sign
    size = rail.copy()
    free = np.ones(len(unknown), bool)
    for _ in range(BOUND_ROUNDS):
        inner, bound = np.flatnonzero(free), np.flatnonzero(~free)
        if not len(inner):
            break
        rest = right[inner] - matrix[np.ix_(inner, bound)] @ size[bound]
        size[inner] = np.linalg.solve(matrix[np.ix_(inner, inner)], rest)
        inside = free & (size < rail)
        if not inside.any():
            break
        size[inside] = rail[inside]
        free &= ~inside
    return np.clip(size, rail, MOST * rail)

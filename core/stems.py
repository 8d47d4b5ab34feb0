"""The integer grid of stems, and who speaks where on it.

Every stem is a whole number of steps of 2**-23 of full scale (24-bit PCM). `NR` is defined as
`PROD - DX`, and `OTHER` as the dialogue less the characters, on that grid: the sums are exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from core.conform import Placement
from core.speech import Line
from core.time import round_half_up

FULL_SCALE = 2**23
Grid = NDArray[np.int64]
RAMP_SECONDS_DIVISOR = 100


def to_grid(sound: NDArray[np.float64], gain: float = 1.0) -> Grid:
    """Samples (full scale 1.0), times a linear gain, on the 24-bit grid. May exceed ±2**23."""
    return np.rint(sound * (gain * FULL_SCALE)).astype(np.int64)


@dataclass(frozen=True)
class Span:
    """A stretch of the record in which one character, and nobody else, speaks (samples)."""

    track: str
    character: str
    start: int
    end: int


def character_spans(
    laid: Sequence[Placement],
    lines: Mapping[str, Sequence[Line]],
    line_rates: Mapping[str, int],
    owners: Mapping[tuple[str, int], str],
    sample_rate: int,
) -> tuple[Span, ...]:
    """Where in the record each character speaks alone.

    laid: the placements of the cut. lines: the lines of each take, in samples of its file.
    line_rates: sample rates of those files. owners: the character whose own microphone a
    channel of a take is; a placement of that channel belongs to that character throughout.
    Where lines of two characters overlap on one microphone the sound is nobody's own, and
    stays in `OTHER`.
    """
    spans: list[Span] = []
    for placement in laid:
        owned = {owners.get((placement.take, channel), "") for channel in placement.channels}
        if len(owned) == 1 and (owner := owned.pop()):
            spans.append(Span(placement.track, owner, placement.record_start, placement.record_end))
            continue
        rate = line_rates.get(placement.take, sample_rate)
        offset = placement.record_start - placement.source_start
        spoken = [
            (
                line.speaker,
                max(placement.record_start, _scale(line.start, rate, sample_rate) + offset),
                min(placement.record_end, _scale(line.end, rate, sample_rate) + offset),
            )
            for line in lines.get(placement.take, ())
            if line.speaker
        ]
        spans += _alone(placement.track, [item for item in spoken if item[1] < item[2]])
    return tuple(spans)


def _scale(value: int, old: int, new: int) -> int:
    return value if old == new else round_half_up(Fraction(value * new, old))


def _alone(track: str, spoken: list[tuple[str, int, int]]) -> list[Span]:
    """The stretches in which exactly one character of `spoken` speaks."""
    edges = sorted({edge for _, start, end in spoken for edge in (start, end)})
    found: list[Span] = []
    for start, end in itertools.pairwise(edges):
        voices = {name for name, first, last in spoken if first < end and start < last}
        if len(voices) != 1:
            continue
        name = voices.pop()
        if found and found[-1].character == name and found[-1].end == start:
            found[-1] = Span(track, name, found[-1].start, end)
        else:
            found.append(Span(track, name, start, end))
    return found


def character_mask(
    spans: Sequence[Span], first: int, count: int, sample_rate: int
) -> NDArray[np.float64]:
    """Gains 0…1 of a character on one track for a block of the record.

    Each span rises and falls by a straight ramp of 10 ms inside its own bounds.
    """
    mask = np.zeros(count, dtype=np.float64)
    ramp = max(1, sample_rate // RAMP_SECONDS_DIVISOR)
    for span in spans:
        start, end = max(first, span.start), min(first + count, span.end)
        if start >= end:
            continue
        at = np.arange(start, end, dtype=np.float64)
        rise = np.minimum((at - span.start + 0.5) / ramp, (span.end - at - 0.5) / ramp)
        part = mask[start - first : end - first]
        np.maximum(part, np.clip(rise, 0.0, 1.0), out=part)
    return mask


def split_characters(
    dialogue: Grid, masks: Mapping[str, NDArray[np.float64]]
) -> tuple[dict[str, Grid], Grid]:
    """One track's dialogue on the grid as a stem for each character, and the rest.

    Returns the characters' grids and what remains; together they sum to `dialogue` exactly.
    """
    stems = {
        name: np.rint(dialogue * mask[:, None]).astype(np.int64) for name, mask in masks.items()
    }
    return stems, dialogue - sum(stems.values(), np.zeros_like(dialogue))

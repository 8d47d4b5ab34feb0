"""The octaves in which noise is measured and made, and the frames that tones are made of."""

from __future__ import annotations

import itertools
import math

GRAIN_S = 0.34
"""Seconds of the longest grain, and of a frame of the tone: room for hum and its harmonics."""

_OCTAVE_HZ = 31.25


def octaves(size: int, sample_rate: int) -> tuple[slice, ...]:
    """The bins of each octave (31.25 Hz … 16 kHz and on) in an rfft of `size` samples.

    The lowest takes all below it along, the highest all above. They cover every bin once.
    """
    edges = [0]
    edge = _OCTAVE_HZ * math.sqrt(2)
    while edge < sample_rate / 2:
        at = round(edge * size / sample_rate)
        if at > edges[-1]:
            edges.append(at)
        edge *= 2
    edges.append(size // 2 + 1)
    if len(edges) > 2 and edges[-1] - edges[-2] < (edges[-2] - edges[-3]) // 4:
        edges.pop(-2)
    return tuple(slice(a, b) for a, b in itertools.pairwise(edges))


def frame_size(sample_rate: int) -> int:
    """Samples of a frame of tone: a power of two, about GRAIN_S long."""
    return max(64, 1 << round(math.log2(GRAIN_S * sample_rate)))

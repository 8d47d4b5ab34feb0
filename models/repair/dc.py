"""DC: one constant taken off the whole channel, only where the channel clearly stands off zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.repair.patches import Read, Samples, blocks

FEWEST_SECONDS = 3
SAME_SHARE = 0.9
LEAST_PART = 0.5


@dataclass(frozen=True)
class DcOptions:
    """What counts as an offset.

    least_dbfs: an offset below this is left; it is inaudible and costs no headroom.
    """

    least_dbfs: float = -60.0


def find_dc(read: Read, frames: int, sample_rate: int, options: DcOptions) -> float:
    """The offset of a channel of `frames` samples at `sample_rate` Hz, full scale 1.0, or 0.

    It is the median of the means of every second. A true offset is there all the time: nine
    of ten seconds must show at least half of it, or it belongs to some of the sound (a voice
    recorded elsewhere, wind) and stays.
    """
    means = [
        float(sound.mean())
        for _, sound in blocks(read, frames, sample_rate)
        if len(sound) == sample_rate
    ]
    if len(means) < FEWEST_SECONDS:
        return 0.0
    offset = float(np.median(means))
    if abs(offset) < 10 ** (options.least_dbfs / 20):
        return 0.0
    shown = np.mean(np.array(means) / offset >= LEAST_PART)
    return offset if shown >= SAME_SHARE else 0.0


def without_dc(read: Read, frames: int, offset: float) -> Read:
    """A reader of a channel of `frames` samples less its offset; zeros outside the channel."""

    def read_centred(start: int, count: int) -> Samples:
        sound = read(start, count).copy()
        low, high = max(0, -start), min(count, frames - start)
        if low < high:
            sound[low:high] -= offset
        return sound

    return read_centred

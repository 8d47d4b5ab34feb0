"""The gain that makes a voice as loud after processing as before, whatever happened to the noise.

A gain flatters: the louder of two sounds is preferred. Whole-programme loudness can't match
cleaned speech, because the noise that was taken counts towards it; so only what stands 15 dB
above the noise of the pauses is compared, weighted as in ITU-R BS.1770.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.loudness.weighting import k_weighting

Read = Callable[[int, int], NDArray[np.float64]]
"""read(start, n): n mono samples from `start`, zeros outside the channel."""

Span = tuple[int, int]

_FRAME_S = 0.032
_BATCH = 500
_CLEAR_RATIO = 10.0**1.5
_SILENCE = 1e-20
_FEWEST_CELLS = 50


def match_db(
    raw: Read,
    clean: Read,
    speech: Sequence[Span],
    pauses: Sequence[Span],
    sample_rate: int,
) -> float | None:
    """The gain in dB for `clean` that gives its speech the loudness that it has in `raw`.

    speech, pauses: spans in samples. Read in blocks. None where too little speech stands clear
    of the noise to tell.
    """
    size = round(_FRAME_S * sample_rate / 2) * 2
    noise, frames = np.zeros(size // 2 + 1), 0
    for power in _powers(raw, pauses, size):
        noise += power.sum(axis=0)
        frames += len(power)
    floor = np.maximum(_CLEAR_RATIO * noise / max(1, frames), _SILENCE)
    weight = _weights(size, sample_rate)
    before = after = 0.0
    cells = 0
    for raw_power, clean_power in zip(
        _powers(raw, speech, size), _powers(clean, speech, size), strict=True
    ):
        clear = (raw_power > floor) & (weight > 0)
        before += float((raw_power * weight)[clear].sum())
        after += float((clean_power * weight)[clear].sum())
        cells += int(np.sum(clear))
    if cells < _FEWEST_CELLS or before <= _SILENCE or after <= _SILENCE:
        return None
    return float(10 * np.log10(before / after))


def _powers(read: Read, spans: Sequence[Span], size: int) -> Iterator[NDArray[np.float64]]:
    """Power of half-overlapping Hann windows inside the spans, in batches (frames, bins)."""
    hop, window = size // 2, np.hanning(size + 1)[:-1]
    for start, end in spans:
        count = (end - start - size) // hop + 1
        for first in range(0, count, _BATCH):
            many = min(_BATCH, count - first)
            sound = read(start + first * hop, (many + 1) * hop)
            framed = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
            spectra = np.fft.rfft(framed * window, axis=1)
            yield np.square(spectra.real) + np.square(spectra.imag)


def _weights(size: int, sample_rate: int) -> NDArray[np.float64]:
    """K-weighting of each bin's power."""
    b, a = k_weighting(sample_rate)
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.polyval(b[::-1], z) / np.polyval(a[::-1], z)
    return np.asarray(np.abs(response) ** 2, np.float64)

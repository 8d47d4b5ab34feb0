"""Thinned-out sound is that of a plain filter, for any lengths."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.repair.decimate import decimated


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(0, 3_000),
    taps=st.integers(1, 400),
    step=st.integers(1, 40),
)
def test_every_nth_value_of_a_convolution(length: int, taps: int, step: int) -> None:
    random = np.random.default_rng(length)
    sound, filtering = random.standard_normal(length), random.standard_normal(taps)
    found = decimated(sound, filtering, step)
    if length < taps:
        assert len(found) == 0
        return
    assert np.allclose(found, np.convolve(sound, filtering, "valid")[::step], atol=1e-9)


def test_a_long_sound_is_the_same_in_many_portions() -> None:
    sound = np.random.default_rng(1).standard_normal(200_000)
    found = decimated(sound, np.hanning(33), 2)
    assert np.allclose(found, np.convolve(sound, np.hanning(33), "valid")[::2], atol=1e-9)

"""The background next to a cut is measured where it is heard, without what rises from it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from models.background import FAR_S, background_next_to
from models.octaves import frame_size, octaves

RATE = 48_000


def hiss(seconds: float, seed: int, rms: float = 0.01, rate: int = RATE) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.asarray(rms * rng.standard_normal((round(seconds * rate), 1)), np.float64)


def decibels(level: NDArray[np.float64] | None, rate: int = RATE) -> NDArray[np.float64]:
    """dB of each octave over white noise of full scale."""
    assert level is not None
    size = frame_size(rate)
    share = np.array([band.stop - band.start for band in octaves(size, rate)]) / (size // 2 + 1)
    return np.asarray(10 * np.log10(level / share), np.float64)


def words(sound: NDArray[np.float64], *spans: tuple[float, float]) -> list[tuple[int, int]]:
    """Talk, as a buzz of 150 Hz that is far above the noise, laid over a sound; where it is."""
    t = np.arange(len(sound)) / RATE
    buzz = 0.2 * sosfilt(butter(1, 3000, fs=RATE, output="sos"), np.sign(np.sin(300 * np.pi * t)))
    found = [(round(a * RATE), round(b * RATE)) for a, b in spans]
    for start, end in found:
        sound[start:end, 0] += buzz[start:end]
    return found


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
def test_steady_noise_is_measured_as_it_is(rate: int) -> None:
    found = background_next_to(hiss(4, 1, rate=rate), rate, (), at_end=True)
    assert found is not None
    assert np.isinf(found.most).all()
    np.testing.assert_allclose(decibels(found.level, rate)[3:], -40.0, atol=1.0)
    np.testing.assert_allclose(decibels(found.level, rate)[1:3], -40.0, atol=3.0)


@pytest.mark.parametrize("at_end", [True, False])
def test_what_lies_next_to_the_cut_counts(at_end: bool) -> None:
    near, far = hiss(1, 2, 0.01), hiss(4, 3, 0.04)
    sound = np.concatenate([far, near] if at_end else [near, far])
    found = background_next_to(sound, RATE, (), at_end=at_end)
    assert found is not None
    np.testing.assert_allclose(decibels(found.level)[4:], -40.0, atol=1.0)


def test_words_and_bursts_do_not_count() -> None:
    sound = hiss(4, 4)
    spoken = words(sound, (0.5, 2.0), (2.9, 3.6))
    sound[round(3.7 * RATE) : round(3.8 * RATE)] += hiss(0.1, 5, 0.2)
    for known in (spoken, spoken[:1]):
        found = background_next_to(sound, RATE, known, at_end=True)
        assert found is not None
        np.testing.assert_allclose(decibels(found.level)[4:], -40.0, atol=1.0)


def test_under_speech_up_to_the_cut_the_background_is_bounded() -> None:
    loud, soft = hiss(3, 6, 0.05), hiss(2, 7, 0.005)
    sound = np.concatenate([loud, soft])
    spoken = words(sound, *((3 + k * 0.25, 3.1 + k * 0.25) for k in range(8)))
    found = background_next_to(sound, RATE, [(spoken[0][0], spoken[-1][1] + 9_000)], at_end=True)
    assert found is not None
    # Alone it is heard 2 s earlier only, louder; between the words it shows through.
    assert decibels(found.level)[6] == pytest.approx(-26.0, abs=1.5)
    assert decibels(found.most)[8] == pytest.approx(-46.0 + 2.0, abs=2.5)


def test_speech_alone_gives_no_level_but_a_bound() -> None:
    sound = hiss(2, 8)
    words(sound, (0.0, 2.0))
    found = background_next_to(sound, RATE, [(0, 2 * RATE)], at_end=False)
    assert found is not None
    assert found.level is None
    assert np.isfinite(found.most).all()


def test_what_is_too_short_or_silent_gives_nothing() -> None:
    assert background_next_to(hiss(0.2, 9), RATE, (), at_end=True) is None
    assert background_next_to(hiss(0, 9), RATE, (), at_end=True) is None
    assert background_next_to(np.zeros((2 * RATE, 2)), RATE, (), at_end=False) is None
    assert FAR_S > 1

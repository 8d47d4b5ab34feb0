"""The limiter holds its ceiling by another meter, and leaves everything below it alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from yardstick import libebur128

from models.limiter import Limiter, LimiterOptions

Floats = NDArray[np.float64]
RATE = 48_000
LINE = Path(__file__).resolve().parents[1] / "config" / "demo" / "lines" / "anna-1-a.flac"


def limited(
    sound: Floats, ceiling: float = -1.0, rate: int = RATE, block: int = 10_007
) -> tuple[Floats, Limiter]:
    limiter = Limiter(rate, sound.shape[1], LimiterOptions(ceiling))
    parts = [limiter.add(sound[at : at + block]) for at in range(0, len(sound), block)]
    return np.concatenate([*parts, limiter.finish()]), limiter


def line(gain_db: float) -> tuple[Floats, int]:
    """A spoken line whose peak is at so many dBFS."""
    sound, rate = soundfile.read(LINE)
    return sound[:, None] * (10 ** (gain_db / 20) / np.max(np.abs(sound))), rate


def hot(kind: str) -> Floats:
    random = np.random.default_rng(5)
    at = np.arange(2 * RATE)
    if kind == "noise":
        return random.standard_normal((len(at), 2)) * 0.5
    if kind == "at the Nyquist frequency":
        return (random.standard_normal(len(at)) * np.cos(np.pi * at) * 0.4)[:, None]
    if kind == "square":
        return np.sign(np.sin(2 * np.pi * 333 * at / RATE))[:, None] * 0.9
    if kind == "between the samples":
        return 1.3 * np.sin(np.pi / 2 * at + np.pi / 4)[:, None]
    clicks = np.where(random.random(len(at)) < 0.0005, random.standard_normal(len(at)), 0.0)
    return 3 * clicks[:, None]


@pytest.mark.parametrize("ceiling", [-1.0, -2.0])
@pytest.mark.parametrize(
    "kind", ["noise", "at the Nyquist frequency", "square", "between the samples", "clicks"]
)
def test_the_ceiling_holds_by_libebur128(kind: str, ceiling: float) -> None:
    sound = hot(kind)
    assert libebur128(sound, RATE)[1] > ceiling + 1.5
    out, _ = limited(sound, ceiling)
    assert len(out) == len(sound)
    written = np.rint(out * 2**23) / 2**23
    assert libebur128(written, RATE)[1] <= ceiling


@pytest.mark.parametrize("rate", [44_100, 96_000, 192_000])
def test_the_ceiling_holds_at_other_rates(rate: int) -> None:
    sound = np.random.default_rng(rate).standard_normal((rate, 1)) * 0.4
    assert libebur128(limited(sound, rate=rate)[0], rate)[1] <= -1.0


def test_speech_driven_far_over_holds_the_ceiling_and_keeps_its_words_apart() -> None:
    sound, rate = line(12.0)
    out, limiter = limited(sound, rate=rate)
    assert libebur128(out, rate)[1] <= -1.0
    assert 12.5 < limiter.deepest_db < 15.0
    # What is quiet and far from a peak is as loud as it was.
    reach = np.convolve(np.abs(sound[:, 0]) > 0.5, np.ones(rate), mode="same") > 0.5
    assert np.array_equal(out[~reach], sound[~reach])


def test_what_stays_below_the_ceiling_is_the_same_to_the_bit() -> None:
    sound, rate = line(-3.0)
    out, limiter = limited(sound, rate=rate)
    assert np.array_equal(out, sound)
    assert limiter.deepest_db == 0.0


def test_a_peak_changes_nothing_but_its_surroundings() -> None:
    sound = np.random.default_rng(1).uniform(-0.2, 0.2, (4 * RATE, 1))
    sound[2 * RATE] = 1.5
    out, _ = limited(sound)
    changed = np.flatnonzero(np.any(out != sound, axis=1))
    # The look-ahead before it; after it the release, down to a thousandth of a dB.
    assert 2 * RATE - 0.006 * RATE < changed[0] < 2 * RATE < changed[-1] < 3 * RATE


def test_there_is_no_lag_and_both_channels_share_one_gain() -> None:
    sound = np.random.default_rng(2).uniform(-0.3, 0.3, (RATE, 2))
    sound[RATE // 2, 0] = 2.0
    out, _ = limited(sound)
    gain = out / sound
    assert np.allclose(gain[:, 0], gain[:, 1], rtol=1e-12, atol=0)
    assert int(np.argmin(gain[:, 0])) == pytest.approx(RATE // 2, abs=1)


def test_the_gain_moves_smoothly() -> None:
    sound = np.full((RATE, 1), 0.1)
    sound[RATE // 2] = 2.0
    out, _ = limited(sound)
    gain_db = 20 * np.log10(np.delete(out / sound, RATE // 2))
    # 7.07 dB down within 5 ms: a Hann window's steepest point is twice its mean slope.
    assert np.max(np.abs(np.diff(gain_db))) < 2.2 * 7.07 / (0.005 * RATE)
    assert np.min(gain_db) < -7.0


def test_a_steady_tone_is_turned_down_without_distortion() -> None:
    tone = 2 * np.sin(2 * np.pi * 200 * np.arange(2 * RATE) / RATE)[:, None]
    out = limited(tone)[0][RATE // 2 : RATE // 2 + RATE, 0]
    spectrum = np.abs(np.fft.rfft(out * np.blackman(RATE))) ** 2
    own = np.sum(spectrum[196:205])
    assert 10 * np.log10((np.sum(spectrum) - own) / own) < -100


HOT = np.random.default_rng(9).standard_normal((50_000, 2)) * 0.4
WHOLE = limited(HOT, block=len(HOT))[0]


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 50_000), max_size=8))
def test_any_blocks_give_the_same_samples(cuts: list[int]) -> None:
    limiter = Limiter(RATE, 2, LimiterOptions())
    parts = [limiter.add(block) for block in np.split(HOT, sorted(cuts))]
    assert np.array_equal(np.concatenate([*parts, limiter.finish()]), WHOLE)


@pytest.mark.parametrize("frames", [0, 1, 200, 16_384, 40_000])
def test_every_length_comes_back(frames: int) -> None:
    assert len(limited(HOT[:frames])[0]) == frames

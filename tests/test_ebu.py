"""The meter reads the signals of EBU Tech 3341 and 3342 (2023) within their tolerances.

Signals, readings and tolerances follow the documents' tables. Cases 20 to 23 of Tech 3341 are
recordings: what stands for them is made as they were, at 192 kHz with a peak that is known, and
brought to 48 kHz at four offsets. Cases 7 and 8 of Tech 3341 and 5 and 6 of Tech 3342 are programme
excerpts and can't be made here.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.loudness import LoudnessMeter
from models.loudness.weighting import k_weighting

Floats = NDArray[np.float64]
RATE = 48_000
QUIET = -200.0


def tones(*parts: tuple[float, float], rate: int = RATE) -> Floats:
    """A sine of 1 kHz in both channels, in parts of (dBFS, seconds)."""
    gain = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for db, s in parts])
    sine = gain * np.sin(2 * np.pi * 1000 * np.arange(len(gain)) / rate)
    return np.stack([sine, sine], axis=1)


def metered(sound: Floats, rate: int = RATE, block: int = 50_021) -> LoudnessMeter:
    meter = LoudnessMeter(rate, sound.shape[1])
    for start in range(0, len(sound), block):
        meter.add(sound[start : start + block])
    return meter


def near(lufs: float) -> object:
    return pytest.approx(lufs, abs=0.1)


def test_k_weighting_has_the_coefficients_of_bs_1770_at_48_khz() -> None:
    # BS.1770-5, annex 1, tables 1 and 2.
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285]
    shelf_poles = [1.0, -1.69065929318241, 0.73248077421585]
    high_pass_poles = [1.0, -1.99004745483398, 0.99007225036621]
    b, a = k_weighting(RATE)
    assert b == pytest.approx(np.convolve(shelf, [1.0, -2.0, 1.0]), abs=1e-9)
    assert a == pytest.approx(np.convolve(shelf_poles, high_pass_poles), abs=1e-9)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("level", [-23.0, -33.0], ids=["case 1", "case 2"])
def test_a_steady_tone_reads_alike_on_every_scale(level: float, rate: int) -> None:
    meter = metered(tones((level, 20), rate=rate), rate)
    assert meter.integrated() == near(level)
    for curve in (meter.momentary()[10:], meter.short_term()):
        assert np.max(np.abs(curve - level)) <= 0.1
    assert meter.max_momentary() == near(level)
    assert meter.max_short_term() == near(level)


@pytest.mark.parametrize(
    "parts",
    [
        ((-36, 10), (-23, 60), (-36, 10)),
        ((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)),
        ((-26, 20), (-20, 20.1), (-26, 20)),
    ],
    ids=["case 3", "case 4", "case 5"],
)
def test_the_gates_of_integrated_loudness(parts: tuple[tuple[float, float], ...]) -> None:
    assert metered(tones(*parts)).integrated() == near(-23.0)


def test_the_surround_channels_of_case_6_count_more_and_the_lfe_not_at_all() -> None:
    sine = np.sin(2 * np.pi * 1000 * np.arange(20 * RATE) / RATE)[:, None]
    five = sine * 10 ** (np.array([-28, -28, -24, -30, -30]) / 20)
    assert metered(five).integrated() == near(-23.0)
    assert metered(np.insert(five, 3, sine[:, 0], axis=1)).integrated() == near(-23.0)


def test_short_term_loudness_is_steady_in_case_9() -> None:
    short_term = metered(tones(*((-20, 1.34), (-30, 1.66)) * 5)).short_term()
    assert len(short_term) == 121
    assert np.max(np.abs(short_term + 23)) <= 0.1


@pytest.mark.parametrize("i", range(20))
def test_the_maximum_of_short_term_loudness_in_case_10(i: int) -> None:
    parts = [(-23.0, 3.0), (QUIET, 1.0)]
    sound = tones(*([(QUIET, i * 0.15)] if i else []), *parts)
    assert metered(sound).max_short_term() == near(-23.0)


def test_the_successive_maxima_of_short_term_loudness_in_case_11() -> None:
    meter = LoudnessMeter(RATE, 2)
    for i in range(20):
        silence = (QUIET, i * 0.15), (QUIET, 3 - i * 0.15)
        meter.add(tones(silence[0], (-38.0 + i, 3.0), silence[1]))
        assert meter.max_short_term() == near(-38.0 + i)


def test_momentary_loudness_is_steady_in_case_12() -> None:
    momentary = metered(tones(*((-20, 0.18), (-30, 0.22)) * 25)).momentary()
    assert np.max(np.abs(momentary[6:] + 23)) <= 0.1


@pytest.mark.parametrize("i", range(20))
def test_the_maximum_of_momentary_loudness_in_case_13(i: int) -> None:
    parts = [(-23.0, 0.4), (QUIET, 1.0)]
    sound = tones(*([(QUIET, i * 0.02)] if i else []), *parts)
    assert metered(sound).max_momentary() == near(-23.0)


def test_the_successive_maxima_of_momentary_loudness_in_case_14() -> None:
    meter = LoudnessMeter(RATE, 2)
    for i in range(20):
        silence = (QUIET, i * 0.02), (QUIET, 0.4 - i * 0.02)
        meter.add(tones(silence[0], (-38.0 + i, 0.4), silence[1]))
        assert meter.max_momentary() == near(-38.0 + i)


def faded(sound: Floats) -> Floats:
    """Without the overshoot of a sine that starts in the middle of a period."""
    ramp = np.minimum(1.0, np.arange(len(sound)) / 2_000)
    return sound * ramp * ramp[::-1]


@pytest.mark.parametrize(
    ("divisor", "phase", "amplitude", "dbtp"),
    [
        (4, 0.0, 0.5, -6),
        (4, 45.0, 0.5, -6),
        (6, 60.0, 0.5, -6),
        (8, 67.5, 0.5, -6),
        (4, 45.0, 1.41, 3),
    ],
    ids=["case 15", "case 16", "case 17", "case 18", "case 19"],
)
def test_the_true_peak_of_a_tone(divisor: int, phase: float, amplitude: float, dbtp: float) -> None:
    angle = 2 * np.pi * np.arange(RATE) / divisor + np.deg2rad(phase)
    peak = metered(faded(amplitude * np.sin(angle))[:, None]).true_peak()
    assert dbtp - 0.4 <= peak <= dbtp + 0.2


@pytest.fixture(scope="module")
def burst() -> Floats:
    """At 192 kHz: a sine of fs/6 at half scale, one period of it at full scale.

    Band-limited to half of 48 kHz, and its peak brought to 0 dBTP.
    """
    at = np.arange(-19_200, 19_200)
    sine = np.sin(2 * np.pi * at / 24) * np.where((at >= 0) & (at < 24), 1.0, 0.5)
    sine *= np.hanning(len(at)) ** 0.1
    spectrum = np.fft.rfft(sine)
    hertz = np.fft.rfftfreq(len(at), 1 / (4 * RATE))
    spectrum *= np.interp(hertz, [20_000, 23_500], [1.0, 0.0])
    limited = np.fft.irfft(spectrum)
    fine = np.fft.irfft(np.concatenate([spectrum, np.zeros(7 * (len(at) // 2))]), 8 * len(at)) * 8
    return limited / float(np.max(np.abs(fine)))


@pytest.mark.parametrize("offset", range(4), ids=["case 20", "case 21", "case 22", "case 23"])
def test_a_peak_between_the_samples_is_found_wherever_it_lies(burst: Floats, offset: int) -> None:
    sound = burst[offset::4][:, None]
    assert -0.4 <= metered(sound).true_peak() <= 0.2


@pytest.mark.parametrize(
    ("parts", "lu"),
    [
        (((-20, 20), (-30, 20)), 10),
        (((-20, 20), (-15, 20)), 5),
        (((-40, 20), (-20, 20)), 20),
        (((-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)), 15),
    ],
    ids=["case 1", "case 2", "case 3", "case 4"],
)
def test_the_loudness_range_of_tech_3342(parts: tuple[tuple[float, float], ...], lu: float) -> None:
    assert metered(tones(*parts)).loudness_range() == pytest.approx(lu, abs=1.0)

"""Loudness and true peak agree with libebur128 and with EBU Tech 3341."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from yardstick import libebur128

from config.deliveries import delivery_names, load_delivery
from core.errors import UsageError
from models.loudness import LoudnessMeter, programme_gain

Floats = NDArray[np.float64]
RATE = 48_000


def meter_of(sound: Floats, rate: int = RATE, block: int = 10_007) -> LoudnessMeter:
    meter = LoudnessMeter(rate, 1 if sound.ndim == 1 else sound.shape[1])
    for start in range(0, len(sound), block):
        meter.add(sound[start : start + block])
    return meter


def measured(sound: Floats, rate: int = RATE, block: int = 10_007) -> tuple[float, float]:
    meter = meter_of(sound, rate, block)
    return meter.integrated(), meter.true_peak()


def steady(lufs: float) -> Callable[[float], float]:
    """The loudness of a programme far above the gate."""
    return lambda gain_db: lufs + gain_db


def stereo(*parts: tuple[float, float]) -> Floats:
    """A 1 kHz sine in both channels, in parts of (peak dBFS, seconds)."""
    gains = [np.full(round(seconds * RATE), 10 ** (db / 20)) for db, seconds in parts]
    gain = np.concatenate(gains)
    sine = np.sin(2 * np.pi * 1000 * np.arange(len(gain)) / RATE)
    return np.stack([gain * sine] * 2, axis=1)


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        (((-23, 20),), -23),
        (((-33, 20),), -33),
        (((-36, 10), (-23, 60), (-36, 10)), -23),
        (((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23),
        (((-26, 20), (-20, 20.1), (-26, 20)), -23),
    ],
    ids=["case 1", "case 2", "case 3", "case 4", "case 5"],
)
def test_integrated_loudness_of_tech_3341(
    parts: tuple[tuple[float, float], ...], lufs: float
) -> None:
    assert measured(stereo(*parts), block=100_003)[0] == pytest.approx(lufs, abs=0.1)


def test_the_surround_channels_of_tech_3341_case_6() -> None:
    sine = np.sin(2 * np.pi * 1000 * np.arange(20 * RATE) / RATE)
    gains = 10 ** (np.array([-28, -28, -24, -30, -30]) / 20)
    assert measured(sine[:, None] * gains)[0] == pytest.approx(-23, abs=0.1)
    with_lfe = np.insert(sine[:, None] * gains, 3, sine, axis=1)
    assert measured(with_lfe)[0] == pytest.approx(-23, abs=0.1)


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
def test_true_peak_of_tech_3341(divisor: int, phase: float, amplitude: float, dbtp: float) -> None:
    angle = 2 * np.pi * np.arange(RATE) / divisor + np.deg2rad(phase)
    # Faded in and out: a sine that starts in the middle of a period has overshoots of its own.
    sound = amplitude * np.sin(angle) * np.minimum(1, np.hanning(RATE) * 8)
    peak = measured(sound)[1]
    assert dbtp - 0.4 <= peak <= dbtp + 0.2


@pytest.mark.parametrize("offset", [0, 1, 2, 3], ids=["case 20", "case 21", "case 22", "case 23"])
def test_a_peak_between_the_samples_of_tech_3341_is_found(offset: int) -> None:
    # At 192 kHz the peak is exactly full scale; each offset puts it elsewhere between samples.
    at = np.arange(40_000) - 20_000
    fine = (0.5 + 0.5 * np.exp(-((at / 300) ** 2))) * np.cos(2 * np.pi * at / 16)
    sound = soxr.resample(fine[offset:], 4 * RATE, RATE, quality="VHQ")[500:-500]
    assert -0.4 <= measured(sound)[1] <= 0.2


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_noise_at_any_rate_reads_as_in_libebur128(rate: int, channels: int) -> None:
    random = np.random.default_rng(rate + channels)
    envelope = np.repeat(random.uniform(0.001, 0.2, 12), rate // 3)[:, None]
    sound = random.standard_normal((len(envelope), channels)) * envelope
    lufs, dbtp = measured(sound, rate)
    expected, peak = libebur128(sound, rate)
    assert lufs == pytest.approx(expected, abs=0.01)
    # White noise up to the Nyquist frequency is where two interpolators differ most.
    assert dbtp == pytest.approx(peak, abs=0.5)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["12A-T01", "14-T04", "27B-T01"])
def test_real_takes_read_as_in_libebur128(harbour: Path, name: str) -> None:
    sound, rate = soundfile.read(harbour / "sound" / f"{name}.wav")
    lufs, dbtp = measured(sound[:, :2], rate, block=65_536)
    expected, peak = libebur128(sound[:, :2], rate)
    assert lufs == pytest.approx(expected, abs=0.01)
    assert dbtp == pytest.approx(peak, abs=0.1)


SAMPLE = np.random.default_rng(9).standard_normal((30_000, 2)) * 0.1


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=12))
def test_the_blocks_do_not_matter(cuts: list[int]) -> None:
    meter = LoudnessMeter(RATE, 2)
    for block in np.split(SAMPLE, sorted(cuts)):
        meter.add(block)
    lufs, dbtp = measured(SAMPLE, block=len(SAMPLE))
    assert meter.integrated() == pytest.approx(lufs, abs=1e-9)
    assert meter.true_peak() == pytest.approx(dbtp, abs=1e-9)


def test_silence_and_short_sound_are_minus_infinity_not_an_error() -> None:
    assert measured(np.zeros(RATE)) == (-math.inf, -math.inf)
    assert LoudnessMeter(RATE, 2).integrated() == -math.inf
    assert LoudnessMeter(RATE, 2).true_peak() == -math.inf
    lufs, dbtp = measured(np.full(1_000, 0.5))
    assert lufs == -math.inf
    assert dbtp > -6.1
    spoiled = np.full(RATE, 0.1)
    spoiled[5] = np.nan
    assert math.isfinite(measured(spoiled)[0])


def test_a_layout_without_a_loudness_is_refused() -> None:
    with pytest.raises(UsageError, match="1 to 6 channels"):
        LoudnessMeter(RATE, 7)
    with pytest.raises(UsageError, match="set up for 2 channels and given 1"):
        LoudnessMeter(RATE, 2).add(np.zeros(10))


def test_one_gain_brings_a_programme_to_its_delivery() -> None:
    sound = stereo((-30, 5))
    spec = load_delivery("r128")
    decision = programme_gain(meter_of(sound).integrated, measured(sound)[1], spec)
    assert not decision.limited_by_peak
    assert measured(sound * 10 ** (decision.gain_db / 20))[0] == pytest.approx(-23, abs=0.1)


def test_a_quiet_programme_reaches_its_delivery_past_the_absolute_gate() -> None:
    # Most of it lies under -70 LUFS, where the meter does not look until it is raised.
    sound = np.concatenate([stereo((-62, 4)), stereo((-74, 20))])
    decision = programme_gain(meter_of(sound).integrated, -50.0, load_delivery("r128"))
    raised = sound * 10 ** (decision.gain_db / 20)
    assert libebur128(raised, RATE)[0] == pytest.approx(-23, abs=0.1)
    assert decision.delivered_lufs == pytest.approx(libebur128(raised, RATE)[0], abs=0.05)


def test_the_gain_is_lowered_where_the_true_peak_would_pass_the_ceiling() -> None:
    decision = programme_gain(steady(-35.0), -8.0, load_delivery("netflix"))
    assert decision.limited_by_peak
    assert decision.gain_db == pytest.approx(6.0)
    assert "2.0 LU below" in decision.reason
    exact = programme_gain(steady(-33.0), -8.0, load_delivery("netflix"))
    assert (exact.gain_db, exact.limited_by_peak) == (pytest.approx(6.0), False)
    hot = programme_gain(steady(-23.0), 0.5, load_delivery("r128"))
    assert hot.gain_db == pytest.approx(-1.5)


def test_none_and_silence_get_no_gain() -> None:
    assert programme_gain(steady(-12.0), 3.0, load_delivery("none")).gain_db == 0.0
    assert programme_gain(steady(-math.inf), -math.inf, load_delivery("r128")).gain_db == 0.0


def test_the_specifications_are_those_of_their_documents() -> None:
    assert delivery_names() == ("atsc-a85", "netflix", "none", "r128")
    targets = {n: load_delivery(n).integrated_lufs for n in delivery_names()}
    peaks = {n: load_delivery(n).true_peak_dbtp for n in delivery_names()}
    assert targets == {"atsc-a85": -24.0, "netflix": -27.0, "none": None, "r128": -23.0}
    assert peaks == {"atsc-a85": -2.0, "netflix": -2.0, "none": None, "r128": -1.0}
    assert all(load_delivery(n).source and load_delivery(n).date for n in delivery_names())
    with pytest.raises(UsageError, match="atsc-a85, netflix, none, r128"):
        load_delivery("cinema")

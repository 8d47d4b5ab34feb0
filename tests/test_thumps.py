"""Thumps are turned down below the voice, rustle is told; speech is neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import butter, sosfilt
from test_clicks import reader
from test_rumble import talk

from core.errors import UsageError
from models.repair.low_levels import low_levels
from models.repair.patches import Samples
from models.repair.rustle import RustleOptions, find_rustle
from models.repair.thumps import ThumpOptions, find_thumps, without_thumps

RATE = 48_000


def thump(rate: int, seconds: float, height: float) -> Samples:
    count = round(rate * seconds)
    swing = np.sin(2 * np.pi * 45 * np.arange(count) / rate)
    return np.asarray(height * swing * np.hanning(count))


def cloth(rate: int, seconds: float, height: float) -> Samples:
    """Scratches of a millisecond at random times and of very unequal strength, 1 to 8 kHz."""
    rng = np.random.default_rng(8)
    count = round(rate * seconds)
    strength = np.zeros(count)
    at = rng.integers(0, count, round(120 * seconds))
    strength[at] = np.exp(rng.standard_normal(len(at)))
    decay = np.exp(-np.arange(rate // 300) / (0.0007 * rate))
    sound = np.convolve(strength, decay)[:count] * rng.standard_normal(count)
    sound = sosfilt(butter(4, [1_000, 8_000], "band", fs=rate, output="sos"), sound)
    return np.asarray(height * sound / sound.std())


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_a_thump_is_turned_down_and_nothing_else_changes(rate: int) -> None:
    clean = talk(rate, 9)
    sound = clean.copy()
    start, count = round(2.4 * rate), round(0.15 * rate)
    sound[start : start + count] += thump(rate, 0.15, 0.4)
    levels = low_levels(reader(sound), len(sound), rate)
    cuts, defects = find_thumps(levels, len(sound), rate, ThumpOptions())
    assert len(cuts) == len(defects) == 1
    after = without_thumps(reader(sound), len(sound), rate, cuts)(0, len(sound))
    assert np.sum((after - clean) ** 2) < 0.1 * np.sum((sound - clean) ** 2)
    outside = np.ones(len(sound), bool)
    outside[cuts[0].start : cuts[0].end] = False
    assert np.array_equal(after[outside], sound[outside])
    assert start - 0.1 * rate < cuts[0].start <= start + count // 4
    assert cuts[0].end < start + count + 0.1 * rate


def test_the_consonant_that_comes_with_a_thump_stays() -> None:
    sound = np.random.default_rng(0).standard_normal(4 * RATE) * 1e-4
    sound += talk(RATE, 4) * (np.arange(4 * RATE) < 2 * RATE)
    hiss = sosfilt(butter(4, 400, "high", fs=RATE, output="sos"), sound * 0 + 1e-2)
    hiss = 0.02 * np.random.default_rng(1).standard_normal(RATE // 10) + hiss[: RATE // 10]
    consonant = np.zeros(len(sound))
    consonant[3 * RATE : 3 * RATE + len(hiss)] = hiss * np.hanning(len(hiss))
    consonant = sosfilt(butter(4, 400, "high", fs=RATE, output="sos"), consonant)
    sound += consonant
    sound[3 * RATE : 3 * RATE + RATE // 10] += thump(RATE, 0.1, 0.5)
    levels = low_levels(reader(sound), len(sound), RATE)
    cuts, _ = find_thumps(levels, len(sound), RATE, ThumpOptions())
    assert len(cuts) == 1
    after = without_thumps(reader(sound), len(sound), RATE, cuts)(0, len(sound))
    high = butter(6, 400, "high", fs=RATE, output="sos")
    change = sosfilt(high, after - sound)[3 * RATE - 500 : 3 * RATE + 6_000]
    assert np.sum(change**2) < 0.02 * np.sum(consonant**2)


def test_wind_that_lasts_is_told_and_left() -> None:
    sound = talk(RATE, 9)
    sound[4 * RATE : 5 * RATE] += thump(RATE, 1.0, 0.4)
    levels = low_levels(reader(sound), len(sound), RATE)
    cuts, defects = find_thumps(levels, len(sound), RATE, ThumpOptions())
    assert cuts == ()
    assert "left as it is" in defects[0].note


def test_a_voice_neither_thumps_nor_rustles() -> None:
    sound = talk(RATE, 9)
    levels = low_levels(reader(sound), len(sound), RATE)
    assert find_thumps(levels, len(sound), RATE, ThumpOptions()) == ((), ())
    assert find_rustle(reader(sound), len(sound), RATE, RustleOptions()) == ()


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("at_s", [2.1, 3.4])
def test_rustle_is_told_in_pauses_and_under_speech(rate: int, at_s: float) -> None:
    sound = talk(rate, 9) + 1e-4 * np.random.default_rng(2).standard_normal(9 * rate)
    start = round(at_s * rate)
    sound[start : start + round(0.6 * rate)] += cloth(rate, 0.6, 0.1)
    found = find_rustle(reader(sound), len(sound), rate, RustleOptions())
    assert len(found) >= 1
    for defect in found:
        assert start - 0.15 * rate < defect.start
        assert defect.end < start + 0.75 * rate


def test_steady_noise_of_a_fricative_is_no_rustle() -> None:
    sound = 1e-4 * np.random.default_rng(2).standard_normal(6 * RATE)
    sound[3 * RATE : 4 * RATE] *= 1_000 * np.hanning(RATE)
    assert find_rustle(reader(sound), len(sound), RATE, RustleOptions()) == ()


def test_impossible_options_are_refused() -> None:
    with pytest.raises(UsageError, match="6 dB or more"):
        ThumpOptions(above_around_db=1)
    with pytest.raises(UsageError, match="below 1"):
        RustleOptions(periodic=2)


@pytest.mark.shared
def test_clean_recordings_hold_fewer_than_one_false_thump_or_rustle_a_minute(
    harbour: Path, shared: Path
) -> None:
    files = [
        *sorted((shared / "speech" / "clean48").glob("*.wav")),
        *sorted((shared / "speech" / "transcribed").glob("*.wav")),
        *sorted((harbour / "truth").glob("*.boom-clean.flac")),
    ]
    thumps, rustles, seconds = 0, 0, 0.0
    for file in files:
        sound, rate = sf.read(file, always_2d=True)
        read = reader(sound[:, 0])
        levels = low_levels(read, len(sound), rate)
        thumps += len(find_thumps(levels, len(sound), rate, ThumpOptions())[1])
        rustles += len(find_rustle(read, len(sound), rate, RustleOptions()))
        seconds += len(sound) / rate
    assert seconds > 180
    assert thumps < seconds / 60
    assert rustles < seconds / 60

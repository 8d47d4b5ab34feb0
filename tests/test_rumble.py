"""Rumble below the voice: taken out where it is, at zero lag, and never from clean speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import butter, sosfilt
from test_clicks import reader, voice

from core.errors import UsageError
from models.repair.low_levels import low_levels
from models.repair.lowcut import Cut, envelope, without_low
from models.repair.patches import Samples
from models.repair.rumble import RumbleOptions, find_rumble, without_rumble


def talk(rate: int, seconds: float) -> Samples:
    """A voice without anything below 90 Hz, for two of every three seconds."""
    sound = sosfilt(butter(6, 90, "high", fs=rate, output="sos"), voice(rate, seconds))
    return np.asarray(sound * (np.arange(len(sound)) / rate % 3 < 2))


def wind(rate: int, count: int, height: float) -> Samples:
    noise = np.random.default_rng(4).standard_normal(count)
    noise = sosfilt(butter(4, [6, 22], "band", fs=rate, output="sos"), noise)
    return np.asarray(height * noise / noise.std())


def found_and_cleaned(sound: Samples, rate: int) -> tuple[tuple[Cut, ...], Samples]:
    levels = low_levels(reader(sound), len(sound), rate)
    cuts, defects = find_rumble(levels, len(sound), rate, RumbleOptions())
    assert len(cuts) == len(defects)
    return cuts, without_rumble(reader(sound), len(sound), rate, cuts)(0, len(sound))


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_rumble_goes_and_the_voice_stays(rate: int) -> None:
    clean = talk(rate, 12)
    rumble = wind(rate, len(clean), 0.05)
    cuts, after = found_and_cleaned(clean + rumble, rate)
    assert len(cuts) == 1
    inner = slice(2 * rate, 10 * rate)
    left = after - clean
    assert 10 * np.log10(np.sum(rumble[inner] ** 2) / np.sum(left[inner] ** 2)) > 15
    # A filter that delayed the voice would leave its difference.
    assert np.sum(left[inner] ** 2) < 0.02 * np.sum(clean[inner] ** 2)


def test_where_it_does_not_rumble_the_channel_is_bit_identical() -> None:
    rate = 48_000
    sound = talk(rate, 20)
    sound[10 * rate :] += wind(rate, 10 * rate, 0.05)
    cuts, after = found_and_cleaned(sound, rate)
    assert len(cuts) == 1
    assert np.array_equal(after[: 9 * rate], sound[: 9 * rate])
    assert not np.array_equal(after[12 * rate :], sound[12 * rate :])
    assert np.abs(np.diff(after - sound)).max() < 0.001


def test_a_clean_voice_does_not_rumble() -> None:
    sound = talk(48_000, 8)
    assert found_and_cleaned(sound, 48_000)[0] == ()


def test_any_block_is_the_same_bytes_and_nothing_is_outside_the_channel() -> None:
    rate = 48_000
    sound = talk(rate, 6) + wind(rate, 6 * rate, 0.05)
    cuts = (Cut(1_000, 100_000, 4_000, 1.0), Cut(150_000, 6 * rate, 100, 0.7))
    read = without_low(reader(sound), len(sound), rate, cuts, 32.0, 16.0)
    whole = read(0, len(sound))
    parts = [read(start, 7_001) for start in range(0, len(sound), 7_001)]
    assert np.array_equal(np.concatenate(parts)[: len(sound)], whole)
    assert np.array_equal(read(-500, 500), np.zeros(500))
    assert np.array_equal(whole[:1_000], sound[:1_000])
    assert np.array_equal(whole[100_000:150_000], sound[100_000:150_000])


def test_an_envelope_rises_and_falls_within_its_fades() -> None:
    depth = envelope((Cut(100, 300, 50, 0.5),), 0, 400)
    assert not depth[:100].any()
    assert not depth[300:].any()
    assert depth[150:250] == pytest.approx(0.5)
    assert np.all(np.diff(depth[100:150]) > 0)


def test_impossible_options_are_refused() -> None:
    with pytest.raises(UsageError, match="-20 to 40 dB"):
        RumbleOptions(under_voice_db=60)


@pytest.mark.shared
def test_clean_recordings_do_not_rumble(harbour: Path, shared: Path) -> None:
    files = [
        *sorted((shared / "speech" / "clean48").glob("*.wav")),
        *sorted((shared / "speech" / "transcribed").glob("*.wav")),
        *sorted((harbour / "truth").glob("*.boom-clean.flac")),
    ]
    for file in files:
        sound, rate = sf.read(file, always_2d=True)
        levels = low_levels(reader(sound[:, 0]), len(sound), rate)
        assert find_rumble(levels, len(sound), rate, RumbleOptions()) == ((), ())

"""Hum: found where it is mains hum, taken out at its harmonics, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from test_clicks import reader, voice

from core.errors import UsageError
from models.repair.hum import Hum, HumOptions, find_hum, hum_defects, without_hum
from models.repair.patches import Samples


def mains(rate: int, count: int, hz: float, drift: float = 0.0, height: float = 0.01) -> Samples:
    """Six harmonics that fall by 1/k; the frequency swings by ±drift Hz in 40 s."""
    time = np.arange(count) / rate
    phase = 2 * np.pi * np.cumsum(hz + drift * np.sin(2 * np.pi * time / 40)) / rate
    return np.asarray(sum(height / k * np.cos(k * phase + k) for k in range(1, 7)))


def talk(rate: int, seconds: float) -> Samples:
    """Speech-like sound for two of every three seconds, in a little noise."""
    sound = voice(rate, seconds)
    time = np.arange(len(sound)) / rate
    return np.asarray(
        sound * (time % 3 < 2) + 1e-3 * np.random.default_rng(5).standard_normal(len(sound))
    )


def left_of(hum: Samples, before: Samples, after: Samples) -> float:
    """How far the hum was taken down, in dB: what is left of it in the difference."""
    return float(10 * np.log10(np.sum(hum**2) / np.sum((before - after - hum) ** 2)))


@pytest.mark.parametrize(
    ("rate", "hz", "drift"), [(44_100, 50.03, 0.0), (48_000, 59.9, 0.03), (96_000, 50.0, 0.05)]
)
def test_hum_is_tracked_and_subtracted(rate: int, hz: float, drift: float) -> None:
    count = rate * 24
    hum = mains(rate, count, hz, drift)
    sound = talk(rate, 24) + hum
    found = find_hum(reader(sound), count, rate, HumOptions())
    assert found is not None
    cleaned = without_hum(reader(sound), len(sound), found)(0, count)
    assert left_of(hum, sound, cleaned) > 12


def test_a_voice_without_hum_is_no_hum() -> None:
    sound = talk(48_000, 20)
    assert find_hum(reader(sound), len(sound), 48_000, HumOptions()) is None


@pytest.mark.parametrize("hz", [49.25, 60.0, 250.0])
def test_the_single_tone_of_a_machine_is_no_hum(hz: float) -> None:
    time = np.arange(48_000 * 12) / 48_000
    sound = 1e-3 * np.random.default_rng(2).standard_normal(len(time))
    sound += 0.01 * np.sin(2 * np.pi * hz * time)
    assert find_hum(reader(sound), len(sound), 48_000, HumOptions()) is None


def test_before_the_hum_begins_the_channel_is_bit_identical() -> None:
    rate, count, begins = 48_000, 48_000 * 30, 48_000 * 14
    hum = mains(rate, count, 50.0)
    hum[:begins] = 0
    sound = 1e-3 * np.random.default_rng(3).standard_normal(count) + hum
    found = find_hum(reader(sound), count, rate, HumOptions(settle_s=6))
    assert found is not None
    cleaned = without_hum(reader(sound), len(sound), found)(0, count)
    quiet = begins - 2 * rate
    assert np.array_equal(cleaned[:quiet], sound[:quiet])
    later = begins + 2 * rate
    assert left_of(hum[later:], sound[later:], cleaned[later:]) > 12
    assert hum_defects(found, count)[0].start >= quiet


def test_any_block_of_the_cleaned_channel_is_the_same_bytes() -> None:
    amplitudes = np.full((40, 2), 0.01 + 0.002j)
    hum = Hum(50.0, 48_000, 12_000, np.linspace(0, 1, 40), np.array([1, 3]), amplitudes)
    sound = voice(48_000, 9)
    read = without_hum(reader(sound), len(sound), hum)
    whole = read(0, len(sound))
    parts = [read(start, 7_001) for start in range(0, len(sound), 7_001)]
    assert np.array_equal(np.concatenate(parts)[: len(sound)], whole)
    assert not np.array_equal(whole, sound)


def test_impossible_options_are_refused() -> None:
    with pytest.raises(UsageError, match="2 to 120 s"):
        HumOptions(settle_s=0.1)


@pytest.mark.shared
def test_the_hum_of_a_take_goes_and_the_rest_stays(harbour: Path) -> None:
    boom = sf.read(harbour / "sound" / "14-T02.wav")[0][:, 1]
    clean = sf.read(harbour / "truth" / "14-T02.boom-clean.flac")[0]
    found = find_hum(reader(boom), len(boom), 48_000, HumOptions())
    assert found is not None
    assert found.hz == pytest.approx(60, abs=0.02)
    after = without_hum(reader(boom), len(boom), found)(0, len(boom))
    time, window = np.arange(len(boom)) / 48_000, np.hanning(len(boom))

    def line(sound: Samples, hz: float) -> float:
        return float(np.abs(np.sum((sound - clean) * window * np.exp(-2j * np.pi * hz * time))))

    for k in range(1, 9):
        assert 20 * np.log10(line(boom, 60 * k) / line(after, 60 * k)) >= 12
    hz = np.fft.rfftfreq(len(boom), 1 / 48_000)
    away = np.min(np.abs(hz[:, None] - 60 * np.arange(1, 21)), axis=1) > 3
    before_power, after_power = (np.abs(np.fft.rfft(sound)) ** 2 for sound in (boom, after))
    for low, high in ((20, 90), (90, 200), (200, 500), (500, 1200), (1200, 24_000)):
        band = away & (hz >= low) & (hz < high)
        change = 10 * np.log10(after_power[band].sum() / before_power[band].sum())
        assert abs(change) <= 0.1


@pytest.mark.shared
@pytest.mark.parametrize("take", ["12A-T01", "12A-T03", "14-T04", "27B-T01", "27B-T02"])
def test_takes_without_hum_have_none(harbour: Path, take: str) -> None:
    sound = sf.read(harbour / "sound" / f"{take}.wav")[0]
    for channel in range(sound.shape[1]):
        read = reader(sound[:, channel])
        assert find_hum(read, len(sound), 48_000, HumOptions()) is None

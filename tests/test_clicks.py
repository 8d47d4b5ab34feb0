"""Clicks: found where they are, mended where they are, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import lfilter

from core.errors import UsageError
from models.repair.clicks import ClickOptions, find_clicks
from models.repair.patches import Read, Samples, patched
from models.repair.prediction import fill_gaps, prediction_coefficients


def reader(sound: Samples) -> Read:
    def read(start: int, count: int) -> Samples:
        low, high = max(0, start), max(0, min(len(sound), start + count))
        block = np.zeros(count)
        if low < high:
            block[low - start : high - start] = sound[low:high]
        return block

    return read


def voice(rate: int, seconds: float, seed: int = 1) -> Samples:
    """Pulses of a gliding pitch through three formants, with breath: what resembles clicks most."""
    rng = np.random.default_rng(seed)
    count = round(rate * seconds)
    pitch = 110 + 30 * np.sin(2 * np.pi * 0.7 * np.arange(count) / rate)
    phase = np.cumsum(pitch / rate)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    sound = pulses + 0.02 * rng.standard_normal(count)
    for hz, width in ((600, 80), (1400, 120), (2800, 200)):
        radius = np.exp(-np.pi * width / rate)
        angle = 2 * np.pi * hz / rate
        sound = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], sound)
    sound = sound - sound.mean()
    sound = 0.3 * sound / np.abs(sound).max()
    return np.asarray(sound + 0.002 * rng.standard_normal(count))


def with_clicks(sound: Samples, places: list[tuple[int, int]], height: float) -> Samples:
    clicked = sound.copy()
    for index, (start, count) in enumerate(places):
        sign = 1 if index % 2 else -1
        clicked[start : start + count] += sign * height * np.hanning(count + 2)[1:-1]
    return clicked


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("level_db", [0, -30])
def test_clicks_are_found_and_mended_and_nothing_else_changes(rate: int, level_db: int) -> None:
    level = 10 ** (level_db / 20)
    clean = voice(rate, 12) * level
    # One lies across 10.0 s, where one block of the search ends at 48 and 96 kHz.
    places = [(rate // 2, 2), (rate * 3 + 11, 4), (10 * rate - 3, 6), (rate * 11, 7)]
    clicked = with_clicks(clean, places, 0.5 * level)
    patches, defects = find_clicks(reader(clicked), len(clicked), rate, ClickOptions())
    assert len(defects) == len(places)
    mended = patched(reader(clicked), patches)(0, len(clicked))
    inside = np.zeros(len(clean), bool)
    for (start, count), defect in zip(places, defects, strict=True):
        assert defect.start < start + count
        assert start < defect.end
        inside[start : start + count] = True
    assert np.array_equal(mended[~inside], clicked[~inside])
    gained = np.sum((clicked - clean)[inside] ** 2) / np.sum((mended - clean)[inside] ** 2)
    assert 10 * np.log10(gained) > 10


def test_the_pulses_of_a_voice_are_no_clicks() -> None:
    for seed in range(3):
        sound = voice(48_000, 8, seed)
        assert find_clicks(reader(sound), len(sound), 48_000, ClickOptions()) == ((), ())


def test_the_edges_of_a_sound_in_digital_silence_are_no_clicks() -> None:
    sound = np.zeros(96_000)
    sound[30_000:60_000] = voice(48_000, 1)[:30_000]
    assert find_clicks(reader(sound), len(sound), 48_000, ClickOptions()) == ((), ())


def test_a_gap_in_sinusoids_is_filled_exactly() -> None:
    # Two sinusoids obey a recurrence of order four exactly, so the right answer is known.
    time = np.arange(400)
    sound = np.sin(0.3 * time) + 0.5 * np.cos(1.1 * time)
    first, second = [1, -2 * np.cos(0.3), 1], [1, -2 * np.cos(1.1), 1]
    gap = np.array([150, 151, 152, 153, 160, 200])
    holed = sound.copy()
    holed[gap] = 9.0
    filled = fill_gaps(holed, gap, np.convolve(first, second))
    assert np.allclose(filled, sound[gap], atol=1e-6)


def test_the_model_of_a_known_process_is_found() -> None:
    rng = np.random.default_rng(0)
    truth = np.array([1.0, -1.6, 0.8])
    sound = lfilter([1.0], truth, rng.standard_normal(60_000))
    found = prediction_coefficients(sound[None], 2)[0]
    assert np.allclose(found, truth, atol=0.02)


def test_impossible_options_are_refused() -> None:
    with pytest.raises(UsageError, match="0 to 5 ms"):
        ClickOptions(longest_ms=50)


@pytest.mark.shared
def test_the_clicks_of_a_take_are_found_and_mended(harbour: Path) -> None:
    truth = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]["14-T04"]["defects"]
    boom = sf.read(harbour / "sound" / "14-T04.wav")[0][:, 1]
    clean = sf.read(harbour / "truth" / "14-T04.boom-clean.flac")[0]
    patches, defects = find_clicks(reader(boom), len(boom), 48_000, ClickOptions())
    at = np.zeros(len(boom), bool)
    for click in truth:
        at[click["start"] : click["start"] + click["length"]] = True
    hit = [
        any(d.start < c["start"] + c["length"] and c["start"] < d.end for d in defects)
        for c in truth
    ]
    assert np.mean(hit) >= 0.95
    mended = patched(reader(boom), patches)(0, len(boom))
    assert np.array_equal(mended[~at], boom[~at])
    gained = np.sum((boom - clean)[at] ** 2) / np.sum((mended - clean)[at] ** 2)
    assert 10 * np.log10(gained) >= 10


@pytest.mark.shared
def test_bells_in_the_loudest_speech_are_found(shared: Path) -> None:
    rng = np.random.default_rng(6)
    found, placed = 0, 0
    for file in sorted((shared / "speech" / "clean48").glob("*.wav")):
        sound = sf.read(file)[0]
        loud = np.sqrt(np.convolve(sound**2, np.ones(960) / 960, "same"))
        loudest = np.flatnonzero(loud[4_800:-4_800] > 0.5 * loud.max()) + 4_800
        places: list[tuple[int, int]] = []
        for at in sorted(rng.choice(loudest, 12)):
            if not places or at - places[-1][0] > 9_600:
                places.append((int(at), int(rng.integers(2, 9))))
        clicked = with_clicks(sound, places, 0.4)
        defects = find_clicks(reader(clicked), len(clicked), 48_000, ClickOptions())[1]
        placed += len(places)
        found += sum(any(d.start < a + n and a < d.end for d in defects) for a, n in places)
    assert placed > 20
    assert found >= 0.95 * placed


@pytest.mark.shared
def test_clean_speech_has_less_than_one_false_click_a_minute(harbour: Path, shared: Path) -> None:
    files = sorted((shared / "speech" / "clean48").glob("*.wav"))
    files += sorted((harbour / "truth").glob("*.boom-clean.flac"))
    files += sorted((shared / "speech" / "pairs16" / "clean").glob("*.wav"))
    files += sorted((shared / "speech" / "transcribed").glob("*"))
    found, seconds = 0, 0.0
    for file in files:
        sound, rate = sf.read(file, always_2d=True)
        found += len(find_clicks(reader(sound[:, 0]), len(sound), rate, ClickOptions())[1])
        seconds += len(sound) / rate
    assert seconds > 120
    assert found < seconds / 60

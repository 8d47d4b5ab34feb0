"""Dropouts: what was lost is found, short ones are filled, and speech is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from test_clicks import reader, voice

from core.errors import UsageError
from models.repair.dropouts import DropoutOptions, find_dropouts
from models.repair.patches import Samples, patched
from models.repair.repeats import repeated_stretches

RATE = 48_000
Damage = Callable[[Samples, int, int], None]


def zeros(sound: Samples, start: int, count: int) -> None:
    sound[start : start + count] = 0


def held(sound: Samples, start: int, count: int) -> None:
    sound[start : start + count] = sound[start - 1]


def repeated(sound: Samples, start: int, count: int) -> None:
    sound[start : start + count] = sound[start - count : start]


def faint(sound: Samples, start: int, count: int) -> None:
    sound[start : start + count] *= 0.003


def error(clean: Samples, other: Samples) -> float:
    return float(np.sum((clean - other) ** 2))


@pytest.mark.parametrize("damage", [zeros, held, repeated, faint])
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_short_dropouts_are_filled_and_nothing_else_changes(damage: Damage, rate: int) -> None:
    clean = voice(rate, 12)
    # One lies across 10 s, where one block of the search ends.
    places = [(2 * rate, rate // 500), (5 * rate, rate // 120), (10 * rate - 60, rate // 250)]
    broken = clean.copy()
    near = np.zeros(len(clean), bool)
    for start, count in places:
        damage(broken, start, count)
        near[start - 48 : start + count + 48] = True
    patches, defects = find_dropouts(reader(broken), len(broken), rate, DropoutOptions())
    assert len(defects) == len(places)
    after = patched(reader(broken), patches)(0, len(broken))
    for (start, count), defect in zip(places, defects, strict=True):
        assert abs(defect.start - start) < 48
        assert abs(defect.end - start - count) < 48
    assert np.array_equal(after[~near], broken[~near])
    assert error(clean, after) < 0.5 * error(clean, broken)


def test_a_long_dropout_is_told_and_left() -> None:
    sound = voice(RATE, 4)
    zeros(sound, 2 * RATE, RATE // 25)
    patches, defects = find_dropouts(reader(sound), len(sound), RATE, DropoutOptions())
    assert patches == ()
    assert (defects[0].start, defects[0].end) == (2 * RATE, 2 * RATE + RATE // 25)
    assert "left as it is" in defects[0].note


def test_pauses_of_digital_silence_are_no_dropouts() -> None:
    sound = voice(RATE, 4)
    sound[RATE : 2 * RATE] = 0
    sound[3 * RATE :] *= np.exp(-np.arange(RATE) / 500)
    sound[3 * RATE + 9_000 :] = 0
    assert find_dropouts(reader(sound), len(sound), RATE, DropoutOptions()) == ((), ())


def test_the_steps_of_quiet_16_bit_sound_are_no_dropouts() -> None:
    sound = np.rint(voice(RATE, 4) * 60) / 2**15
    assert find_dropouts(reader(sound), len(sound), RATE, DropoutOptions()) == ((), ())


def test_a_tone_that_repeats_all_the_time_is_no_repeated_buffer() -> None:
    period = np.sin(2 * np.pi * np.arange(48) / 48) + 0.3 * np.sin(4 * np.pi * np.arange(48) / 48)
    assert repeated_stretches(np.tile(period, 2_000)) == []


@pytest.mark.parametrize("lag", [64, 333, 1_024, 4_096])
def test_a_buffer_of_any_length_that_was_played_twice_is_found(lag: int) -> None:
    sound = np.random.default_rng(lag).standard_normal(40_000)
    sound[20_000 : 20_000 + lag] = sound[20_000 - lag : 20_000]
    assert repeated_stretches(sound) == [(20_000, 20_000 + lag)]


def test_impossible_options_are_refused() -> None:
    with pytest.raises(UsageError, match="up to 200 ms"):
        DropoutOptions(filled_ms=300)


@pytest.mark.shared
def test_real_speech_clean_and_noisy_has_no_dropout(harbour: Path, shared: Path) -> None:
    files = [
        *sorted((shared / "speech" / "clean48").glob("*.wav")),
        *sorted((shared / "speech" / "pairs16" / "noisy").glob("*.wav")),
        *sorted((harbour / "truth").glob("??-*.boom-clean.flac")),
        *sorted((shared / "speech" / "diarized").glob("*.wav"))[:3],
    ]
    seconds = 0.0
    for file in files:
        sound, rate = sf.read(file, always_2d=True)
        assert find_dropouts(reader(sound[:, 0]), len(sound), rate, DropoutOptions()) == ((), ())
        seconds += len(sound) / rate
    assert seconds > 120


def test_the_flat_top_of_a_clipped_wave_is_no_dropout() -> None:
    at = np.arange(2 * 48_000) / 48_000
    wave = np.clip(4 * np.sin(2 * np.pi * 150 * at) + 0.3 * np.sin(2 * np.pi * 1330 * at), -1, 1)

    def read(start: int, count: int) -> np.ndarray:
        out = np.zeros(count)
        first, last = max(0, start), min(len(wave), start + count)
        out[first - start : last - start] = wave[first:last]
        return out

    assert find_dropouts(read, len(wave), 48_000, DropoutOptions()) == ((), ())

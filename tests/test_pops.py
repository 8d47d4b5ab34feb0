"""Pops of milliseconds: found and filled at any rate and level, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from test_clicks import reader, voice

from core.errors import UsageError
from models.repair.clicks import ClickOptions, find_clicks
from models.repair.patches import Samples, patched
from models.repair.pops import PopOptions


def popped(clean: Samples, rate: int, lengths_ms: tuple[float, ...]) -> tuple[Samples, Samples]:
    """A pop every second and a half: bursts of noise, three times the voice's peak at most.

    Gives the sound and where the pops lie.
    """
    random = np.random.default_rng(7)
    sound, at = clean.copy(), np.zeros(len(clean), bool)
    height = 2 * np.abs(clean).max()
    for number, length in enumerate(lengths_ms):
        start, count = round((0.8 + 1.5 * number) * rate), round(length * rate / 1000)
        shape = np.hanning(count + 2)[1:-1]
        sound[start : start + count] += height * shape * random.standard_normal(count)
        at[start : start + count] = True
    return sound, at


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("level_db", [0, -30])
def test_pops_are_found_and_filled_and_nothing_else_changes(rate: int, level_db: int) -> None:
    clean = voice(rate, 8) * 10 ** (level_db / 20)
    sound, at = popped(clean, rate, (1.5, 2.0, 3.0, 4.0, 4.5))
    patches, defects = find_clicks(reader(sound), len(sound), rate, ClickOptions(), PopOptions())
    assert len(defects) == 5
    assert all(at[defect.start : defect.end].any() for defect in defects)
    mended = patched(reader(sound), patches)(0, len(sound))
    flagged = np.zeros(len(sound), bool)
    for defect in defects:
        flagged[defect.start : defect.end] = True
    assert np.array_equal(mended[~flagged], sound[~flagged])
    assert max(defect.end - defect.start for defect in defects) <= 6 * rate // 1000
    gained = np.sum((sound - clean)[at] ** 2) / np.sum((mended - clean)[at] ** 2)
    assert 10 * np.log10(gained) > 10


def test_a_voice_has_no_pops() -> None:
    for seed in range(2):
        sound = voice(48_000, 6, seed)
        found = find_clicks(reader(sound), len(sound), 48_000, ClickOptions(), PopOptions())
        assert found == ((), ())


def test_a_sound_that_begins_with_a_burst_keeps_it() -> None:
    random = np.random.default_rng(2)
    sound = 0.001 * random.standard_normal(96_000)
    sound[48_000:48_144] += 0.5 * random.standard_normal(144)
    # It goes on, 20 dB lower, as a consonant or a struck match does.
    sound[48_144:60_000] += 0.05 * random.standard_normal(60_000 - 48_144)
    options = ClickOptions(), PopOptions()
    assert find_clicks(reader(sound), len(sound), 48_000, *options) == ((), ())


def test_a_burst_softer_than_the_voice_is_left() -> None:
    clean = voice(48_000, 6)
    clean[96_000:144_000] = 1e-4 * np.random.default_rng(3).standard_normal(48_000)
    soft = clean.copy()
    soft[120_000:120_120] += 0.01 * np.hanning(120) * np.random.default_rng(4).standard_normal(120)
    options = ClickOptions(), PopOptions()
    assert find_clicks(reader(soft), len(soft), 48_000, *options) == ((), ())
    lowered = ClickOptions(), PopOptions(over_voice_db=-40)
    assert len(find_clicks(reader(soft), len(soft), 48_000, *lowered)[1]) == 1


def test_impossible_options_are_refused() -> None:
    with pytest.raises(UsageError, match="1 to 10 ms"):
        PopOptions(longest_ms=50)

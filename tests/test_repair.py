"""Repair as a whole: what is not flagged is the same bit, and how it is read does not matter."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_clicks import reader, voice, with_clicks
from test_hum import mains

from core.defects import Defect, DefectKind
from core.errors import InputError
from models.repair.chain import Repaired, RepairOptions, repair_channel
from models.repair.dc import DcOptions, find_dc
from models.repair.patches import Patch, Samples, patched

RATE = 48_000
LOW_END_LEFT_OUT = RepairOptions(dropouts=None, rumble=None, thumps=None, rustle=None)


def repair(sound: Samples) -> Repaired:
    return repair_channel(reader(sound), len(sound), RATE, RepairOptions(), channel=2)


@pytest.fixture(scope="module")
def damaged() -> Samples:
    """Twelve seconds with hum, a rail, two clicks and an offset."""
    sound = voice(RATE, 12)
    sound[3 * RATE : 5 * RATE] *= 0.02
    sound[8 * RATE : 10 * RATE] *= 0.02
    rail = 0.8 * sound.max()
    sound = with_clicks(np.minimum(sound, rail), [(4 * RATE, 4), (9 * RATE, 5)], 0.15)
    return np.asarray(sound + mains(RATE, len(sound), 60.0) + 0.01)


@pytest.fixture(scope="module")
def repaired(damaged: Samples) -> Repaired:
    return repair(damaged)


def test_every_step_tells_what_it_found(repaired: Repaired) -> None:
    found = {report.step: report.found for report in repaired.reports}
    steps = ["dropouts", "clipping", "clicks", "hum", "dc", "thumps", "rumble", "rustle"]
    assert list(found) == steps
    assert found["clicks"] == 2
    assert found["hum"] == 1
    assert found["dc"] == 1
    clicks = [defect for defect in repaired.defects if defect.kind is DefectKind.CLICK]
    assert [round(click.start / RATE) for click in clicks] == [4, 9]
    assert {defect.channel for defect in repaired.defects} == {2}
    assert list(repaired.defects) == sorted(repaired.defects, key=lambda d: (d.start, d.end))
    assert not repaired.untouched


@settings(max_examples=15, deadline=None)
@given(start=st.integers(-9_000, 12 * RATE), count=st.integers(1, 90_000))
@example(start=486_001, count=90_000)  # one sample past the end
def test_any_block_at_any_time_is_the_same_bytes(
    damaged: Samples, repaired: Repaired, start: int, count: int
) -> None:
    whole = repaired.read(0, len(damaged))
    expected = reader(whole)(start, count)
    assert np.array_equal(repaired.read(start, count), expected)


def test_a_second_run_gives_the_same_bytes(damaged: Samples, repaired: Repaired) -> None:
    again = repair(damaged)
    assert again.defects == repaired.defects
    assert np.array_equal(again.read(0, len(damaged)), repaired.read(0, len(damaged)))


def test_a_sound_without_defects_is_bit_identical() -> None:
    sound = voice(RATE, 8)
    sound[RATE : RATE + 9_000] = 0.0
    result = repair(sound)
    assert result.untouched
    assert result.defects == ()
    assert np.array_equal(result.read(0, len(sound)), sound)


@pytest.mark.parametrize("count", [0, 1, 100, 5_000])
def test_very_short_and_silent_channels_come_back(count: int) -> None:
    for sound in (np.zeros(count), voice(RATE, 1)[:count]):
        result = repair(sound)
        assert np.array_equal(result.read(0, count), sound)


def test_samples_that_are_no_number_do_not_spread() -> None:
    sound = voice(RATE, 4)
    sound[[1_000, 50_000]] = np.nan
    sound[90_000] = np.inf
    after = repair(sound).read(0, len(sound))
    assert np.sum(~np.isfinite(after)) <= 3
    changed = (after != sound) & np.isfinite(sound)
    assert not changed.any()


def test_a_step_may_be_left_out(damaged: Samples) -> None:
    options = replace(LOW_END_LEFT_OUT, clipping=None, clicks=None, hum=None, dc=None)
    result = repair_channel(reader(damaged), len(damaged), RATE, options)
    assert result.reports == ()
    assert np.array_equal(result.read(0, len(damaged)), damaged)


def test_an_offset_is_one_constant_and_only_a_lasting_one() -> None:
    sound = voice(RATE, 6)
    sound -= sound.mean()
    assert find_dc(reader(sound), len(sound), RATE, DcOptions()) == 0.0
    always = sound + 0.02
    offset = find_dc(reader(always), len(sound), RATE, DcOptions())
    assert offset == pytest.approx(0.02, abs=1e-4)
    only = replace(LOW_END_LEFT_OUT, clipping=None, clicks=None, hum=None)
    after = repair_channel(reader(always), len(sound), RATE, only).read(0, len(sound))
    assert np.array_equal(after, always - offset)
    sometimes = sound.copy()
    sometimes[: 4 * RATE] += 0.02
    assert find_dc(reader(sometimes), len(sound), RATE, DcOptions()) == 0.0


def test_memory_does_not_grow_with_the_length() -> None:
    loop = voice(RATE, 10)

    def read(start: int, count: int) -> Samples:
        return np.take(loop, np.arange(start, start + count), mode="wrap")

    def peak(seconds: int) -> int:
        tracemalloc.start()
        repair_channel(read, seconds * RATE, RATE, RepairOptions())
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(15)
    assert peak(75) < 1.15 * peak(25)


@given(
    places=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 20)), max_size=8),
    start=st.integers(-50, 400),
    count=st.integers(0, 400),
)
def test_patches_lie_where_they_belong(
    places: list[tuple[int, int]], start: int, count: int
) -> None:
    sound = np.arange(1.0, 301.0)
    patches, expected, at = [], sound.copy(), 0
    for gap, length in places:
        at += gap
        if at + length > len(sound):
            break
        patches.append(Patch(at, -np.arange(1.0, length + 1)))
        expected[at : at + length] = patches[-1].values
        at += length
    block = patched(reader(sound), patches)(start, count)
    assert np.array_equal(block, reader(expected)(start, count))


def test_a_defect_needs_a_length() -> None:
    with pytest.raises(InputError, match="end must lie behind"):
        Defect(DefectKind.CLICK, 10, 10)

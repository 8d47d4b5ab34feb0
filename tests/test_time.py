"""Frames, timecode and samples agree, by one rounding rule, at every rate."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.time import (
    RATES,
    FrameRate,
    exact_fps,
    frames_to_samples,
    frames_to_timecode,
    parse_rate,
    round_half_up,
    samples_to_frames,
    samples_to_timecode,
    span_to_samples,
    timecode_to_frames,
)

rates = st.sampled_from(list(RATES.values()))
sample_rates = st.sampled_from([44100, 48000, 88200, 96000, 192000])


def frames_in_a_day(rate: FrameRate) -> int:
    return timecode_to_frames("23:59:59:00", rate) + rate.nominal


@given(rates, st.integers(0, 6_000_000))
def test_timecode_of_a_frame_leads_back_to_it(rate: FrameRate, frames: int) -> None:
    frames %= frames_in_a_day(rate)
    assert timecode_to_frames(frames_to_timecode(frames, rate), rate) == frames


@given(rates, sample_rates, st.integers(0, 10**7), st.integers(0, 10**6), st.integers(0, 10**6))
def test_lengths_of_touching_clips_add_up(
    rate: FrameRate, sample_rate: int, start: int, first: int, second: int
) -> None:
    at, one = span_to_samples(start, first, rate.fps, sample_rate)
    next_at, two = span_to_samples(start + first, second, rate.fps, sample_rate)
    assert at + one == next_at
    assert (at, one + two) == span_to_samples(start, first + second, rate.fps, sample_rate)


@given(rates, sample_rates, st.integers(0, 10**8))
def test_a_position_is_the_nearest_sample(rate: FrameRate, sample_rate: int, frames: int) -> None:
    exact = Fraction(frames) * sample_rate / rate.fps
    sample = frames_to_samples(frames, rate.fps, sample_rate)
    assert abs(sample - exact) <= Fraction(1, 2)
    assert round_half_up(samples_to_frames(sample, rate.fps, sample_rate)) == frames


def test_halves_go_up() -> None:
    assert [round_half_up(Fraction(n, 2)) for n in (-3, -1, 1, 3)] == [-1, 0, 1, 2]


@pytest.mark.parametrize(
    ("timecode", "rate", "frames"),
    [
        # SMPTE ST 12-1: ten minutes of 29.97 drop-frame are 17,982 frames, an hour 107,892.
        ("00:00:59;29", "29.97 DF", 1799),
        ("00:01:00;02", "29.97 DF", 1800),
        ("00:10:00;00", "29.97 DF", 17982),
        ("01:00:00;00", "29.97 DF", 107892),
        ("01:00:00;00", "59.94 DF", 215784),
        ("01:00:00:00", "23.976", 86400),
        ("01:00:00:00", "29.97", 108000),
        ("23:59:59:24", "25", 2159999),
    ],
)
def test_known_timecodes(timecode: str, rate: str, frames: int) -> None:
    assert timecode_to_frames(timecode, RATES[rate]) == frames
    assert frames_to_timecode(frames, RATES[rate]) == timecode


@pytest.mark.parametrize(
    ("timecode", "rate"),
    [
        ("00:01:00;00", "29.97 DF"),
        ("00:01:00;03", "59.94 DF"),
        ("00:00:00:24", "24"),
        ("00:60:00:00", "24"),
        ("1:2", "24"),
        ("", "24"),
        ("aa:bb:cc:dd", "24"),
    ],
)
def test_timecodes_that_do_not_exist_are_refused(timecode: str, rate: str) -> None:
    with pytest.raises(InputError):
        timecode_to_frames(timecode, RATES[rate])


def test_recorders_time_reference_at_23_976_counts_real_samples() -> None:
    # A recorder at 23.976 runs 48,048 samples for a second of timecode.
    frames = timecode_to_frames("12:39:59:00", RATES["23.976"])
    assert frames_to_samples(frames, RATES["23.976"].fps, 48000) == 45_599 * 48_048
    assert samples_to_timecode(45_599 * 48_048, RATES["23.976"], 48000) == "12:39:59:00"


@pytest.mark.parametrize(
    ("given", "fraction"),
    [
        (23.976023976023978, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (47.952, Fraction(48000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (25.0, Fraction(25)),
        (12.5, Fraction(25, 2)),
        ("24000/1001", Fraction(24000, 1001)),
        (48000, Fraction(48000)),
    ],
)
def test_rates_found_in_files_become_exact(given: float | str, fraction: Fraction) -> None:
    assert exact_fps(given) == fraction


@pytest.mark.parametrize("text", ["", "fast", "0", "-25", "nan", "25 DF", "29.97 DF x"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_rate(text)


@given(rates)
def test_a_rate_reads_back_from_its_name(rate: FrameRate) -> None:
    assert parse_rate(str(rate)) == rate

"""Conform puts each source sample where a naive frame-by-frame render puts it."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.conform import Placement, Source, cut_length, placements, render, start_sample
from core.cut import Cut, Event, Fade, FadeShape, MediaReference, Track
from core.time import RATES, FrameRate

MEDIA = MediaReference(name="take")


def event(number: int, at: int, length: int, source: int) -> Event:
    return Event(f"A1/{number}", Fraction(at), Fraction(length), Fraction(source), MEDIA)


def cut_of(events: tuple[Event, ...], length: int, rate: FrameRate, start: int = 0) -> Cut:
    return Cut("cut", rate, start, Fraction(length), (Track("A1", events),))


def reader(sound: NDArray[np.float64]):
    def read(placement: Placement, start: int, count: int) -> NDArray[np.float64]:
        index = np.arange(start, start + count)
        inside = (index >= 0) & (index < len(sound))
        return np.where(inside, sound[np.clip(index, 0, len(sound) - 1)], 0.0)[:, None]

    return read


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from(list(RATES.values())),
    sample_rate=st.sampled_from([44100, 48000, 96000]),
    start=st.integers(0, 200_000),
    clips=st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 8), st.integers(0, 4000)),
        min_size=1,
        max_size=5,
    ),
    block=st.integers(500, 5000),
)
def test_conform_equals_a_naive_render(
    rate: FrameRate,
    sample_rate: int,
    start: int,
    clips: list[tuple[int, int, int]],
    block: int,
) -> None:
    sound = np.random.default_rng(1).standard_normal(20_000)
    events, at = [], 0
    for number, (gap, length, _) in enumerate(clips):
        events.append(event(number, at + gap, length, 0))
        at += gap + length
    cut = cut_of(tuple(events), at, rate, start)
    sources = {
        item.id: Source("take", offset, sample_rate, (0,))
        for item, (_, _, offset) in zip(events, clips, strict=True)
    }
    laid = placements(cut, sources, sample_rate)
    total = cut_length(cut, sample_rate)
    read = reader(sound)
    blocks = [
        render(laid, first, min(block, total - first), 1, read) for first in range(0, total, block)
    ]
    rendered = np.concatenate(blocks)[:, 0]

    def position(frame: int) -> int:
        # by other means: decimal floor of twice the value plus one, on plain integers
        number = (start + frame) * sample_rate * rate.fps.denominator
        return (2 * number + rate.fps.numerator) // (2 * rate.fps.numerator)

    naive = np.zeros(position(at) - position(0))
    for item, (_, length, offset) in zip(events, clips, strict=True):
        first = position(int(item.record_start))
        last = position(int(item.record_start) + length)
        for i in range(first, last):
            source = offset + i - first
            naive[i - position(0)] = sound[source] if source < len(sound) else 0.0
    np.testing.assert_array_equal(rendered, naive)


def test_an_equal_power_dissolve_keeps_power_and_a_linear_one_amplitude() -> None:
    rate = RATES["25"]
    for shape, power in ((FadeShape.EQUAL_POWER, 2), (FadeShape.LINEAR, 1)):
        fade = Fade(Fraction(10), shape)
        out = Event("A1/1", Fraction(0), Fraction(20), Fraction(0), MEDIA, fade_out=fade)
        into = Event("A1/2", Fraction(10), Fraction(20), Fraction(0), MEDIA, fade_in=fade)
        for item in (out, into):
            assert item.record_length == 20
        cut = cut_of((out, into), 30, rate)
        ones = np.ones(100_000)
        gains = []
        for item in (out, into):
            laid = placements(cut, {item.id: Source("t", 0, 48000, (0,))}, 48000)
            gains.append(render(laid, 0, cut_length(cut, 48000), 1, reader(ones))[:, 0])
        np.testing.assert_allclose(gains[0] ** power + gains[1] ** power, 1.0, atol=1e-12)


@given(st.integers(1, 400), st.integers(1, 400))
def test_blocks_make_no_difference_inside_fades(first: int, second: int) -> None:
    fade = Fade(Fraction(2))
    item = Event("A1/1", Fraction(0), Fraction(5), Fraction(0), MEDIA, fade_in=fade, fade_out=fade)
    cut = cut_of((item,), 5, RATES["24"])
    laid = placements(cut, {item.id: Source("t", 3, 1200, (0,))}, 1200)
    sound = np.random.default_rng(2).standard_normal(1000)
    whole = render(laid, 0, 250, 1, reader(sound))
    edges = sorted({0, min(first, 250), min(second, 250), 250})
    parts = [render(laid, a, b - a, 1, reader(sound)) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_disabled_events_and_tracks_and_missing_sources_are_silent() -> None:
    rate = RATES["24"]
    off = Event("A1/1", Fraction(0), Fraction(5), Fraction(0), MEDIA, enabled=False)
    lost = event(2, 5, 5, 0)
    cut = cut_of((off, lost), 10, rate)
    assert placements(cut, {"A1/1": Source("t", 0, 48000, (0,))}, 48000) == ()
    muted = Cut("c", rate, 0, Fraction(5), (Track("A1", (event(1, 0, 5, 0),), enabled=False),))
    assert placements(muted, {"A1/1": Source("t", 0, 48000, (0,))}, 48000) == ()


def test_the_time_reference_of_hour_one_at_23_976() -> None:
    cut = cut_of((event(1, 0, 24, 0),), 24, RATES["23.976"], 86400)
    assert start_sample(cut, 48000) == 3600 * 48048
    assert cut_length(cut, 48000) == 48048

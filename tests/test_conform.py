"""Conform puts each source sample where a naive frame-by-frame render puts it."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cuts import ALL_RATES, cuts
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.conform import (
    Placement,
    Source,
    Timetable,
    cut_length,
    placements,
    render,
    retime_notes,
    source_span,
    start_sample,
    timetable,
)
from core.cut import Cut, Event, Fade, FadeShape, GainPoint, MediaReference, Track
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


def hashed(take: int, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Endless sound, every sample another: what is one off is seen."""
    return ((index * 2654435761 + take * 40503) % 65521) / 65521 - 0.5


def position(cut: Cut, frame: Fraction, sample_rate: int) -> int:
    """The sample of a frame since midnight: halves up, on fractions."""
    return math.floor((cut.start + frame) * sample_rate / cut.rate.fps + Fraction(1, 2))


def naive(cut: Cut, event: Event, number: int, source: Source, sample_rate: int) -> NDArray:
    """One event in an otherwise silent record, put there as a whole."""
    zero = position(cut, Fraction(0), sample_rate)
    first = position(cut, event.record_start, sample_rate) - zero
    last = position(cut, event.record_end, sample_rate) - zero
    at = Fraction(source.start, source.sample_rate) * sample_rate / event.speed
    begin = math.floor(at + Fraction(1, 2))
    sound = hashed(number, np.arange(begin, begin + last - first))
    for fade, near in ((event.fade_in, True), (event.fade_out, False)):
        if fade is not None:
            edge = event.record_start + fade.length if near else event.record_end - fade.length
            inner = position(cut, edge, sample_rate) - zero
            size = inner - first if near else last - inner
            ramp = (np.arange(size) + 0.5) / size
            if fade.shape is FadeShape.EQUAL_POWER:
                ramp = np.cos((1 - ramp) * np.pi / 2)
            if near:
                sound[:size] *= ramp
            else:
                sound[len(sound) - size :] *= ramp[::-1]
    if event.automation:
        places = [
            position(cut, event.record_start + point.at, sample_rate) - zero - first
            for point in event.automation
        ]
        levels = [point.gain_db for point in event.automation]
        sound *= np.exp(np.log(10) / 20 * np.interp(np.arange(len(sound)), places, levels))
    record = np.zeros(position(cut, cut.length, sample_rate) - zero)
    record[first:last] = sound * math.exp(math.log(10) / 20 * event.gain_db)
    return record


@settings(max_examples=20, deadline=None)
@given(data=st.data(), sample_rate=st.sampled_from([44100, 48000, 96000]))
def test_a_random_cut_is_the_sum_of_its_events_laid_one_by_one(
    data: st.DataObject, sample_rate: int
) -> None:
    cut = data.draw(
        cuts(
            rates=ALL_RATES,
            tracks=2,
            shapes=tuple(FadeShape),
            speeds=(Fraction(1), Fraction(1001, 1000), Fraction(24, 25), Fraction(2)),
            gains=True,
            automation=True,
            disabled=True,
        )
    )
    events = [event for track in cut.tracks for event in track.events]
    numbers = {event.id: number for number, event in enumerate(events)}
    sources = {
        event.id: Source(
            event.id,
            data.draw(st.integers(-100, 10**8)),
            data.draw(st.sampled_from([44100, 48000, 96000])),
            (0,),
        )
        for event in events
    }

    def read(placement: Placement, start: int, count: int) -> NDArray[np.float64]:
        return hashed(numbers[placement.event_id], np.arange(start, start + count))[:, None]

    laid = placements(cut, sources, sample_rate)
    total = cut_length(cut, sample_rate)
    block = data.draw(st.integers(sample_rate // 3, 3 * sample_rate))
    for track in cut.tracks:
        table = timetable([item for item in laid if item.track == track.name], sample_rate)
        found = np.concatenate(
            [
                render(table.during(first, size), first, size, 1, read)[:, 0]
                for first in range(0, total, block)
                for size in [min(block, total - first)]
            ]
        )
        wanted = np.zeros(total)
        for event in track.events:
            if event.enabled:
                source = sources[event.id]
                wanted += naive(cut, event, numbers[event.id], source, sample_rate)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


def gains_of(event: Event, frames: int, start: int = 0) -> NDArray[np.float64]:
    """The gains of an event at 25 frames a second and 1000 Hz: 40 samples a frame."""
    cut = cut_of((event,), frames, RATES["25"], start)
    laid = placements(cut, {event.id: Source("t", 0, 1000, (0,))}, 1000)
    return render(laid, 0, cut_length(cut, 1000), 1, reader(np.ones(100_000)))[:, 0]


def test_automation_is_straight_in_db_between_its_points_and_stays_outside() -> None:
    points = (
        GainPoint(Fraction(2), -12.0),
        GainPoint(Fraction(4), 0.0),
        GainPoint(Fraction(4), 6.0),
    )
    gains = 20 * np.log10(
        gains_of(replace(event(1, 1, 8, 0), gain_db=-1.0, automation=points), 9)[40:]
    )
    np.testing.assert_allclose(gains[: 2 * 40 + 1], -13.0)
    np.testing.assert_allclose(gains[3 * 40], -7.0)
    np.testing.assert_allclose(gains[2 * 40 : 4 * 40], np.linspace(-13, -1, 81)[:-1], atol=1e-9)
    np.testing.assert_allclose(gains[4 * 40 :], 5.0)


def test_minus_144_db_is_silence() -> None:
    assert not gains_of(replace(event(1, 0, 2, 0), gain_db=-144.0), 2).any()
    points = (GainPoint(Fraction(0), -144.0), GainPoint(Fraction(1), -144.0))
    assert not gains_of(replace(event(1, 0, 2, 0), automation=points), 2).any()


def test_what_the_cut_trims_off_an_event_takes_its_part_of_the_fade_along() -> None:
    fade = Fade(Fraction(4), FadeShape.LINEAR)
    whole = replace(event(1, 4, 8, 0), fade_in=fade, fade_out=fade)
    trimmed = replace(whole, record_start=Fraction(-2))
    inside = gains_of(whole, 16)[4 * 40 : 12 * 40]
    np.testing.assert_array_equal(gains_of(trimmed, 4), inside[2 * 40 : 6 * 40])


def test_muted_events_and_tracks_are_silent() -> None:
    source = {"A1/1": Source("t", 0, 48000, (0,))}
    item = event(1, 0, 5, 0)
    plain = Cut("c", RATES["24"], 0, Fraction(5), (Track("A1", (item,)),))
    assert placements(plain, source, 48000)
    quiet = replace(plain, tracks=(Track("A1", (replace(item, muted=True),)),))
    assert placements(quiet, source, 48000) == ()
    assert (
        placements(replace(plain, tracks=(Track("A1", (item,), muted=True),)), source, 48000) == ()
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"speed": Fraction(-1)}, "backwards"),
        ({"speed": Fraction(0)}, "freeze"),
        ({"speed": Fraction(2), "variable_speed": True}, "speed that changes"),
        ({"speed": Fraction(20)}, "more than 10"),
    ],
)
def test_speeds_that_cannot_be_conformed_are_silent_or_original_and_said(
    changes: dict[str, object], said: str
) -> None:
    item = replace(event(1, 2, 5, 0), **changes)
    cut = cut_of((item,), 10, RATES["25"])
    sources = {item.id: Source("t", 96_000, 48_000, (0,))}
    assert placements(cut, sources, 48_000) == ()
    (laid,) = placements(cut, sources, 48_000, "original")
    # 5 frames backwards from sample 96,000 are the 5 × 1,920 samples before it.
    assert laid.source_start == (86_400 if item.speed < 0 else 96_000)
    assert (laid.speed, laid.length) == (1, 9600)
    (silent,), (original,) = retime_notes(cut, "silence"), retime_notes(cut, "original")
    assert silent.startswith("A1/1: ")
    assert said in silent
    assert "silent" in silent
    assert "its own speed" in original


def test_a_constant_speed_needs_no_note_and_pan_is_said_once() -> None:
    item = replace(event(1, 0, 5, 0), speed=Fraction(25, 24))
    assert retime_notes(cut_of((item,), 5, RATES["25"]), "silence") == ()
    panned = tuple(replace(event(n, 5 * n, 5, 0), pan=0.5) for n in range(5))
    (note,) = retime_notes(cut_of(panned, 25, RATES["25"]), "silence")
    assert note.startswith("A1/0, A1/1, A1/2 and 2 more: pan")
    centred = (replace(event(1, 0, 5, 0), pan=0.0),)
    assert retime_notes(cut_of(centred, 5, RATES["25"]), "silence") == ()


def test_the_stretch_of_a_file_that_a_fast_placement_plays() -> None:
    item = Placement("A1/1", "A1", "t", (0,), 0, 48_000, 24_000, speed=Fraction(2))
    # A second of record from half a second of fast sound on: one second to three, at 96 kHz.
    assert source_span(item, 48_000, 96_000) == (96_000, 288_000)


@given(
    st.lists(st.tuples(st.integers(-50, 400), st.integers(0, 300)), max_size=30),
    st.integers(-20, 500),
    st.integers(1, 200),
    st.integers(1, 90),
)
def test_a_timetable_gives_what_looking_at_everything_gives(
    spans: list[tuple[int, int]], first: int, count: int, grain: int
) -> None:
    items = [(number, start, start + size) for number, (start, size) in enumerate(spans)]
    table = Timetable(items, lambda item: item[1:], grain)
    touching = [
        item for item in items if any(first <= at < first + count for at in range(*item[1:]))
    ]
    assert table.during(first, count) == touching

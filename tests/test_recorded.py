"""Lines of takes lie in the record where a cut plays them, once for each time they are heard."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conform import Placement
from core.recorded import Playing, recorded
from core.speech import Word
from core.spotting import Spot, SpottingList
from core.time import RATES, frames_to_samples, frames_to_timecode, sample_to_frame

RATE = 48_000


def placement(record: int, length: int, source: int, **more: object) -> Placement:
    laid = Placement("A1/001", "A1", "take", (0,), record, length, source)
    return replace(laid, **more)  # type: ignore[arg-type]


def said(*spans: tuple[int, int], speaker: str = "REN", **more: object) -> Spot:
    words = tuple(Word(f"w{n}", start, end) for n, (start, end) in enumerate(spans))
    spot = Spot(spans[0][0], spans[-1][1], speaker, words)
    return replace(spot, **more)  # type: ignore[arg-type]


def heard(*laid: Placement, spots: tuple[Spot, ...]) -> tuple[Spot, ...]:
    return recorded([Playing(item, "one", RATE, spots) for item in laid], RATE)


def test_a_line_lies_where_its_samples_are_played() -> None:
    (found,) = heard(
        placement(100_000, 50_000, 20_000), spots=(said((30_000, 35_000), (36_000, 39_000)),)
    )
    assert (found.start, found.end) == (110_000, 119_000)
    assert [(word.start, word.end) for word in found.words] == [
        (110_000, 115_000),
        (116_000, 119_000),
    ]
    assert found.source == (30_000, 39_000)
    assert not found.trimmed


def test_a_line_cut_at_an_edge_keeps_the_words_of_which_half_is_heard() -> None:
    line = said((0, 1000), (1000, 2000), (2000, 3000), (3000, 4000))
    (found,) = heard(placement(0, 2000, 1400), spots=(line,))
    assert [word.text for word in found.words] == ["w1", "w2"]
    assert (found.start, found.end) == (0, 1600)
    assert found.words[0].start == 0  # clipped to the event, 400 samples of it lie before
    assert found.trimmed
    assert found.source == (1000, 3000)
    assert heard(placement(0, 400, 1700), spots=(line,)) == ()


def test_a_take_played_twice_gives_its_line_twice() -> None:
    line = said((0, 1000), (1000, 2000))
    found = heard(placement(0, 5000, 0), placement(90_000, 5000, 0), spots=(line,))
    assert [(spot.start, spot.text) for spot in found] == [(0, "w0 w1"), (90_000, "w0 w1")]


def test_boom_and_lav_at_one_place_give_a_line_once_with_all_its_words() -> None:
    line = said((0, 1000), (1000, 2000), (2000, 3000))
    boom = placement(10_000, 2000, 0)
    lav = placement(11_000, 3000, 1000 + 48, track="A2", event_id="A2/001", channels=(1,))
    (found,) = heard(boom, lav, spots=(line,))
    assert [word.text for word in found.words] == ["w0", "w1", "w2"]
    assert found.tracks == ("A1", "A2")
    assert not found.trimmed


def test_an_edit_through_a_line_leaves_it_whole_and_a_hole_parts_it() -> None:
    line = said((0, 1000), (1000, 2000), (2000, 3000), (3000, 4000))
    through = (placement(0, 1500, 0), placement(1500, 3000, 1500, event_id="A1/002"))
    (found,) = heard(*through, spots=(line,))
    assert found.words == line.words
    hole = (placement(0, 1000, 0), placement(3000, 2000, 3000, event_id="A1/002"))
    assert [spot.text for spot in heard(*hole, spots=(line,))] == ["w0", "w3"]


def test_a_dissolve_changes_over_in_its_middle() -> None:
    out = placement(0, 10_000, 0, fade_out=4000)
    into = placement(6000, 10_000, 50_000, fade_in=4000, event_id="A1/002", take="two")
    before, after = said((7000, 7900), (8100, 9000)), said((51_000, 51_900), (52_100, 53_000))
    found = recorded(
        [Playing(out, "one", RATE, (before,)), Playing(into, "two", RATE, (after,))], RATE
    )
    assert [(spot.key, spot.text) for spot in found] == [("one", "w0"), ("two", "w1")]


def test_what_is_muted_is_not_heard() -> None:
    line = said((0, 1000), (1000, 2000))
    assert heard(placement(0, 5000, 0, gain=0.0), spots=(line,)) == ()
    half = placement(0, 5000, 0, automation=((999, 0.0), (1000, -200.0)))
    assert [spot.text for spot in heard(half, spots=(line,))] == ["w0"]


def test_a_lav_carries_its_own_person_of_those_with_microphones() -> None:
    lines = (said((0, 900)), said((1000, 2000), speaker="MARA"), said((3000, 4000), speaker=""))
    item = Playing(placement(0, 9000, 0), "one", RATE, lines, frozenset({"MARA"}))
    assert [spot.speaker for spot in recorded([item], RATE)] == ["REN", ""]


def test_events_of_a_channel_come_from_where_it_is_played() -> None:
    click = Spot(100, 110, kind="click", label="Click", channel=1)
    assert heard(placement(0, 5000, 0), spots=(click,)) == ()
    (found,) = heard(placement(0, 5000, 0, channels=(1,)), spots=(click,))
    assert (found.start, found.end) == (100, 110)


def test_two_recordings_of_the_same_words_are_one_line() -> None:
    words = (Word("Stay", 0, 4000), Word("here.", 4000, 9000))
    boom = Spot(0, 9000, "REN", words, confidence=0.4, draft=True)
    lav = Spot(300, 9100, "", (Word("stay", 300, 4000), Word("here", 4000, 9100)), confidence=0.3)
    both = [
        Playing(placement(0, 20_000, 0), "boom", RATE, (boom,)),
        Playing(placement(0, 20_000, 0, track="A2"), "lav", RATE, (lav,)),
    ]
    (found,) = recorded(both, RATE)
    assert (found.speaker, found.draft, found.tracks) == ("REN", False, ("A1", "A2"))
    other = replace(lav, speaker="MARA")
    assert len(recorded([both[0], replace(both[1], spots=(other,))], RATE)) == 2


def test_lines_during_which_somebody_else_speaks_are_marked() -> None:
    lines = (said((0, 2000)), said((1500, 3000), speaker="MARA"), said((3000, 4000)))
    found = heard(placement(0, 9000, 0), spots=lines)
    assert [spot.overlap for spot in found] == [True, True, False]


@given(
    record=st.integers(0, 5000),
    length=st.integers(1, 3000),
    source=st.integers(0, 3000),
    cuts=st.lists(st.integers(0, 6000), min_size=2, max_size=12, unique=True),
)
def test_words_lie_where_a_sample_by_sample_reading_finds_them(
    record: int, length: int, source: int, cuts: list[int]
) -> None:
    edges = sorted(cuts)
    line = said(*zip(edges[::2], edges[1::2], strict=False))
    found = heard(placement(record, length, source), spots=(line,))
    # Each record sample by itself: which sample of the take sounds there, and which word is it?
    there: dict[str, list[int]] = {}
    for at in range(record, record + length):
        for word in line.words:
            if word.start <= source + at - record < word.end:
                there.setdefault(word.text, []).append(at)
    naive = {
        word.text: (there[word.text][0], there[word.text][-1] + 1)
        for word in line.words
        if 2 * len(there.get(word.text, [])) >= word.end - word.start
    }
    assert {w.text: (w.start, w.end) for spot in found for w in spot.words} == naive


@given(
    speed=st.sampled_from([Fraction(1, 2), Fraction(4, 5), Fraction(24, 25), Fraction(2)]),
    file_rate=st.sampled_from([44_100, 48_000, 96_000]),
    start=st.integers(0, 50_000),
)
def test_speeds_and_rates_move_a_word_by_less_than_a_sample_of_what_is_played(
    speed: Fraction, file_rate: int, start: int
) -> None:
    entry = 7_000
    laid = placement(1000, 400_000, entry, speed=speed)
    played = start + int(entry * speed * file_rate / RATE) + 1
    word = said((played, played + 500))
    (found,) = recorded([Playing(laid, "one", file_rate, (word,))], RATE)
    # What sounds at a record sample, in samples of the file.
    sounding = (entry + found.start - 1000) * speed * file_rate / RATE
    assert abs(sounding - played) <= speed * file_rate / RATE


@pytest.mark.parametrize("name", sorted(RATES))
@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000])
def test_every_frame_begins_at_a_sample_that_lies_in_it(name: str, sample_rate: int) -> None:
    rate = RATES[name]
    for frame in (0, 1, 2, 3, 1799, 1800, 17_982, 86_399, 107_892, 2_000_003):
        first = frames_to_samples(frame, rate.fps, sample_rate)
        assert sample_to_frame(first, rate.fps, sample_rate) == frame
        assert sample_to_frame(first - 1, rate.fps, sample_rate) == frame - 1


@given(st.sampled_from(sorted(RATES)), st.integers(0, 200_000), st.integers(0, 50_000))
def test_in_and_out_points_hold_the_spot(name: str, start: int, length: int) -> None:
    rate = RATES[name]
    reference = frames_to_samples(rate.nominal * 3600, rate.fps, RATE)
    found = SpottingList("x", "record", (), RATE, 300_000, rate, reference)
    first, last = found.frames(Spot(start, start + length))
    at = [frames_to_samples(frame, rate.fps, RATE) - reference for frame in (first, last)]
    assert at[0] <= start < start + max(1, length) <= at[1]
    assert frames_to_timecode(found.first_frame, rate)[:2] == "01"

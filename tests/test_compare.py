"""What a format lost is named by event and field."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from cuts import cuts
from hypothesis import given, settings

from core.compare import differences, in_words
from core.cut import Cut, Event, MediaReference, Track
from core.time import RATES


def event(number: int, **changes: object) -> Event:
    made = Event(
        f"A1/{number:03d}",
        Fraction(number * 100),
        Fraction(50),
        Fraction(number * 1000),
        MediaReference(name=f"clip {number}"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def cut_of(*events: Event) -> Cut:
    return Cut("reel", RATES["24"], 0, Fraction(1000), (Track("A1", events),))


@settings(max_examples=30, deadline=None)
@given(cuts(gains=True, automation=True))
def test_a_cut_does_not_differ_from_itself(cut: Cut) -> None:
    assert differences(cut, cut) == ()


def test_a_lost_gain_is_named() -> None:
    (found,) = differences(cut_of(event(1, gain_db=-6.0)), cut_of(event(1)))
    assert (found.where, found.field, found.wanted, found.got) == ("A1/001", "gain_db", "-6", "0")


def test_levels_a_hundredth_apart_are_equal() -> None:
    assert differences(cut_of(event(1, gain_db=-6.0)), cut_of(event(1, gain_db=-6.004))) == ()


def test_a_missing_event_is_named_and_the_others_are_still_matched() -> None:
    found = differences(cut_of(event(1), event(2), event(3)), cut_of(event(1), event(3)))
    assert [(item.where, item.field, item.got) for item in found] == [("A1/002", "events", "")]


def test_a_missing_track_is_named() -> None:
    two = replace(cut_of(event(1)), tracks=(*cut_of(event(1)).tracks, Track("A2", (event(2),))))
    (found,) = differences(two, cut_of(event(1)))
    assert (found.where, found.field) == ("A2", "tracks")


def test_words_gather_a_field_and_count_the_rest() -> None:
    wanted = cut_of(*(event(number, pan=1.0) for number in range(1, 6)))
    got = cut_of(*(event(number) for number in range(1, 6)))
    assert in_words("An EDL", differences(wanted, got)) == (
        "An EDL does not hold pan of A1/001, A1/002, A1/003 and 2 more (1 became nothing).",
    )

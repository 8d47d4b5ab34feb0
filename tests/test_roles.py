"""Which tracks are dialogue is decided by role, then name, then by the person, and said."""

from __future__ import annotations

from fractions import Fraction

import pytest

from core.cut import Cut, Event, MediaReference, Track
from core.errors import UsageError
from core.roles import choose_tracks, passes_through, role_in
from core.time import RATES


def cut_of(*tracks: Track) -> Cut:
    return Cut("reel", RATES["24"], 0, Fraction(24), tracks)


def track(name: str, role: str = "", event_role: str = "") -> Track:
    event = Event(
        f"{name}/001", Fraction(0), Fraction(24), Fraction(0), MediaReference(), role=event_role
    )
    return Track(name, (event,), role=role)


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("A1 DX", "DX"),
        ("DX_2", "DX"),
        ("Dialog", "DX"),
        ("dialogue.Boom", "DX"),
        ("DIA1", "DX"),
        ("Prod Sound", "DX"),
        ("MX A", "MX"),
        ("Music.Score", "MX"),
        ("SFX 3", "FX"),
        ("effects-1", "FX"),
        ("AMB", "FX"),
        ("ADR Dialogue", "ADR"),
        ("TEMP DX", "ADR"),
        ("A1", ""),
        ("Audio 3", ""),
        ("Maximilian", ""),
        ("Addison", ""),
    ],
)
def test_words_name_a_role(words: str, role: str) -> None:
    assert role_in(words) == role


def test_a_track_named_as_dialogue_leaves_unnamed_ones_out() -> None:
    choices = choose_tracks(cut_of(track("DX 1"), track("A2"), track("MX")))
    assert [choice.dialogue for choice in choices] == [True, False, False]
    assert [choice.role for choice in choices] == ["DX", "", "MX"]


def test_where_no_track_says_anything_all_are_dialogue_but_music() -> None:
    choices = choose_tracks(cut_of(track("A1"), track("A2"), track("Music")))
    assert [choice.dialogue for choice in choices] == [True, True, False]


def test_the_role_weighs_more_than_the_name() -> None:
    (choice,) = choose_tracks(cut_of(track("DX 1", role="Effects")))
    assert not choice.dialogue
    assert "Effects" in choice.why


def test_the_person_decides_alone() -> None:
    choices = choose_tracks(cut_of(track("DX 1"), track("MX")), ["mx"])
    assert [choice.dialogue for choice in choices] == [False, True]


def test_a_track_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no audio track 'A9'.*--tracks"):
        choose_tracks(cut_of(track("A1")), ["A9"])


def test_an_events_own_role_weighs_more_than_its_tracks() -> None:
    cut = cut_of(track("DX", event_role="Music"), track("MX", event_role="dialogue"), track("DX 2"))
    found = [
        passes_through(item.events[0], choice)
        for item, choice in zip(cut.tracks, choose_tracks(cut), strict=True)
    ]
    assert found == [True, False, False]

"""Slates lie outside the lines; direction, overlap and long pauses are told from the lines."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.events import EventKind, SoundEvent
from core.speech import Line, Word
from models.events.claps import Clap
from models.events.lines import line_events, overlaps
from models.events.slates import slates

RATE = 1000
LONG = 120 * RATE


def line(start_s: float, text: str, speaker: str = "", each_s: float = 0.3, **more: bool) -> Line:
    """A line whose words follow each other without a gap."""
    words = tuple(
        Word(word, round((start_s + k * each_s) * RATE), round((start_s + (k + 1) * each_s) * RATE))
        for k, word in enumerate(text.split())
    )
    return Line(speaker, words[0].start, words[-1].end, words, "engine", **more)


def of(kind: EventKind, *lines: Line, frames: int = LONG) -> list[SoundEvent]:
    return [event for event in line_events(lines, frames, RATE) if event.kind is kind]


def clap(start_s: float, strength: float = 1.0) -> Clap:
    return Clap(round(start_s * RATE), round(start_s * RATE) + 30, 40.0, strength)


def slated(claps: list[Clap], *spoken: tuple[float, float]) -> list[tuple[int, str, float]]:
    spans = [(round(start * RATE), round(end * RATE)) for start, end in spoken]
    return [
        (event.start, event.note.partition(",")[0], event.confidence)
        for event in slates(claps, spans, LONG, RATE, 0)
    ]


def test_the_clap_after_the_announcement_is_the_slate_and_one_amid_the_scene_is_none() -> None:
    spoken = ((2, 5), (12, 60), (62, 100))
    assert slated([clap(7), clap(61)], *spoken) == [(7000, "slate", 1.0)]


def test_a_clap_after_the_last_line_is_an_end_slate() -> None:
    assert slated([clap(110)], (5, 60), (105, 108)) == [(110_000, "end slate", 1.0)]


def test_of_several_claps_the_clearest_is_the_slate() -> None:
    assert slated([clap(3, 0.6), clap(5, 0.9)], (20, 60)) == [(5000, "slate", 0.9)]


def test_much_speech_before_a_clap_makes_it_doubtful_and_more_makes_it_none() -> None:
    ((_, _, doubtful),) = slated([clap(20)], (5, 14), (30, 80))
    assert doubtful == 0.75
    assert slated([clap(20)], (2, 18), (30, 80)) == []


def test_what_is_said_up_to_action_is_direction() -> None:
    (event,) = of(
        EventKind.DIRECTION,
        line(1, "twelve a take three"),
        line(4, "and action"),
        line(8, "i never liked the harbour", "ANNA"),
    )
    assert (event.start, event.end) == (1000, 4600)
    assert event.note == "direction: take, action"
    assert event.confidence == 0.92


def test_a_draft_and_a_person_with_a_microphone_make_direction_less_sure() -> None:
    (drafted,) = of(EventKind.DIRECTION, line(1, "and action", draft=True))
    (worn,) = of(EventKind.DIRECTION, line(1, "and action", "ANNA"))
    assert (drafted.confidence, worn.confidence) == (0.4, 0.4)


def test_the_last_cut_is_direction() -> None:
    (event,) = of(
        EventKind.DIRECTION, line(5, "good night", "ANNA"), line(115, "and cut thank you")
    )
    assert (event.start, event.end, event.note) == (115_000, 115_600, "direction: cut")


def test_the_words_of_a_scene_are_no_direction() -> None:
    scene = (
        line(8, "we need action now not words", "ANNA"),
        line(50, "take three of them and cut the bread", "BEN"),
        line(80, "action", "ANNA"),
    )
    assert of(EventKind.DIRECTION, *scene) == []


def test_people_who_speak_at_once_overlap_and_strangers_do_not() -> None:
    lines = (line(1, "a b c d", "ANNA"), line(1.9, "e f", "BEN"), line(2.0, "g", ""))
    (event,) = of(EventKind.OVERLAP, *lines)
    assert (event.start, event.end, event.note) == (1900, 2200, "2 people at once")
    assert of(EventKind.OVERLAP, lines[0], line(1.9, "e f", "ANNA")) == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 40), st.sampled_from(["A", "B", "C", ""])),
        max_size=8,
    )
)
def test_overlap_is_what_a_count_of_every_sample_says(
    rows: list[tuple[int, int, str]],
) -> None:
    lines = [Line(name, start, start + length, (), "") for start, length, name in rows]
    expected = {
        at
        for at in range(100)
        if len({x.speaker for x in lines if x.start <= at < x.end and x.speaker}) > 1
    }
    found = overlaps(lines, 1)
    assert {at for event in found for at in range(event.start, event.end)} == expected


def test_a_long_pause_is_told_and_a_take_without_a_word() -> None:
    (event,) = of(EventKind.SILENCE, line(1, "wait", "ANNA"), line(15, "no", "ANNA"))
    assert (event.start, event.end) == (1300, 15_000)
    assert event.note == "nobody speaks for 0:13.700"
    (whole,) = of(EventKind.SILENCE)
    assert (whole.start, whole.end) == (0, LONG)
    assert of(EventKind.SILENCE, frames=5 * RATE) == []


def test_notes_name_nobody_and_quote_no_dialogue() -> None:
    lines = (line(1, "zebra take two action", "ANNA"), line(2, "yellow", "BEN"), line(90, "z", ""))
    notes = " ".join(event.note for event in line_events(lines, LONG, RATE)).lower()
    assert notes
    assert not {"anna", "ben", "zebra", "yellow"} & set(notes.replace(",", " ").split())

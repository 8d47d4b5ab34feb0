"""What a person decided for a line stays through new alignments and new drafts."""

from __future__ import annotations

from dataclasses import replace

from core.readings import Reading, State
from core.script import Part, PartKind, Script, ScriptLine, Speech, script_lines
from core.script_marks import LineMark, marked_lines, with_marks


def lines(*speeches: tuple[str, str]) -> tuple[ScriptLine, ...]:
    said = tuple(Speech(name, (Part(PartKind.DIALOGUE, text),)) for name, text in speeches)
    return script_lines(Script("S", said))


FIRST = lines(("ANNA", "No."), ("BEN", "I sold the boat on Monday."), ("ANNA", "No."))


def mark(line: ScriptLine, state: State = State.CHANGED) -> LineMark:
    return LineMark(
        line.key, line.scene, line.character, line.text, "t", state, note="why", by="kim"
    )


def test_a_line_is_known_again_wherever_it_went() -> None:
    moved = lines(
        ("BEN", "Hello."), ("Anna", "no"), ("ANNA", "NO!"), ("BEN", "I sold the boat, on Monday")
    )
    found = marked_lines([mark(line) for line in FIRST], moved)
    assert list(found.values()) == [2, 4, 3]


def test_a_rewritten_line_keeps_its_mark_and_a_cut_one_loses_it() -> None:
    revised = lines(("ANNA", "I sold the boat on Monday."), ("BEN", "I sold the boat on Sunday."))
    assert list(marked_lines([mark(FIRST[1])], revised).values()) == [2]
    assert marked_lines([mark(FIRST[1])], lines(("BEN", "What boat?"))) == {}


def test_a_mark_takes_the_place_of_what_was_found_and_keeps_where() -> None:
    found = Reading(2, "t", State.AS_WRITTEN, 100, 200, (3, 9), 0.9, "BEN", "I sold")
    other = replace(found, take="u")
    beside = replace(found, state=State.AD_LIB)
    readings = with_marks([found, other, beside], {mark(FIRST[1]): 2})
    assert readings == (
        other,
        beside,
        replace(found, state=State.CHANGED, by="kim", note="why"),
    )


def test_a_mark_for_a_line_that_nobody_heard_stands_alone() -> None:
    assert with_marks([], {mark(FIRST[0], State.AS_WRITTEN): 1}) == (
        Reading(1, "t", State.AS_WRITTEN, by="kim", note="why"),
    )
    said = Reading(1, "t", State.AS_WRITTEN, 100, 200, (3, 9), 0.9, "BEN", "No")
    assert with_marks([said], {mark(FIRST[0], State.OMITTED): 1}) == (
        Reading(1, "t", State.OMITTED, by="kim", note="why"),
    )

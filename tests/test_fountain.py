"""A Fountain script becomes the speeches that its published syntax says it has."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.scripts.fountain import parse, read
from adapters.scripts.read import read_script
from bench.injuries import injured
from core.errors import InputError
from core.script import Part, PartKind, Prose, ProseKind, SceneHeading, Speech, script_lines

SCRIPT = """\
Title:
    _**Brick & Steel**_
    Full Retired
Credit: Written by
Author: Stu

FADE IN:

EXT. BRICK'S PATIO - DAY #1#

A gorgeous day.  The sun is /* not really
shining, but */ bright.

STEEL
(beer raised)
To retirement.

BRICK (V.O.) (CONT'D)
To *retirement*. [[check this]]
(quietly)
And to us.

STEEL
Screw retirement.

BRICK ^
Screw retirement.

CUT TO:

.SNIPER SCOPE POV #2A#

!INT. THIS IS ACTION

@McCLANE
Yippee ki-yay!

R2D2
Beep.

23
Not a character.

> THE END <

===

# Act Two

= They meet.

!!CLOSE ON the door

~Willy Wonka! Willy Wonka!
"""


def test_every_element_of_the_syntax_is_what_it_says() -> None:
    script = parse(SCRIPT, "name")
    assert script.title == "Brick & Steel Full Retired"
    assert script.title_page[1:] == (("Credit", "Written by"), ("Author", "Stu"))
    shown = [element for element in script.elements if not isinstance(element, Speech)]
    assert [(type(e), getattr(e, "kind", ""), e.text) for e in shown] == [
        (Prose, ProseKind.ACTION, "FADE IN:"),
        (SceneHeading, "", "EXT. BRICK'S PATIO - DAY"),
        (Prose, ProseKind.ACTION, "A gorgeous day.  The sun is"),
        (Prose, ProseKind.ACTION, "bright."),
        (Prose, ProseKind.NOTE, "check this"),
        (Prose, ProseKind.TRANSITION, "CUT TO:"),
        (SceneHeading, "", "SNIPER SCOPE POV"),
        (Prose, ProseKind.ACTION, "INT. THIS IS ACTION"),
        (Prose, ProseKind.ACTION, "23"),
        (Prose, ProseKind.ACTION, "Not a character."),
        (Prose, ProseKind.CENTRED, "THE END"),
        (Prose, ProseKind.PAGE_BREAK, ""),
        (Prose, ProseKind.SECTION, "Act Two"),
        (Prose, ProseKind.SYNOPSIS, "They meet."),
        (Prose, ProseKind.SHOT, "CLOSE ON the door"),
        (Prose, ProseKind.LYRICS, "Willy Wonka! Willy Wonka!"),
    ]
    assert [e.number for e in shown if isinstance(e, SceneHeading)] == ["1", "2A"]
    assert [
        (line.number, line.scene, line.character, line.extension, line.text, line.dual)
        for line in script_lines(script)
    ] == [
        (1, "1", "STEEL", "", "To retirement.", False),
        (2, "1", "BRICK", "V.O., CONT'D", "To retirement. And to us.", False),
        (3, "1", "STEEL", "", "Screw retirement.", False),
        (4, "1", "BRICK", "", "Screw retirement.", True),
        (5, "2A", "McCLANE", "", "Yippee ki-yay!", False),
        (6, "2A", "R2D2", "", "Beep.", False),
    ]
    assert script.warnings == ()


def test_a_blank_line_with_two_spaces_keeps_a_speech_going() -> None:
    (line,) = script_lines(parse("INT. BAR\n\nDEALER\nTen.\n  \nFour.\n\nHe leaves.", "s"))
    assert line.text == "Ten. Four."


def test_a_cue_needs_a_blank_line_before_and_none_behind() -> None:
    script = parse("He shouts\nNO\nand leaves.\n\nA DOOR\n\nslams.", "s")
    assert script_lines(script) == ()
    assert {element.kind for element in script.elements if isinstance(element, Prose)} == {
        ProseKind.ACTION
    }


def test_sung_lines_within_a_speech_are_heard() -> None:
    script = parse("INT. BAR\n\nANNA\n~La la\n(stops)\nNo.", "s")
    (speech,) = [element for element in script.elements if isinstance(element, Speech)]
    assert speech.parts == (
        Part(PartKind.LYRICS, "La la"),
        Part(PartKind.PARENTHETICAL, "(stops)"),
        Part(PartKind.DIALOGUE, "No."),
    )
    assert speech.text == "La la No."


def test_notes_and_boneyards_run_over_lines_and_say_so_when_they_don_t_end() -> None:
    open_note = parse("Action [[a note\n\nANNA\nHello.", "s")
    assert [line.text for line in script_lines(open_note)] == ["Hello."]
    assert len(open_note.warnings) == 1
    buried = parse("ANNA\nHello.\n\n/*\nBEN\nGone.", "s")
    assert [line.text for line in script_lines(buried)] == ["Hello."]
    assert len(buried.warnings) == 1


def test_escaped_marks_stay_and_emphasis_goes() -> None:
    (line,) = script_lines(parse("ANNA\nA \\*star\\* and **a _bold_ one**, 2 * 3 * 4.", "s"))
    assert line.text == "A *star* and a bold one, 2 * 3 * 4."


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\ufeffANNA\nCafé.".encode(), "Café."),
        ("ANNA\nCafé.".encode("utf-16"), "Café."),
        ("ANNA\r\nCafé.".encode("cp1252"), "Café."),
    ],
)
def test_every_usual_encoding_is_read(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "a.fountain"
    path.write_bytes(data)
    assert [line.text for line in script_lines(read(path))] == [text]


def test_what_is_no_script_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for name, data in (("a.fountain", b"\0\1\2"), ("a.pdf", b"%PDF"), ("a.xyz", b"x")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name):
            read_script(tmp_path / name)
    with pytest.raises(InputError, match="gone"):
        read_script(tmp_path / "gone.fountain")


NAMES = st.from_regex(r"[A-Z][A-Z0-9]{0,8}( [A-Z]{1,6})?", fullmatch=True)
WORDS = st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NAMES, WORDS, st.booleans()), min_size=1, max_size=8))
def test_speeches_that_are_written_are_read_again(
    speeches: list[tuple[str, list[str], bool]],
) -> None:
    text = "INT. HERE - DAY\n\n" + "\n\n".join(
        f"{name}{' ^' if dual else ''}\n{' '.join(words)}" for name, words, dual in speeches
    )
    lines = script_lines(parse(text, "s"))
    assert [(line.character, line.text, line.dual) for line in lines] == [
        (name, " ".join(words), dual) for name, words, dual in speeches
    ]


def test_no_injured_script_breaks_the_reader() -> None:
    for data in injured(SCRIPT.encode(), 500):
        for line in script_lines(parse(data.decode("cp1252", "replace"), "s")):
            assert line.text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("_a " * 60_000, id="emphasis that nothing closes"),
        pytest.param("\nINT. A" + " " * 60_000 + "x\n", id="white space where a number may be"),
        pytest.param("\nBOB" + " (x)" * 20_000 + "\nHello.\n", id="extensions of a cue"),
        pytest.param("Title: a\n" + "  bbbbbbbbbbbbbbbbbbbb\n" * 40_000, id="a title without end"),
    ],
)
def test_reading_takes_time_that_grows_with_the_script_only(text: str) -> None:
    started = time.process_time()
    parse(text, "script")
    assert time.process_time() - started < 4

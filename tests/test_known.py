"""A name that nothing bears is told as such, with those near it, alike in every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from heard import SAID, script_file, take_heard
from production import Home

from core.words import counted, near


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.folder.mkdir()
    take_heard(home, "7A-T01", SAID)
    take_heard(home, "7B-T02", SAID[2:])
    return home


def test_near_names_are_misspelt_or_part_of_a_name_in_any_case() -> None:
    names = ("STELLA", "STEPHAN", "REN", "7A-T01", "7B-T02", "")
    assert near("stela", names)[0] == "STELLA"
    assert near("7a", names) == ("7A-T01",)
    assert near("nobody", names) == ()
    assert near(" ", names) == ()


def test_one_is_one() -> None:
    assert (counted(0, "line"), counted(1, "line"), counted(2, "line")) == (
        "0 lines",
        "1 line",
        "2 lines",
    )


@pytest.mark.parametrize(
    ("option", "asked", "told"),
    [
        ("--speaker", "ANA", "No speaker 'ANA' is known here; near it: ANNA."),
        ("--speaker", "ZORRO", "No speaker 'ZORRO' is known here; roomtone speakers list names"),
        ("--scene", "7", "No scene '7' is known here; near it: 7A, 7B."),
        ("--take", "7B-T20", "No take '7B-T20' is known here; near it: 7B-T02"),
        ("--production", "DUCK", "No production 'DUCK' is known here; near it: DOCK."),
        ("--cut", "cuts/reel1.otio", "No cut 'reel1.otio' is known here; clean it first."),
    ],
)
def test_a_search_blames_the_unknown_name_and_not_the_words(
    home: Home, tmp_path: Path, option: str, asked: str, told: str
) -> None:
    for words in (("search", "boat"), ("pull", "boat", "-o", tmp_path / "out.otio")):
        ran = home.run(*words, option, asked)
        assert ran.code == 3
        assert told in ran.err
    assert home.run("search", "boat", "--speaker", "anna", "--take", "7a-1").code == 0
    assert "that the filters let through" in home.run("search", "boat", "--scene", "7B").out


def test_an_unknown_take_is_the_same_fault_everywhere(home: Home, tmp_path: Path) -> None:
    script = script_file(tmp_path)
    for words in (
        ("lines", "99"),
        ("events", "--take", "99"),
        ("correct", "99", "--line", "1", "words"),
        ("speakers", "lines", "99"),
        ("speakers", "split", "ANNA", "--take", "99"),
        ("coverage", "mark", script, "--line", "1", "--take", "99"),
        ("export", "--take", "99", "--format", "srt"),
        ("forget", "--take", "99", "--yes"),
        ("search", "boat", "--take", "99"),
    ):
        ran = home.run(*words)
        assert (ran.code, "No take '99' is known here;" in ran.err) == (3, True), words


def test_a_cut_that_is_not_there_is_said_to_be_missing(home: Home, tmp_path: Path) -> None:
    gone = tmp_path / "gone.otio"
    for words in (("adr", gone), ("export", gone, "--format", "srt")):
        ran = home.run(*words)
        assert (ran.code, f"{gone} does not exist" in ran.err) == (3, True)


def test_a_split_counts_its_lines_in_grammar(home: Home) -> None:
    one = home.run("speakers", "split", "ANNA", "--take", "7B-T02", "--to", "EVA", "--line", "1")
    assert one.out.startswith("1 line of ANNA in 7B-T02 is EVA's from now on")
    wrong = home.run("speakers", "split", "BEN", "--take", "7A-T01", "--line", "1")
    assert "BEN does not speak these lines of take 7A-T01" in wrong.err


def test_a_new_name_says_in_how_many_lines_it_stands(home: Home) -> None:
    named = home.run("speakers", "name", "ANNA", "ANNA LEE")
    assert named.out == "ANNA is ANNA LEE from now on, in 3 lines.\n"
    assert home.run("speakers", "undo").out == "Taken back: name of ANNA.\n"


def test_a_mark_on_an_unknown_production_says_so_and_waits(home: Home) -> None:
    told = home.run("privacy", "DOK", "--no-transcription")
    assert told.code == 0
    assert "Nothing of a production of that name is known yet (known: DOCK)" in told.out
    assert "known yet" not in home.run("privacy", "dock", "--no-voice-profile").out
    assert "known yet" not in home.run("privacy", "DOK", "--transcription").out


def test_the_help_of_coverage_shows_the_options_of_its_first_command(home: Home) -> None:
    told = home.run("coverage", "--help").out
    assert "alternates" in told
    assert "--out" in told
    assert "--quiet" in told


def test_a_draft_as_written_is_marked_as_unsure_until_a_person_marks_it(
    home: Home, tmp_path: Path
) -> None:
    script = script_file(tmp_path)
    take_heard(home, "7C-T03", SAID, draft=True)
    text = home.run("coverage", script).out
    assert "7C-T03       10:00:01:00  as written (draft)  “did you take" in text
    assert "7A-T01       10:00:01:00  as written\n" in text
    marking = ("coverage", "mark", script, "--line", "1", "--take", "7C-T03", "--state")
    assert home.run(*marking, "as written").code == 0
    line = home.run("coverage", script, "--json").json["lines"][0]
    assert {one["take"]: one["unsure"] for one in line["readings"]} == {
        "7A-T01": False,
        "7C-T03": False,
    }
    page = tmp_path / "lined.html"
    home.run("coverage", script, "--out", page, "--quiet")
    assert "7C-T03: as written (draft)" in page.read_text("utf-8")

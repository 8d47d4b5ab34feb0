"""`roomtone coverage` says which takes have a line, and keeps what a person decided."""

from __future__ import annotations

from pathlib import Path

import pytest
from heard import SAID, SCRIPT, script_file, take_heard
from production import Home

from db.engine import open_database
from db.tables import Activity


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.folder.mkdir()
    take_heard(home, "7A-T01", SAID, circled=True)
    take_heard(home, "7B-T02", (SAID[2], ("BEN", "look at the weather will you"), SAID[3]))
    return home


def states(home: Home, script: Path) -> dict[int, dict[str, str]]:
    ran = home.run("coverage", script, "--json")
    assert ran.code == 0, ran.err
    return {
        line["number"]: {reading["take"]: reading["state"] for reading in line["readings"]}
        for line in ran.json["lines"]
    }


def test_every_line_has_its_takes_in_source_timecode(home: Home, tmp_path: Path) -> None:
    ran = home.run("coverage", script_file(tmp_path))
    assert ran.code == 0, ran.err
    text = ran.out
    assert "7 INT. DOCK - DAY" in text
    assert "(7A-T01)     10:00:01:00  as written" in text
    assert "ad-lib  BEN: “look at the weather will you”" in text
    assert "no take" in text
    assert "5 lines, 2 takes: 4 as written" in text


def test_the_page_shows_strokes_circles_and_gaps_and_escapes_the_script(
    home: Home, tmp_path: Path
) -> None:
    page = tmp_path / "out" / "lined.html"
    ran = home.run("coverage", script_file(tmp_path), "--out", page, "--quiet")
    assert ran.code == 0, ran.err
    text = page.read_text("utf-8")
    assert text.count('class="take circled"') == 1
    assert 'title="7A-T01: as written"' in text
    assert "0 of 1 lines covered, no take" in text
    assert "<script" not in text
    assert "&lt;script&gt;Nobody" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_mark_stays_through_new_alignments_and_a_revised_script(
    home: Home, tmp_path: Path
) -> None:
    script = script_file(tmp_path)
    said = home.run(
        "coverage", "mark", script, "--line", "3", "--take", "7b-2", "--state", "changed",
        "--note", "off mike",
    )  # fmt: skip
    assert said.out == "Line 3 in 7B-T02 is marked changed.\n"
    assert states(home, script)[3] == {"7A-T01": "as written", "7B-T02": "changed"}
    take_heard(home, "7B-T02", SAID[2:])
    revised = SCRIPT.replace("ANNA\nDid you take the old boat, or did Ben sell it?\n", "").replace(
        "You never told me that.", "You never told me about that."
    )
    script_file(tmp_path, revised)
    assert states(home, script)[2]["7B-T02"] == "changed"
    script_file(tmp_path, revised.replace("You never told me about that.", "Ben."))
    assert "no longer in the script" in home.run("coverage", script).out
    script_file(tmp_path)
    home.run("coverage", "mark", script, "--line", "3", "--take", "7B-T02", "--clear")
    assert states(home, script)[3]["7B-T02"] == "as written"
    database = open_database(home.folder / "roomtone.db")
    with database.read() as session:
        kept = session.query(Activity).filter(Activity.kind == "mark").all()
    database.close()
    assert [row.parameters["state"] for row in kept] == ["changed", ""]
    assert all(row.agent not in ("", "roomtone") for row in kept)


def test_takes_of_another_production_are_left_out(home: Home, tmp_path: Path) -> None:
    ran = home.run("coverage", script_file(tmp_path), "--project", "other", "--json")
    assert ran.json["counts"]["no take"] == 5


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("gone.fountain",), 3),
        (("mark", "dock.fountain", "--line", "9", "--take", "7A-T01"), 2),
        (("mark", "dock.fountain", "--line", "1", "--take", "nothing"), 3),
        (("mark", "dock.fountain", "--line", "1", "--take", "7A-T01", "--state", "odd"), 2),
    ],
)
def test_faults_are_sentences(
    home: Home, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    script_file(tmp_path)
    named = [tmp_path / word if word.endswith(".fountain") else word for word in words]
    ran = home.run("coverage", *named)
    assert ran.code == code
    assert ran.err.startswith("roomtone: ")
    assert "Traceback" not in ran.err

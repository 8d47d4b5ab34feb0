"""What a search finds becomes a timeline that every reader opens at the right frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from production import PER_FRAME, Home, steps, tell
from sqlalchemy import select

from adapters.timelines.read import read_cut
from core.time import RATES
from db.engine import open_database
from db.tables import Location, Media

RATE = RATES["23.976"]
SAID = {
    "1-T01": ((30, "the blue suitcase"), (70, "never mind")),
    "1-T02": ((40, "blue suitcases"),),
}
TIMECODE = {"1-T01": 10 * 3600 * 24, "1-T02": 11 * 3600 * 24 + 7}


@pytest.fixture
def home(own_home: Home) -> Home:
    """A home whose takes were heard; a word lasts five frames."""
    tell(own_home, SAID)
    return own_home


@pytest.mark.parametrize("kind", ["otio", "edl", "xml", "aaf"])
def test_every_reader_opens_what_was_pulled(home: Home, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"selects.{kind}"
    ran = home.run("pull", "blue suitcase", "-o", out, "--order", "take", "--handles", 0.5)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"Wrote {out}: 2 clips.\n"
    cut = read_cut(out, RATE)
    (track,) = cut.audio_tracks
    played = [(e.media.name, e.source_start, e.record_start, e.record_length) for e in track.events]
    assert played == [
        ("1-T01", TIMECODE["1-T01"] + 30 - 12, 0, 15 + 24),
        ("1-T02", TIMECODE["1-T02"] + 40 - 12, 39, 10 + 24),
    ]
    said = {"REN: the blue suitcase", "REN: blue suitcases"}
    # AAF is written without markers.
    assert {marker.name for marker in cut.markers} == (set() if kind == "aaf" else said)


def test_cleaned_media_are_the_cleaned_take(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "selects.otio"
    ran = home.run("pull", '"blue suitcase"', "-o", out, "--sound", "cleaned", "--handles", 0.25)
    assert (ran.code, ran.err) == (0, "")
    (clip,) = (tmp_path / "selects_media").iterdir()
    # Frames 30 to 45, the handle of six frames twice: 18 to 57.
    kept = [steps(path) for path in (home.folder / "store").rglob("*.wav")]
    wanted = steps(clip)
    assert len(wanted) == 39 * PER_FRAME
    part = slice(18 * PER_FRAME, 57 * PER_FRAME)
    assert any(
        np.array_equal(sound.reshape(len(sound), -1)[part, 0], wanted.ravel()) for sound in kept
    )
    event = read_cut(out, RATE).audio_tracks[0].events[0]
    assert event.media.url.endswith("selects_media/1-T01.wav")
    assert event.handles == (6, 6)
    assert {name for name, _ in event.other_media} >= {"original"}
    assert "1-T01.wav" in home.run("trace", out).out


def test_nothing_is_overwritten(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "selects.edl"
    out.write_text("mine")
    ran = home.run("pull", "suitcase", "-o", out)
    assert ran.code == 6
    assert "exists already" in ran.err
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("nothing like that", "-o", "x.otio"), 3, "Nothing to pull"),
        (("suitcase", "-o", "x.mp3"), 2, "must end in one of"),
    ],
)
def test_a_fault_is_one_sentence(
    home: Home, tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    out = tmp_path / words[-1]
    ran = home.run("pull", *words[:-1], out)
    assert ran.code == code
    assert told in ran.err
    assert ran.err.count("\n") == 1
    assert not out.exists()


def test_offline_media_are_named(home: Home, tmp_path: Path) -> None:
    database = open_database(home.folder / "roomtone.db")
    with database.write() as session:
        for media in session.scalars(select(Media)).all():
            if media.path.stem == "1-T02":
                session.delete(media)
                session.delete(session.get_one(Location, media.path))
    database.close()
    ran = home.run("pull", "blue suitcase", "-o", tmp_path / "x.otio")
    assert ran.code == 0
    assert "offline: 1-T02" in ran.err
    assert "1 clip." in ran.out

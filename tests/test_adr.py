"""Readings of a line can be pulled, and lines that nothing saves are on the ADR cue sheet."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import opentimelineio as otio
import pytest
from heard import SAID, script_file, take_heard
from production import Home

from core.media import MediaFile
from db.engine import open_database
from db.provenance import Use, record
from flows.workspace import activity

FPS = 24_000 / 1001


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.folder.mkdir()
    return home


def held_back(home: Home, media: MediaFile) -> None:
    """The take was cleaned, and a gate failed."""
    gates = [
        {"name": "air", "value": -4.5, "unit": "dB", "limit": 3.0, "passed": False, "meaning": ""},
        {"name": "lag", "value": 0.0, "unit": "samples", "limit": 0, "passed": True, "meaning": ""},
    ]
    done = activity("clean", media.sha256, datetime.now(UTC), {"gates": [gates]})
    database = open_database(home.folder / "roomtone.db")
    try:
        with database.write() as session:
            record(session, done, used=[Use(media.sha256, "original")], generated=[])
    finally:
        database.close()


def test_the_readings_of_a_line_are_a_timeline_with_handles(home: Home, tmp_path: Path) -> None:
    take_heard(home, "7A-T01", SAID)
    second = take_heard(home, "7B-T02", SAID[2:], circled=True)
    out = tmp_path / "line3.otio"
    ran = home.run(
        "coverage", "alternates", script_file(tmp_path), "--line", "3", "--out", out, "--json"
    )
    assert ran.code == 0, ran.err
    assert [reading["take"] for reading in ran.json["readings"]] == ["7B-T02", "7A-T01"]
    (track,) = otio.adapters.read_from_file(str(out)).audio_tracks()
    clips = [item for item in track if isinstance(item, otio.schema.Clip)]
    assert len(clips) == len(track) == 2
    first = clips[0].source_range
    start, end = 48_048, 48_048 + 5 * 9_600
    begin = first.start_time.value / FPS * 48_000 - 10 * 3600 * 48_048
    stop = begin + first.duration.value / FPS * 48_000
    # A second of handles at either end, out to whole frames; the first is cut by the take's start.
    assert 0 <= start - 48_000 - begin < 2_002 or begin == pytest.approx(0, abs=1)
    assert 0 <= stop - (end + 48_000) < 2_002
    assert clips[0].media_reference.target_url.endswith(second.path.name)
    markers = otio.adapters.read_from_file(str(out)).tracks.markers
    assert [marker.name for marker in markers] == ["7B-T02", "7A-T01"]


def test_a_line_is_a_cue_only_where_no_reading_is_sound(home: Home, tmp_path: Path) -> None:
    script = script_file(tmp_path)
    poor = take_heard(home, "7A-T01", SAID, confidence=0.3)
    out = tmp_path / "adr.csv"
    ran = home.run("adr", script, "--out", out, "--json")
    assert ran.code == 0, ran.err
    assert [cue["line"] for cue in ran.json["cues"]][1].startswith("I sold it on Monday")
    assert {cue["reason"] for cue in ran.json["cues"]} == {"recognised with 30 % confidence"}
    held_back(home, poor)
    take_heard(home, "7B-T02", SAID[2:])
    ran = home.run("adr", script, "--out", out, "--json")
    cues = ran.json["cues"]
    assert [cue["character"] for cue in cues] == ["ANNA", "BEN"]
    assert cues[0]["start"] == "10:00:01:00"
    assert cues[0]["reason"] == (
        "recognised with 30 % confidence; "
        "cleaning fails the gate air (-4.50 dB, limit 3, over the whole take)"
    )
    rows = list(csv.reader(io.StringIO(out.read_text("utf-8"))))
    assert rows[0] == ["Cue", "Reel", "In", "Out", "Character", "Line", "Reason", "Take"]
    assert [row[:5] for row in rows[1:]] == [
        [cue[name] for name in ("number", "reel", "start", "end", "character")] for cue in cues
    ]
    page = out.with_suffix(".html").read_text("utf-8")
    assert "2 cues of 4 lines; source timecode." in page


def test_a_draft_s_confidence_is_no_reason(home: Home, tmp_path: Path) -> None:
    take_heard(home, "7A-T01", SAID, confidence=0.1, draft=True)
    ran = home.run("adr", script_file(tmp_path))
    assert "0 of 4 lines are cues" in ran.out
    assert "stand-in" in ran.out


def test_faults_are_sentences(home: Home, tmp_path: Path) -> None:
    script = script_file(tmp_path)
    for words, code in (
        (("adr", script, "--script", script), 2),
        (("adr", tmp_path / "gone.otio"), 3),
        (("coverage", "alternates", script, "--line", "99"), 2),
        (("coverage", "alternates", script, "--line", "1", "--out", "x.edl"), 2),
        (("coverage", "alternates", script, "--line", "1", "--out", tmp_path / "x.otio"), 3),
    ):
        ran = home.run(*words)
        assert ran.code == code, ran.err
        assert ran.err.startswith("roomtone: ")

"""A run notes what happens in its takes once; commands and the report show it where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from production import PER_FRAME, RATE, STEP, Delivered, Home
from sqlalchemy import select

from adapters.media.probe import probe
from adapters.media.write import WaveWriter
from cli.events import show_events
from config.settings import Settings
from core.events import EventKind, SoundEvent
from core.media import SoundNotes
from core.time import RATES
from db.events import TakeEvent
from db.provenance import finished
from db.tables import Activity, EventPass
from flows import scanning
from flows.events import told_within
from flows.scanning import scan_file
from flows.turnover import hash_media
from flows.workspace import open_workspace

CLAP, POP, TONE, DEAD = 60_000, 200_000, 300_000, 420_000
FRAMES = 480_000


@pytest.fixture(scope="module")
def slated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A take of ten seconds with a clap, a pop, line-up tone and a lav that goes dead."""
    rng = np.random.default_rng(7)
    sound = rng.normal(scale=0.0005, size=(FRAMES, 3))
    fall = 10 ** (-3 * np.arange(9600) / 9600)
    sound[CLAP : CLAP + 9600] += (0.2 * rng.normal(size=9600) * fall)[:, None]
    for at, frames in ((POP, PER_FRAME), (TONE, 2 * RATE)):
        sound[at : at + frames, 0] += 0.1 * np.sin(2 * np.pi * 1000 * np.arange(frames) / RATE)
    sound[DEAD : DEAD + 40_000, 1] = 0
    path = tmp_path_factory.mktemp("slated") / "9-T04.wav"
    notes = SoundNotes(
        scene="9",
        take="4",
        project="SMALL FILM",
        track_names=((0, "BOOM"), (1, "REN"), (2, "MARA")),
        timecode_rate=RATES["23.976"],
        time_reference=10 * 3600 * 24 * PER_FRAME,
    )
    with WaveWriter(path, RATE, 3, "PCM_24", notes) as writer:
        writer.write(np.rint(sound / STEP).astype(np.int64))
    return path


@pytest.fixture(scope="module")
def home(slated: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("events")
    home = Home(folder / "home")
    assert home.run("clean", slated, "--out", folder / "out").code == 0
    return home


def kinds(rows: list[dict[str, Any]], *wanted: str) -> list[tuple[str, int, int | None]]:
    return [(row["kind"], row["start"], row["channel"]) for row in rows if row["kind"] in wanted]


def test_a_run_finds_each_where_it_is_and_tells_it_in_timecode(home: Home) -> None:
    rows = home.run("events", "--take", "9-4", "--json").json
    found = kinds(rows, "slate", "pop", "tone")
    assert [kind for kind, _, _ in found] == ["slate", "pop", "tone"]
    assert all(
        abs(start - at) <= 24 and channel == 0
        for (_, start, channel), at in zip(found, (CLAP, POP, TONE), strict=True)
    )
    silent = [row for row in rows if row["note"] == "digital silence"]
    assert kinds(silent, "silence") == [("silence", DEAD, 1)]
    (slate,) = [row for row in rows if row["kind"] == "slate"]
    assert slate["timecode"] == "10:00:01:05"  # 60000 / 2002 is 29.97 frames, 24 to the second
    assert "1000 Hz at -20.0 dBFS" in home.run("events", "--kind", "tone").out


def test_another_run_notes_nothing_again(home: Home, slated: Path, tmp_path: Path) -> None:
    with open_workspace(Settings(home=home.folder)) as work, work.database.read() as session:
        before = session.execute(select(EventPass.detector, EventPass.created)).all()
    assert {detector for detector, _ in before} >= {"sound", "lines"}
    assert home.run("clean", slated, "--out", tmp_path / "again").code == 0
    with open_workspace(Settings(home=home.folder)) as work, work.database.read() as session:
        assert session.execute(select(EventPass.detector, EventPass.created)).all() == before


def test_defects_are_those_that_cleaning_recorded(delivered: Delivered) -> None:
    with (
        open_workspace(Settings(home=delivered.home.folder)) as work,
        work.database.read() as session,
    ):
        keys = session.scalars(select(Activity.key).where(Activity.kind == "clean")).all()
        recorded = [finished(session, "clean", key) for key in keys]
        passes = session.scalars(select(EventPass.detector)).all()
    defects = [
        (defect["kind"], defect["start"], defect["end"])
        for found in recorded
        if found is not None
        for defect in found[0].parameters["defects"]  # type: ignore[union-attr]
    ]
    rows = delivered.home.run("events", "--json").json
    named = {kind for kind, *_ in defects}
    shown = [(row["kind"], row["start"], row["end"]) for row in rows if row["kind"] in named]
    assert sorted(shown) == sorted(set(defects))
    assert any(name.startswith("repair") for name in passes) == bool(defects)


def test_a_newer_detector_searches_again_without_listening(
    home: Home, slated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "VERSION", "newer")
    with open_workspace(Settings(home=home.folder)) as work:
        media = hash_media(work, probe(slated))
        assert not scanning.is_scanned(work, media)
        scan_file(work, media)
        assert scanning.is_scanned(work, media)
    assert len(home.run("events", "--kind", "slate", "--json").json) == 1


def test_an_unknown_kind_and_an_unknown_take_are_told(home: Home) -> None:
    assert home.run("events", "--kind", "bang").code == 2
    assert home.run("events", "--take", "77-1").code == 3
    assert home.run("search", "--json").code == 2
    assert home.run("events", "--kind", "2-pop", "--json").json[0]["kind"] == "pop"


def test_a_search_for_an_event_alone_lists_it(home: Home) -> None:
    assert len(home.run("search", "--event", "slate", "--json").json) == 1
    assert home.run("search", "harbour", "--event", "slate", "--json").json == []
    only = ("search", "--event", "slate", "--json")
    assert len(home.run(*only, "--take", "9-4", "--scene", "9", "--not-circled").json) == 1
    assert home.run(*only, "--circled").json == []


def test_a_length_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    notes = ("4 samples, 31 dB above; mended", "4 samples", "40 samples over it")
    events = [SoundEvent(EventKind.CLICK, 100, 104, note=note) for note in notes]
    facts = ("9-T04", "9", "4", "SR7", "e", None, RATE, 0, RATES["23.976"])
    show_events([TakeEvent(*facts, event) for event in events], as_json=False)
    told = [" ".join(row.split()[2:]) for row in capsys.readouterr().out.splitlines()[1:]]
    assert told == [
        "4 samples 31 dB above; mended",
        "4 samples",
        "4 samples 40 samples over it",
    ]


def test_the_report_tells_what_lies_within_a_clip() -> None:
    events = [
        SoundEvent(EventKind.HUM, 0, 1000),
        SoundEvent(EventKind.SLATE, 50, 60),
        *(SoundEvent(EventKind.CLICK, at, at + 1) for at in (210, 220, 230, 240)),
        SoundEvent(EventKind.OVERLAP, 190, 205),
    ]
    told = told_within(events, 200, 300, str)
    assert told == "hum throughout; overlap at 200; 4 × click, the first at 210"
    assert told_within(events, 40, 70, str) == "hum throughout; slate at 50"
    assert told_within([], 0, 10, str) == ""

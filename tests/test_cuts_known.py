"""Cuts, their deliveries and who speaks in them are found alike on both kinds of database."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from core.cut import Cut
from core.media import MediaFile, SoundNotes
from core.speech import Line, Word
from core.time import RATES
from db.catalogue import store_listening
from db.cuts import cut_summaries, deliveries, essences, setups_of, speech_in
from db.engine import Database
from db.memory import AssetRecord, CutEventRecord, remember_asset, remember_cut, remember_media
from db.provenance import ActivityRecord, Use, finished_works, record
from db.speakers import example_of, speaker_row, spoken_by

TAKE, RATE = "ab" * 32, 48_000


def take(session, name: str = TAKE) -> None:
    """Remember a take in which REN speaks twice and MARA once."""
    media = MediaFile(
        path=Path(f"/sound/{name[:4]}.wav"),
        container="WAV",
        subtype="PCM_24",
        sample_rate=RATE,
        channels=1,
        frames=60 * RATE,
        size=1,
        mtime_ns=1,
        notes=SoundNotes(scene="1", take="1", project="HARBOUR"),
        essence=name,
        sha256=name,
    )
    remember_media(session, media)
    lines = [
        Line(who, start * RATE, end * RATE, (Word("word", start * RATE, end * RATE),), "told")
        for who, start, end in (("REN", 0, 2), ("MARA", 3, 4), ("REN", 5, 9))
    ]
    store_listening(session, name, "1", "told", False, None, "en", lines, "HARBOUR")


def event(number: int, asset: str | None) -> CutEventRecord:
    """An event of a second, with media or offline."""
    start = None if asset is None else 0
    end = None if asset is None else RATE
    key = "" if asset is None else "key"
    return CutEventRecord(
        f"A1/{number:03}", "A1", number * RATE, RATE, asset, start, end, (0,), "url", key
    )


def delivered(session, key: str, digest: str, sha256: str, path: Path) -> None:
    """Remember the report of a delivery, which must lie at the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(key)
    remember_asset(session, AssetRecord(sha256, "report", path.name, path.stat().st_size), path)
    done = ActivityRecord(
        id=key,
        kind="render",
        key=f"{key}:report.html",
        tool="roomtone render",
        card=None,
        parameters={"cut_sha256": digest, "spec": "r128"},
        code_version="1",
        started=datetime.now(UTC),
        ended=datetime.now(UTC),
        machine="",
        agent="Mara",
    )
    record(session, done, [], [Use(sha256, "REPORT")])


def test_a_cut_is_told_once_with_what_is_offline(database: Database) -> None:
    first, second = "01" * 32, "02" * 32
    cut = Cut("REEL v1", RATES["25"], 90_000, Fraction(100), ())
    with database.write() as session:
        take(session)
        remember_cut(session, cut, first, Path("/cuts/old.otio"), [event(1, TAKE)])
        events = [event(1, TAKE), event(2, None), event(3, TAKE)]
        remember_cut(session, cut, second, Path("/cuts/other.otio"), events)
        remember_cut(session, cut, first, Path("/cuts/new.otio"), events)
    with database.read() as session:
        found = cut_summaries(session)
        assert [(c.digest, c.path.name, c.events, c.offline) for c in found] == [
            (first, "new.otio", 3, 1),
            (second, "other.otio", 3, 1),
        ]
        assert [c.digest for c in cut_summaries(session, second)] == [second]
        assert cut_summaries(session, "03" * 32) == ()
        assert essences(session, {TAKE, "ff" * 32}) == {TAKE: TAKE}
        assert setups_of(session, {TAKE}) == {}


def test_a_folder_that_another_cut_went_to_is_no_delivery_any_more(
    database: Database, tmp_path: Path
) -> None:
    one, two = "01" * 32, "02" * 32
    with database.write() as session:
        delivered(session, "a", one, "aa" * 32, tmp_path / "out" / "report.html")
        delivered(session, "b", two, "bb" * 32, tmp_path / "out" / "report.html")
        delivered(session, "c", two, "cc" * 32, tmp_path / "more" / "report.html")
    with database.read() as session:
        found = deliveries(session, "report.html")
        assert [(d.cut, d.folder.name, d.spec) for d in found] == [
            (two, "more", "r128"),
            (two, "out", "r128"),
        ]
        assert deliveries(session, "report.html", one) == ()
        works = finished_works(session, "render", {"a:report.html", "none"})
        assert [work.agent for work in works.values()] == ["Mara"]


def test_who_speaks_is_counted_by_take(database: Database) -> None:
    with database.write() as session:
        take(session)
        take(session, "cd" * 32)
        ren = speaker_row(session, "HARBOUR", "REN")
        assert ren is not None
    with database.read() as session:
        spoken = spoken_by(session, "HARBOUR")[ren]
        assert (spoken.takes, spoken.lines) == (("abab", "cdcd"), 4)
        assert spoken.seconds == pytest.approx(2 * (2 + 4))
        assert [(s.start, s.end, s.speaker) for s in speech_in(session, {TAKE})[TAKE]] == [
            (0, 2 * RATE, "REN"),
            (3 * RATE, 4 * RATE, "MARA"),
            (5 * RATE, 9 * RATE, "REN"),
        ]
        near = example_of(session, ren, 3.9)
        short = example_of(session, ren, 1.0)
        assert near is not None
        assert near != short
        assert example_of(session, 99_999, 4.0) is None

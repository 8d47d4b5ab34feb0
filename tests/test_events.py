"""What happens in a take is kept once, by the detector that found it, and found again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.defects import Defect, DefectKind
from core.errors import InputError
from core.events import EventKind, SoundEvent, from_defect
from core.media import MediaFile, SoundNotes
from core.time import RATES
from db.engine import Database, open_database
from db.events import TakeEvent, events_of, forget_events, has_events, store_events
from db.memory import remember_media


def take(scene: str, number: str, essence: str) -> MediaFile:
    return MediaFile(
        path=Path(f"/dailies/{scene}-T0{number}.wav"),
        container="WAV",
        subtype="PCM_24",
        sample_rate=48000,
        channels=2,
        frames=480000,
        size=1,
        mtime_ns=1,
        notes=SoundNotes(
            scene=scene,
            take=number,
            tape="SR014",
            project="HARBOUR",
            timecode_rate=RATES["23.976"],
            time_reference=1764562800,
        ),
        essence=essence,
        sha256=essence,
    )


FIRST, SECOND = take("12A", "1", "a" * 64), take("2", "1", "b" * 64)
SLATE = SoundEvent(EventKind.SLATE, 48000, 52000, 0, 0.9, "a clap")
CLICK = SoundEvent(EventKind.CLICK, 100, 106, 1, 1.0, "6 samples; interpolated")


@pytest.fixture
def database(place: Path | str) -> Iterator[Database]:
    opened = open_database(place)
    with opened.write() as session:
        remember_media(session, FIRST)
        remember_media(session, SECOND)
    yield opened
    opened.close()


def kept(database: Database, take: str | None = None, *kinds: EventKind) -> list[SoundEvent]:
    with database.read() as session:
        return [found.event for found in events_of(session, take, kinds=kinds)]


def test_an_event_comes_back_as_it_was_stored_with_its_take(database: Database) -> None:
    with database.write() as session:
        store_events(session, FIRST.essence, "sound", "1", [SLATE])
    with database.read() as session:
        assert events_of(session) == (
            TakeEvent(
                name="12A-T01",
                scene="12A",
                take="1",
                tape="SR014",
                essence="a" * 64,
                path=Path("/dailies/12A-T01.wav"),
                sample_rate=48000,
                time_reference=1764562800,
                timecode_rate=RATES["23.976"],
                event=SLATE,
            ),
        )


def test_they_are_listed_by_take_and_kind_in_order_of_scene_and_start(database: Database) -> None:
    with database.write() as session:
        store_events(session, FIRST.essence, "sound", "1", [SLATE])
        store_events(session, FIRST.essence, "repair", "1", [CLICK])
        store_events(session, SECOND.essence, "repair", "1", [CLICK])
    assert kept(database) == [CLICK, CLICK, SLATE]
    assert kept(database, "12a-1") == [CLICK, SLATE]
    assert kept(database, None, EventKind.SLATE) == [SLATE]
    assert kept(database, "2-T01.wav", EventKind.SLATE) == []


def test_a_newer_version_of_a_detector_replaces_its_own_findings_only(database: Database) -> None:
    with database.write() as session:
        store_events(session, FIRST.essence, "sound", "1", [SLATE])
        store_events(session, FIRST.essence, "repair", "1", [CLICK])
        store_events(session, FIRST.essence, "sound", "2", [])
    assert kept(database) == [CLICK]
    with database.read() as session:
        assert has_events(session, FIRST.essence, "sound", "2")
        assert not has_events(session, FIRST.essence, "sound", "1")


def test_what_two_takes_of_the_same_sound_share_is_told_once(database: Database) -> None:
    with database.write() as session:
        store_events(session, FIRST.essence, "repair 1", "1", [CLICK])
        store_events(session, FIRST.essence, "repair 1,2", "1", [CLICK])
    assert kept(database) == [CLICK]


def test_forgotten_events_are_gone_and_counted(database: Database) -> None:
    with database.write() as session:
        store_events(session, FIRST.essence, "sound", "1", [SLATE, CLICK])
        store_events(session, SECOND.essence, "sound", "1", [CLICK])
        assert forget_events(session, FIRST.essence) == 2
    assert kept(database) == [CLICK]
    with database.read() as session:
        assert not has_events(session, FIRST.essence, "sound", "1")


def test_a_take_that_nobody_knows_has_no_events(database: Database) -> None:
    with pytest.raises(ValueError, match="not remembered"), database.write() as session:
        store_events(session, "c" * 64, "sound", "1", [SLATE])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(start=st.integers(-5, 5), length=st.integers(-5, 5), confidence=st.floats(-1, 2, width=16))
def test_an_event_without_length_or_with_a_confidence_beyond_one_is_refused(
    start: int, length: int, confidence: float
) -> None:
    possible = start >= 0 and length > 0 and 0 <= confidence <= 1
    try:
        SoundEvent(EventKind.TONE, start, start + length, None, confidence)
    except InputError:
        assert not possible
    else:
        assert possible


@pytest.mark.parametrize("kind", DefectKind)
def test_every_defect_becomes_an_event_of_its_name(kind: DefectKind) -> None:
    event = from_defect(Defect(kind, 7, 9, 1, "so much"))
    assert (event.kind.value, event.start, event.end) == (kind.value, 7, 9)
    assert (event.channel, event.note, event.confidence) == (1, "so much", 1.0)

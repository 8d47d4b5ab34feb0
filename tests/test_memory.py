"""What was seen is recalled as it was, and only while it is still so."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core.cut import Cut
from core.errors import InputError
from core.media import MediaFile, SoundNotes
from core.time import RATES, FrameRate
from db.codec import media_from_json, media_to_json, rate_from_text, rate_to_text, storable
from db.engine import Database
from db.memory import (
    AssetRecord,
    CutEventRecord,
    asset_at,
    paths_of,
    recall_media,
    remember_asset,
    remember_cut,
    remember_media,
)
from db.tables import CutEvent, CutRow, Location, Media, Take

TAKE = MediaFile(
    path=Path("/dailies/day 1/12A-T03.wav"),
    container="WAV",
    subtype="PCM_24",
    sample_rate=48000,
    channels=4,
    frames=1174336,
    size=14_093_000,
    mtime_ns=1_700_000_000_123_456_789,
    notes=SoundNotes(
        scene="12A",
        take="3",
        tape="SR014",
        circled=True,
        project="HARBOUR",
        track_names=((0, "MIX"), (1, "BOOM"), (2, "STELLA"), (3, "JOHN")),
        timecode_rate=RATES["23.976"],
        time_reference=1792214424,
    ),
    essence="e" * 64,
    sha256="a" * 64,
    warnings=("The bext chunk names another scene than iXML.",),
)


def test_a_remembered_file_is_recalled_equal(database: Database) -> None:
    with database.write() as session:
        remember_media(session, TAKE)
    with database.read() as session:
        assert recall_media(session, TAKE.path, TAKE.size, TAKE.mtime_ns) == TAKE


def test_a_changed_moved_or_new_file_is_not_recalled(database: Database) -> None:
    with database.write() as session:
        remember_media(session, TAKE)
    with database.read() as session:
        assert recall_media(session, TAKE.path, TAKE.size + 1, TAKE.mtime_ns) is None
        assert recall_media(session, TAKE.path, TAKE.size, TAKE.mtime_ns + 1) is None
        assert recall_media(session, Path("/else.wav"), TAKE.size, TAKE.mtime_ns) is None


def test_a_probe_by_an_earlier_version_is_not_recalled(database: Database) -> None:
    with database.write() as session:
        remember_media(session, TAKE)
        row = session.scalars(select(Media)).one()
        row.probe = {name: fact for name, fact in row.probe.items() if name != "subtype"}
    with database.read() as session:
        assert recall_media(session, TAKE.path, TAKE.size, TAKE.mtime_ns) is None


def test_a_remembered_file_is_an_original_at_a_place_and_a_take(database: Database) -> None:
    with database.write() as session:
        remember_media(session, TAKE)
    with database.read() as session:
        asset = asset_at(session, TAKE.sha256)
        assert asset == AssetRecord(
            sha256="a" * 64,
            kind="original",
            name="12A-T03.wav",
            bytes=14_093_000,
            essence="e" * 64,
            container="WAV",
            subtype="PCM_24",
            sample_rate=48000,
            channels=4,
            frames=1174336,
        )
        assert paths_of(session, TAKE.sha256) == (TAKE.path,)
        take = session.scalars(select(Take)).one()
        assert (take.name, take.scene, take.take, take.tape) == ("12A-T03", "12A", "3", "SR014")
        assert (take.time_reference, take.timecode_rate) == (1792214424, "24000/1001")
        assert session.scalars(select(Media.circled)).one() is True


def test_new_metadata_around_the_same_sound_renames_the_take(database: Database) -> None:
    corrected = replace(
        TAKE, sha256="b" * 64, mtime_ns=2, notes=replace(TAKE.notes, scene="12B", take="1")
    )
    with database.write() as session:
        remember_media(session, TAKE)
        remember_media(session, corrected)
    with database.read() as session:
        take = session.scalars(select(Take)).one()
        assert (take.scene, take.take) == ("12B", "1")
        assert paths_of(session, TAKE.sha256) == ()
        assert paths_of(session, corrected.sha256) == (TAKE.path,)


def test_a_cleaned_file_that_turns_up_among_the_dailies_stays_clean(database: Database) -> None:
    with database.write() as session:
        clean = AssetRecord(sha256="a" * 64, kind="clean", name="clean.wav", bytes=14_093_000)
        remember_asset(session, clean, None)
        remember_media(session, TAKE)
    with database.read() as session:
        asset = asset_at(session, "a" * 64)
        assert asset is not None
        assert (asset.kind, asset.name) == ("clean", "clean.wav")
        assert (asset.essence, asset.frames) == ("e" * 64, 1174336)


def test_the_latest_place_comes_first(database: Database, tmp_path: Path) -> None:
    asset = AssetRecord(sha256="c" * 64, kind="stem", name="DX.wav", bytes=4)
    places = [tmp_path / "one.wav", tmp_path / "two.wav"]
    for place in places:
        place.write_bytes(b"RIFF")
        with database.write() as session:
            remember_asset(session, asset, place)
    with database.read() as session:
        assert paths_of(session, asset.sha256) == (places[1], places[0])
        assert session.get_one(Location, places[0]).size == 4


def test_an_asset_without_its_file_is_told_and_not_remembered(
    database: Database, tmp_path: Path
) -> None:
    asset = AssetRecord(sha256="c" * 64, kind="stem", name="DX.wav", bytes=4)

    def remember() -> None:
        with database.write() as session:
            remember_asset(session, asset, tmp_path / "gone.wav")

    with pytest.raises(InputError, match=r"gone\.wav can't be read"):
        remember()
    with database.read() as session:
        assert asset_at(session, asset.sha256) is None


def test_a_file_that_was_not_hashed_is_refused(database: Database) -> None:
    with database.read() as session, pytest.raises(ValueError, match="not hashed"):
        remember_media(session, replace(TAKE, essence=""))


def test_what_recorders_write_in_error_is_survived(database: Database) -> None:
    odd = replace(
        TAKE,
        notes=replace(TAKE.notes, scene="12\0A\udcff", time_reference=2**64 - 1),
    )
    with database.write() as session:
        remember_media(session, odd)
    with database.read() as session:
        assert recall_media(session, odd.path, odd.size, odd.mtime_ns) == odd
        take = session.scalars(select(Take)).one()
        assert (take.scene, take.time_reference) == ("12 A\ufffd", None)


@pytest.mark.skipif(sys.platform == "win32", reason="file names are UTF-16 there")
def test_a_name_that_is_not_utf8_is_found_again(database: Database) -> None:
    odd = replace(TAKE, path=Path(os.fsdecode(b"/dailies/caf\xe9 \xff.wav")))
    with database.write() as session:
        remember_media(session, odd)
    with database.read() as session:
        assert recall_media(session, odd.path, odd.size, odd.mtime_ns) == odd
        assert paths_of(session, odd.sha256) == (odd.path,)


def test_a_cut_read_again_keeps_its_number_and_has_its_new_events(database: Database) -> None:
    cut = Cut("REEL 1", RATES["29.97 DF"], 107892, Fraction(2400), ())
    linked = CutEventRecord(
        "A1/001", "A1", 0, 48048, TAKE.sha256, 96096, 144144, (1,), "by url", "k1"
    )
    offline = CutEventRecord("A1/002", "A1", 48048, 1000, None, None, None, (), "offline", "")
    path = Path("/cuts/reel 1.edl")
    with database.write() as session:
        remember_media(session, TAKE)
        first = remember_cut(session, cut, "d" * 64, path, [linked, offline])
    with database.write() as session:
        assert remember_cut(session, cut, "d" * 64, path, [offline]) == first
        assert remember_cut(session, cut, "f" * 64, path, [linked]) != first
    with database.read() as session:
        rows = session.scalars(select(CutEvent).where(CutEvent.cut == first)).all()
        assert [(row.event, row.asset, row.channels) for row in rows] == [("A1/002", None, [])]
        row = session.get_one(CutRow, first)
        assert (row.rate, row.start, row.length) == ("30000/1001 DF", 107892, "2400")


@given(st.fractions(min_value=Fraction(1, 1000), max_value=1000))
def test_any_frame_rate_comes_back_exact(fps: Fraction) -> None:
    assert rate_from_text(rate_to_text(FrameRate(fps))) == FrameRate(fps)


def test_drop_frame_comes_back() -> None:
    assert rate_to_text(RATES["59.94 DF"]) == "60000/1001 DF"
    assert rate_from_text("60000/1001 DF") == RATES["59.94 DF"]


@given(st.text(alphabet=st.characters(categories=["Cs", "Cc", "L", "So"])))
def test_any_text_becomes_one_that_a_database_takes(text: str) -> None:
    stored = storable(text)
    assert stored.encode("utf-8").find(b"\0") == -1
    if text.isprintable():
        assert stored == text


def test_a_lone_surrogate_takes_nothing_else_along() -> None:
    assert storable("\ud800A\udc80B\udfff \U0001f600") == "\ufffdA\ufffdB\ufffd \U0001f600"


def test_a_probe_survives_json() -> None:
    assert media_from_json(media_to_json(TAKE), TAKE.path) == TAKE

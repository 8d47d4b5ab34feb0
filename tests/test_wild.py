"""Wild tracks are known by what they say of themselves, and taken for their scene or roll."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.media import MediaFile, SoundNotes
from flows.wild import belongs, is_wild, wild_of


def recording(name: str, notes: SoundNotes | None = None) -> MediaFile:
    return MediaFile(
        Path(f"{name}.wav"), "WAV", "PCM_24", 48_000, 1, 9, 9, 0, notes or SoundNotes()
    )


@pytest.mark.parametrize(
    ("name", "note", "wild"),
    [
        ("12A_wild_01", "", True),
        ("12A-WT02", "", True),
        ("12A-T07", "Room tone, fridge off", True),
        ("12A-T08", "30 s RT", True),
        ("12A-T08", "W/T of the fridge", True),
        ("KITCHEN_ATMOS", "", True),
        ("12A-T01", "plane over end", False),
        ("12A-T01", "art dept. noise, wilder than T02", False),
        ("ART_DEPT-T02", "start slate", False),
    ],
)
def test_wild_tracks_are_known_by_name_and_notes(name: str, note: str, wild: bool) -> None:
    assert is_wild(recording(name, SoundNotes(note=note))) == wild


@pytest.mark.parametrize(
    ("element", "wild"),
    [
        ("<TAKE_TYPE>DEFAULT,WILD_TRACK</TAKE_TYPE>", True),
        ("<TAKE_TYPE>NO_GOOD</TAKE_TYPE>", False),
        ("<WILD_TRACK>TRUE</WILD_TRACK>", True),
        ("<WILD_TRACK>FALSE</WILD_TRACK>", False),
    ],
)
def test_ixml_says_that_a_take_is_wild(element: str, wild: bool) -> None:
    assert is_wild(recording("F012", SoundNotes(ixml_rest=(element,)))) == wild


def test_a_wild_track_belongs_to_its_scene_or_without_one_to_its_roll() -> None:
    assert belongs(recording("a", SoundNotes(scene="12B")), "12", "R1")
    assert belongs(recording("a", SoundNotes(scene="12_WT", tape="R9")), "12", "R1")
    assert not belongs(recording("a", SoundNotes(scene="13", tape="R1")), "12", "R1")
    assert belongs(recording("a", SoundNotes(scene="WILD", tape="R1")), "12", "R1")
    assert not belongs(recording("a", SoundNotes(tape="R2")), "12", "R1")
    assert not belongs(recording("a", SoundNotes()), "12", "")


def test_only_wild_tracks_of_the_cut_are_taken() -> None:
    linked = recording("12A-T01", SoundNotes(scene="12A", tape="R1"))
    files = [
        linked,
        recording("12-WT01", SoundNotes(scene="12")),
        recording("13-WT01", SoundNotes(scene="13")),
        recording("12A-T02", SoundNotes(scene="12A")),
        recording("ATMOS", SoundNotes(tape="R1")),
    ]
    assert [media.path.stem for media in wild_of(files, [linked])] == ["12-WT01", "ATMOS"]

"""Clips are named as the house names them, and hold what plays with handles, at its timecode."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray
from turnovers import STEP, cleaned_takes, event, media_of, turnover_of
from wavinfo import WavInfoReader

from config.settings import load_settings
from core.cut import MediaReference
from core.errors import UsageError
from core.media import SoundNotes
from core.time import RATES
from flows.clips import Clip, clip_name, free_name, write_clips
from flows.marks import after_history
from flows.progress import Silent
from flows.turnover import Turnover

NOTES = SoundNotes(
    scene="12A",
    take="3",
    tape="SR014",
    track_names=((0, "MIX"), (1, "BOOM")),
    timecode_rate=RATES["25"],
    time_reference=36_000 * 48_000,
)


def sound() -> NDArray[np.float64]:
    return np.random.default_rng(1).uniform(-0.3, 0.3, (4 * 48_000, 2))


def one_event(
    folder: Path, notes: SoundNotes = NOTES, stem: str = "SR014-007", **changes: object
) -> Turnover:
    """An event of 25 frames that starts at the second second of its file."""
    media = media_of(folder, stem, sound(), 48_000, notes)
    item = event("A1/001", 30, 25, **changes)
    return turnover_of({"A1 DX": [(item, media, 96_000, (1,))]})


def named(pattern: str, turnover: Turnover) -> str:
    track = turnover.cut.audio_tracks[0]
    return clip_name(pattern, turnover, track, track.events[0])


def written(turnover: Turnover, folder: Path, handles_s: float, pattern: str) -> tuple[Clip, ...]:
    (folder / "clips").mkdir()
    taken = cleaned_takes(turnover, folder)
    return write_clips(turnover, taken, handles_s, folder / "clips", Silent(), pattern)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{scene}_{take}_{track}", "12A_3_BOOM"),
        ("{reel}-{scene}-T{take}", "SR014-12A-T3"),
        ("{cut}_{event}_{timecode}", "reel_A1_001_01-00-01-05"),
        ("{name}.{track}", "clip_BOOM"),
        ("DX {scene}/{take}", "DX_12A_3"),
    ],
)
def test_a_clip_is_named_by_the_pattern(tmp_path: Path, pattern: str, name: str) -> None:
    assert named(pattern, one_event(tmp_path)) == name


def test_what_nobody_wrote_down_leaves_no_gap(tmp_path: Path) -> None:
    bare = one_event(tmp_path, SoundNotes(), stem="27B-T02")
    assert named("{reel}_{scene}_{take}_{track}", bare) == "27B-T02_A1_DX"
    assert named("{reel}", bare) == "27B-T02"
    assert named("{scene}.{take}.{track}", one_event(tmp_path, replace(NOTES, take=""))) == (
        "12A_BOOM"
    )


def test_scene_and_take_come_from_the_cut_where_the_recorder_is_silent(tmp_path: Path) -> None:
    turnover = one_event(tmp_path, SoundNotes())
    track = turnover.cut.audio_tracks[0]
    slated = replace(track.events[0], media=MediaReference(scene="9", take="4"))
    assert clip_name("{scene}_{take}", turnover, track, slated) == "9_4"


def test_a_name_is_safe_for_every_file_system(tmp_path: Path) -> None:
    odd = replace(NOTES, scene='../12:"A"*?', take="con")
    turnover = one_event(tmp_path, odd)
    name = named("{scene}_{take}", turnover)
    assert not set(name) & set('/\\:*?"<>|.')
    assert named("{take}", turnover) == "_con"
    long = one_event(tmp_path, replace(NOTES, scene="é" * 300))
    assert len(named("{scene}", long).encode()) <= 200


def test_clips_of_one_name_are_numbered_whatever_their_case(tmp_path: Path) -> None:
    taken: set[str] = set()
    names = [free_name(name, taken) for name in ("12A_3", "12a_3", "12A_3_2", "12A_3")]
    assert names == ["12A_3", "12a_3_2", "12A_3_2_2", "12A_3_3"]
    media = media_of(tmp_path, "take", sound(), 48_000, NOTES)
    events = [(event(f"A1/{n:03d}", 25 * n, 25), media, 0, (1,)) for n in range(3)]
    clips = written(turnover_of({"A1": events}), tmp_path, 0.5, "{scene}_{take}_{track}")
    assert [clip.path.name for clip in clips] == [
        "12A_3_BOOM.wav",
        "12A_3_BOOM_2.wav",
        "12A_3_BOOM_3.wav",
    ]


def test_a_clip_holds_what_plays_with_handles_at_its_timecode(tmp_path: Path) -> None:
    (clip,) = written(one_event(tmp_path), tmp_path, 0.4, "{scene}")  # ten frames
    assert (clip.start, clip.end) == (96_000 - 19_200, 144_000 + 19_200)
    found = np.rint(sf.read(clip.path)[0] / STEP)
    cleaned = np.rint(sound()[76_800:163_200, 1] / 2 / STEP)
    assert np.abs(found - cleaned).max() <= 1
    info = WavInfoReader(str(clip.path))
    assert info.bext.time_reference == 36_000 * 48_000 + 76_800
    assert (info.ixml.scene, info.ixml.take) == ("12A", "3")
    assert [track.name for track in info.ixml.track_list] == ["BOOM"]


@pytest.mark.parametrize(
    ("speed", "start", "end"),
    [
        (Fraction(2), 96_000, 192_000),
        (Fraction(1, 2), 96_000, 120_000),
        (Fraction(-1), 48_000, 96_000),
    ],
)
def test_a_clip_holds_all_that_a_retimed_event_plays(
    tmp_path: Path, speed: Fraction, start: int, end: int
) -> None:
    (clip,) = written(one_event(tmp_path, speed=speed), tmp_path, 0.0, "{scene}")
    assert (clip.start, clip.end) == (start, end)


def test_what_passes_through_has_no_clip(tmp_path: Path) -> None:
    turnover = replace(one_event(tmp_path), through=frozenset({"A1/001"}))
    assert written(turnover, tmp_path, 1.0, "{scene}") == ()


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{scene}_{slate}", "{slate} is none of scene, take, track"),
        ("{scene", "a brace is open"),
        ("clip", "it names no field"),
        ("{scene:>3}", "{scene:>3} is none of"),
        ("{scene.upper}", "{scene.upper} is none of"),
        ("{}", "{} is none of"),
    ],
)
def test_a_pattern_that_names_nothing_known_is_told_in_a_sentence(
    tmp_path: Path, pattern: str, said: str
) -> None:
    with pytest.raises(UsageError) as told:
        load_settings({"clip_pattern": pattern}, tmp_path)
    assert said in str(told.value)
    assert "clip_pattern" in str(told.value)
    assert str(told.value).count("\n") == 0


def test_the_coding_history_keeps_a_line_a_step() -> None:
    assert after_history("A=PCM,T=recorder", "A=PCM,T=roomtone\r\n") == (
        "A=PCM,T=recorder\r\nA=PCM,T=roomtone\r\n"
    )
    assert after_history("", "A=PCM,T=roomtone\r\n") == "A=PCM,T=roomtone\r\n"

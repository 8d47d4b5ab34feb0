"""The demo production is a sound little production: readers other than ours agree on it."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pycmx
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from wavinfo import WavInfoReader

from core.errors import OutputError
from flows.demo import build_production
from flows.demo_cuts import edl, otio_timeline
from flows.demo_script import CutEvent, CutScript, load_production

ROOT = Path(__file__).resolve().parents[1]
SAMPLES_A_FRAME = 2002  # 48000 × 1001 / 24000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_production(tmp_path_factory.mktemp("demo") / "production")


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "truth.json").read_text("utf-8"))


def frames_of(timecode: str) -> int:
    """Frames since midnight at 23.976 non-drop, counted here rather than by core.time."""
    hours, minutes, seconds, frames = (int(part) for part in timecode.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * 24 + frames


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def power_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(sound**2)))


def test_it_has_these_files(folder: Path) -> None:
    assert list(digests(folder)) == [
        "cuts/demo_v1.edl",
        "cuts/demo_v1.otio",
        "cuts/demo_v2.otio",
        "sound/5-T01.wav",
        "sound/5-T02.wav",
        "sound/5A-T01.wav",
        "sound/8-T01.wav",
        "sound/8-T02.wav",
        "truth.json",
    ]


def test_a_second_build_has_the_same_bytes_elsewhere_and_in_place(
    folder: Path, tmp_path: Path
) -> None:
    first = digests(folder)
    assert digests(build_production(tmp_path / "again")) == first
    assert digests(build_production(tmp_path / "again")) == first


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"title": "MY FILM"}')
    with pytest.raises(OutputError, match="name an empty folder"):
        build_production(tmp_path)
    assert digests(tmp_path).keys() == {"truth.json"}
    assert (tmp_path / "truth.json").read_text() == '{"title": "MY FILM"}'


@pytest.mark.parametrize(
    ("name", "timecode", "scene", "take", "tape", "lavs"),
    [
        ("5-T01", "22:41:10:00", "5", "1", "SR101", ["ANNA", "VICTOR"]),
        ("5-T02", "22:48:32:12", "5", "2", "SR101", ["ANNA", "VICTOR"]),
        ("5A-T01", "23:20:05:06", "5A", "1", "SR101", ["ANNA", "VICTOR"]),
        ("8-T01", "18:12:40:00", "8", "1", "SR102", ["ANNA", "MURRAY"]),
        ("8-T02", "18:31:17:18", "8", "2", "SR102", ["ANNA", "MURRAY"]),
    ],
)
def test_wavinfo_reads_what_production_toml_says(
    folder: Path, name: str, timecode: str, scene: str, take: str, tape: str, lavs: list[str]
) -> None:
    said = load_production().take(name)
    info = WavInfoReader(str(folder / "sound" / f"{name}.wav"))
    assert (info.fmt.sample_rate, info.fmt.bits_per_sample) == (48000, 24)
    assert info.data.frame_count == said.frames * SAMPLES_A_FRAME
    assert said.timecode == timecode
    assert info.bext.time_reference == frames_of(timecode) * SAMPLES_A_FRAME
    assert [track.name for track in info.ixml.track_list] == ["MIX", "BOOM", *lavs]
    assert info.fmt.channel_count == 2 + len(lavs)
    assert (info.ixml.scene, info.ixml.take, info.ixml.tape) == (scene, take, tape)
    speed = info.ixml.parsed.find("SPEED")
    assert (speed.findtext("TIMECODE_RATE"), speed.findtext("TIMECODE_FLAG")) == (
        "24000/1001",
        "NDF",
    )
    assert info.ixml.parsed.findtext("CIRCLED") == str(said.circled).upper()


def test_takes_are_as_long_as_a_demo_can_wait_for(truth: dict[str, Any]) -> None:
    seconds = [take["frames"] / 48000 for take in truth["takes"].values()]
    assert all(15 <= length <= 25 for length in seconds)
    assert sum(seconds) < 90
    assert all(cut["samples"] / 48000 < 48 for cut in truth["cuts"].values())


def test_every_turn_is_loudest_at_its_own_lav(folder: Path, truth: dict[str, Any]) -> None:
    for name, take in truth["takes"].items():
        sound, _ = sf.read(folder / "sound" / f"{name}.wav")
        assert abs(sound).max() < 0.9
        lavs = take["tracks"][2:]
        for turn in take["turns"]:
            level = {
                who: power_db(sound[turn["start"] : turn["end"], take["tracks"].index(who)])
                for who in lavs
            }
            own = level.pop(turn["speaker"])
            assert own > max(level.values()) + 6
            assert -30 < own < -18


def test_turns_follow_each_other_inside_their_take(truth: dict[str, Any]) -> None:
    for take in truth["takes"].values():
        bounds = [at for turn in take["turns"] for at in (turn["start"], turn["end"])]
        assert bounds == sorted(set(bounds))
        assert bounds[0] >= 48000 * 0.9
        assert bounds[-1] <= take["frames"] - 48000 * 0.5


def test_the_boom_is_as_noisy_as_the_script_says(folder: Path, truth: dict[str, Any]) -> None:
    for name, take in truth["takes"].items():
        boom = sf.read(folder / "sound" / f"{name}.wav")[0][:, 1]
        speech = np.zeros(len(boom), dtype=bool)
        for turn in take["turns"]:
            # The boom hears it a few milliseconds later, and the room rings on.
            speech[turn["start"] : turn["end"] + 9600] = True
        for flaw in take["defects"]:
            boom[flaw["start"] : flaw["start"] + flaw["length"]] = 0
        noise = np.mean(boom[~speech] ** 2)
        snr = 10 * np.log10(np.mean(boom[speech] ** 2) / noise - 1)
        assert snr == pytest.approx(take["snr_db"], abs=2.5)
        assert 12 <= take["snr_db"] <= 18


def test_hum_is_in_the_depot_take_that_says_so_and_in_no_other(
    folder: Path, truth: dict[str, Any]
) -> None:
    for name, take in truth["takes"].items():
        boom = sf.read(folder / "sound" / f"{name}.wav")[0][:, 1]
        for turn in take["turns"]:  # men's voices lie on the harmonics
            boom[turn["start"] : turn["end"] + 9600] = 0
        power = np.abs(np.fft.rfft(boom * np.hanning(len(boom)))) ** 2
        hertz = np.fft.rfftfreq(len(boom), 1 / 48000)
        above = [
            power[np.argmin(abs(hertz - line))]
            / np.median(power[(abs(hertz - line) > 2) & (abs(hertz - line) < 12)])
            for line in (50, 100, 150)
        ]
        assert all((10 * np.log10(line) > 12) == (take["hum_hz"] == 50) for line in above)
    assert [name for name, take in truth["takes"].items() if take["hum_hz"]] == ["8-T01"]


def test_clicks_fall_on_the_boom_of_one_take_where_the_truth_says(
    folder: Path, truth: dict[str, Any]
) -> None:
    assert [name for name, take in truth["takes"].items() if take["defects"]] == ["8-T02"]
    clicks = truth["takes"]["8-T02"]["defects"]
    assert len(clicks) == 7
    sound = sf.read(folder / "sound" / "8-T02.wav")[0]
    for click in clicks:
        assert click["track"] == "BOOM"
        at = click["start"]
        around = slice(at - 480, at + 480)
        boom, lav = (abs(np.diff(sound[around, i], n=2)) for i in (1, 2))
        assert boom.max() > 15 * np.median(boom)
        assert abs(int(boom.argmax()) - 480) <= click["length"] + 2
        assert boom.max() > 4 * lav.max()


def test_events_lie_inside_their_media_dissolves_included(folder: Path) -> None:
    for path in sorted((folder / "cuts").glob("*.otio")):
        timeline = otio.adapters.read_from_file(str(path))
        assert timeline.global_start_time.value == frames_of("01:00:00:00")
        assert [track.name for track in timeline.tracks] == ["V1", "A1 DX", "A2 DX LAV"]
        dissolves = 0
        for track in timeline.audio_tracks():
            for clip in track.find_clips():
                reference = clip.media_reference
                media = (path.parent / reference.target_url).resolve()
                info = sf.info(media)
                available = clip.available_range()
                assert available.duration.value * SAMPLES_A_FRAME == info.frames
                wave = WavInfoReader(str(media))
                assert available.start_time.value * SAMPLES_A_FRAME == wave.bext.time_reference
                heard = clip.visible_range()
                assert heard.start_time >= available.start_time
                assert heard.end_time_exclusive() <= available.end_time_exclusive()
                (channel,) = clip.metadata["Resolve_OTIO"]["Channels"]
                named = wave.ixml.track_list
                name = list(named)[channel["Source Channel ID"]].name
                assert (name == "BOOM") == (track.name == "A1 DX")
                assert name != "MIX"
            dissolves += sum(isinstance(item, otio.schema.Transition) for item in track)
        assert dissolves == 1


def test_the_truth_has_the_events_of_the_otio(folder: Path, truth: dict[str, Any]) -> None:
    for name, cut in truth["cuts"].items():
        timeline = otio.adapters.read_from_file(str(folder / "cuts" / f"{name}.otio"))
        found = set()
        for track in timeline.audio_tracks():
            for clip in track.find_clips():
                where = clip.trimmed_range_in_parent()
                source = clip.source_range.start_time - clip.available_range().start_time
                start, length, into = (
                    round(value * SAMPLES_A_FRAME)
                    for value in (where.start_time.value, where.duration.value, source.value)
                )
                take = Path(clip.media_reference.target_url).stem
                found.add((track.name, take, start, start + length, into))
        assert found == {
            (
                event["track"],
                event["take"],
                event["record_start_sample"],
                event["record_end_sample"],
                event["source_in_sample"],
            )
            for event in cut["events"]
        }


Sounding = tuple[str, str, int, int, int]
"""Reel, clip name, first and last record frame with the fades, source less record timecode."""


def sounding_in_otio(timeline: otio.schema.Timeline, name: str) -> list[Sounding]:
    (track,) = (t for t in timeline.tracks if t.name == name)
    base = timeline.global_start_time
    found = []
    for clip in track.find_clips():
        where = track.trimmed_range_of_child(clip)
        before, after = track.neighbors_of(clip)
        start, end = where.start_time, where.end_time_exclusive()
        sync = clip.source_range.start_time - start - base
        if isinstance(before, otio.schema.Transition):
            start -= before.in_offset
        if isinstance(after, otio.schema.Transition):
            end += after.out_offset
        reel = clip.metadata["cmx_3600"]["reel"]
        place = (round(v.value) for v in (start, end, sync))
        found.append((reel, clip.name, *place))
    return found


def sounding_in_edl(text_path: Path) -> list[Sounding]:
    with text_path.open() as handle:
        parsed = pycmx.parse_cmx3600(handle)
    assert not [s for s in parsed.unrecognized_statements if s.content.strip()]
    base = frames_of("01:00:00:00")
    found: list[Sounding] = []
    for event in parsed.events:
        for edit in event.edits:
            assert list(edit.channels.channels) == [2]
            source_in, source_out, record_in, record_out = (
                frames_of(text)
                for text in (edit.source_in, edit.source_out, edit.record_in, edit.record_out)
            )
            assert source_out - source_in == record_out - record_in
            here = (edit.source, edit.clip_name)
            place = (record_in - base, record_out - base, source_in - record_in)
            if record_in == record_out:
                # The outgoing side of a dissolve goes on from the event before it.
                assert found[-1][:2] == here
                assert found[-1][3:] == place[1:]
                continue
            if edit.transition.dissolve:
                reel, clip, start, end, sync = found[-1]
                assert end == place[0]
                found[-1] = (reel, clip, start, end + int(edit.transition.operand), sync)
            found.append((*here, *place))
    return found


def test_the_edl_and_the_otio_agree_on_every_boom_event(folder: Path) -> None:
    timeline = otio.adapters.read_from_file(str(folder / "cuts" / "demo_v1.otio"))
    expected = sounding_in_otio(timeline, "A1 DX")
    assert len(expected) == 7
    assert sounding_in_edl(folder / "cuts" / "demo_v1.edl") == expected


@settings(max_examples=30, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(0, 30), st.integers(40, 120), st.integers(30, 90), st.integers(0, 9)),
        min_size=1,
        max_size=6,
    )
)
def test_edl_and_otio_agree_on_any_cut(
    places: Sequence[tuple[int, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    production = load_production()
    events: list[CutEvent] = []
    at = 0
    for gap, source, length, half in places:
        take = production.takes[len(events) % 5]
        dissolve = 0 if gap or not events else half
        record = at + gap
        events.append(
            CutEvent("A1 DX", take.name, "BOOM", record, source, length, dissolve=dissolve)
        )
        at = record + length
    cut = CutScript("any", tuple(events))
    path = tmp_path_factory.mktemp("cut") / "any.edl"
    path.write_text(edl(production, cut))
    assert sounding_in_edl(path) == sounding_in_otio(otio_timeline(production, cut), "A1 DX")


def test_the_second_version_trims_swaps_and_adds() -> None:
    first, second = (cut.track("A1 DX") for cut in load_production().cuts)
    assert second[0].source - first[0].source == first[0].length - second[0].length == 4
    assert (first[1].take, second[1].take) == ("5-T02", "5-T01")
    assert (second[4].take, second[4].source) == ("5A-T01", 242)
    moved = [replace(event, record=0) for event in second]
    assert [replace(event, record=0) for event in first[2:]] == moved[2:4] + moved[5:]


def test_events_of_a_track_never_overlap() -> None:
    for cut in load_production().cuts:
        for name in {event.track for event in cut.events}:
            for before, after in pairwise(cut.track(name)):
                assert before.record + before.length <= after.record


def test_every_line_is_spoken_by_someone_with_a_lav() -> None:
    production = load_production()
    lines = {line.id: line for line in production.lines}
    spoken = [cue.line for take in production.takes for cue in take.cues]
    assert sorted(spoken) == sorted(lines)
    names = {character.name for character in production.characters}
    assert names == {line.who for line in lines.values()}
    for take in production.takes:
        assert set(take.boom) == {lines[cue.line].who for cue in take.cues}


def test_the_phrase_to_search_for_is_spoken_in_both_takes_of_the_scene(
    truth: dict[str, Any],
) -> None:
    takes = [
        name
        for name, take in truth["takes"].items()
        if any(truth["search_for"] in turn["text"] for turn in take["turns"])
    ]
    assert takes == ["5-T01", "5-T02"]


def test_the_demo_and_the_repository_stay_small() -> None:
    assets = ROOT / "config" / "demo"
    assert sum(path.stat().st_size for path in assets.rglob("*") if path.is_file()) < 4e6
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = {ROOT / name.decode() for name in listed.stdout.split(b"\0") if name}
    sizes = {path: path.stat().st_size for path in files if path.is_file()}
    assert {path.name: size for path, size in sizes.items() if size > 400_000} == {}
    assert sum(sizes.values()) < 10e6

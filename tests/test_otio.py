"""OpenTimelineIO reads as it is meant, at any nesting, and a cut reads back as it was written."""

from __future__ import annotations

import copy
import io
import json
import math
import random
import tempfile
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cuts
import pytest
from hypothesis import given, settings

from adapters.timelines.named import NamedMedia
from adapters.timelines.otio import read as otio
from adapters.timelines.otio import write as otio_write
from adapters.timelines.read import read_cut
from bench.injuries import injured
from core.cut import Cut, Event, Fade, FadeShape, GainPoint, Marker, MediaReference, Track
from core.errors import InputError
from core.time import RATES

REAL = ("effects", "multitrack", "nested_example", "premiere_example", "transition")


# Small files, as a system would write them.


def time(value: float, rate: float = 24) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": value}


def span(start: float, length: float, rate: float = 24) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": time(start, rate),
        "duration": time(length, rate),
    }


def clip(name: str, start: float, length: float, **more: Any) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": name,
        "source_range": span(start, length),
        "media_references": {
            "DEFAULT_MEDIA": {
                "OTIO_SCHEMA": "ExternalReference.1",
                "target_url": f"file:///sound/{name}.wav",
                "available_range": span(0, 1000),
            }
        },
        "active_media_reference_key": "DEFAULT_MEDIA",
        **more,
    }


def gap(length: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "Gap.1", "source_range": span(0, length)}


def dissolve(early: float, late: float, name: str = "Cross Dissolve") -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Transition.1",
        "name": name,
        "transition_type": "SMPTE_Dissolve",
        "in_offset": time(early),
        "out_offset": time(late),
    }


def warp(scalar: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": scalar}


def track(*children: dict[str, Any], kind: str = "Audio", **more: Any) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "Track.1", "kind": kind, "children": list(children), **more}


def stack(*children: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "Stack.1", "name": "nest", "children": list(children), **more}


def timeline(*tracks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "name": "small",
        "global_start_time": time(86400),
        "tracks": stack(*tracks),
        **more,
    }


def written(folder: Path, content: object, name: str = "small.otio") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def read(folder: Path, *tracks: dict[str, Any], **more: Any) -> Cut:
    return otio.read(written(folder, timeline(*tracks, **more)))


def places(track_of_cut: Track) -> list[tuple[str, Fraction, Fraction, Fraction]]:
    return [
        (event.media.name, event.record_start, event.record_length, event.source_start)
        for event in track_of_cut.events
    ]


# Written and read back.


def again(cut: Cut, folder: Path) -> Cut:
    path = folder / "cut.otio"
    otio_write.write(cut, {}, "cleaned", path, {"version": "1"})
    return otio.read(path)


SPEEDS = tuple(
    Fraction(*s) for s in ((1, 1), (-1, 1), (2, 1), (1, 2), (-3, 7), (0, 1), (1001, 1000))
)


@settings(max_examples=60, deadline=None)
@given(
    cuts.cuts(
        rates=cuts.ALL_RATES,
        shapes=tuple(FadeShape),
        speeds=SPEEDS,
        gains=True,
        automation=True,
        pans=True,
        disabled=True,
    )
)
def test_a_cut_reads_back_as_it_was(cut: Cut) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert again(cut, Path(folder)) == cut


def full_cut() -> Cut:
    """One of everything that a cut can carry, at positions that no double holds."""
    sample = Fraction(24000, 1001) / 48000
    media = MediaReference(
        "take",
        "file:///a%20b.wav",
        "a b",
        "SR01",
        "12A",
        "3",
        Fraction(7) * sample,
        Fraction(9001, 7),
        "urn:1",
    )
    unplaced = MediaReference("no range", file_name="x.wav", available_start=Fraction(5, 3))
    others = (
        (
            "zoom",
            MediaReference("other", "file:///z.wav", scene="4", available_start=Fraction(1, 3)),
        ),
        ("boom", MediaReference("", "file:///b.wav")),
    )
    equal, linear = Fade(Fraction(3)), Fade(Fraction(1, 7), FadeShape.LINEAR)
    first = Event(
        "A1/001",
        sample,
        100 * sample + 40,
        Fraction(86400) + 11 * sample,
        media,
        (1, 0),
        fade_in=linear,
        fade_out=equal,
        gain_db=-3.25,
        automation=(GainPoint(Fraction(0), -1.5), GainPoint(Fraction(10, 3), -144.0)),
        pan=-0.5,
        role="Dialogue.Boom",
        keeps_pitch=True,
        variable_speed=True,
        speed=Fraction(1001, 1000),
        other_media=others,
        notes=(("line", "12"), ("what", "unknown")),
    )
    end = first.record_end
    abutting = Event(
        "A1/002", end, Fraction(30), Fraction(10), unplaced, fade_in=equal, fade_out=linear
    )
    over = Event(
        "A1/003", end + 5, Fraction(40), Fraction(10), media, muted=True, speed=Fraction(-7, 3)
    )
    odd = Event("A1/004", end + 43, Fraction(10), Fraction(10), media, enabled=False, fade_in=equal)
    tracks = (
        Track("A1", (first, abutting, over, odd), role="dialogue", channels=1),
        Track("A1 (2)", (replace(odd, id="A1 (2)/007"),), muted=True, channels=2),
        Track("A3", (), enabled=False, channels=3),
        Track("V1", (replace(odd, id="V1/001"),), kind="video"),
    )
    markers = (
        Marker(Fraction(31, 7), "here", "a note", Fraction(1, 3), "RED"),
        Marker(Fraction(0), "start"),
    )
    return Cut("all", RATES["23.976"], 86399, Fraction(2001, 7), tracks, markers)


def test_everything_that_a_cut_carries_reads_back(tmp_path: Path) -> None:
    assert again(full_cut(), tmp_path) == full_cut()


def test_a_drop_frame_rate_reads_back(tmp_path: Path) -> None:
    cut = replace(full_cut(), rate=RATES["29.97 DF"])
    assert again(cut, tmp_path).rate == RATES["29.97 DF"]


def test_what_another_system_changed_counts_more_than_what_we_kept(tmp_path: Path) -> None:
    cut = full_cut()
    path = tmp_path / "cut.otio"
    otio_write.write(cut, {}, "cleaned", path, {})
    content = json.loads(path.read_text())
    clips = [c for c in content["tracks"]["children"][0]["children"] if "Clip" in c["OTIO_SCHEMA"]]
    clips[0]["source_range"]["start_time"]["value"] = 86500.0
    path.write_text(json.dumps(content))
    assert otio.read(path).tracks[0].events[0].source_start == 86500


def test_the_library_reads_what_we_write_as_we_meant_it(tmp_path: Path) -> None:
    import opentimelineio

    fade = Fade(Fraction(8))
    media = MediaReference(
        "c", "file:///c.wav", available_start=Fraction(0), available_length=Fraction(500)
    )
    cut = Cut(
        "c",
        RATES["24"],
        86400,
        Fraction(140),
        (
            Track(
                "A1",
                (
                    Event(
                        "A1/001", Fraction(10), Fraction(50), Fraction(100), media, fade_out=fade
                    ),
                    Event("A1/002", Fraction(52), Fraction(40), Fraction(200), media, fade_in=fade),
                    Event(
                        "A1/003",
                        Fraction(100),
                        Fraction(40),
                        Fraction(300),
                        media,
                        speed=Fraction(2),
                    ),
                ),
            ),
        ),
    )
    path = tmp_path / "c.otio"
    otio_write.write(cut, {}, "cleaned", path, {})
    theirs = opentimelineio.adapters.read_from_file(str(path))
    assert theirs.duration().value == 140
    assert theirs.global_start_time.value == 86400
    for found, event in zip(theirs.find_clips(), cut.tracks[0].events, strict=True):
        visible = found.visible_range()
        start = found.range_in_parent().start_time.value
        before = found.source_range.start_time.value - visible.start_time.value
        assert start - before == event.record_start
        assert visible.duration.value == event.record_length
        assert visible.start_time.value == event.source_start
    assert next(iter(found.effects)).time_scalar == 2


def named(url: str, start: int, length: int) -> NamedMedia:
    frames = length * 2000
    return NamedMedia(Path(url), url, Fraction(start), Fraction(length), 48000, frames, (0,), 1)


def test_written_clips_carry_both_media_by_name(tmp_path: Path) -> None:
    import opentimelineio

    item = Event("A1/001", Fraction(0), Fraction(24), Fraction(86400), MediaReference(name="c"))
    cut = Cut("c", RATES["24"], 0, Fraction(24), (Track("A1", (item,)),))
    media = {
        "A1/001": {
            "original": named("../sound/a.wav", 86400, 100),
            "cleaned": named("../clips/a.wav", 86390, 50),
        }
    }
    path = tmp_path / "c.otio"
    otio_write.write(
        cut, media, "cleaned", path, {"cut_sha256": "ab", "takes": {"t": {"key": "k"}}}
    )
    theirs = opentimelineio.adapters.read_from_file(str(path))
    found = next(iter(theirs.find_clips()))
    references = found.media_references()
    assert {name: r.target_url for name, r in references.items()} == {
        "original": "../sound/a.wav",
        "cleaned": "../clips/a.wav",
    }
    assert found.active_media_reference_key == "cleaned"
    assert references["cleaned"].available_range.start_time.value == 86390
    assert theirs.metadata["roomtone"]["cut_sha256"] == "ab"
    read_back = otio.read(path).tracks[0].events[0]
    assert read_back.media.url == "../clips/a.wav"
    assert [(name, media.url) for name, media in read_back.other_media] == [
        ("original", "../sound/a.wav")
    ]


# Clips, transitions, speeds.


def test_a_dissolve_overlaps_and_fades_at_the_ends_stand_alone(tmp_path: Path) -> None:
    cut = read(
        tmp_path,
        track(
            dissolve(0, 3, "linear"),
            clip("a", 100, 20),
            dissolve(2, 4),
            clip("b", 200, 30),
            dissolve(5, 0),
            gap(10),
        ),
    )
    first, second = cut.tracks[0].events
    assert places(cut.tracks[0]) == [("a", 0, 24, 100), ("b", 18, 32, 198)]
    assert first.fade_in == Fade(Fraction(3), FadeShape.LINEAR)
    assert first.fade_out == second.fade_in == Fade(Fraction(6))
    assert second.fade_out == Fade(Fraction(5))
    assert (cut.start, cut.length) == (86400, 60)


def test_speeds_consume_media_and_leave_the_record_alone(tmp_path: Path) -> None:
    """Backwards, the range that the clip names plays from its end."""
    frozen = {"OTIO_SCHEMA": "FreezeFrame.1", "time_scalar": 0}
    ramp = {"OTIO_SCHEMA": "TimeEffect.1", "effect_name": "Ramp"}
    cut = read(
        tmp_path,
        track(
            clip("fast", 100, 10, effects=[warp(2)]),
            dissolve(1, 1),
            clip("back", 100, 10, effects=[warp(-1.5)]),
            clip("still", 100, 10, effects=[frozen]),
            clip("ramp", 100, 10, effects=[ramp]),
        ),
    )
    fast, back, still, ramped = cut.tracks[0].events
    assert (fast.record_length, fast.source_start, fast.speed) == (11, 100, 2)
    assert (back.record_start, back.source_start, back.speed) == (
        9,
        Fraction(115) + Fraction(3, 2),
        Fraction(-3, 2),
    )
    assert (still.source_start, still.speed) == (100, 0)
    assert ramped.variable_speed
    assert any("A1/004" in said and "Ramp" in said for said in cut.warnings)


def test_times_of_several_rates_are_exact(tmp_path: Path) -> None:
    item = clip("a", 0, 0)
    item["source_range"] = {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": time(172972800, 48000),
        "duration": time(30, 29.97),
    }
    item["media_references"]["DEFAULT_MEDIA"]["available_range"] = {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": time(172972801, 48000),
        "duration": time(60, 29.97),
    }
    cut = read(tmp_path, track(item), global_start_time=time(0, 23.976))
    event = cut.tracks[0].events[0]
    assert cut.rate == RATES["23.976"]
    assert event.source_start == Fraction(172972800, 48000) * Fraction(24000, 1001)
    assert event.record_length == 24
    assert event.media.available_start == Fraction(172972801, 48000) * Fraction(24000, 1001)


def test_a_clip_of_version_1_and_without_a_range_plays_all_its_media(tmp_path: Path) -> None:
    reference = {"OTIO_SCHEMA": "ExternalReference.1", "available_range": span(48, 20)}
    lost = {"OTIO_SCHEMA": "Clip.1", "name": "lost", "media_reference": None}
    cut = read(
        tmp_path,
        track(
            lost,
            {"OTIO_SCHEMA": "Clip.1", "name": "old", "media_reference": reference},
            {"OTIO_SCHEMA": "Filler.1", "source_range": span(0, 5)},
            clip("b", 0, 5),
        ),
    )
    assert places(cut.tracks[0]) == [("old", 0, 20, 48), ("b", 25, 5, 0)]
    assert any("'lost' has no length" in said for said in cut.warnings)


def test_several_references_are_kept_by_name(tmp_path: Path) -> None:
    item = clip("a", 0, 5)
    item["media_references"] = {
        name: {"OTIO_SCHEMA": "ExternalReference.1", "target_url": f"{name}.wav"}
        for name in ("proxy", "original", "cleaned")
    }
    item["active_media_reference_key"] = "original"
    event = read(tmp_path, track(item)).tracks[0].events[0]
    assert event.media.url == "original.wav"
    assert [(name, media.url) for name, media in event.other_media] == [
        ("proxy", "proxy.wav"),
        ("cleaned", "cleaned.wav"),
    ]


def test_what_is_switched_off_is_kept_and_does_not_sound(tmp_path: Path) -> None:
    cut = read(
        tmp_path,
        track(clip("a", 0, 5, enabled=False), clip("b", 0, 5)),
        track(clip("c", 0, 5), enabled=False),
        track(stack(track(clip("d", 0, 5)), enabled=False)),
    )
    assert [len(t.events) for t in cut.tracks] == [2, 1, 1]
    assert [event.media.name for _, event in cut.sounding()] == ["b"]


def test_resolves_dialect(tmp_path: Path) -> None:
    def fairlight(name: str, *parameters: dict[str, Any], enabled: bool = True) -> dict[str, Any]:
        own = {"Effect Name": name, "Enabled": enabled, "Parameters": list(parameters)}
        return {"OTIO_SCHEMA": "Effect.1", "metadata": {"Resolve_OTIO": own}}

    volume = {"Parameter ID": "volume", "Default Parameter Value": 0.0, "Parameter Value": -4.0}
    moving = {**volume, "Key Frames": {"241": {"Value": -29.5}, "96": {"Value": 0.0}}}
    pan = {"Parameter ID": "pan", "Parameter Value": -50, "minValue": -100, "maxValue": 100}
    band = {"Parameter ID": "gain", "Default Parameter Value": 0, "Parameter Value": 3}
    clip_volume = "Fairlight Clip Volume and Fades"
    cut = read(
        tmp_path,
        track(
            clip(
                "a",
                0,
                300,
                metadata={
                    "Resolve_OTIO": {"Channels": [{"Source Channel ID": 2}], "Link Group ID": 1}
                },
                effects=[
                    fairlight(clip_volume, volume),
                    fairlight("Fairlight Clip Pan", pan),
                    fairlight("Fairlight Clip Pitch"),
                    fairlight("Fairlight Equaliser Band", band, enabled=False),
                ],
            ),
            dissolve(6, 6),
            clip("b", 40, 300, effects=[fairlight(clip_volume, moving), fairlight("EQ", band)]),
            metadata={"Resolve_OTIO": {"Audio Type": "Stereo", "SoloOn": True}},
        ),
    )
    first, second = cut.tracks[0].events
    assert cut.tracks[0].channels == 2
    assert (first.channels, first.gain_db, first.pan) == ((2,), -4.0, -0.5)
    # Key frames count from the clip's own start, six frames after the dissolve begins.
    assert (second.gain_db, second.automation[1:3]) == (
        0.0,
        (GainPoint(Fraction(102), 0.0), GainPoint(Fraction(247), -29.5)),
    )
    assert [said for said in cut.warnings if "EQ" in said] == [
        "A1/002: the effect 'EQ' is not applied."
    ]
    assert any("soloed" in said for said in cut.warnings)
    assert len(cut.warnings) == 2


def test_markers_of_the_timeline_tracks_and_clips_lie_in_the_record(tmp_path: Path) -> None:
    def marker(at: float, name: str, **more: Any) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "Marker.2", "name": name, "marked_range": span(at, 2), **more}

    newer = {"OTIO_SCHEMA": "Color.1", "name": "BLUE"}
    content = timeline(
        track(
            gap(10),
            clip("a", 100, 20, markers=[marker(104, "on the clip", color="RED")]),
            clip("b", 100, 20, effects=[warp(2)], markers=[marker(110, "fast"), marker(5, "out")]),
            markers=[marker(3, "on the track")],
        )
    )
    content["tracks"]["markers"] = [
        marker(7, "on the timeline", comment="note", color=newer),
        marker(86410, "in timecode"),
    ]
    cut = otio.read(written(tmp_path, content))
    assert cut.markers == (
        Marker(Fraction(7), "on the timeline", "note", Fraction(2), "BLUE"),
        Marker(Fraction(10), "in timecode", "", Fraction(2)),
        Marker(Fraction(3), "on the track", "", Fraction(2)),
        Marker(Fraction(14), "on the clip", "", Fraction(2), "RED"),
        Marker(Fraction(35), "fast", "", Fraction(1)),
    )
    assert any("'out'" in said for said in cut.warnings)


# Nests.


def test_a_nest_is_laid_where_it_stands_and_trimmed_to_its_range(tmp_path: Path) -> None:
    import opentimelineio

    inner = stack(
        track(clip("pictures", 0, 100), kind="Video"),
        track(clip("a", 100, 30), clip("b", 200, 40)),
        track(gap(20), clip("c", 300, 40)),
        source_range=span(10, 40),
    )
    cut = read(tmp_path, track(gap(5), inner, clip("after", 0, 5)))
    assert [t.kind for t in cut.tracks] == ["audio"]
    assert places(cut.tracks[0]) == [
        ("a", 5, 20, 110),
        ("c", 15, 30, 300),
        ("b", 25, 20, 200),
        ("after", 45, 5, 0),
    ]
    assert cut.length == 50
    theirs = opentimelineio.adapters.read_from_file(str(tmp_path / "small.otio"))
    ours = {event.media.name: event for event in cut.tracks[0].events}
    for found in theirs.find_clips():
        if found.name in ours:
            event = ours[found.name]
            place = opentimelineio.opentime.RationalTime(event.source_start, 24)
            assert found.transformed_time(place, theirs.tracks).value == event.record_start


def test_a_nest_without_a_range_takes_all_it_holds(tmp_path: Path) -> None:
    nested = stack(track(clip("a", 0, 30)), track(clip("long", 0, 45), kind="Video"))
    cut = read(tmp_path, track(nested, clip("after", 0, 5)))
    assert places(cut.tracks[0]) == [("a", 0, 30, 0), ("after", 45, 5, 0)]


def test_a_track_in_a_track_is_of_its_kind(tmp_path: Path) -> None:
    inner = track(clip("a", 0, 10), clip("b", 50, 10), kind="Video", source_range=span(5, 10))
    cut = read(tmp_path, track(gap(1), inner))
    assert places(cut.tracks[0]) == [("a", 1, 5, 5), ("b", 6, 5, 50)]


def test_speeds_of_nests_multiply(tmp_path: Path) -> None:
    inner = track(clip("a", 100, 20, effects=[warp(2)]), dissolve(2, 2), clip("b", 200, 40))
    forward = stack(inner, source_range=span(10, 20), effects=[warp(2)])
    backward = stack(inner, source_range=span(10, 20), effects=[warp(-1)])
    cut = read(tmp_path, track(forward, backward))
    a, b, b_again, a_again = cut.tracks[0].events
    # Twice as fast, the nest's 20 frames play 40 of what it holds: 10 to 50.
    assert (a.record_start, a.record_length, a.source_start, a.speed) == (0, 6, 120, 4)
    assert (b.record_start, b.record_length, b.source_start, b.speed) == (4, 16, 198, 2)
    assert a.fade_out == b.fade_in == Fade(Fraction(2))
    # Backwards, 30 down to 10; what faded in fades out.
    assert (b_again.record_start, b_again.record_length) == (20, 12)
    assert (b_again.source_start, b_again.speed) == (210, -1)
    assert (a_again.record_start, a_again.record_length) == (28, 12)
    assert (a_again.source_start, a_again.speed) == (144, -2)
    assert b_again.fade_out == a_again.fade_in == Fade(Fraction(4))


def test_a_frozen_nest_holds_one_frame(tmp_path: Path) -> None:
    frozen = {"OTIO_SCHEMA": "FreezeFrame.1", "time_scalar": 0}
    inner = stack(track(clip("a", 100, 20)), source_range=span(5, 8), effects=[frozen])
    event = read(tmp_path, track(inner)).tracks[0].events[0]
    assert (event.record_length, event.source_start, event.speed) == (8, 105, 0)


def level(event: Event, at: float) -> float:
    """The level in dB at a place of an event, by its automation alone."""
    points = event.automation
    later = next(i for i, point in enumerate(points) if point.at >= at)
    if points[later].at == at:
        return points[later].gain_db
    left, right = points[later - 1], points[later]
    part = (at - float(left.at)) / float(right.at - left.at)
    return left.gain_db + part * (right.gain_db - left.gain_db)


def test_a_dissolve_that_a_nest_cuts_through_keeps_its_curve(tmp_path: Path) -> None:
    inner = track(clip("a", 100, 20), dissolve(8, 8), clip("b", 200, 40))
    before = stack(inner, source_range=span(0, 16))
    after = stack(inner, source_range=span(16, 44))
    cut = read(tmp_path, track(before, after))
    a, b, a_rest, b_rest = cut.tracks[0].events
    # The dissolve runs from 12 to 28; the nests meet at 16, a quarter into it.
    assert (a.record_length, b.record_start, b.record_length) == (16, 12, 4)
    assert (a_rest.record_start, a_rest.record_length, a_rest.source_start) == (16, 12, 116)
    assert (b_rest.record_start, b_rest.source_start) == (16, 196)
    assert all(event.fade_in is None and event.fade_out is None for event in cut.tracks[0].events)
    for place in (0.25, 0.4, 0.5, 0.75, 0.9):
        rising = 20 * math.log10(math.sin(place * math.pi / 2))
        falling = 20 * math.log10(math.cos(place * math.pi / 2))
        assert level(b_rest, 16 * place - 4) == pytest.approx(rising, abs=0.3)
        assert level(a_rest, 16 * place - 4) == pytest.approx(falling, abs=0.5)


def test_a_dissolve_between_nests_fades_all_that_they_hold(tmp_path: Path) -> None:
    one = stack(track(clip("a", 100, 100)), source_range=span(0, 20))
    two = stack(track(gap(15), clip("b", 200, 85)), source_range=span(20, 30))
    cut = read(tmp_path, track(one, dissolve(4, 4), two))
    a, b = cut.tracks[0].events
    assert (a.record_start, a.record_length, a.fade_out) == (0, 24, Fade(Fraction(8)))
    assert (b.record_start, b.record_length, b.source_start) == (16, 34, 201)
    assert b.fade_in == Fade(Fraction(8))


def test_sound_that_only_a_video_nest_has_gets_a_track(tmp_path: Path) -> None:
    scene = stack(track(clip("p", 0, 9), kind="Video"), track(clip("s", 50, 9)))
    heard = read(tmp_path, track(gap(3), scene, kind="Video", name="V1"))
    assert [(t.name, t.kind, len(t.events)) for t in heard.tracks] == [
        ("V1", "video", 1),
        ("V1 sound", "audio", 1),
    ]
    assert places(heard.tracks[1]) == [("s", 3, 9, 50)]
    assert "V1 sound" in heard.warnings[0]
    twice = read(tmp_path, track(scene, kind="Video", name="V1"), track(scene, name="A1"))
    assert [(t.name, len(t.events)) for t in twice.tracks] == [("V1", 1), ("A1", 1)]


def test_nests_over_fifty_deep_are_said_to_be_silent(tmp_path: Path) -> None:
    nest = track(clip("deep", 0, 5))
    for _ in range(60):
        nest = track(nest)
    cut = read(tmp_path, track(clip("a", 0, 5)), nest)
    assert [len(t.events) for t in cut.tracks] == [1, 0]
    assert any("50 deep" in said for said in cut.warnings)


# Real files, against a walk of their JSON.


def raw_seconds(time_of_file: dict[str, Any]) -> Fraction:
    return Fraction(time_of_file["value"]) / Fraction(time_of_file["rate"])


def raw_length(item: dict[str, Any]) -> Fraction:
    if item.get("source_range"):
        return raw_seconds(item["source_range"]["duration"])
    reference = item.get("media_reference") or item["media_references"]["DEFAULT_MEDIA"]
    return raw_seconds(reference["available_range"]["duration"])


def raw_clips(children: list[dict[str, Any]]) -> list[tuple[str, Fraction, Fraction]]:
    """Name, start and end in seconds, dissolves included, of the clips of a track itself."""
    found, at = [], Fraction(0)
    for i, item in enumerate(children):
        if "Transition" in item["OTIO_SCHEMA"]:
            continue
        end = at + raw_length(item)
        before, after = children[i - 1] if i else {}, children[i + 1] if children[i + 1 :] else {}
        if "Clip" in item["OTIO_SCHEMA"]:
            early = raw_seconds(before["in_offset"]) if "in_offset" in before else 0
            late = raw_seconds(after["out_offset"]) if "out_offset" in after else 0
            found.append((item["name"], at - early, end + late))
        at = end
    return found


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_real_files_equal_a_walk_of_their_json(shared: Path, name: str) -> None:
    path = shared / "timelines" / "otio" / f"{name}.otio"
    content = json.loads(path.read_text())
    cut = otio.read(path)
    fps = cut.rate.fps
    assert len(cut.tracks) == len(content["tracks"]["children"])
    for ours, theirs in zip(cut.tracks, content["tracks"]["children"], strict=True):
        assert ours.kind == theirs["kind"].lower()
        expected = raw_clips(theirs["children"])
        names = [clip_name for clip_name, _, _ in expected]
        own = [event for event in ours.events if event.media.name in names]
        assert [
            (event.media.name, event.record_start / fps, event.record_end / fps) for event in own
        ] == expected


@pytest.mark.shared
def test_real_transitions_nests_levels_and_markers(shared: Path) -> None:
    folder = shared / "timelines" / "otio"
    # in_offset 2, out_offset 3 at the cut on frame 9; Clip-004 has no source range.
    assert places(otio.read(folder / "transition.otio").tracks[0]) == [
        ("Clip-001", 0, 3, 3),
        ("Clip-002", 3, 9, 2),
        ("Clip-003", 7, 6, 1),
        ("Clip-004", 13, 6, 100),
    ]
    nested = {e.media.name: e for e in otio.read(folder / "nested_example.otio").tracks[0].events}
    inside = nested["Clip Inside A Stack 2"]
    assert (inside.record_start, inside.source_start) == (238 + 31 + 33, 429)
    assert float(inside.speed) == pytest.approx(0.8545454551724138)
    assert float(inside.record_length) == pytest.approx(24 / 0.8545454551724138)
    frozen = nested["Clip Inside A Track"]
    assert (frozen.speed, frozen.record_length, frozen.source_start) == (0, 4, 471)
    effects = otio.read(folder / "effects.otio")
    by_name = {track.name: track for track in effects.tracks}
    assert (effects.start, effects.length, by_name["Audio 8"].channels) == (86400, 1125, 2)
    assert by_name["Audio 8"].events[0].gain_db == -11.0
    assert by_name["Audio 8"].events[0].channels == (0, 1)
    assert [(p.at, p.gain_db) for p in by_name["Audio 10"].events[0].automation[1:-1]] == [
        (96, 0.0),
        (194, -2.0),
        (241, pytest.approx(-29.54)),
    ]
    # Markers of version 3, which the library of today refuses.
    premiere = otio.read(folder / "premiere_example.otio")
    first = premiere.markers[0]
    assert (first.at, first.name, first.note, first.color) == (
        113,
        "My MArker 1",
        "so, this happened",
        "RED",
    )
    # Only the first of Premiere's two clips for a stereo one is there: it stands for both.
    assert [event.channels for event in premiere.audio_tracks[0].events] == [(0, 1), (0, 1)]


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_real_files_read_back_as_they_were(shared: Path, tmp_path: Path, name: str) -> None:
    cut = otio.read(shared / "timelines" / "otio" / f"{name}.otio")
    assert again(cut, tmp_path).tracks == cut.tracks
    assert again(cut, tmp_path).markers == cut.markers


@pytest.mark.shared
@pytest.mark.parametrize("version", ["cut_v1", "cut_v2"])
def test_harbour_cuts_equal_their_truth(harbour: Path, version: str) -> None:
    truth = json.loads((harbour / "truth" / f"{version}.json").read_text())
    takes = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]
    cut = read_cut(harbour / "cuts" / f"{version}.otio", RATES["23.976"])
    assert cut.length == truth["frames"]
    for found in cut.audio_tracks:
        expected = [e for e in truth["events"] if e["track"] == found.name]
        assert len(expected) == len(found.events)
        for event, right in zip(found.events, expected, strict=True):
            early = right.get("dissolve_in", 0)
            assert event.record_start == right["record_start"] - early
            assert event.channels == (right["channel"] - 1,)
            media_start = takes[right["take"]]["time_reference"] // 2002
            assert event.source_start == media_start + right["source_in"] - early
            assert right["take"] in event.media.url


# Bundles.


def bundle(folder: Path, members: dict[str, bytes | str], name: str = "b.otioz") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as file:
        for member, data in members.items():
            file.writestr(member, data)
    return path


def bundled(url: str) -> str:
    item = clip("a", 0, 10)
    item["media_references"]["DEFAULT_MEDIA"]["target_url"] = url
    return json.dumps(timeline(track(item)))


def test_a_bundle_gives_out_what_its_sound_refers_to(tmp_path: Path) -> None:
    import hashlib

    members = {
        "version.txt": "1.0.0",
        "content.otio": bundled("media/a%20b.wav"),
        "media/a b.wav": b"sound",
        "media/unused.wav": b"no",
    }
    path, essence = bundle(tmp_path, members), tmp_path / "essence"
    cut = otio.read(path, essence)
    target = essence / hashlib.sha256(path.read_bytes()).hexdigest() / "media" / "a b.wav"
    assert cut.tracks[0].events[0].media.url == target.resolve().as_uri()
    assert target.read_bytes() == b"sound"
    assert [found for found in essence.rglob("*") if found.is_file()] == [target]
    stamp = target.stat().st_mtime_ns
    assert otio.read(path, essence) == cut
    assert target.stat().st_mtime_ns == stamp
    left = otio.read(path)
    assert left.tracks[0].events[0].media.url == "media/a%20b.wav"
    assert "not taken out" in left.warnings[-1]


def test_a_folder_bundle_points_into_itself(tmp_path: Path) -> None:
    folder = tmp_path / "b.otiod"
    folder.mkdir()
    (folder / "content.otio").write_text(bundled("media/a%20b.wav"))
    url = otio.read(folder).tracks[0].events[0].media.url
    assert url == (folder / "media" / "a b.wav").resolve().as_uri()
    (folder / "content.otio").write_text(bundled("../outside.wav"))
    assert otio.read(folder).tracks[0].events[0].media.url == "../outside.wav"


@pytest.mark.parametrize(
    "name",
    ["../evil.wav", "/evil.wav", "media/../../evil.wav", "C:/evil.wav", "..\\evil.wav", "\\evil"],
)
def test_a_bundle_whose_names_lead_out_is_refused(tmp_path: Path, name: str) -> None:
    path = bundle(tmp_path, {"content.otio": bundled(name), name: b"evil"})
    with pytest.raises(InputError, match="leads out"):
        otio.read(path, tmp_path / "in" / "essence")
    assert [found.name for found in tmp_path.rglob("*")] == ["b.otioz"]


def test_a_bundle_with_a_link_or_a_name_twice_is_refused(tmp_path: Path) -> None:
    linked = tmp_path / "linked.otioz"
    with zipfile.ZipFile(linked, "w") as file:
        file.writestr("content.otio", bundled("media/a.wav"))
        info = zipfile.ZipInfo("media/a.wav")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="a link"):
        otio.read(linked, tmp_path / "essence")
    twice = bundle(
        tmp_path, {"content.otio": bundled(""), "media/a.wav": b"1", "media/A.WAV": b"2"}
    )
    with pytest.raises(InputError, match="twice"):
        otio.read(twice, tmp_path / "essence")


def test_a_bundle_that_swells_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.otioz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("content.otio", b" " * (40 << 20))
    with pytest.raises(InputError, match="too large"):
        otio.read(path)


# What is no timeline, or was damaged.


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"\xff\xfe\x00",
        b"\x80\x81",
        b'{"OTIO_SCHEMA": "Clip.2", "name": "x"}',
        b'{"OTIO_SCHEMA": "Timeline.1"}',
        b'{"OTIO_SCHEMA": "Cl\\nip.1"}',
        b'{"OTIO_SCHEMA": "SerializableCollection.1", "children": []}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"OTIO_SCHEMA": "Timeline.1", "metadata": {"a": ' + b"9" * 5000 + b"}}",
    ],
)
def test_what_is_no_timeline_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    for name in ("bad.otio", "bad.otioz"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError) as fault:
            otio.read(path)
        assert name in str(fault.value)
        assert "\n" not in str(fault.value)


def test_an_empty_timeline_is_refused(tmp_path: Path) -> None:
    cut = Cut("empty", RATES["24"], 0, Fraction(0), (Track("A1", ()),))
    with pytest.raises(InputError, match="empty cut"):
        again(cut, tmp_path)


@pytest.mark.parametrize("rate", [0, -1, 1e12, 1e-300, None, "24", float("nan"), float("inf")])
def test_an_absurd_rate_leaves_the_clip_out(tmp_path: Path, rate: Any) -> None:
    broken = clip("broken", 0, 10)
    broken["source_range"] = span(0, 10, rate)
    broken["media_references"] = {}
    cut = read(tmp_path, track(broken, clip("whole", 5, 10)))
    assert places(cut.tracks[0]) == [("whole", 0, 10, 5)]
    assert any("'broken'" in said for said in cut.warnings)


def test_more_items_than_a_timeline_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.timelines.otio.items.MAX_ITEMS", 20)
    with pytest.raises(InputError, match="has over 20 clips"):
        read(tmp_path, track(*[gap(1)] * 20), track(clip("a", 0, 5)))


ODD = (None, [], {}, "", "\ud800", -1, 1e308, 10**200, True, "Stack.1", "Clip.99", 23.976, "1/0")


def deformed(content: Any, chance: random.Random) -> Any:
    """A copy in which some values are another kind of thing, still good JSON."""
    copied = copy.deepcopy(content)
    for _ in range(chance.choice((1, 2, 8))):
        found: list[tuple[Any, Any]] = []
        open_ones = [copied]
        while open_ones:
            node = open_ones.pop()
            inside = node.items() if isinstance(node, dict) else enumerate(node)
            for key, value in inside:
                found.append((node, key))
                if isinstance(value, dict | list):
                    open_ones.append(value)
        if found:
            node, key = chance.choice(found)
            node[key] = copy.deepcopy(chance.choice(ODD))
    return copied


def hostile(path: Path, essence: Path | None) -> None:
    """Read what may be anything: a cut that can be used, or one sentence that names the file."""
    try:
        cut = otio.read(path, essence)
    except InputError as fault:
        said = str(fault)
    else:
        said = path.name
        assert all(said.encode() for said in cut.warnings)
        assert all(e.record_length > 0 for t in cut.tracks for e in t.events)
    assert path.name in said
    assert "\n" not in said


def test_injured_files_give_a_cut_or_one_sentence(tmp_path: Path) -> None:
    source = tmp_path / "good.otio"
    otio_write.write(full_cut(), {}, "cleaned", source, {})
    path = tmp_path / "bad.otio"
    for data in injured(source.read_bytes(), 40):
        path.write_bytes(data)
        hostile(path, None)
    content = json.loads(source.read_text())
    nested = timeline(
        track(clip("a", 0, 9), dissolve(2, 2), stack(track(clip("b", 0, 9), effects=[warp(-2)])))
    )
    for seed in range(40):
        for whole in (content, nested):
            path.write_text(json.dumps(deformed(whole, random.Random(seed))))
            hostile(path, None)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("content.otio", bundled("media/a.wav"))
        file.writestr("media/a.wav", b"RIFF" * 50)
    zipped = tmp_path / "bad.otioz"
    for data in injured(packed.getvalue(), 30):
        zipped.write_bytes(data)
        hostile(zipped, tmp_path / "essence")
    allowed = {source, path, zipped}
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and "essence" not in p.parts]
    assert set(outside) <= allowed


def test_clips_in_nests_of_nests_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.timelines.otio.items.MAX_LAYINGS", 60)
    inner: dict[str, object] = {"OTIO_SCHEMA": "Clip.2"}
    for _ in range(12):
        inner = {"OTIO_SCHEMA": "Stack.1", "children": [inner]}
    rate = {"OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 0}
    timeline = {"OTIO_SCHEMA": "Timeline.1", "global_start_time": rate, "tracks": inner}
    path = tmp_path / "nested.otio"
    path.write_text(json.dumps(timeline))
    with pytest.raises(InputError, match=r"nested\.otio has too many clips in nests of nests"):
        otio.read(path)

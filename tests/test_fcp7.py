"""Final Cut Pro 7 XML is read as Premiere and Resolve mean it, and reads back as written."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cuts import ALL_RATES, cuts
from hypothesis import HealthCheck, given, settings

from adapters.timelines.fcp7 import read as fcp7
from adapters.timelines.fcp7 import write as fcp7_write
from adapters.timelines.named import NamedMedia
from bench.injuries import injured
from core.compare import differences
from core.cut import Cut, Event, Fade, FadeShape, GainPoint, Marker, MediaReference, Track
from core.errors import InputError, OutputError
from core.time import RATES, FrameRate

NTSC24 = "<rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate>"
FILM24 = "<rate><timebase>24</timebase><ntsc>FALSE</ntsc></rate>"
FILE = f"""<file id="f1"><name>T01.wav</name>
<pathurl>file://localhost/D%3a/sound/T01.wav</pathurl>{FILM24}<duration>1000</duration>
<timecode>{FILM24}<string>10:00:00:00</string><frame>864000</frame>
<displayformat>NDF</displayformat><reel><name>SR01</name></reel></timecode></file>"""
TICKS_PER_SAMPLE = 5_292_000  # 254,016,000,000 ticks a second over 48,000


def clip(start: int, end: int, first: int, last: int, more: str = "", file: str = "") -> str:
    return (
        f"<clipitem><name>T01</name><start>{start}</start><end>{end}</end><in>{first}</in>"
        f"<out>{last}</out>{file or FILE}{more}</clipitem>"
    )


def fade(start: int, end: int, alignment: str, name: str = "Cross Fade (+3dB)") -> str:
    return (
        f"<transitionitem><start>{start}</start><end>{end}</end><alignment>{alignment}</alignment>"
        f"<effect><name>{name}</name></effect></transitionitem>"
    )


def effect(identity: str, *parameters: str) -> str:
    return f"<filter><effect><effectid>{identity}</effectid>{''.join(parameters)}</effect></filter>"


def parameter(identity: str, value: object, *keyframes: tuple[object, object]) -> str:
    points = "".join(
        f"<keyframe><when>{w}</when><value>{v}</value></keyframe>" for w, v in keyframes
    )
    named = f"<parameterid>{identity}</parameterid><value>{value}</value>"
    return f"<parameter>{named}{points}</parameter>"


def sequence(
    *tracks: str, rate: str = FILM24, name: str = "reel", more: str = "", id_: str = "s1"
) -> str:
    audio = "".join(
        track if track.startswith("<track") else f"<track>{track}</track>" for track in tracks
    )
    return (
        f'<sequence id="{id_}"><name>{name}</name>{rate}{more}'
        f"<media><audio>{audio}</audio></media></sequence>"
    )


def read(folder: Path, *contents: str) -> Cut:
    path = folder / "cut.xml"
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE xmeml><xmeml version="5">{"".join(contents)}</xmeml>'
    )
    return fcp7.read(path)


def only(cut: Cut) -> Event:
    ((event,),) = [track.events for track in cut.audio_tracks]
    return event


def test_a_clip_is_where_it_says(tmp_path: Path) -> None:
    more = "<sourcetrack><mediatype>audio</mediatype><trackindex>3</trackindex></sourcetrack>"
    said = f"<duration>500</duration><timecode>{FILM24}<frame>86400</frame></timecode>"
    cut = read(tmp_path, sequence(clip(10, 34, 48, 72, more), more=said))
    event = only(cut)
    assert (cut.name, cut.rate, cut.start, cut.length) == ("reel", RATES["24"], 86400, 500)
    assert (event.id, event.record_start, event.record_length) == ("A1/001", 10, 24)
    assert (event.source_start, event.channels) == (864048, (2,))
    assert event.media == MediaReference(
        name="T01",
        url="file://localhost/D%3a/sound/T01.wav",
        reel="SR01",
        available_start=Fraction(864000),
        available_length=Fraction(1000),
    )
    assert event.handles == (48, 928)
    assert cut.warnings == ()


def test_drop_frame_timecode_starts_where_it_counts(tmp_path: Path) -> None:
    ntsc30 = "<rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate>"
    counted = "<string>01:00:00;00</string><displayformat>DF</displayformat>"
    said = f"<timecode>{ntsc30}{counted}</timecode>"
    cut = read(tmp_path, sequence(clip(0, 10, 0, 10), rate=ntsc30, more=said))
    # SMPTE ST 12-1: an hour of drop-frame counts 107,892 frames.
    assert (cut.rate, cut.start) == (RATES["29.97 DF"], 107892)


def test_rates_of_file_clip_and_sequence_are_kept_apart(tmp_path: Path) -> None:
    own = "<rate><timebase>15</timebase><ntsc>FALSE</ntsc></rate>"
    event = only(read(tmp_path, sequence(clip(536, 596, 15, 52, own), rate=NTSC24)))
    # 10:00:00:00 at 24 and a second of clip are seconds; the sequence counts 24000/1001 a second.
    assert event.source_start == Fraction(36001 * 24000, 1001)
    assert event.media.available_length == Fraction(1000, 24) * Fraction(24000, 1001)
    assert event.record_length == 60


def test_a_transition_holds_the_ends_that_are_minus_one(tmp_path: Path) -> None:
    cut = read(
        tmp_path,
        sequence(clip(0, -1, 100, 160) + fade(48, 60, "center") + clip(-1, 200, 300, 452)),
    )
    outgoing, incoming = cut.tracks[0].events
    assert (outgoing.record_start, outgoing.record_length, outgoing.source_start) == (0, 60, 864100)
    assert (incoming.record_start, incoming.record_length, incoming.source_start) == (
        48,
        152,
        864300,
    )
    assert outgoing.fade_out == incoming.fade_in == Fade(Fraction(12))
    assert outgoing.fade_in is incoming.fade_out is None


def test_clips_that_end_at_the_cut_are_lengthened_by_its_transition(tmp_path: Path) -> None:
    linear = fade(48, 60, "center", "Cross Fade ( 0dB)")
    cut = read(tmp_path, sequence(clip(0, 54, 100, 154) + linear + clip(54, 200, 300, 446)))
    outgoing, incoming = cut.tracks[0].events
    assert (outgoing.record_end, outgoing.source_start) == (60, 864100)
    assert (incoming.record_start, incoming.source_start) == (48, 864294)
    assert outgoing.fade_out == incoming.fade_in == Fade(Fraction(12), FadeShape.LINEAR)


def test_fades_from_and_to_silence_stay_on_their_clip(tmp_path: Path) -> None:
    items = [
        fade(10, 14, "start-black"),
        clip(-1, -1, 0, 40),
        fade(44, 50, "end-black"),
        fade(50, 53, "start-black"),
        clip(-1, 90, 0, 40),
        clip(90, 100, 0, 10),
    ]
    first, second, third = read(tmp_path, sequence("".join(items))).tracks[0].events
    assert (first.record_start, first.record_end) == (10, 50)
    assert (first.fade_in, first.fade_out) == (Fade(Fraction(4)), Fade(Fraction(6)))
    assert (second.record_start, second.fade_in, second.fade_out) == (50, Fade(Fraction(3)), None)
    assert (third.fade_in, third.fade_out) == (None, None)


def test_levels_are_amplitudes_and_keyframes_count_with_the_in_point(tmp_path: Path) -> None:
    still = only(
        read(tmp_path, sequence(clip(0, 10, 5, 15, effect("audiolevels", parameter("level", 0.5)))))
    )
    assert still.gain_db == pytest.approx(-6.0206, abs=1e-4)
    points = parameter("level", 1, (25, "3.162278"), (5, 1), (15, 0))
    moving = only(read(tmp_path, sequence(clip(100, 120, 5, 25, effect("audiolevels", points)))))
    assert moving.gain_db == 0
    assert [point.at for point in moving.automation] == [0, 10, 20]
    assert [point.gain_db for point in moving.automation] == pytest.approx([0, -144, 10], abs=1e-4)


def test_pan_and_what_is_off(tmp_path: Path) -> None:
    cut = read(
        tmp_path,
        sequence(
            clip(0, 10, 0, 10, effect("audiopan", parameter("pan", -0.25))),
            clip(0, 10, 0, 10, "<enabled>FALSE</enabled>"),
            f"<track MZ.TrackName='DX  Boom'>{clip(0, 10, 0, 10)}<enabled>FALSE</enabled></track>",
            clip(
                0,
                10,
                0,
                10,
                "<filter><enabled>FALSE</enabled><effect><effectid>audiopan"
                "</effectid></effect></filter>",
            ),
        ),
    )
    assert [track.events[0].pan for track in cut.tracks] == [-0.25, None, None, None]
    assert [track.name for track in cut.tracks] == ["A1", "A2", "DX Boom", "A4"]
    assert [track.enabled for track in cut.tracks] == [True, True, False, True]
    assert [event.id for _, event in cut.sounding()] == ["A1/001", "A4/001"]


def test_a_speed_change_counts_in_the_clip_as_it_plays(tmp_path: Path) -> None:
    def at(speed: object, *more: str) -> Event:
        remap = effect("timeremap", parameter("speed", speed), *more)
        return only(read(tmp_path, sequence(clip(0, 24, 50, 74, remap))))

    double, reverse = at(200), at(100, parameter("reverse", "TRUE"))
    assert (double.speed, double.source_start) == (2, 864100)
    # Backwards, the clip's frame 0 is the end of the file's 1,000 frames.
    assert (reverse.speed, reverse.source_start) == (-1, 864950)
    assert reverse.handles == (926, 50)
    third = at("33.3333")
    assert (third.speed, third.variable_speed, third.keeps_pitch) == (
        Fraction(333333, 1000000),
        False,
        False,
    )


def test_a_speed_that_changes_is_its_mean(tmp_path: Path) -> None:
    graph = parameter("graphdict", 0, (0, 0), (1, 1), (51, 51), (114, 126), (142, 154))
    remap = effect("timeremap", parameter("speed", 108.451), parameter("variablespeed", 1), graph)
    event = only(read(tmp_path, sequence(clip(984, 1126, 0, 142, remap))))
    assert (event.variable_speed, event.speed) == (True, Fraction(154, 142))
    assert float(event.speed) == pytest.approx(1.08451, abs=1e-5)


def test_premieres_ticks_place_a_clip_to_the_sample(tmp_path: Path) -> None:
    samples = 48 * 2000 + 701
    ticks = f"<pproTicksIn>{samples * TICKS_PER_SAMPLE}</pproTicksIn>"
    event = only(read(tmp_path, sequence(clip(0, 24, 48, 72, ticks))))
    assert event.source_start == 864000 + Fraction(samples * 24, 48000)
    cut = read(tmp_path, sequence(clip(0, 24, 400, 424, ticks)))
    assert only(cut).source_start == 864400
    assert "pproTicksIn" in cut.warnings[0]


def test_subclips_and_subframes_are_offset(tmp_path: Path) -> None:
    more = "<subclipinfo><startoffset>30</startoffset></subclipinfo>"
    event = only(read(tmp_path, sequence(clip(10, 34, 5, 29, more))))
    assert event.source_start == 864035
    event = only(
        read(tmp_path, sequence(clip(10, 34, 5, 29, "<subframeoffset>40</subframeoffset>")))
    )
    assert (event.record_start, event.record_length) == (Fraction(21, 2), 24)
    assert event.source_start == 864005


def test_a_file_is_known_by_its_id_before_it_is_written_out(tmp_path: Path) -> None:
    cut = read(tmp_path, sequence(clip(0, 5, 0, 5, file='<file id="f1"/>') + clip(5, 9, 0, 4)))
    first, second = cut.tracks[0].events
    assert first.media == second.media
    assert first.media.reel == "SR01"


def test_slugs_are_silence_and_tones_are_told(tmp_path: Path) -> None:
    slug, tone = (
        f"<generatoritem><name>{name}</name><start>0</start><end>5</end></generatoritem>"
        for name in ("Slug", "Bars and Tone")
    )
    cut = read(tmp_path, sequence(slug + tone + clip(5, 9, 0, 4)))
    assert only(cut).id == "A1/001"
    assert len(cut.warnings) == 1
    assert "Bars and Tone" in cut.warnings[0]


def nested(*tracks: str, id_: str = "n1") -> str:
    return sequence(*tracks, name="scene", id_=id_)


def test_a_nest_is_laid_in_trimmed_with_its_levels(tmp_path: Path) -> None:
    inner = clip(0, 30, 0, 30, effect("audiolevels", parameter("level", 0.5))) + clip(40, 90, 7, 57)
    half = effect("audiolevels", parameter("level", 0.5))
    cut = read(tmp_path, sequence(clip(100, 140, 20, 60, half, nested(inner))))
    first, second = cut.tracks[0].events
    assert (first.record_start, first.record_length, first.source_start) == (100, 10, 864020)
    assert (second.record_start, second.record_length, second.source_start) == (120, 20, 864007)
    assert first.gain_db == pytest.approx(-12.0412, abs=1e-4)
    assert second.gain_db == pytest.approx(-6.0206, abs=1e-4)
    assert [event.id for event in cut.tracks[0].events] == ["A1/001", "A1/002"]


def test_a_nests_level_curve_goes_over_its_clips(tmp_path: Path) -> None:
    curve = effect("audiolevels", parameter("level", 1, (10, 1), (50, "0.01")))
    cut = read(tmp_path, sequence(clip(0, 40, 10, 50, curve, nested(clip(20, 40, 0, 20)))))
    # From 0 dB at the nest's frame 10 to -40 dB at 50: at its frames 20 and 40.
    assert only(cut).automation == (
        GainPoint(Fraction(0), pytest.approx(-10)),
        GainPoint(Fraction(20), pytest.approx(-30)),
    )


def test_each_leg_of_a_stereo_nest_takes_the_tracks_that_feed_it(tmp_path: Path) -> None:
    def leg(name: str, more: str = "") -> str:
        links = "".join(
            f"<link><linkclipref>{other}</linkclipref><mediatype>audio</mediatype></link>"
            for other in ("left", "right")
        )
        placed = clip(0, 10, 0, 10, links, more or '<sequence id="n1"/>')
        return placed.replace("<clipitem>", f'<clipitem id="{name}">')

    def fed(output: int, first: int) -> str:
        return (
            f"<track>{clip(0, 10, first, first + 10)}"
            f"<outputchannelindex>{output}</outputchannelindex></track>"
        )

    inner = nested(fed(1, 100), fed(2, 200), fed(1, 300))
    cut = read(tmp_path, sequence(leg("left", inner), leg("right")))
    starts = [[event.source_start - 864000 for event in track.events] for track in cut.tracks]
    assert starts == [[100, 300], [200]]


def test_nests_in_themselves_and_bombs_end(tmp_path: Path) -> None:
    loop = sequence(clip(0, 5, 0, 5, file='<sequence id="s1"/>') + clip(5, 9, 0, 4))
    cut = read(tmp_path, loop)
    assert only(cut).record_start == 5
    assert "nested in itself" in cut.warnings[0]
    bomb = nested(clip(0, 9, 0, 9), id_="n40")
    for level in range(39, -1, -1):
        bomb += nested(clip(0, 9, 0, 9, file=f'<sequence id="n{level + 1}"/>') * 2, id_=f"n{level}")
    with pytest.raises(InputError, match="lays out more than"):
        read(tmp_path, f"<bin><children>{bomb}</children></bin>")


def test_of_several_sequences_the_one_with_most_sound_is_read(tmp_path: Path) -> None:
    assembly = nested(clip(0, 5, 0, 5) * 3)
    cut = read(
        tmp_path,
        "<project><children>" + assembly,
        sequence(clip(0, 5, 0, 5, file='<sequence id="n1"/>') * 2, name="film"),
        "</children></project>",
    )
    assert cut.name == "film"
    assert "scene" in cut.warnings[0]


def test_markers_of_sequence_and_clips(tmp_path: Path) -> None:
    marker = "<marker><name>{}</name><comment>note</comment><in>{}</in><out>{}</out></marker>"
    cut = read(
        tmp_path,
        sequence(
            clip(100, 110, 20, 30, marker.format("in clip", 25, -1)),
            clip(
                100, 110, 20, 30, marker.format("in clip", 25, -1) + marker.format("trimmed", 9, -1)
            ),
            more=marker.format("reel", 3, 7),
        ),
    )
    assert cut.markers == (
        Marker(Fraction(3), "reel", "note", Fraction(4)),
        Marker(Fraction(105), "in clip", "note"),
    )


def test_nothing_lasts_longer_than_a_day(tmp_path: Path) -> None:
    far = clip(0, 900_000_000, 0, 900_000_000)
    said = "<duration>900000000</duration>"
    cut = read(tmp_path, sequence(clip(0, 5, 0, 5) + far, more=said))
    assert cut.length == 5
    assert len(cut.warnings) == 2


def test_what_is_no_cut_is_one_sentence(tmp_path: Path) -> None:
    for contents, told in (
        ("", "holds no sequence"),
        (sequence(), "empty cut"),
        (sequence(clip(0, 5, 0, 5), rate=""), "no frame rate"),
        (sequence(clip(0, 5, 0, 5), rate="<rate><timebase>0</timebase></rate>"), "no frame rate"),
        (sequence(clip(9, 5, 0, 0)), "empty cut"),
    ):
        with pytest.raises(InputError, match=told) as fault:
            read(tmp_path, contents)
        assert "cut.xml" in str(fault.value)


# Real files, against the elements themselves.


def tracks_of(path: Path) -> list[list[ElementTree.Element]]:
    chosen = ElementTree.parse(path).getroot().find("sequence")
    assert chosen is not None
    return [track.findall("clipitem") for track in chosen.iterfind("media/audio/track")]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["premiere_example.xml", "empty_name_tags.xml"])
def test_real_files_keep_every_clip_and_its_range(shared: Path, name: str) -> None:
    path = shared / "timelines" / "fcp7" / name
    cut, found = fcp7.read(path), tracks_of(path)
    assert [len(track.events) for track in cut.audio_tracks] == [len(items) for items in found]
    for track, items in zip(cut.audio_tracks, found, strict=True):
        for event, item in zip(track.events, items, strict=True):
            assert event.record_start == int(item.findtext("start") or "")
            assert event.media.name in (item.findtext("name"), "sc01_sh010_anim.mov")
            if item.find("sequence") is None:
                assert event.record_end == int(item.findtext("end") or "")
                assert event.channels == (int(item.findtext("sourcetrack/trackindex") or "") - 1,)
                assert event.media.available_start is not None
                played = event.source_start - event.media.available_start
                assert played == int(item.findtext("in") or "")
                assert event.enabled


@pytest.mark.shared
def test_both_legs_of_exploded_stereo_come_through(shared: Path) -> None:
    cut = fcp7.read(shared / "timelines" / "fcp7" / "empty_name_tags.xml")
    left, right = cut.audio_tracks[:2]
    assert len(left.events) == 33
    for one, other in zip(left.events, right.events, strict=True):
        assert (one.channels, other.channels, one.pan, other.pan) == ((0,), (1,), -1, 1)
        assert (one.record_start, one.source_start) == (other.record_start, other.source_start)
    assert (cut.rate, cut.length) == (RATES["23.976"], 3517)


@pytest.mark.shared
def test_a_real_transition_and_a_real_nest(shared: Path) -> None:
    cut = fcp7.read(shared / "timelines" / "fcp7" / "premiere_example.xml")
    tracks = {track.name: track.events for track in cut.tracks}
    # Premiere's cutPointTicks (0.4 s) put the cut at 1164, 12 frames into 1152 to 1177.
    outgoing, incoming = tracks["V4"]
    assert (outgoing.record_start, outgoing.record_end) == (956, 1177)
    assert (incoming.record_start, incoming.record_end) == (1152, 1246)
    assert incoming.fade_in == Fade(Fraction(25))
    assert tracks["V2"][2].fade_out == Fade(Fraction(19))
    # The nest at 636 holds one clip of 100 frames a leg.
    for name, channel in (("A3", 0), ("A4", 1)):
        event = tracks[name][1]
        assert (event.record_start, event.record_length, event.channels) == (636, 100, (channel,))
    assert cut.markers[0] == Marker(Fraction(113), "My MArker 1", "so, this happened")
    assert len(cut.warnings) == 1
    assert "A7, clip 2" in cut.warnings[0]


# Writing.

HELD = {"gain_db", "automation", "channels", "tracks", "pan"}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cut=cuts(
        rates=ALL_RATES,
        shapes=tuple(FadeShape),
        speeds=(Fraction(1), Fraction(2), Fraction(1, 2), Fraction(-1), Fraction(0)),
        gains=True,
        pans=True,
        disabled=True,
        channels=((), (0,), (1,), (7,)),
    )
)
def test_what_the_format_holds_reads_back_equal(tmp_path: Path, cut: Cut) -> None:
    path = tmp_path / "cut.xml"
    fcp7_write.write(cut, {}, "cleaned", path)
    again = fcp7.read(path)
    assert differences(cut, again) == ()
    assert again.warnings == ()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=cuts(gains=True, automation=True, channels=((0,),)))
def test_gain_and_automation_come_back_as_one_curve(tmp_path: Path, cut: Cut) -> None:
    path = tmp_path / "cut.xml"
    fcp7_write.write(cut, {}, "cleaned", path)
    again = fcp7.read(path)
    assert {item.field for item in differences(cut, again)} <= {"gain_db", "automation"}
    for track, other in zip(cut.tracks, again.tracks, strict=True):
        for event, got in zip(track.events, other.events, strict=True):
            wanted = {point.at: event.gain_db + point.gain_db for point in event.automation}
            assert {point.at for point in got.automation} == set(wanted)
            for point in got.automation:
                assert got.gain_db + point.gain_db == pytest.approx(wanted[point.at], abs=0.01)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=cuts())
def test_channels_of_one_event_come_back_as_linked_legs(tmp_path: Path, cut: Cut) -> None:
    path = tmp_path / "cut.xml"
    fcp7_write.write(cut, {}, "cleaned", path)
    again = fcp7.read(path)
    assert {item.field for item in differences(cut, again)} <= {"channels", "tracks", "pan"}
    for track in cut.tracks:
        played = [
            (event.record_start, event.source_start, channel)
            for event in track.events
            for channel in event.channels or (None,)
        ]
        got = [
            (event.record_start, event.source_start, *(event.channels or (None,)))
            for other in again.tracks
            if other.name == track.name
            for event in other.events
        ]
        assert sorted(played, key=str) == sorted(got, key=str)


def event_of(channels: tuple[int, ...], **more: object) -> Event:
    event = Event(
        "A1/001", Fraction(10), Fraction(20), Fraction(5000), MediaReference("one"), channels
    )
    return replace(event, **more)  # type: ignore[arg-type]


def cut_of(*events: Event, rate: FrameRate = RATES["23.976"]) -> Cut:
    return Cut("reel", rate, 86400, Fraction(100), (Track("DX", events),))


def media_of(path: Path, start: Fraction, channels: tuple[int, ...]) -> NamedMedia:
    return NamedMedia(path, path.name, start, Fraction(480), 48000, 961_000, channels, 2)


def test_the_cleaned_file_plays_to_the_sample(tmp_path: Path) -> None:
    sample = Fraction(24000, 1001 * 48000)
    start = Fraction(4990) + 7 * sample
    media = {
        "A1/001": {
            "original": media_of(tmp_path / "o.wav", Fraction(0), (5,)),
            "cleaned": media_of(tmp_path / "ä clip.wav", start, (0, 1)),
        }
    }
    path = tmp_path / "cut.xml"
    fcp7_write.write(cut_of(event_of((5,))), media, "cleaned", path)
    items = list(ElementTree.parse(path).getroot().iter("clipitem"))
    # 10 frames less 7 samples into the file, in whole ticks.
    ticks = 10 * 10_594_584_000 - 7 * TICKS_PER_SAMPLE
    assert [item.findtext("pproTicksIn") for item in items] == [str(ticks)] * 2
    assert [item.findtext("in") for item in items] == ["9", "9"]
    assert [item.findtext("sourcetrack/trackindex") for item in items] == ["1", "2"]
    url = items[0].findtext("file/pathurl") or ""
    assert url.startswith("file://localhost/")
    assert url.endswith("/%C3%A4%20clip.wav")
    assert items[0].findtext("file/media/audio/channelcount") == "2"
    assert items[0].findtext("file/timecode/frame") == "4990"
    file = items[1].find("file")
    assert file is not None
    assert (file.get("id"), len(file)) == ("file-1", 0)


def test_legs_are_linked_as_premiere_links_them(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    second = event_of((3,), id="DX/002", record_start=Fraction(50))
    fcp7_write.write(cut_of(event_of((0, 1)), second), {}, "cleaned", path)
    root = ElementTree.parse(path).getroot()
    tracks = list(root.iterfind("sequence/media/audio/track"))
    assert [track.get("MZ.TrackName") for track in tracks] == ["DX", "DX"]
    assert [track.get("currentExplodedTrackIndex") for track in tracks] == ["0", "1"]
    assert [len(track.findall("clipitem")) for track in tracks] == [2, 1]
    ids = [track.find("clipitem").get("id") for track in tracks]  # type: ignore[union-attr]
    for track in tracks:
        links = track.findall("clipitem[1]/link")
        assert [link.findtext("linkclipref") for link in links] == ids
        assert [link.findtext("trackindex") for link in links] == ["1", "2"]
        assert [link.findtext("clipindex") for link in links] == ["1", "1"]


def test_a_clip_within_a_frame_stays_in_sync(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    late = event_of((0,), record_start=Fraction(41, 4), record_length=Fraction(79, 4))
    fcp7_write.write(cut_of(late, rate=RATES["25"]), {}, "cleaned", path)
    event = only(fcp7.read(path))
    assert (event.record_start, event.record_end) == (10, 30)
    assert event.source_start - event.record_start == late.source_start - late.record_start


def test_events_that_overlap_without_a_dissolve_get_a_second_track(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    over = event_of((0,), id="DX/002", record_start=Fraction(15))
    fcp7_write.write(cut_of(event_of((0,)), over), {}, "cleaned", path)
    again = fcp7.read(path)
    assert [(track.name, track.events[0].record_start) for track in again.tracks] == [
        ("DX", 10),
        ("DX", 15),
    ]


def test_a_dissolve_may_be_all_there_is_of_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    two = Fade(Fraction(2))
    outgoing = event_of((0,), fade_out=two)
    incoming = event_of(
        (0,), id="DX/002", record_start=Fraction(28), record_length=Fraction(2), fade_in=two
    )
    cut = cut_of(outgoing, incoming)
    fcp7_write.write(cut, {}, "cleaned", path)
    assert differences(cut, fcp7.read(path)) == ()


def test_text_that_xml_cant_hold_and_rates_it_cant_name(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    media = MediaReference("bell\x07 <&> \ud800", url="file:///sound/a&b.wav")
    fcp7_write.write(cut_of(event_of((0,), media=media)), {}, "cleaned", path)
    event = only(fcp7.read(path))
    assert (event.media.name, event.media.url) == ("bell <&>", media.url)
    with pytest.raises(OutputError, match="can't name"):
        fcp7_write.write(
            cut_of(event_of((0,)), rate=FrameRate(Fraction(25, 2))), {}, "cleaned", path
        )


# Hostile input.

STRANGE = ["", "-1", "0", "1e9", "9" * 30, "1e99", "NaN", "x" * 999, "1000000000", "s1", "200"]


def deranged(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Copies that are still XML, with elements changed, lost, repeated and moved."""
    for number in range(count):
        chance = random.Random(seed * 1000 + number)
        root = ElementTree.fromstring(data)
        for _ in range(chance.choice((1, 3, 10, 60))):
            elements = list(root.iter())
            parents = {child: parent for parent in elements for child in parent}
            element, kind = chance.choice(elements), chance.randrange(6)
            if kind < 3:
                element.text = chance.choice(STRANGE)
            elif kind == 3 and element in parents:
                parents[element].remove(element)
            elif kind == 4 and element in parents:
                parents[element].append(copy.deepcopy(element))
            elif kind == 5 and len(elements) < 5000:
                chance.choice(elements).append(copy.deepcopy(element))
        yield ElementTree.tostring(root)


def test_injured_files_end_as_a_cut_or_in_one_sentence(tmp_path: Path) -> None:
    inner = nested(clip(0, 9, 0, 9), clip(0, 9, 0, 9, effect("timeremap", parameter("speed", 50))))
    whole = sequence(
        clip(0, -1, 0, 20, effect("audiolevels", parameter("level", 1, (0, 1), (9, 0.5))))
        + fade(10, 20, "center")
        + clip(-1, 40, 0, 30, "<pproTicksIn>0</pproTicksIn>"),
        clip(0, 40, 0, 40, file=inner),
    )
    data = f'<xmeml version="5">{whole}</xmeml>'.encode()
    path = tmp_path / "cut.xml"
    cuts_read, told = 0, []
    for injury in [*injured(data, 60), *deranged(data, 90, 1)]:
        path.write_bytes(injury)
        started = time.process_time()
        try:
            cut = fcp7.read(path)
            assert all("\n" not in warning for warning in cut.warnings)
            cuts_read += 1
        except InputError as fault:
            told.append(str(fault))
        assert time.process_time() - started < 5
    assert min(cuts_read, len(told)) > 10
    assert all("\n" not in sentence and str(path) in sentence for sentence in told)

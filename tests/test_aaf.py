"""AAF in and out: against walks that are not ours, against another reader, and against damage."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import aaf2
import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf
from aaf2.auid import AUID
from aaf2.rational import AAFRational
from cuts import cuts
from hypothesis import HealthCheck, given, settings

from adapters.timelines.aaf import apart
from adapters.timelines.aaf import read as aaf
from adapters.timelines.aaf import write as aaf_write
from adapters.timelines.aaf.apart import read_here
from adapters.timelines.aaf.riff import summary_format
from adapters.timelines.named import NamedMedia
from bench.injuries import injured
from core.compare import differences
from core.cut import Cut, Event, Fade, FadeShape, GainPoint, MediaReference, Track
from core.errors import InputError, OutputError
from core.time import RATES, FrameRate

GAIN = "9d2ea894-0968-11d3-8a38-0050040ef7d2"
PAN = "9d2ea893-0968-11d3-8a38-0050040ef7d2"
DISSOLVE = "0c3bea41-fc05-11d2-8a29-0050040ef7d2"
AMPLITUDE = "e4962321-2267-11d3-8a4c-0050040ef7d2"
PAN_LEVEL = "e4962322-2267-11d3-8a4c-0050040ef7d2"
LEVEL = "e4962320-2267-11d3-8a4c-0050040ef7d2"
LINEAR = "5b6c85a4-0ede-11d3-80a9-006008143e6f"
POWER = "c09153f7-bd18-4e5a-ad09-cbdd654fa001"
FILM = FrameRate(Fraction(24000, 1001))
FADED = ("transitions.aaf", "nested_audio_dissolve.aaf")
PLAIN = (
    "2997fps.aaf",
    "30fps.aaf",
    "multitrack.aaf",
    "one_audio_clip.aaf",
    "preflattened.aaf",
    "simple.aaf",
    "subclip_sourceclip_references_compositionmob_with_mastermob.aaf",
    "trims.aaf",
    "utf8.aaf",
)


def real(shared: Path, name: str) -> Path:
    return shared / "timelines" / "aaf" / name


# --- Real files --------------------------------------------------------------------------------


def walked(path: Path) -> list[list[tuple[int, int, int, int, int]]]:
    """Position, length, start and fades of every clip of a file's sound slots, as pyaaf2 lays a
    sequence out."""
    found = []
    with aaf2.open(str(path)) as file:
        top = next(file.content.toplevel())
        for slot in top.slots:
            if slot.media_kind != "Sound":
                continue
            segment = slot.segment
            while hasattr(segment, "segments"):
                segment = segment.segments[0]
            parts = list(segment.positions())
            clips = []
            for index, position, part in parts:
                inner = part
                while hasattr(inner, "segments") or hasattr(inner, "components"):
                    inner = inner.segments[0] if hasattr(inner, "segments") else inner.components[0]
                if type(inner).__name__ != "SourceClip":
                    continue
                beside = [
                    parts[i][2].length
                    if 0 <= i < len(parts) and type(parts[i][2]).__name__ == "Transition"
                    else 0
                    for i in (index - 1, index + 1)
                ]
                clips.append((position, inner.length, inner.start, *beside))
            found.append(clips)
    return found


@pytest.mark.shared
@pytest.mark.parametrize("name", [*PLAIN, *FADED])
def test_clips_of_a_real_file_lie_where_pyaaf2_lays_them(shared: Path, name: str) -> None:
    cut = read_here(real(shared, name), None)
    expected = walked(real(shared, name))
    assert len(cut.audio_tracks) == len(expected)
    assert sum(map(len, expected)) > 0
    for track, clips in zip(cut.audio_tracks, expected, strict=True):
        places = [
            (
                event.record_start,
                event.record_length,
                event.fade_in.length if event.fade_in else 0,
                event.fade_out.length if event.fade_out else 0,
            )
            for event in track.events
        ]
        assert places == [(at, length, into, out) for at, length, _, into, out in clips]
        if not name.startswith("subclip"):
            offsets = [event.source_start - event.media.available_start for event in track.events]
            assert offsets == [start for _, _, start, _, _ in clips]
        assert not cut.warnings


@pytest.mark.shared
@pytest.mark.parametrize("name", ["2997fps.aaf", "30fps.aaf", "trims.aaf", "utf8.aaf"])
def test_clips_of_a_real_file_have_the_ranges_of_another_reader(shared: Path, name: str) -> None:
    cut = read_here(real(shared, name), None)
    other = otio.adapters.read_from_file(str(real(shared, name)))
    tracks = [track for track in other.tracks if track.kind == "Audio"]
    filled = [track for track in cut.audio_tracks if track.events]
    for ours, theirs in zip(filled, tracks, strict=True):
        clips = [
            (range_.start_time.value, range_.duration.value)
            for item in theirs
            if isinstance(item, otio.schema.Clip)
            for range_ in [item.range_in_parent()]
        ]
        assert [(event.record_start, event.record_length) for event in ours.events] == clips


@pytest.mark.shared
def test_speeds_are_those_that_avid_wrote_into_the_names(shared: Path) -> None:
    """Its twenty clips play 1 to 5 frames (rows) in 1 to 4 (columns); all but the first are named
    after the frames that they show a second."""
    path = real(shared, "linear_speed_effects.aaf")
    events = read_here(path, None).tracks[0].events
    assert [event.speed for event in events] == [
        Fraction(row, column) for row in range(1, 6) for column in range(1, 5)
    ]
    assert [event.record_length for event in events] == [1, 2, 3, 4] * 5
    assert all(event.source_start == 0 for event in events)
    with aaf2.open(str(path)) as file:
        named = sorted(
            (float(mob.name.split("(")[1].split()[0]), mob.slots[0].segment.length)
            for mob in file.content.compositionmobs()
            if " FPS)" in mob.name
        )
    read = sorted((float(event.speed * 24), int(event.record_length)) for event in events[1:])
    assert read == named


@pytest.mark.shared
def test_a_muted_clip_is_read_and_muted(shared: Path) -> None:
    cut = read_here(real(shared, "test_muted_clip.aaf"), None)
    (event,) = cut.tracks[0].events
    assert event.muted
    assert event.record_length == 120
    assert event.media.name == "Frame Debugger 0h.mov"


@pytest.mark.shared
def test_a_subclip_leads_to_its_tape(shared: Path) -> None:
    name = "subclip_sourceclip_references_compositionmob_with_mastermob.aaf"
    cut = read_here(real(shared, name), None)
    (event,) = cut.tracks[0].events
    assert cut.tracks[0].name == "DX"
    assert (cut.rate, cut.start) == (RATES["24"], 90597)
    assert event.source_start == 360566 + 1101 + 1
    assert (event.media.reel, event.media.take) == ("xxxXXX009", "1")
    assert event.media.available_start == 360566
    assert event.media.available_length == 1429
    assert event.media.url.endswith("s000-0000_A01.D8265C017CF0A.wav")
    assert event.channels == (0,)
    assert [marker.name for marker in cut.markers] == ["NEED PDX"]


@pytest.mark.shared
def test_layers_show_what_lies_on_top(shared: Path) -> None:
    """Of three nested layers, by hand from the file's structure: record start and source start."""
    cut = read_here(real(shared, "nested_stack.aaf"), None)
    shown = [(int(one.record_start), int(one.source_start) % 86400) for one in cut.tracks[0].events]
    assert shown == [(0, 24), (16, 24), (24, 48), (25, 23), (40, 54), (48, 39), (49, 32)]


@pytest.mark.shared
def test_sound_inside_a_real_file_comes_out(shared: Path, tmp_path: Path) -> None:
    path = real(shared, "marker-over-audio.aaf")
    left = aaf.read(path)
    assert any("inside" in warning for warning in left.warnings)
    cut = aaf.read(path, tmp_path)
    (event,) = cut.tracks[0].events
    (written,) = (tmp_path / "essence").iterdir()
    assert event.media.url == written.as_uri()
    with aaf2.open(str(path)) as file:
        essence = bytes(next(iter(file.content.essencedata)).open("r").read())
    samples, rate = sf.read(written, dtype="int32")
    raw = np.frombuffer(essence[: 480000 * 3], np.uint8).reshape(-1, 3).astype(np.int32)
    expected = (raw[:, 0] << 8 | raw[:, 1] << 16 | raw[:, 2] << 24).astype(np.int32)
    assert rate == 48000
    assert np.array_equal(samples, expected)
    assert [marker.at for marker in cut.markers] == [50, 103, 166]


# --- Files written in the test, with pyaaf2 ------------------------------------------------------


def made(path: Path, build: Callable[[Any, Any], None]) -> Path:
    """An AAF with a top-level composition that `build` fills."""
    with aaf2.open(str(path), "w") as file:
        top = file.create.CompositionMob("scene")
        top.usage = "Usage_TopLevel"
        file.content.mobs.append(top)
        build(file, top)
    return path


def media_mob(file: Any, channels: int = 1, tape: int | None = 86400, stated: int = 0) -> Any:
    """A clip of 10 s at 48 kHz, 24 frames a second, from a tape whose timecode starts at `tape`."""
    source = file.create.SourceMob("take.wav")
    source.descriptor = file.create.PCMDescriptor()
    width = 3 * channels
    for name, value in (
        ("Channels", channels),
        ("QuantizationBits", 24),
        ("BlockAlign", width),
        ("AverageBPS", width * 48000),
        ("Length", 480000),
    ):
        source.descriptor[name].value = value
    source.descriptor["SampleRate"].value = 48000
    source.descriptor["AudioSamplingRate"].value = 48000
    locator = file.create.NetworkLocator()
    locator["URLString"].value = "file:///sound/take.wav"
    source.descriptor["Locator"].append(locator)
    file.content.mobs.append(source)
    slot = source.create_timeline_slot(24, 1)
    slot.segment = file.create.SourceClip(media_kind="sound", length=240)
    if tape is not None:
        reel = file.create.SourceMob()
        tape_slot, counting = reel.create_tape_slots("SR001", 24, 24, media_kind="sound")
        counting.segment.start = tape
        file.content.mobs.append(reel)
        slot.segment = reel.create_source_clip(tape_slot.slot_id, stated, 240, "sound")
    master = file.create.MasterMob("27B-T02")
    master.comments["Scene"] = "27B"
    master.comments["Take"] = "2"
    file.content.mobs.append(master)
    for number in range(1, channels + 1):
        leg = master.create_timeline_slot(24, number)
        leg.segment = source.create_source_clip(1, 0, 240, "sound")
    return master


def sound(file: Any, top: Any, *parts: Any, rate: Any = 24, name: str = "DX") -> Any:
    slot = top.create_sound_slot(rate)
    slot.name = name
    slot.segment.components.extend(parts)
    slot.segment.length = sum(part.length for part in parts)
    return slot


def clip(file: Any, master: Any, start: int, length: int, slot: int = 1) -> Any:
    return file.create.SourceClip(start, length, master.mob_id, slot, "sound")


def define(file: Any, kind: str, auid: str, name: str) -> Any:
    known = file.dictionary[kind.replace("Def", "Definitions")].get(AUID(auid))
    if known is not None:
        return known
    definition = getattr(file.create, kind)(AUID(auid), name, "")
    if kind == "ParameterDef":
        definition.typedef = file.metadict.lookup_typedef("Rational")
    if kind == "OperationDef":
        definition.media_kind = "sound"
        definition["NumberInputs"].value = 1
        definition["IsTimeWarp"].value = False
    file.dictionary.register_def(definition)
    return definition


def effect(file: Any, auid: str, inner: Any, parameter: str, values: Any) -> Any:
    """An effect with one parameter: a value, or pairs of time and value."""
    operation = define(file, "OperationDef", auid, "effect")
    defined = define(file, "ParameterDef", parameter, "parameter")
    rule = define(file, "InterpolationDef", LINEAR, "LinearInterp")
    group = file.create.OperationGroup(operation, inner.length, "sound")
    group.segments.append(inner)
    if isinstance(values, list):
        made_value = file.create.VaryingValue(defined, rule)
        for at, value in values:
            made_value.add_keyframe(AAFRational(at), AAFRational(value))
    else:
        made_value = file.create.ConstantValue(defined, AAFRational(values))
    group.parameters.append(made_value)
    return group


def transition(file: Any, length: int, rule: str) -> Any:
    group = effect(file, DISSOLVE, file.create.Filler("sound", length), AMPLITUDE, "1/1")
    defined = define(file, "ParameterDef", LEVEL, "Level")
    curve = define(file, "InterpolationDef", rule, rule)
    level = file.create.VaryingValue(defined, curve)
    level.add_keyframe(AAFRational(0), AAFRational(0))
    level.add_keyframe(AAFRational(1), AAFRational(1))
    group.parameters.append(level)
    joint = file.create.Transition("sound", length)
    joint["OperationGroup"].value = group
    joint["CutPoint"].value = length // 2
    return joint


def test_a_transition_is_two_overlapping_clips(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        master = media_mob(file)
        sound(
            file,
            top,
            clip(file, master, 0, 50),
            transition(file, 10, POWER),
            clip(file, master, 100, 40),
            transition(file, 6, LINEAR),
            file.create.Filler("sound", 6),
        )

    cut = read_here(made(tmp_path / "t.aaf", build), None)
    one, two = cut.tracks[0].events
    assert (one.record_start, one.record_length, one.source_start) == (0, 50, 86400)
    assert (two.record_start, two.record_length, two.source_start) == (40, 40, 86500)
    assert one.fade_out == two.fade_in == Fade(Fraction(10), FadeShape.EQUAL_POWER)
    assert two.fade_out == Fade(Fraction(6), FadeShape.LINEAR)
    assert cut.length == 80


def test_gain_in_amplitude_is_read_in_db(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        master = media_mob(file)
        half = effect(file, GAIN, clip(file, master, 0, 48), AMPLITUDE, "1/2")
        ramp = [("0/1", "1/1"), ("1/1", "1/10")]
        moving = effect(file, GAIN, clip(file, master, 0, 48), AMPLITUDE, ramp)
        sound(file, top, half, moving)

    one, two = read_here(made(tmp_path / "t.aaf", build), None).tracks[0].events
    assert one.gain_db == pytest.approx(20 * math.log10(0.5), abs=1e-6)
    assert not one.automation
    points = {float(point.at): point.gain_db for point in two.automation}
    assert points[0] == 0
    assert points[48] == pytest.approx(-20, abs=1e-6)
    for frame in range(49):  # straight in amplitude, not in dB
        expected = 20 * math.log10(1 - 0.9 * frame / 48)
        level = np.interp(frame, list(points), list(points.values()))
        assert level == pytest.approx(expected, abs=0.07)


def test_an_effect_on_a_whole_track_reaches_each_clip(tmp_path: Path) -> None:
    """As Avid wraps tracks: pan points out of order, gain over two clips."""

    def build(file: Any, top: Any) -> None:
        master = media_mob(file)
        slot = sound(file, top, clip(file, master, 0, 40), clip(file, master, 90, 60))
        inner = slot.segment.copy(root=file)
        left_then_right = [("0/1", "0/1"), ("40/100", "1/1")]
        panned = effect(file, PAN, inner, PAN_LEVEL, left_then_right)
        slot.segment = effect(file, GAIN, panned, AMPLITUDE, "2/1")

    one, two = read_here(made(tmp_path / "t.aaf", build), None).tracks[0].events
    assert (one.pan, two.pan) == (-1.0, 1.0)
    assert one.gain_db == two.gain_db == pytest.approx(6.0206, abs=1e-3)


def test_slots_in_samples_keep_their_place_in_frames(tmp_path: Path) -> None:
    """As Pro Tools writes: only the timecode slot knows the frame rate."""

    def build(file: Any, top: Any) -> None:
        master = media_mob(file)
        counting = top.create_timeline_slot("24000/1001")
        counting.segment = file.create.Timecode(24, False, 100)
        counting.segment.start = 86400
        sound(file, top, file.create.Filler("sound", 1001), clip(file, master, 7, 9009), rate=48000)

    cut = read_here(made(tmp_path / "t.aaf", build), None)
    (event,) = cut.tracks[0].events
    assert (cut.rate, cut.start) == (FILM, 86400)
    assert event.record_start == Fraction(1, 2)
    assert event.record_length == Fraction(9, 2)
    assert event.source_start - event.media.available_start == Fraction(7 * 24000, 1001 * 48000)


def test_drop_frame_exists_only_where_it_can(tmp_path: Path) -> None:
    def build(fps: int, rate: str) -> Callable[[Any, Any], None]:
        def fill(file: Any, top: Any) -> None:
            counting = top.create_timeline_slot(rate)
            counting.segment = file.create.Timecode(fps, True, 100)
            counting.segment.start = 107892
            sound(file, top, clip(file, media_mob(file), 0, 10), rate=rate)

        return fill

    wrong = read_here(made(tmp_path / "a.aaf", build(24, "24000/1001")), None)
    right = read_here(made(tmp_path / "b.aaf", build(30, "30000/1001")), None)
    assert wrong.rate == FILM
    assert (right.rate, right.start) == (RATES["29.97 DF"], 107892)


def test_timecode_that_premiere_says_twice_counts_once(tmp_path: Path) -> None:
    def build(product: str) -> Callable[[Any, Any], None]:
        def fill(file: Any, top: Any) -> None:
            file.header["IdentificationList"].value[0]["ProductName"].value = product
            sound(file, top, clip(file, media_mob(file, stated=86400), 5, 10))

        return fill

    twice = read_here(made(tmp_path / "a.aaf", build("Adobe Premiere Pro")), None)
    (event,) = twice.tracks[0].events
    assert (event.source_start, event.media.available_start) == (86405, 86400)
    honest = read_here(made(tmp_path / "b.aaf", build("Avid Media Composer")), None)
    assert honest.tracks[0].events[0].source_start == 2 * 86400 + 5


def test_the_slot_of_a_clip_picks_the_channel(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        master = media_mob(file, channels=4)
        for number in (3, 1):
            sound(file, top, clip(file, master, 0, 10, number), name=f"T{number}")

    cut = read_here(made(tmp_path / "t.aaf", build), None)
    assert [track.events[0].channels for track in cut.tracks] == [(2,), (0,)]
    media = cut.tracks[0].events[0].media
    assert (media.name, media.scene, media.take, media.reel) == ("27B-T02", "27B", "2", "SR001")
    assert media.available_length == 240
    assert media.url == "file:///sound/take.wav"


def test_fades_that_a_clip_carries_itself(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        one = clip(file, media_mob(file), 0, 48)
        one["FadeInLength"].value = 5
        one["FadeInType"].value = "FadeLinearPower"
        one["FadeOutLength"].value = 7
        one["FadeOutType"].value = "FadeLinearAmp"
        sound(file, top, one)

    (event,) = read_here(made(tmp_path / "t.aaf", build), None).tracks[0].events
    assert event.fade_in == Fade(Fraction(5), FadeShape.EQUAL_POWER)
    assert event.fade_out == Fade(Fraction(7), FadeShape.LINEAR)


def test_a_nested_sequence_is_laid_in_and_trimmed(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        master = media_mob(file)
        inner = file.create.CompositionMob("nest")
        file.content.mobs.append(inner)
        slot = sound(file, inner, clip(file, master, 0, 30), clip(file, master, 100, 30))
        nested = file.create.SourceClip(20, 25, inner.mob_id, slot.slot_id, "sound")
        sound(file, top, file.create.Filler("sound", 8), nested)

    one, two = read_here(made(tmp_path / "t.aaf", build), None).tracks[0].events
    assert (one.record_start, one.record_length, one.source_start) == (8, 10, 86420)
    assert (two.record_start, two.record_length, two.source_start) == (18, 15, 86500)


def test_a_clip_whose_media_is_not_in_the_file_is_offline_with_a_warning(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        gone = file.create.MasterMob("gone")
        sound(file, top, clip(file, gone, 5, 10))

    cut = read_here(made(tmp_path / "t.aaf", build), None)
    assert cut.tracks[0].events[0].source_start == 5
    assert any("offline" in warning and "DX" in warning for warning in cut.warnings)


def test_the_sequence_with_the_most_sound_is_read(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        master = media_mob(file)
        sound(file, top, clip(file, master, 0, 10))
        other = file.create.CompositionMob("longer")
        other.usage = "Usage_TopLevel"
        file.content.mobs.append(other)
        sound(file, other, clip(file, master, 0, 100))

    cut = read_here(made(tmp_path / "t.aaf", build), None)
    assert cut.name == "longer"
    assert any("'scene'" in warning for warning in cut.warnings)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_embedded_pcm_becomes_the_same_samples(tmp_path: Path, subtype: str) -> None:
    wave = tmp_path / "in.wav"
    samples = np.random.default_rng(3).integers(-(1 << 15), 1 << 15, (999, 2), np.int16)
    sf.write(wave, samples, 48000, subtype=subtype)

    def build(file: Any, top: Any) -> None:
        master = file.create.MasterMob("embedded")
        file.content.mobs.append(master)
        master.import_audio_essence(str(wave), 24)
        sound(file, top, clip(file, master, 0, 1))

    cut = aaf.read(made(tmp_path / "t.aaf", build), tmp_path / "out")
    (written,) = (tmp_path / "out" / "essence").iterdir()
    assert np.array_equal(sf.read(written, dtype="int16")[0], samples)
    assert cut.tracks[0].events[0].channels == (0, 1)


def test_an_aiff_head_says_its_format() -> None:
    """48 kHz as IEEE 754 extended is 400E BB80 0000 0000 0000 (Apple, AIFF 1.3)."""
    rate = bytes.fromhex("400ebb80000000000000")
    common = b"COMM" + struct.pack(">IhIh", 18, 2, 100, 24) + rate
    found = summary_format(b"FORM" + struct.pack(">I", 30) + b"AIFF" + common)
    assert found is not None
    assert (found.channels, found.bits, found.rate) == (2, 24, 48000)


# --- Writing -------------------------------------------------------------------------------------


def media_of(cut: Cut, folder: Path) -> dict[str, dict[str, NamedMedia]]:
    """Every event's media as a file that need not exist, with the channels that the event plays."""
    return {
        event.id: {
            "cleaned": NamedMedia(
                path=folder / f"{event.id.replace('/', '_')}.wav",
                url="",
                start=event.media.available_start or Fraction(0),
                length=event.media.available_length or Fraction(0),
                sample_rate=48000,
                frames=round((event.media.available_length or 0) * 48000 / cut.rate.fps),
                channels=event.channels or (0,),
                width=2,
            )
        }
        for track in cut.tracks
        for event in track.events
    }


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cut=cuts(
        tracks=2,
        shapes=tuple(FadeShape),
        speeds=(Fraction(1), Fraction(2, 3), Fraction(-1)),
        gains=True,
        automation=True,
        pans=True,
        channels=((0,), (1,)),
    )
)
def test_what_is_written_is_read_again(tmp_path: Path, cut: Cut) -> None:
    path = tmp_path / "round.aaf"
    media = media_of(cut, tmp_path)
    aaf_write.write(cut, media, "cleaned", path)
    found = differences(cut, read_here(path, None))
    named = {item.field for item in found}
    assert named <= {"media_url", "media_material_id", "channels"}
    assert all(item.where in ("A1", "A2") for item in found if item.field == "channels")


def test_edits_between_frames_are_written_to_the_sample(tmp_path: Path) -> None:
    a_sample = FILM.fps / 48000
    event = Event(
        "A1/001",
        12345 * a_sample,
        20001 * a_sample,
        Fraction(86400) + 778 * a_sample,
        MediaReference("take", reel="SR1", available_start=Fraction(86400) + 77 * a_sample),
        (0,),
    )
    cut = Cut("c", FILM, 86400, Fraction(48), (Track("A1", (event,)),))
    aaf_write.write(cut, {}, "cleaned", tmp_path / "t.aaf")
    again = read_here(tmp_path / "t.aaf", None)
    (got,) = again.tracks[0].events
    assert (again.rate, again.start) == (FILM, 86400)
    assert (got.record_start, got.record_length) == (event.record_start, event.record_length)
    assert got.source_start == event.source_start
    assert got.media.available_start == event.media.available_start


def simple_cut() -> Cut:
    media = MediaReference(
        "take", reel="SR1", available_start=Fraction(1000), available_length=Fraction(3000)
    )

    def event(number: int, start: int, length: int, **kinds: Any) -> Event:
        places = Fraction(start), Fraction(length), Fraction(1100)
        return Event(f"A1/{number:03d}", *places, media, (0,), **kinds)

    events = (
        event(1, 10, 50, fade_out=Fade(Fraction(8)), gain_db=-6.0),
        event(2, 52, 60, fade_in=Fade(Fraction(8)), pan=0.0),
        event(3, 120, 30, muted=True),
        event(4, 125, 30, fade_out=Fade(Fraction(5)), automation=(GainPoint(Fraction(2), -3.0),)),
    )
    return Cut("scene 12", FILM, 86400, Fraction(200), (Track("DX 1", events),))


def test_another_reader_finds_a_written_file_alike(tmp_path: Path) -> None:
    """A dissolve is cut in its middle there; what overlaps went to a slot of its own."""
    aaf_write.write(simple_cut(), {}, "cleaned", tmp_path / "t.aaf")
    other = otio.adapters.read_from_file(str(tmp_path / "t.aaf"))
    ranges = [
        [
            (item.range_in_parent().start_time.value, item.range_in_parent().duration.value)
            for item in track
            if isinstance(item, otio.schema.Clip)
        ]
        for track in other.tracks
        if track.kind == "Audio"
    ]
    assert ranges == [[(10, 46), (56, 56), (120, 30)], [(125, 30)]]
    assert float(other.global_start_time.value) == 86400
    ours = read_here(tmp_path / "t.aaf", None)
    assert [track.name for track in ours.tracks] == ["DX 1", "DX 1 (2)"]


@pytest.mark.shared
def test_a_written_file_is_made_of_what_avid_makes_its_own_of(shared: Path, tmp_path: Path) -> None:
    """Every class of object, and every property of one, is one that Avid's files have too."""
    aaf_write.write(simple_cut(), {}, "cleaned", tmp_path / "t.aaf")
    known: dict[str, set[str]] = {}
    subclip = "subclip_sourceclip_references_compositionmob_with_mastermob.aaf"
    for avid in ("transitions.aaf", "test_muted_clip.aaf", subclip):
        for name, properties in anatomy(real(shared, avid)).items():
            known.setdefault(name, set()).update(properties)
    ours = anatomy(tmp_path / "t.aaf")
    assert {"CompositionMob", "MasterMob", "SourceMob", "TapeDescriptor", "Selector"} <= set(ours)
    assert set(ours) <= set(known)
    extra = {(name, one) for name, found in ours.items() for one in found - known[name]}
    assert extra == set()


def anatomy(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with aaf2.open(str(path)) as file:
        for mob in file.content.mobs:
            for item, _ in mob.walk_references():
                found.setdefault(type(item).__name__, set()).update(filter(None, item.keys()))
    found.pop("AAFObject", None)
    return found


def test_embedding_keeps_every_sample_and_both_channels(tmp_path: Path) -> None:
    wave = tmp_path / "in.wav"
    samples = np.random.default_rng(5).integers(-(1 << 23), 1 << 23, (4800, 2)) << 8
    sf.write(wave, samples.astype(np.int32), 48000, subtype="PCM_24")
    media = MediaReference("take", reel="SR1", available_start=Fraction(0))
    event = Event("A1/001", Fraction(0), Fraction(2), Fraction(0), media, (0, 1))
    cut = Cut("c", FILM, 0, Fraction(2), (Track("A1", (event,)),))
    length = Fraction(4800) * FILM.fps / 48000
    named = NamedMedia(wave, "", Fraction(0), length, 48000, 4800, (0, 1), 2)
    aaf_write.write(cut, {"A1/001": {"cleaned": named}}, "cleaned", tmp_path / "t.aaf", embed=True)
    again = aaf.read(tmp_path / "t.aaf", tmp_path / "out")
    assert [(track.name, track.events[0].channels) for track in again.tracks] == [
        ("A1.L", (0,)),
        ("A1.R", (1,)),
    ]
    (written,) = (tmp_path / "out" / "essence").iterdir()
    assert np.array_equal(sf.read(written, dtype="int32")[0], samples)


def test_what_is_no_pcm_is_not_embedded(tmp_path: Path) -> None:
    wave = tmp_path / "float.wav"
    sf.write(wave, np.zeros(100), 48000, subtype="FLOAT")
    cut = simple_cut()
    named = NamedMedia(wave, "", Fraction(0), Fraction(1), 48000, 100, (0,), 1)
    with pytest.raises(OutputError, match="link it instead"):
        aaf_write.write(cut, {"A1/001": {"c": named}}, "c", tmp_path / "t.aaf", embed=True)
    assert not (tmp_path / "t.aaf").exists()


def test_media_keeps_its_identity_from_one_file_to_the_next(tmp_path: Path) -> None:
    """So that a host that imports a second version finds the clips that it has."""
    ids = []
    for name in ("a.aaf", "b.aaf"):
        aaf_write.write(simple_cut(), {}, "cleaned", tmp_path / name)
        with aaf2.open(str(tmp_path / name)) as file:
            ids.append({str(mob.mob_id) for mob in file.content.mastermobs()})
    assert ids[0] == ids[1]


# --- Damage --------------------------------------------------------------------------------------


def outcome(read: Callable[[], Cut], path: Path) -> Cut | None:
    """A cut, or None after one sentence that names the file; anything else fails."""
    try:
        return read()
    except InputError as fault:
        sentence = str(fault)
        assert str(path) in sentence
        assert "\n" not in sentence
        assert sentence.endswith(".")
        return None


def test_damaged_files_are_read_or_refused_in_one_sentence(tmp_path: Path) -> None:
    """In this process, without the limits: what pyaaf2 raises must not get out."""
    aaf_write.write(simple_cut(), {}, "cleaned", tmp_path / "whole.aaf")
    data = (tmp_path / "whole.aaf").read_bytes()
    path = tmp_path / "damaged.aaf"
    begun = time.monotonic()
    refused = 0
    for copy in injured(data, 60, seed=4):
        path.write_bytes(copy)
        refused += outcome(lambda: read_here(path, None), path) is None
        assert time.monotonic() - begun < 20
    assert 0 < refused < 60


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4096,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100_000),
        b"TITLE: an EDL\n",
        "AAF".encode("utf-16"),
    ],
)
def test_what_is_no_aaf_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "no.aaf"
    path.write_bytes(data)
    assert outcome(lambda: aaf.read(path, limit_s=5), path) is None


def test_reading_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "slow.aaf"
    aaf_write.write(simple_cut(), {}, "cleaned", path)
    with pytest.raises(InputError, match="given up"):
        aaf.read(path, limit_s=-0.98)


def test_nesting_deeper_than_a_cut_can_be_is_left_out(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        segment = clip(file, media_mob(file), 0, 10)
        for _ in range(300):
            segment = effect(file, GAIN, segment, AMPLITUDE, "1/1")
        sound(file, top, clip(file, media_mob(file), 0, 10), segment)

    cut = read_here(made(tmp_path / "deep.aaf", build), None)
    assert len(cut.tracks[0].events) == 1
    assert any("deep" in warning for warning in cut.warnings)


def test_a_sequence_within_itself_is_left_out(tmp_path: Path) -> None:
    def build(file: Any, top: Any) -> None:
        slot = sound(file, top, clip(file, media_mob(file), 0, 10))
        slot.segment.components.append(clip(file, top, 0, 10, slot.slot_id))

    cut = read_here(made(tmp_path / "loop.aaf", build), None)
    assert any("itself" in warning for warning in cut.warnings)


def test_sequences_that_multiply_are_refused_in_time(tmp_path: Path) -> None:
    """Seventeen levels of ten references each would be 10¹⁷ events."""

    def build(file: Any, top: Any) -> None:
        below, slot_id = media_mob(file), 1
        for level in range(17):
            mob = file.create.CompositionMob(f"level {level}") if level < 16 else top
            if mob is not top:
                file.content.mobs.append(mob)
            parts = [clip(file, below, 0, 10**level, slot_id) for _ in range(10)]
            below, slot_id = mob, sound(file, mob, *parts).slot_id

    path = made(tmp_path / "bomb.aaf", build)
    begun = time.monotonic()
    assert outcome(lambda: aaf.read(path, limit_s=1), path) is None
    assert time.monotonic() - begun < 1 + 2 * path.stat().st_size / 1e6 + 2


@pytest.mark.parametrize("rate", ["0/1", "-1/1", "1000000000/1", "1/1000000000"])
def test_absurd_rates_and_lengths_do_no_harm(tmp_path: Path, rate: str) -> None:
    def build(file: Any, top: Any) -> None:
        master = media_mob(file)
        sound(file, top, clip(file, master, 0, 10))
        odd = sound(file, top, clip(file, master, -(2**62), 2**62), name="odd")
        odd["EditRate"].value = AAFRational(rate)

    path = made(tmp_path / "odd.aaf", build)
    cut = outcome(lambda: read_here(path, None), path)
    assert cut is None or cut.tracks[0].events[0].record_length == 10


def test_the_process_that_reads_knows_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nosy.py").write_text(
        "import os, pickle, sys\n"
        "from core.errors import InputError\n"
        "def main():\n"
        "    sys.stdout.buffer.write(pickle.dumps(InputError(' '.join(sorted(os.environ)))))\n"
    )
    monkeypatch.setattr(apart, "_MODULE", "nosy")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "whatever")
    monkeypatch.setenv("ROOMTONE_DATABASE", "postgresql://me:secret@server/films")
    with pytest.raises(InputError) as told:
        apart.read_apart(tmp_path / "a.aaf", None, 60)
    names = str(told.value).split()
    assert "PYTHONPATH" in names
    assert not [name for name in names if name.startswith(("AWS", "ROOMTONE"))]

"""Timelines become the same cut, whatever format they came in, and read back as written."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.timelines import edl, otio, otio_write
from adapters.timelines.named import NamedMedia
from adapters.timelines.read import read_cut
from core.cut import Cut, Event, Fade, MediaReference, Track
from core.errors import InputError
from core.time import RATES, FrameRate

EDL = """TITLE: SMALL
FCM: NON-DROP FRAME

001  SR01     A     C        10:00:00:00 10:00:02:00 01:00:00:00 01:00:02:00
* FROM CLIP NAME: 1-1
* SOURCE FILE: 1-T01
002  SR01     A     C        10:00:02:00 10:00:02:00 01:00:02:00 01:00:02:00
002  SR02     A     D    012 11:00:00:00 11:00:03:00 01:00:02:00 01:00:05:00
* FROM CLIP NAME: 1-1
* TO CLIP NAME: 2-1
003  SR03     AA    C        12:00:00:00 12:00:01:01 01:00:06:00 01:00:07:00
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_an_edl_event_is_where_the_list_says(tmp_path: Path) -> None:
    cut = read_cut(written(tmp_path, "small.edl", EDL), RATES["24"])
    assert (cut.name, cut.start, cut.length) == ("SMALL", 86400, 168)
    assert [track.name for track in cut.tracks] == ["A1", "A2"]
    first, second, third = cut.tracks[0].events
    assert (first.source_start, first.media.reel, first.media.file_name) == (
        864000,
        "SR01",
        "1-T01",
    )
    assert (third.record_start, third.record_length, third.channels) == (144, 24, (0,))
    assert cut.tracks[1].events[0].channels == (1,)
    assert "25 source frames for 24 record frames" in cut.warnings[0]
    assert second.media.reel == "SR02"


def test_an_edl_dissolve_lets_the_outgoing_clip_run_on(tmp_path: Path) -> None:
    cut = read_cut(written(tmp_path, "small.edl", EDL), RATES["24"])
    outgoing, incoming = cut.tracks[0].events[:2]
    assert (outgoing.record_start, outgoing.record_length) == (0, 60)
    assert outgoing.fade_out == incoming.fade_in == Fade(Fraction(12))
    assert (incoming.record_start, incoming.record_length) == (48, 72)


def test_fcm_decides_drop_frame(tmp_path: Path) -> None:
    text = EDL.replace("NON-DROP FRAME", "DROP FRAME")
    assert read_cut(written(tmp_path, "d.edl", text), RATES["29.97"]).rate == RATES["29.97 DF"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.edl", b""),
        ("title.edl", b"TITLE: NOTHING\n"),
        ("binary.edl", bytes(range(256)) * 4),
        ("broken.otio", b"{"),
        ("empty.otio", b""),
        ("list.otio", b"[1, 2]"),
        ("other.otio", b'{"OTIO_SCHEMA": "Clip.2", "name": "x"}'),
        ("what.xyz", b"?"),
    ],
)
def test_what_is_no_cut_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as fault:
        read_cut(path, RATES["24"])
    assert name in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_missing_cut_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_cut(tmp_path / "none.otio", RATES["24"])


def test_an_empty_timeline_is_refused(tmp_path: Path) -> None:
    cut = Cut("empty", RATES["24"], 0, Fraction(0), (Track("A1", ()),))
    text = otio_write.serialise(otio_write.to_otio(cut, {}, "cleaned"))
    with pytest.raises(InputError, match=r"no frame rate|empty cut"):
        read_cut(written(tmp_path, "empty.otio", text), RATES["24"])


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    rate = draw(st.sampled_from(list(RATES.values())))
    rate = FrameRate(rate.fps)  # OTIO does not say whether timecode drops frames
    events: list[Event] = []
    at = 0
    for number in range(1, draw(st.integers(1, 6)) + 1):
        gap = draw(st.integers(0, 30))
        length = draw(st.integers(30, 90))
        dissolve = gap == 0 and events and draw(st.booleans())
        overlap = draw(st.integers(1, 12)) if dissolve else 0
        fade = Fade(Fraction(overlap)) if overlap else None
        if fade is not None:
            last = events.pop()
            events.append(Event(**{**vars(last), "fade_out": fade}))
        start = at + gap - overlap
        events.append(
            Event(
                f"DX/{number:03d}",
                Fraction(start),
                Fraction(length),
                Fraction(draw(st.integers(0, 2_000_000))),
                MediaReference(
                    name=f"clip {number}",
                    url=f"file:///sound/{number}.wav",
                    reel=draw(st.sampled_from(["", "SR001"])),
                    available_start=Fraction(0),
                    available_length=Fraction(3_000_000),
                ),
                channels=draw(st.sampled_from([(), (0,), (1,), (0, 1)])),
                fade_in=fade,
            )
        )
        at = start + length
    return Cut(
        "random", rate, draw(st.integers(0, 100_000)), Fraction(at), (Track("DX", tuple(events)),)
    )


@settings(max_examples=60, deadline=None)
@given(cuts())
def test_a_cut_reads_back_from_otio_as_it_was(cut: Cut) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        text = otio_write.serialise(otio_write.to_otio(cut, {}, "cleaned"))
        assert otio.read(written(Path(folder), "cut.otio", text)) == cut


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
    path = written(
        tmp_path, "c.otio", otio_write.serialise(otio_write.to_otio(cut, media, "cleaned"))
    )
    clip = next(iter(opentimelineio.adapters.read_from_file(str(path)).find_clips()))
    references = clip.media_references()
    assert {name: r.target_url for name, r in references.items()} == {
        "original": "../sound/a.wav",
        "cleaned": "../clips/a.wav",
    }
    assert clip.active_media_reference_key == "cleaned"
    assert references["cleaned"].available_range.start_time.value == 86390


@pytest.mark.shared
@pytest.mark.parametrize("version", ["cut_v1", "cut_v2"])
def test_harbour_cuts_equal_their_truth(harbour: Path, version: str) -> None:
    truth = json.loads((harbour / "truth" / f"{version}.json").read_text())
    takes = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]
    rate = RATES["23.976"]
    from_otio = read_cut(harbour / "cuts" / f"{version}.otio", rate)
    from_edl = read_cut(harbour / "cuts" / f"{version}.edl", rate)
    assert from_otio.length == truth["frames"]
    for track in from_otio.audio_tracks:
        expected = [e for e in truth["events"] if e["track"] == track.name]
        assert len(expected) == len(track.events)
        for event, right in zip(track.events, expected, strict=True):
            early = right.get("dissolve_in", 0)
            assert event.record_start == right["record_start"] - early
            assert event.channels == (right["channel"] - 1,)
            media_start = takes[right["take"]]["time_reference"] // 2002
            assert event.source_start == media_start + right["source_in"] - early
            assert right["take"] in event.media.url
    boom = [e for e in truth["events"] if e["track"] == "A1 DX"]
    for event, right in zip(from_edl.tracks[0].events, boom, strict=True):
        assert (event.record_start, event.record_length) == (right["record_start"], right["length"])
        assert event.channels == (right["channel"] - 1,)
        assert event.media.file_name == right["take"]


@pytest.mark.shared
def test_every_event_of_a_feature_films_dialogue_list_is_there(shared: Path) -> None:
    import re

    path = shared / "timelines" / "edl" / "INS4_R1_DX_092117.edl"
    cut = edl.read(path, RATES["24"])
    lines = [re.match(r"^\d+\s+\S+\s+(\S+)\s+C\s", line) for line in path.read_text().splitlines()]
    named = [match[1] for match in lines if match]
    channels = {"A": 1, "A2": 1, "AA": 2, "A3": 1, "A4": 1, "NONE": 0}
    assert sum(len(track.events) for track in cut.tracks) == sum(channels[n] for n in named)

"""EDLs: every event of a list is in the cut, what is doubtful is said, and lists read back."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from cuts import ALL_RATES, cuts
from hypothesis import given, settings

from adapters.timelines.edl import read as edl
from adapters.timelines.edl import write as edl_write
from adapters.timelines.edl.edits import speed_of
from adapters.timelines.edl.lines import channels_of
from adapters.timelines.edl.rows import short_reels
from adapters.timelines.named import NamedMedia
from bench.injuries import injured
from core.compare import differences
from core.cut import Cut, Event, Fade, GainPoint, MediaReference, Track
from core.errors import InputError
from core.time import RATES, FrameRate, frames_to_timecode

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
ONE = "001  SR01     A     C        10:00:00:00 10:00:02:00 01:00:00:00 01:00:02:00\n"


def written(folder: Path, text: str | bytes, name: str = "list.edl") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def read(tmp_path: Path):
    def reading(text: str | bytes, rate: FrameRate = RATES["24"]) -> Cut:
        return edl.read(written(tmp_path, text), rate)

    return reading


def test_an_event_is_where_the_list_says(read) -> None:
    cut = read(EDL)
    assert (cut.name, cut.start, cut.length) == ("SMALL", 86400, 168)
    assert [track.name for track in cut.tracks] == ["A1", "A2"]
    first, second, third = cut.tracks[0].events
    assert (first.source_start, first.media.reel) == (864000, "SR01")
    assert (first.media.name, first.media.file_name) == ("1-1", "1-T01")
    assert (second.id, second.media.reel, second.media.name) == ("A1/002", "SR02", "2-1")
    assert (third.record_start, third.record_length, third.channels) == (144, 24, (0,))
    assert cut.tracks[1].events[0].channels == (1,)
    assert dict(third.notes) == {"event": "003", "line": "11"}


def test_the_record_length_wins_over_the_source_length(read) -> None:
    assert "Line 11: 25 source frames for 24 record frames" in read(EDL).warnings[0]


def test_a_dissolve_lets_the_outgoing_clip_run_on(read) -> None:
    outgoing, incoming = read(EDL).tracks[0].events[:2]
    assert (outgoing.record_start, outgoing.record_length) == (0, 60)
    assert outgoing.fade_out == incoming.fade_in == Fade(Fraction(12))
    assert (incoming.record_start, incoming.record_length) == (48, 72)


def test_an_outgoing_line_of_other_sound_is_an_event_of_its_own(read) -> None:
    text = EDL.replace(
        "002  SR01     A     C        10:00:02:00", "002  SR09     A     C        09"
    )
    text = text.replace("C        09 10:00:02:00", "C        09:00:00:00 09:00:00:00")
    before, outgoing, incoming = read(text).tracks[0].events[:3]
    assert (before.record_length, before.fade_out) == (48, None)
    assert (outgoing.media.reel, outgoing.source_start) == ("SR09", 777600)
    assert (outgoing.record_start, outgoing.record_length) == (48, 12)
    assert outgoing.fade_out == incoming.fade_in == Fade(Fraction(12))


def test_black_is_silence_that_clips_fade_from_and_to(read) -> None:
    cut = read(
        "001  BL       A     C        00:00:00:00 00:00:00:00 01:00:01:00 01:00:01:00\n"
        "001  SR01     A     D    010 10:00:00:00 10:00:01:00 01:00:01:00 01:00:02:00\n"
        "* TO CLIP NAME: IN\n"
        "002  SR01     A     C        10:00:01:00 10:00:01:00 01:00:02:00 01:00:02:00\n"
        "002  BL       A     D    006 00:00:00:00 00:00:02:00 01:00:02:00 01:00:04:00\n"
        "* FROM CLIP NAME: IN\n"
    )
    (event,) = cut.tracks[0].events
    assert (event.record_start, event.record_length, event.media.name) == (0, 30, "IN")
    assert (event.fade_in, event.fade_out) == (Fade(Fraction(10)), Fade(Fraction(6)))
    assert cut.length == 72


def test_a_wipe_is_a_dissolve_and_a_key_sounds_with_what_is_under_it(read) -> None:
    wiped = read(EDL.replace(" D    012", " W001 012"))
    assert wiped.tracks == read(EDL).tracks
    assert any("Line 8: a wipe" in warning for warning in wiped.warnings)
    keyed = read(
        "001  SR01     A     K B      10:00:00:00 10:00:02:00 01:00:00:00 01:00:02:00\n"
        "001  SR02     A     K    012 11:00:00:00 11:00:02:00 01:00:00:00 01:00:02:00\n"
    )
    assert [(e.media.reel, e.record_length) for e in keyed.tracks[0].events] == [
        ("SR01", 48),
        ("SR02", 48),
    ]
    assert any("Line 2: a key" in warning for warning in keyed.warnings)


@pytest.mark.parametrize("name", ["V", "A", "A2", "AA", "B", "AA/V", "A2/V", "A3", "A12", "A99"])
def test_channels_are_those_that_pycmx_reads(name: str) -> None:
    from pycmx.channel_map import ChannelMap

    expected = ChannelMap()
    expected._append_event(name)
    channels = channels_of(name)
    assert channels is not None
    assert set(channels.audio) == set(expected.channels)
    assert bool(channels.video) == expected.video


def test_an_aud_line_adds_tracks_wherever_it_stands(read) -> None:
    text = ONE.replace(" A    ", " NONE ") + "* FROM CLIP NAME: X\nAUD  3     4\n"
    assert [(t.name, t.events[0].channels) for t in read(text).tracks] == [
        ("A3", (2,)),
        ("A4", (3,)),
    ]


def test_picture_is_a_track_of_its_own(read) -> None:
    cut = read(ONE.replace(" A    ", " AA/V "))
    assert [(track.name, track.kind) for track in cut.tracks] == [
        ("A1", "audio"),
        ("A2", "audio"),
        ("V1", "video"),
    ]
    assert cut.tracks[2].events[0].id == "V1/001"


@pytest.mark.parametrize("width", [8, 16, 32, 128])
def test_wide_reel_columns_hold_names_with_spaces(read, width: int) -> None:
    reel = "A004 C003" if width > 8 else "A004C003"
    assert read(ONE.replace("SR01    ", f"{reel:<{width}}")).tracks[0].events[0].media.reel == reel


def test_shifted_columns_are_read_by_their_words(read) -> None:
    cut = read("12  SR01 A2 W001    010 10:00:00:00 10:00:02:00 01:00:00:00 01:00:02:00  x\n")
    (event,) = cut.tracks[0].events
    assert (cut.tracks[0].name, event.media.reel, event.fade_in) == (
        "A2",
        "SR01",
        Fade(Fraction(10)),
    )


def test_patch_says_which_channel_of_the_source_is_recorded(read) -> None:
    text = ONE.replace(" A    ", " A3   ") + "* PATCH SR01:  FROM SOURCE 1 TO RECORD 3\n"
    assert read(text).tracks[0].events[0].channels == (0,)


def test_avids_levels_and_pan_are_read(read) -> None:
    (event,) = read(ONE + "* A1 VOL =  -3.0 DB  PAN R100\n").tracks[0].events
    assert (event.gain_db, event.pan) == (-3.0, 1.0)


def test_levels_of_both_sides_of_a_dissolve_are_told_apart(read) -> None:
    head, tail = EDL.split("003  ", 1)
    both = read(f"{head}* A1 VOL =  -6.0 DB  PAN L100\n* A1 VOL =  +0.0 DB\n003  {tail}")
    # The outgoing clip's own line says nothing, so its own level stands.
    assert [event.gain_db for event in both.tracks[0].events] == [0, 0, 0]
    lone = read(f"{head}* A1 VOL =  -6.0 DB\n003  {tail}")
    assert [event.gain_db for event in lone.tracks[0].events] == [0, -6, 0]
    level = "* A1 VOL =  -6.0 DB\n"
    outgoing = read(f"{head.replace('002  SR01', level + '002  SR01')}{level}003  {tail}")
    assert [event.gain_db for event in outgoing.tracks[0].events] == [-6, 0, 0]


def test_key_frames_of_level_count_in_source_time(read) -> None:
    (event,) = (
        read(
            ONE + "* AUDIO LEVEL AT 10:00:00:00 IS -99.00 DB  (REEL SR01 A1)\n"
            "* AUDIO LEVEL AT 10:00:01:12 IS -8.98 DB  (REEL SR01 A1)\n"
            "* AUDIO LEVEL AT 10:00:02:00 IS -INF DB  (REEL SR01 A1)\n"
        )
        .tracks[0]
        .events
    )
    assert event.automation == (
        GainPoint(Fraction(0), -99.0),
        GainPoint(Fraction(36), -8.98),
        GainPoint(Fraction(48), -144.0),
    )


def test_a_single_level_is_the_gain_of_the_clip(read) -> None:
    (event,) = read(ONE + "* AUDIO LEVEL AT 00:00:00:00 IS -8.98 DB\n").tracks[0].events
    assert (event.gain_db, event.automation) == (-8.98, ())


@pytest.mark.parametrize(
    ("fps", "rate", "speed"),
    [
        ("000.0", "24", "0"),
        ("-24.0", "24", "-1"),
        ("024.0", "23.976", "1"),
        ("023.98", "23.976", "1"),
        ("059.9", "29.97", "2"),
        ("047.6", "24", "119/60"),
        ("012.5", "25", "1/2"),
    ],
)
def test_motion_memory_is_a_speed(fps: str, rate: str, speed: str) -> None:
    assert speed_of(fps, RATES[rate]) == Fraction(speed)


def test_motion_memory_counts_for_its_own_side_of_a_dissolve(read) -> None:
    head, tail = EDL.split("* FROM CLIP NAME: 1-1\n* TO", 1)
    cut = read(f"{head}M2   SR02       -024.0                11:00:00:00\n* TO{tail}")
    outgoing, incoming, last = cut.tracks[0].events
    assert [outgoing.speed, incoming.speed, last.speed] == [1, -1, 1]
    # Backwards, what is heard first is the end of the source range.
    assert incoming.source_start == 11 * 86400 + 72


def test_motion_memory_is_told_by_its_time_where_both_sides_are_of_one_reel(read) -> None:
    text = EDL.replace("SR02", "SR01")
    head, tail = text.split("* FROM CLIP NAME: 1-1\n* TO", 1)
    cut = read(f"{head}M2   SR01       048.0                11:00:00:00\n* TO{tail}")
    assert [event.speed for event in cut.tracks[0].events] == [1, 2, 1]


def test_motion_memory_of_another_reel_is_said_and_left_out(read) -> None:
    cut = read(ONE + "M2   SR77       012.0                10:00:00:00\n")
    assert cut.tracks[0].events[0].speed == 1
    assert "Line 2" in cut.warnings[0]
    assert "SR77" in cut.warnings[0]


def test_fcm_decides_drop_frame(read) -> None:
    text = EDL.replace("NON-DROP FRAME", "DROP FRAME")
    assert read(text, RATES["29.97"]).rate == RATES["29.97 DF"]
    assert read(text, RATES["24"]).rate == RATES["24"]
    assert read(ONE.replace("00 01:", "00 01:").replace(":00 ", ";00 "), RATES["29.97"]).rate.drop


def test_a_change_of_frame_count_keeps_true_places(read) -> None:
    later = ONE.replace("001  ", "002  ").replace("01:00:0", "02:00:0")
    cut = read(f"FCM: NON-DROP FRAME\n{ONE}FCM: DROP FRAME\n{later}", RATES["29.97"])
    assert cut.rate == RATES["29.97"]
    # SMPTE ST 12-1: an hour has 108,000 frames non-drop, two hours 215,784 in drop frame.
    assert [event.record_start for event in cut.tracks[0].events] == [0, 215_784 - 108_000]
    assert "Line 3: the frame count changes" in cut.warnings[0]


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("absurd", ["10:00:00:24", "10:61:00:00", "25:00:00:00"])
def test_one_absurd_time_is_derived_and_said(read, place: int, absurd: str) -> None:
    times = re.findall(r"\d\d:\d\d:\d\d:\d\d", ONE)
    line = ONE[:29] + " ".join([*times[:place], absurd, *times[place + 1 :]]) + "\n"
    cut = read(line)
    assert cut.tracks == read(ONE).tracks
    assert "Line 1: " in cut.warnings[0]
    assert f"{times[place]} is derived" in cut.warnings[0]


def test_a_dropped_frame_number_is_derived_and_said(read) -> None:
    line = "001  SR01     A     C        10:01:00;00 10:01:02;02 01:00:00;00 01:00:02;00\n"
    cut = read(f"FCM: DROP FRAME\n{line}", RATES["29.97"])
    assert frames_to_timecode(int(cut.tracks[0].events[0].source_start), cut.rate) == "10:01:00;02"
    assert "dropped frame number" in cut.warnings[0]


def test_an_event_with_two_absurd_times_is_left_out_and_said(read) -> None:
    bad = ONE.replace("001  ", "002  ").replace(
        "10:00:00:00 10:00:02:00", "10:00:00:24 99:00:00:00"
    )
    cut = read(ONE + bad)
    assert len(cut.tracks[0].events) == 1
    assert "Line 2: " in cut.warnings[0]
    assert "left out" in cut.warnings[0]


def test_a_record_may_pass_midnight(read) -> None:
    over = ONE.replace("01:00:00:00 01:00:02:00", "23:59:59:00 00:00:01:00")
    after = ONE.replace("01:00:00:00 01:00:02:00", "00:00:01:00 00:00:03:00")
    cut = read(over + after.replace("001  ", "002  ") + "* LOC: 00:00:02:00 RED     HERE\n")
    assert cut.markers[0].at == 72
    assert cut.start == 86399 * 24
    assert [event.record_start for event in cut.tracks[0].events] == [0, 48]
    assert cut.length == 96


def test_overlaps_and_gaps_stay_as_they_are(read) -> None:
    other = ONE.replace("001  ", "002  ").replace(
        "01:00:00:00 01:00:02:00", "01:00:01:00 01:00:03:00"
    )
    third = other.replace("002  ", "003  ").replace(
        "01:00:01:00 01:00:03:00", "01:00:09:00 01:00:11:00"
    )
    events = read(ONE + other + third).tracks[0].events
    assert [(e.record_start, e.record_length) for e in events] == [(0, 48), (24, 48), (216, 48)]


def test_a_lone_source_file_of_a_dissolve_is_the_outgoing_clips(read) -> None:
    text = EDL.replace("* TO CLIP NAME: 2-1", "* TO CLIP NAME: 2-1\n* SOURCE FILE: 1-T01")
    assert [e.media.file_name for e in read(text).tracks[0].events[:2]] == ["1-T01", ""]


def test_locators_are_markers(read) -> None:
    cut = read(
        ONE + "*LOC: 01:00:01:14 RED     ANIM FIX NEEDED\n* LOC: 01:00:01:20 GREEN\n"
        " |C:ResolveColorBlue |M:Marker 1 |D:3\n* LOC: nonsense\n"
    )
    assert [(m.at, m.name, m.color, m.length) for m in cut.markers] == [
        (38, "ANIM FIX NEEDED", "RED", 0),
        (44, "", "GREEN", 0),
        (0, "Marker 1", "Blue", 3),
    ]
    assert "Line 5" in cut.warnings[0]


def test_what_is_not_understood_is_kept_and_said(read) -> None:
    cut = read(ONE + "* ASC_SAT 0.9\nHERE IS A NOTE\n")
    assert ("remark", "ASC_SAT 0.9") in cut.tracks[0].events[0].notes
    assert "Line 3 was not understood: 'HERE IS A NOTE'." in cut.warnings


@pytest.mark.parametrize(
    "content", [b"", b"TITLE: NOTHING\n", bytes(range(256)) * 4, b"\xff\xfe\0"]
)
def test_what_is_no_list_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError) as fault:
        edl.read(written(tmp_path, content), RATES["24"])
    assert "list.edl" in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("fps", [Fraction(1, 10**6), Fraction(10**9)])
def test_an_absurd_rate_is_refused(tmp_path: Path, fps: Fraction) -> None:
    with pytest.raises(InputError, match=r"list\.edl"):
        edl.read(written(tmp_path, ONE), FrameRate(fps))


def test_too_many_events_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="50,000 events"):
        edl.read(written(tmp_path, ONE * 50_001), RATES["24"])
    many = ONE + "AUD " + " ".join(str(n) for n in range(1, 65)) + "\n"
    with pytest.raises(InputError, match="50,000 events"):
        edl.read(written(tmp_path, many * 1_000), RATES["24"])


HOSTILE = EDL + (
    "M2   SR03       -024.0                12:00:00:00\n"
    "* A1 VOL =  -3.0 DB  PAN L50\nAUD  3     4\n* LOC: 01:00:06:12 RED     HERE\n"
    "* AUDIO LEVEL AT 12:00:00:00 IS -3.00 DB  (REEL SR03 A1)\n"
    "* PATCH SR03:  FROM SOURCE 1 TO RECORD 3\nFCM: DROP FRAME\n"
    "004  BL       B     K B      00:00:00;00 00:00:02;00 01:00:07;00 01:00:09;00\n"
    ">>> SOURCE SR01 SR01LONG 060a2b340101010101010f00\n"
)


def outcome(path: Path, rate: FrameRate) -> Cut | InputError:
    try:
        return edl.read(path, rate)
    except InputError as fault:
        return fault


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_injured_lists_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    for copy in injured(HOSTILE.encode(), 50, seed):
        result = outcome(written(tmp_path, copy), ALL_RATES[seed])
        if isinstance(result, InputError):
            assert "list.edl" in str(result)
            assert "\n" not in str(result)
        else:
            for event in (event for track in result.tracks for event in track.events):
                assert event.record_length > 0
                assert 0 <= event.record_start <= event.record_end <= result.length


LINE = re.compile(
    r"^(\d+)\s+(\S+)\s+(\S+)\s+(C|D|W\d+)\s+(?:(\d+)\s+)?"
    r"(\d\d:\d\d:\d\d:\d\d) (\d\d:\d\d:\d\d:\d\d) (\d\d:\d\d:\d\d:\d\d) (\d\d:\d\d:\d\d:\d\d)"
)
CHANNELS = {"A": ["A1"], "AA": ["A1", "A2"], "V": ["V1"]}
FILES = [
    "25fps",
    "avid_example",
    "cdl",
    "dissolve_test",
    "dissolve_test_2",
    "dissolve_test_3",
    "dissolve_test_4",
    "dissolve_test_fail",
    "gap_test",
    "INS4_R1_DX_092117",
    "INS4_R2_DX_092117",
    "multi_audio",
    "no_spaces_test",
    "nucoda_example",
    "premiere_example",
    "screening_example",
    "speed_effects",
    "speed_effects_small",
    "TEST",
    "timecode_mismatch",
    "transition_duration",
    "wipe_test",
]


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_every_event_of_real_lists_is_there(shared: Path, name: str) -> None:
    path = shared / "timelines" / "edl" / f"{name}.edl"
    rate = RATES["25"] if name in ("25fps", "timecode_mismatch") else RATES["24"]
    cut = edl.read(path, rate)
    text = path.read_text()
    lines = [match.groups() for line in text.splitlines() if (match := LINE.match(line))]
    expected: Counter[str] = Counter()
    for _, reel, channel, kind, _, _, _, record_in, record_out in lines:
        if reel != "BL" and (record_in != record_out or kind != "C"):
            expected.update(CHANNELS.get(channel, [channel]))
    if name == "multi_audio":
        expected["A3"] += 1  # AUD  3
    if name == "dissolve_test_3":
        expected["V1"] += 1  # its outgoing line is of other sound than the clip before it
    events = {track.name: track.events for track in cut.tracks}
    assert {track: len(found) for track, found in events.items()} == expected

    everything = [event for found in events.values() for event in found]
    blends = [(reel, kind) for _, reel, _, kind, *_ in lines if kind != "C"]
    assert sum(e.fade_in is not None for e in everything) == sum(r != "BL" for r, _ in blends)
    black = sum(
        before[1] == "BL" and after[3] != "C" and before[0] == after[0]
        for before, after in pairwise(lines)
    )
    assert sum(e.fade_out is not None for e in everything) == len(blends) - black
    assert sum("a wipe" in w for w in cut.warnings) == sum(kind[0] == "W" for _, kind in blends)
    speeds = re.findall(r"^M2\s+\S+\s+(-?[\d.]+)", text, re.MULTILINE)
    assert Counter(e.speed for e in everything if e.speed != 1) == Counter(
        Fraction(fps) / 24 for fps in speeds
    )


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_events_of_real_lists_are_where_pycmx_has_them(shared: Path, name: str) -> None:
    import pycmx

    path = shared / "timelines" / "edl" / f"{name}.edl"
    rate = RATES["25"] if name in ("25fps", "timecode_mismatch") else RATES["24"]
    cut = edl.read(path, rate)
    with path.open() as file:
        parsed = pycmx.parse_cmx3600(file)
    by_line = {edit.line_number + 1: edit for event in parsed.events for edit in event.edits}
    compared = 0
    for track in cut.tracks:
        for event in track.events:
            edit = by_line.get(int(dict(event.notes)["line"]))
            if edit is None or name == "wipe_test":  # pycmx loses an event's last line, shifts W001
                continue
            compared += 1
            record = cut.start + int(event.record_start)
            assert frames_to_timecode(record, rate) == edit.record_in
            assert frames_to_timecode(int(event.source_start), rate) == edit.source_in
            assert (event.media.reel or "AX") == edit.source
            assert track.kind == "audio" or edit.channels.video
            if edit.clip_name is not None:
                assert event.media.name == edit.clip_name
    assert compared >= len(by_line) - 30 or name == "wipe_test"


@pytest.mark.shared
@pytest.mark.parametrize("name", ["INS4_R1_DX_092117", "INS4_R2_DX_092117", "TEST", "multi_audio"])
def test_real_lists_are_written_back_as_they_were(shared: Path, tmp_path: Path, name: str) -> None:
    cut = edl.read(shared / "timelines" / "edl" / f"{name}.edl", RATES["24"])
    edl_write.write(cut, {}, "cleaned", tmp_path / "out.edl")
    back = edl.read(tmp_path / "out.edl", RATES["24"])
    assert differences(cut, back) == ()
    assert [(m.at, m.color) for m in back.markers] == [(m.at, m.color) for m in cut.markers]


def clip(number: int, start: int, length: int, **more) -> Event:
    media = MediaReference(name=f"clip {number}", file_name=f"{number}.wav", reel=f"SR{number:03d}")
    return replace(
        Event(f"A1/{number:03d}", Fraction(start), Fraction(length), Fraction(864000), media, (0,)),
        **more,
    )


def cut_of(*events: Event, length: int | None = None, **more) -> Cut:
    end = max(int(event.record_end) for event in events) if length is None else length
    track = Track("A1", events)
    return replace(Cut("CUT", RATES["24"], 86400, Fraction(end), (track,)), **more)


def back(cut: Cut, media=None) -> Cut:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cut.edl"
        edl_write.write(cut, media or {}, "cleaned", path)
        return edl.read(path, FrameRate(cut.rate.fps))


def test_a_list_is_laid_out_as_cmx3600_asks() -> None:
    fade = Fade(Fraction(12))
    cut = cut_of(
        clip(1, 0, 60, fade_out=fade, gain_db=-3.0, pan=-1.0),
        clip(2, 48, 72, fade_in=fade, speed=Fraction(2)),
    )
    assert edl_write.serialise(cut, {}, "cleaned").split("\r\n") == [
        "TITLE:   CUT",
        "FCM: NON-DROP FRAME",
        "001  SR001    A     C        10:00:00:00 10:00:02:00 01:00:00:00 01:00:02:00",
        "* FROM CLIP NAME:  clip 1",
        "* A1 VOL =  -3.0 DB  PAN L100",
        "* SOURCE FILE: 1.wav",
        "002  SR001    A     C        10:00:02:00 10:00:02:00 01:00:02:00 01:00:02:00",
        "002  SR002    A     D    012 10:00:00:00 10:00:06:00 01:00:02:00 01:00:05:00",
        "M2   SR002          048.0                10:00:00:00",
        "* FROM CLIP NAME:  clip 1",
        "* TO CLIP NAME:  clip 2",
        "* A1 VOL =  -3.0 DB  PAN L100",
        "* A1 VOL =  +0.0 DB",
        "* SOURCE FILE: 1.wav",
        "* SOURCE FILE: 2.wav",
        "",
    ]


def test_a_reversed_clip_is_written_with_its_source_range_ascending() -> None:
    text = edl_write.serialise(cut_of(clip(1, 0, 24, speed=Fraction(-1))), {}, "cleaned")
    assert "09:59:59:00 10:00:00:00 01:00:00:00 01:00:01:00\r\nM2   SR001         -024.0" in text


def test_pycmx_reads_what_is_written() -> None:
    import io

    import pycmx

    cut = cut_of(clip(1, 0, 60), clip(2, 100, 30))
    parsed = pycmx.parse_cmx3600(io.StringIO(edl_write.serialise(cut, {}, "cleaned")))
    edits = [edit for event in parsed.events for edit in event.edits]
    assert parsed.format == "3600"
    assert [(e.source, e.record_in, e.record_out) for e in edits] == [
        ("SR001", "01:00:00:00", "01:00:02:12"),
        ("SR002", "01:00:04:04", "01:00:05:10"),
    ]
    assert [e.source_file for e in edits] == ["1.wav", "2.wav"]


def test_fades_without_a_partner_are_fades_from_and_to_black() -> None:
    cut = cut_of(
        clip(1, 10, 60, fade_in=Fade(Fraction(5)), fade_out=Fade(Fraction(7))),
        clip(2, 60, 40),
        length=150,
    )
    assert differences(cut, back(cut)) == ()


@settings(max_examples=60, deadline=None)
@given(
    cuts(
        rates=ALL_RATES,
        gains=True,
        automation=True,
        pans=True,
        channels=((0,), (1,), (0, 1)),
        reels=("", "SR001", "A LONG REEL NAME", "A LONG REEL NUMBER"),
    )
)
def test_a_written_cut_reads_back_as_it_was(cut: Cut) -> None:
    # A list names the source file, which these cuts say only in the URL.
    found = [item for item in differences(cut, back(cut)) if item.field != "media_file_name"]
    assert found == []


SPEEDS = tuple(Fraction(text) for text in ("1", "1/2", "2", "-1", "0", "6/5", "-3/2"))


@settings(max_examples=40, deadline=None)
@given(cuts(rates=ALL_RATES, speeds=SPEEDS, channels=((0,), (1,))))
def test_speeds_that_motion_memory_holds_read_back(cut: Cut) -> None:
    found = [item for item in differences(cut, back(cut)) if item.field != "media_file_name"]
    assert found == []


def test_what_a_list_cannot_hold_is_found_by_comparing() -> None:
    event = clip(
        1,
        0,
        48,
        record_start=Fraction(1, 2),
        channels=(),
        speed=Fraction(1001, 1000),
        keeps_pitch=True,
        role="dialogue",
    )
    cut = cut_of(event, clip(2, 60, 30), length=90)
    fields = {item.field for item in differences(cut, back(cut))}
    # Half a frame into the event, its source is half a frame further as well.
    lost = {"record_start", "source_start", "channels", "speed", "keeps_pitch", "role"}
    assert lost <= fields


def test_positions_are_rounded_halves_up() -> None:
    cut = cut_of(clip(1, 0, 10, record_start=Fraction(1, 2)), clip(2, 20, 10))
    first = back(cut).tracks[0].events[0]
    assert (first.record_start, first.record_end) == (1, 11)


def test_what_does_not_sound_is_left_out() -> None:
    cut = cut_of(clip(1, 0, 10), clip(2, 10, 10, muted=True), clip(3, 20, 10, enabled=False))
    off = Track("A2", (clip(4, 0, 30),), muted=True)
    read_back = back(replace(cut, tracks=(*cut.tracks, off)))
    assert [[e.media.name for e in t.events] for t in read_back.tracks] == [["clip 1"]]
    assert read_back.length == 30


def test_tracks_keep_their_names() -> None:
    cut = cut_of(clip(1, 0, 10))
    tracks = (replace(cut.tracks[0], name="DX BOOM"), replace(cut.tracks[0], name="DX LAV"))
    assert [track.name for track in back(replace(cut, tracks=tracks)).tracks] == [
        "DX BOOM",
        "DX LAV",
    ]


def test_reels_are_short_and_distinct() -> None:
    names = ["A004C003_160815_R1BY", "A004C003_160815_R2XX", "BL", "SR 01", "SR_01", ""]
    short = short_reels(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{1,8}", reel) for reel in short.values())
    assert len({reel.upper() for reel in short.values()}) == len(names)
    assert short[""] == "AX"
    assert short["BL"] != "BL"


def test_clips_point_at_the_active_media() -> None:
    media = {
        name: NamedMedia(
            Path(f"/x/{name} 1.wav"),
            f"{name}/1.wav",
            Fraction(864000),
            Fraction(99),
            48000,
            1,
            ch,
            2,
        )
        for name, ch in (("original", (0,)), ("cleaned", (1,)))
    }
    (event,) = back(cut_of(clip(1, 0, 10)), {"A1/001": media}).tracks[0].events
    assert (event.media.file_name, event.media.url) == ("cleaned 1.wav", "cleaned/1.wav")
    assert (event.media.name, event.channels) == ("clip 1", (1,))

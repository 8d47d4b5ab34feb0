"""Recorders' notes: read as other software reads them, written so that it reads them too."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import wavinfo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.media.bwf import BroadcastLoudness, bext_chunk, ixml_chunk, parse_bext, read_notes
from adapters.media.ixml import merge_ixml, parse_ixml
from adapters.media.probe import probe
from adapters.media.write import WaveWriter
from core.errors import InputError
from core.media import SoundNotes
from core.time import RATES

FULL = SoundNotes(
    scene="12A",
    take="3",
    tape="SR014",
    circled=True,
    note="Tür & <Flugzeug>",
    project="HARBOUR",
    description="sSCENE=12A\r\nsTAKE=3",
    originator="roomtone",
    originator_reference="RT0001",
    origination_date="2026-03-14",
    origination_time="10:21:40",
    coding_history="A=PCM,F=48000,W=24,M=mono,T=field recorder",
    umid="06" * 32 + "00" * 32,
    track_names=((0, "BOOM"), (1, "STELLA")),
    timecode_rate=RATES["29.97 DF"],
    time_reference=(1 << 32) + 12345,
)


def wave(path: Path, channels: int, *chunks: tuple[bytes, bytes]) -> Path:
    """A second of 24-bit silence with the given chunks after the sound."""
    sf.write(path, np.zeros((48000, channels)), 48000, subtype="PCM_24")
    data = bytearray(path.read_bytes())
    for name, body in chunks:
        data += name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    data[4:8] = struct.pack("<I", len(data) - 8)
    path.write_bytes(data)
    return path


def bext(description: str, reference: int = 0) -> bytes:
    body = bytearray(602)
    body[: len(description)] = description.encode()
    body[338:346] = struct.pack("<Q", reference)
    return bytes(body)


def ixml(inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><BWFXML>{inside}</BWFXML>'.encode()


@pytest.mark.shared
def test_the_production_s_notes_are_its_truth(harbour: Path) -> None:
    truth = json.loads((harbour / "truth" / "takes.json").read_text())
    for name, take in truth["takes"].items():
        notes = read_notes(harbour / "sound" / f"{name}.wav")
        assert notes.time_reference == take["time_reference"]
        assert (notes.scene, int(notes.take), notes.tape) == (
            take["scene"],
            take["take"],
            take["tape"],
        )
        assert notes.track_names == tuple(enumerate(take["tracks"]))
        assert notes.timecode_rate == RATES["23.976"]
        assert notes.project == truth["title"]


@pytest.mark.shared
def test_recorders_are_read_as_wavinfo_reads_them(shared: Path) -> None:
    files = sorted((shared / "recorders").rglob("*.WAV"))
    assert len(files) == 8
    for path in files:
        ours, theirs = read_notes(path), wavinfo.WavInfoReader(str(path))
        assert ours.time_reference == theirs.bext.time_reference
        assert ours.originator_reference == theirs.bext.originator_ref
        assert (ours.origination_date, ours.origination_time) == (
            theirs.bext.originator_date,
            theirs.bext.originator_time,
        )
        assert (ours.scene, ours.take, ours.tape, ours.project) == (
            theirs.ixml.scene,
            theirs.ixml.take,
            theirs.ixml.tape,
            theirs.ixml.project,
        )
        assert ours.track_names == tuple(
            (int(track.interleave_index) - 1, track.name) for track in theirs.ixml.track_list
        )


@pytest.mark.shared
def test_a_track_of_a_mono_set_is_channel_0_of_its_own_file(shared: Path) -> None:
    names = {
        path.name: read_notes(path).track_names
        for path in (shared / "recorders").rglob("*.WAV")
        if "sounddevices" not in path.parts
    }
    assert names == {
        "Sr001-2C-01_01.WAV": ((0, "Boom"),),
        "Sr001-2C-01_02.WAV": ((0, "Lav Georgie"),),
        "Sr001-2C-01_03.WAV": ((0, "Lav Beverly"),),
        "Scene_1_2AG-T001_Tr1.WAV": ((0, "BOOM"),),
        "Scene_1_2AG-T001_Tr2.WAV": ((0, "MID"),),
    }


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with WaveWriter(path, 48000, 2, "PCM_24", FULL, {"RECIPE": "film & tv"}) as out:
        out.write(np.zeros((10, 2), int))
    assert read_notes(path) == FULL
    assert probe(path).warnings == ()
    assert b"<ROOMTONE><RECIPE>film &amp; tv</RECIPE></ROOMTONE>" in path.read_bytes()


def test_wavinfo_reads_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with WaveWriter(path, 48000, 2, "PCM_24", FULL) as out:
        out.write(np.zeros((10, 2), int))
    theirs = wavinfo.WavInfoReader(str(path))
    assert theirs.bext.time_reference == FULL.time_reference
    assert theirs.bext.description == FULL.description
    assert theirs.bext.originator == "roomtone"
    assert theirs.bext.coding_history.strip() == FULL.coding_history
    assert (theirs.ixml.scene, theirs.ixml.take, theirs.ixml.tape) == ("12A", "3", "SR014")
    assert [track.name for track in theirs.ixml.track_list] == ["BOOM", "STELLA"]
    assert theirs.data.frame_count == 10


def test_bext_fields_lie_where_the_standard_puts_them() -> None:
    loudness = BroadcastLoudness(-23.0, 7.25, -1.5, -18.0, -20.0)
    body = bext_chunk(FULL, loudness)
    assert body[0:14] == b"sSCENE=12A\r\nsT"
    assert body[256:265] == b"roomtone\0"
    assert body[288:295] == b"RT0001\0"
    assert body[320:338] == b"2026-03-1410:21:40"
    assert struct.unpack("<IIH", body[338:348]) == (12345, 1, 2)
    assert body[348:412].hex() == FULL.umid
    assert struct.unpack("<5h", body[412:422]) == (-2300, 725, -150, -1800, -2000)
    assert body[422:602] == bytes(180)
    assert body[602:] == FULL.coding_history.encode() + b"\r\n"
    assert struct.unpack("<H", bext_chunk(FULL)[346:348]) == (1,)


def test_fields_that_are_too_long_are_cut_between_characters() -> None:
    body = bext_chunk(SoundNotes(description="é" * 200, originator="x" * 31 + "ü"))
    assert body[:256].decode() == "é" * 128
    assert body[256:288] == b"x" * 31 + b"\0"
    assert len(body) == 602


@pytest.mark.parametrize(
    "lines",
    [
        "sSPEED=23.976-ND\r\nsTAKE=03\r\nsSCENE=12A\r\nsTAPE=SR014\r\nsTRK1=BOOM\r\nsTRK2=LAV\r\n",
        "zSPEED=023.976ND\r\nzTAKE=03\r\nzSCENE=12A\r\nzTAPE=SR014\r\nzTRK1=BOOM\r\nzTRK2=LAV",
        "SCENE: 12A\nTAKE: 03\nTAPE: SR014\nSPEED: 23.976-ND\nTRK3: BOOM\nTRK7: LAV\n",
    ],
)
def test_description_lines_speak_where_there_is_no_ixml(tmp_path: Path, lines: str) -> None:
    notes = read_notes(wave(tmp_path / "x.wav", 2, (b"bext", bext(lines, 48048))))
    assert (notes.scene, notes.take, notes.tape) == ("12A", "03", "SR014")
    assert notes.track_names == ((0, "BOOM"), (1, "LAV"))
    assert notes.timecode_rate == RATES["23.976"]
    assert notes.time_reference == 48048


def test_a_mono_file_does_not_take_the_name_of_another_input(tmp_path: Path) -> None:
    lines = "TR1=LavA\r\nTR2=LavB\r\n"
    notes = read_notes(wave(tmp_path / "x.wav", 1, (b"bext", bext(lines))))
    assert notes.track_names == ()


def test_ixml_wins_where_it_speaks_and_a_disagreement_is_told(tmp_path: Path) -> None:
    path = wave(
        tmp_path / "x.wav",
        1,
        (b"bext", bext("sSCENE=1\r\nsTAKE=9\r\nsTAPE=A\r\nsCIRCLED=TRUE", 1000)),
        (
            b"iXML",
            ixml(
                "<SCENE>2</SCENE><TAKE></TAKE><CIRCLED>FALSE</CIRCLED><SPEED>"
                "<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>1</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>"
                "<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>-2</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>"
                "</SPEED>"
            ),
        ),
    )
    notes = read_notes(path)
    assert (notes.scene, notes.take, notes.tape, notes.circled) == ("2", "9", "A", False)
    assert notes.time_reference == 0x1FFFFFFFE
    assert ["disagree" in warning for warning in probe(path).warnings] == [True]


def test_no_notes_and_a_reference_of_midnight_are_told_apart(tmp_path: Path) -> None:
    assert read_notes(wave(tmp_path / "a.wav", 1)) == SoundNotes()
    midnight = wave(tmp_path / "b.wav", 1, (b"bext", bext("")))
    assert read_notes(midnight).time_reference == 0


@pytest.mark.parametrize(
    ("tracks", "names"),
    [
        ("12", ((0, "A"), (1, "B"))),
        ("21", ((0, "B"), (1, "A"))),
        ("58", ((0, "A"), (1, "B"))),
    ],
)
def test_channel_index_alone_is_the_order_in_the_file(
    tracks: str, names: tuple[tuple[int, str], ...]
) -> None:
    listed = "".join(
        f"<TRACK><CHANNEL_INDEX>{index}</CHANNEL_INDEX><NAME>{name}</NAME></TRACK>"
        for index, name in zip(tracks, "AB", strict=True)
    )
    assert parse_ixml(ixml(f"<TRACK_LIST>{listed}</TRACK_LIST>")).names(2) == names


@pytest.mark.parametrize(
    ("rate", "flag", "fps", "drop"),
    [
        ("24000/1001", "NDF", Fraction(24000, 1001), False),
        ("30000/1001", "DF", Fraction(30000, 1001), True),
        ("25/1", "DF", Fraction(25), False),
        ("24", "", Fraction(24), False),
    ],
)
def test_timecode_rates_are_exact(rate: str, flag: str, fps: Fraction, drop: bool) -> None:
    body = f"<SPEED><TIMECODE_RATE>{rate}</TIMECODE_RATE><TIMECODE_FLAG>{flag}</TIMECODE_FLAG>"
    found = parse_ixml(ixml(body + "</SPEED>")).timecode_rate
    assert found is not None
    assert (found.fps, found.drop) == (fps, drop)


@pytest.mark.parametrize(
    "attack",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><BWFXML><SCENE>&a;</SCENE></BWFXML>',
        b'<?xml version="1.0"?><!doctype x SYSTEM "file:///etc/passwd"><BWFXML/>',
        '<!DOCTYPE x [<!ENTITY a "b">]><BWFXML/>'.encode("utf-16"),
        b"<BWFXML>" + b" " * (4 << 20) + b"</BWFXML>",
        b"<BWFXML><SCENE>1</BWFXML>",
        b"<BWFXML>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</BWFXML>",
        b"<BWFXML>" + b"<a/>" * 60_000 + b"</BWFXML>",
        b"<BWFXML xmlns='" + b"u" * 100_000 + b"'><a/></BWFXML>",
        b"",
    ],
)
def test_hostile_or_broken_ixml_is_passed_over_with_a_warning(
    tmp_path: Path, attack: bytes
) -> None:
    with pytest.raises(InputError):
        parse_ixml(attack)
    path = wave(tmp_path / "x.wav", 1, (b"bext", bext("sSCENE=1", 5)), (b"iXML", attack))
    media = probe(path)
    assert (media.notes.scene, media.notes.time_reference) == ("1", 5)
    assert ["iXML" in warning for warning in media.warnings] == [True]


def test_careless_ixml_is_forgiven() -> None:
    body = b"\xef\xbb\xbf \r\n" + ixml("<NOTE>Romeo & Juliet\x01</NOTE>") + b"\0\0  \0"
    assert parse_ixml(body).note == "Romeo & Juliet"
    latin = "<BWFXML><SCENE>É1</SCENE></BWFXML>".encode("latin-1")
    assert parse_ixml(latin).scene == "É1"


@settings(max_examples=60)
@given(body=st.binary(max_size=900), channels=st.integers(0, 4))
def test_no_bext_bytes_crash_the_reader(body: bytes, channels: int) -> None:
    try:
        notes = parse_bext(body, channels)
    except InputError:
        assert len(body) < 602
    else:
        assert notes.time_reference is not None


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tail=st.binary(max_size=300))
def test_no_chunk_bytes_crash_the_reader(tmp_path: Path, tail: bytes) -> None:
    path = wave(tmp_path / "x.wav", 1, (b"bext", bext("sSCENE=7", 11)))
    path.write_bytes(path.read_bytes() + tail)
    assert read_notes(path).scene == "7"


words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30)


@settings(max_examples=60)
@given(scene=words, note=words, reference=st.none() | st.integers(0, (1 << 64) - 1))
def test_any_words_survive_ixml(scene: str, note: str, reference: int | None) -> None:
    given_notes = SoundNotes(scene=scene, note=note, time_reference=reference)
    found = parse_ixml(ixml_chunk(given_notes, 48000, 24, {}))
    assert (found.scene, found.note) == (scene.strip(), note.strip())
    assert found.time_reference == reference


def test_extra_names_must_be_names() -> None:
    with pytest.raises(ValueError, match="XML"):
        ixml_chunk(SoundNotes(), 48000, 24, {"no spaces": "x"})


def test_a_copy_carries_on_what_a_recorder_wrote_beside_the_usual(tmp_path: Path) -> None:
    body = (
        b"<BWFXML><SCENE>7</SCENE><UBITS>20260101</UBITS><USER>two lavs swapped &amp; fixed</USER>"
        b"<FILE_SET><FILE_UID>X1</FILE_UID></FILE_SET><ROOMTONE><ROLE>DX</ROLE></ROOMTONE></BWFXML>"
    )
    notes = merge_ixml(SoundNotes(), parse_ixml(body), 1)
    written = ixml_chunk(notes, 48000, 24, {"ROLE": "CLIP"}).decode()
    assert "<UBITS>20260101</UBITS>" in written
    assert "<USER>two lavs swapped &amp; fixed</USER>" in written
    assert "FILE_UID" not in written
    assert written.count("ROOMTONE") == 2
    assert "<ROLE>CLIP</ROLE>" in written

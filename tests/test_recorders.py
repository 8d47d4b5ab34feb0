"""What recorders wrote is read as others read it, and every copy keeps it.

The files are real: a Sound Devices 702T, a Zoom F8 and Metacorder. The yardstick is wavinfo.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import wavinfo

from adapters.media.probe import probe
from adapters.media.recorder import recorder_of
from adapters.media.write import WaveWriter
from core.time import RATES

NAMES = (
    "metacorder/Sr001-2C-01_01.WAV",
    "metacorder/Sr001-2C-01_02.WAV",
    "metacorder/Sr001-2C-01_03.WAV",
    "sounddevices/A101_2.WAV",
    "sounddevices/A101_3.WAV",
    "sounddevices/A101_4.WAV",
    "zoom_F8/Scene_1_2AG-T001_Tr1.WAV",
    "zoom_F8/Scene_1_2AG-T001_Tr2.WAV",
)
FIELDS = ("PROJECT", "SCENE", "TAKE", "TAPE", "NOTE", "UBITS", "FILE_UID")
TIMECODE = ("SPEED/TIMECODE_RATE", "SPEED/TIMECODE_FLAG")
BEXT = ("description", "originator", "originator_ref", "originator_date", "originator_time")

pytestmark = pytest.mark.shared


@pytest.fixture(params=NAMES)
def recorded(request: pytest.FixtureRequest, shared: Path) -> Path:
    return shared / "recorders" / request.param


def xml_of(path: Path) -> ET.Element:
    """The iXML document as the standard library reads what wavinfo finds."""
    body = wavinfo.WavInfoReader(str(path)).ixml.source
    return ET.fromstring(body.rstrip(b"\0 \r\n\t").decode("utf-8"))


def text(root: ET.Element, tag: str) -> str:
    return (root.findtext(tag) or "").strip()


def copied(path: Path, folder: Path, channels: int | None = None) -> Path:
    """A copy as roomtone writes it: a second of silence under the same notes."""
    media = probe(path)
    target = folder / path.name
    width = media.channels if channels is None else channels
    with WaveWriter(target, media.sample_rate, width, "PCM_24", media.notes) as out:
        out.write(np.zeros((48_000, width), int))
    return target


def test_notes_are_what_the_recorder_s_own_xml_says(recorded: Path) -> None:
    notes, root = probe(recorded).notes, xml_of(recorded)
    assert (notes.project, notes.scene, notes.take, notes.tape, notes.note) == tuple(
        text(root, tag) for tag in FIELDS[:5]
    )
    assert notes.circled == (text(root, "CIRCLED") == "TRUE")
    rate = {"24000/1001": RATES["23.976"], "25/1": RATES["25"]}[text(root, "SPEED/TIMECODE_RATE")]
    assert notes.timecode_rate == rate
    assert text(root, "SPEED/TIMECODE_FLAG") == "NDF"
    rest = [ET.fromstring(element) for element in notes.ixml_rest]
    assert {"UBITS", "FILE_UID", "HISTORY"} <= {element.tag for element in rest}


def test_the_set_a_file_belongs_to_is_read(recorded: Path) -> None:
    told, root = recorder_of(probe(recorded)), xml_of(recorded)
    assert told.family == text(root, "FILE_SET/FAMILY_UID")
    assert told.total == int(text(root, "FILE_SET/TOTAL_FILES"))
    assert told.uid == text(root, "FILE_UID")
    assert told.names == (recorded.name,)
    tracks = root.findall("TRACK_LIST/TRACK")
    assert told.inputs == tuple(int(text(track, "CHANNEL_INDEX")) for track in tracks)


def test_a_copy_keeps_every_field_of_the_xml(recorded: Path, tmp_path: Path) -> None:
    before, after = xml_of(recorded), xml_of(copied(recorded, tmp_path))
    for tag in (*FIELDS, *TIMECODE, "HISTORY/ORIGINAL_FILENAME", "FILE_SET/FAMILY_UID"):
        assert text(after, tag) == text(before, tag), tag
    assert after.find("FILE_SET/TOTAL_FILES") is None
    assert text(after, "CIRCLED") == (text(before, "CIRCLED") or "FALSE")
    names = [
        [(text(track, "INTERLEAVE_INDEX"), text(track, "NAME")) for track in root.iter("TRACK")]
        for root in (before, after)
    ]
    assert names[0] == names[1]


def test_a_copy_keeps_every_field_of_the_bext_chunk(recorded: Path, tmp_path: Path) -> None:
    before = wavinfo.WavInfoReader(str(recorded)).bext
    after = wavinfo.WavInfoReader(str(copied(recorded, tmp_path))).bext
    for name in BEXT:
        wanted, got = (str(getattr(bext, name) or "").strip() for bext in (before, after))
        assert got.replace("\r\n", "\n") == wanted.replace("\r\n", "\n"), name
    assert after.time_reference == before.time_reference
    assert (after.coding_history or "").strip() == (before.coding_history or "").strip()


def test_a_copy_of_a_copy_has_the_same_notes(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    once = copied(recorded, tmp_path)
    twice = copied(once, tmp_path / "again")
    assert probe(twice).notes == probe(once).notes == probe(recorded).notes


def test_a_copy_of_fewer_channels_names_only_those(shared: Path, tmp_path: Path) -> None:
    path = shared / "recorders" / "sounddevices" / "A101_2.WAV"
    copy = probe(copied(path, tmp_path, channels=1))
    assert copy.notes.track_names == ((0, "MKH516 A"),)
    assert copy.notes.time_reference == probe(path).notes.time_reference

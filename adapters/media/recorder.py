"""What a recorder's iXML says of a file beside the usual notes: its set, its inputs, its speed.

Needed only while relinking, so it is read from the header of the few files that a reference
may mean. After the iXML specification (ixml.info, 3.x).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from adapters.media.chunks import read_body, read_chunks
from adapters.media.ixml import MAX_IXML, parse_ixml
from core.errors import InputError
from core.media import MediaFile

WAVES = ("WAV", "WAVEX", "RF64")
_LEAF = re.compile(
    rb"<(FAMILY_UID|FILE_UID|TOTAL_FILES|ORIGINAL_FILENAME|CURRENT_FILENAME|MASTER_SPEED|"
    rb"CURRENT_SPEED|FILE_SAMPLE_RATE|DIGITIZER_SAMPLE_RATE|TIMESTAMP_SAMPLE_RATE)>"
    rb"\s*([^<]{1,512}?)\s*</\1>"
)
_DESCRIBED_NAME = re.compile(r"^[a-z]?FILENAME\s*[=:]\s*(\S.*)$", re.MULTILINE)
_RATES = range(8_000, 768_001)


@dataclass(frozen=True)
class Recorder:
    """Facts of one file; empty, 0 or None where the recorder did not write them.

    family: names all files of one take. total: files of that family. uid: names this file.
    names: the file's names as recorded, before anybody renamed it.
    inputs: the recorder's input of each channel of the file, from 1; empty where any is unknown.
    timestamp_rate: samples a second that the time reference counts. digitizer_rate: of the
    converter. master, current: frames a second that the sound was made for, and runs at.
    """

    family: str = ""
    total: int = 0
    uid: str = ""
    names: tuple[str, ...] = ()
    inputs: tuple[int, ...] = ()
    timestamp_rate: int = 0
    digitizer_rate: int = 0
    master: Fraction | None = None
    current: Fraction | None = None


def recorder_of_notes(media: MediaFile) -> Recorder:
    """What the notes of a probed file tell; its own file is not touched."""
    body = "\n".join(media.notes.ixml_rest).encode()
    found = _facts(body)
    described = tuple(
        match.strip()
        for match in _DESCRIBED_NAME.findall(media.notes.description.replace("\r", ""))
    )
    return replace(found, names=tuple(dict.fromkeys((*found.names, *described))))


def recorder_of(media: MediaFile) -> Recorder:
    """What the notes and the iXML chunk of a file tell; its notes alone where that can't be read.

    Reads the header of a wave file, never its sound.
    """
    told = recorder_of_notes(media)
    if media.container not in WAVES or media.notes.time_reference is None:
        return told
    try:
        chunks = read_chunks(media.path)
        chunk = None if chunks is None else chunks.find("iXML")
        body = b"" if chunk is None else read_body(media.path, chunk, MAX_IXML + 1)
        tracks = parse_ixml(body).tracks if body else ()
    except (OSError, InputError):
        return told
    found = _facts(body)
    return replace(
        found,
        names=tuple(dict.fromkeys((*found.names, *told.names))),
        inputs=_inputs(tracks, media.channels),
    )


def speed_note(media: MediaFile, recorder: Recorder) -> str:
    """A sentence where a file was recorded at another speed than it plays, else empty."""
    name, ours, theirs = media.path.name, media.sample_rate, recorder.digitizer_rate
    if theirs and theirs != ours:
        percent = float(Fraction(100 * (theirs - ours), ours))
        return (
            f"{name} was digitised at {theirs} Hz and is stamped {ours} Hz: it plays "
            f"{abs(percent):.1f} % {'slow' if percent > 0 else 'fast'}, as a pull-"
            f"{'down' if percent > 0 else 'up'} asks for."
        )
    master, current = recorder.master, recorder.current
    if master and current and master != current:
        return (
            f"{name} runs at {_rate(current)} frames a second for a master at {_rate(master)}, "
            "says its recorder: it plays as it is, so check its sync."
        )
    return ""


def _rate(value: Fraction) -> str:
    return f"{float(value):.3f}".rstrip("0").rstrip(".")


def _facts(body: bytes) -> Recorder:
    """The leaves of an iXML document that are ASCII in every encoding it may have."""
    leaves: dict[bytes, str] = {}
    names: list[str] = []
    for tag, value in _LEAF.findall(body.replace(b"\0", b"")):
        text = value.decode("utf-8", errors="replace")
        leaves.setdefault(tag, text)
        if tag in (b"ORIGINAL_FILENAME", b"CURRENT_FILENAME"):
            names.append(text)
    return Recorder(
        family=leaves.get(b"FAMILY_UID", ""),
        total=_whole(leaves.get(b"TOTAL_FILES", "")),
        uid=leaves.get(b"FILE_UID", ""),
        names=tuple(dict.fromkeys(names)),
        timestamp_rate=_sample_rate(leaves.get(b"TIMESTAMP_SAMPLE_RATE", "")),
        digitizer_rate=_sample_rate(leaves.get(b"DIGITIZER_SAMPLE_RATE", "")),
        master=_speed(leaves.get(b"MASTER_SPEED", "")),
        current=_speed(leaves.get(b"CURRENT_SPEED", "")),
    )


def _inputs(
    tracks: tuple[tuple[int | None, int | None, str], ...], channels: int
) -> tuple[int, ...]:
    by_channel = {
        place: index for index, place, _ in tracks if index is not None and place is not None
    }
    if set(by_channel) != set(range(1, channels + 1)):
        return ()
    return tuple(by_channel[place] for place in range(1, channels + 1))


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def _sample_rate(text: str) -> int:
    rate = _whole(text)
    return rate if rate in _RATES else 0


def _speed(text: str) -> Fraction | None:
    if not re.fullmatch(r"[0-9]{1,9}(/[0-9]{1,9}|\.[0-9]{1,6})?", text):
        return None
    try:
        value = Fraction(text)
    except ZeroDivisionError:
        return None
    return value if value > 0 else None

"""Broadcast-wave metadata: the bext chunk (EBU Tech 3285 v1 and v2), with iXML over it."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.media.chunks import ChunkMap, read_body, read_chunks
from adapters.media.ixml import MAX_IXML, Ixml, ixml_chunk, merge_ixml, parse_block, parse_ixml
from core.errors import InputError
from core.media import SoundNotes
from core.time import FrameRate, exact_fps

__all__ = [
    "BroadcastLoudness",
    "bext_chunk",
    "ixml_chunk",
    "notes_with_warnings",
    "parse_bext",
    "read_block",
    "read_notes",
]

_BEXT_FIXED = 602
_MAX_BEXT = 1 << 20
_UNUSED_LOUDNESS = 0x7FFF
_FIELD = re.compile(r"^[a-z]?([A-Z][A-Z0-9_]*)\s*[=:]\s*(.*)$")
_TRACK = re.compile(r"^TRK?(\d{1,2})$")
_SPEED = re.compile(r"^(\d+(?:\.\d+)?)\s*-?\s*([A-Z]*)")


@dataclass(frozen=True)
class BroadcastLoudness:
    """Loudness as version 2 of bext states it (EBU R 128).

    integrated: LUFS. loudness_range: LU. true_peak: dBTP. momentary, short_term: maxima in LUFS.
    """

    integrated: float
    loudness_range: float
    true_peak: float
    momentary: float
    short_term: float


def read_notes(path: Path) -> SoundNotes:
    """What the recorder wrote about a WAV or RF64 file; empty notes where it wrote nothing.

    Never raises for malformed chunks: they are skipped. Raises InputError for an unreadable file.
    """
    try:
        chunks = read_chunks(path)
        return SoundNotes() if chunks is None else notes_with_warnings(path, chunks)[0]
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}): check the disk.") from fault


def read_block(path: Path) -> dict[str, str]:
    """What roomtone wrote about a file into its iXML; empty where it did not, or can't be read."""
    try:
        chunks = read_chunks(path)
        ixml = None if chunks is None else chunks.find("iXML")
        return {} if ixml is None else parse_block(read_body(path, ixml, MAX_IXML + 1))
    except (OSError, InputError):
        return {}


def notes_with_warnings(path: Path, chunks: ChunkMap) -> tuple[SoundNotes, tuple[str, ...]]:
    """The notes of a file whose chunks are known, and what was odd about them, a sentence each."""
    notes, warnings = SoundNotes(), []
    channels = _channels(path, chunks)
    bext, ixml = chunks.find("bext"), chunks.find("iXML")
    if bext is not None:
        try:
            notes = parse_bext(read_body(path, bext, _MAX_BEXT), channels)
        except InputError as fault:
            warnings.append(f"The broadcast-wave notes of {path} were passed over: {fault}.")
    if ixml is not None:
        try:
            fields = parse_ixml(read_body(path, ixml, MAX_IXML + 1))
        except InputError as fault:
            warnings.append(f"The iXML of {path} was passed over: {fault}.")
        else:
            warnings += _disagreement(path, notes, fields)
            notes = merge_ixml(notes, fields, channels)
    return notes, tuple(warnings)


def _disagreement(path: Path, notes: SoundNotes, ixml: Ixml) -> list[str]:
    ours, theirs = notes.time_reference, ixml.time_reference
    if ours is None or theirs is None or ours == theirs:
        return []
    return [
        f"The time references of {path} disagree (bext {ours}, iXML {theirs} samples): "
        "iXML's is used, as editing systems do."
    ]


def parse_bext(body: bytes, channels: int) -> SoundNotes:
    """Notes from a bext chunk's body.

    Fields that recorders write as lines of the description are read too (`sSCENE=`, `gTAKE=`,
    `TAPE=`, `SCENE: `); track names only where there are as many as channels, for a mono file
    may list every input of the recorder. Raises InputError (a clause) where it is too short.
    """
    if len(body) < _BEXT_FIXED - 254:
        raise InputError(f"its bext chunk has {len(body)} bytes where {_BEXT_FIXED} are due")
    body = body.ljust(_BEXT_FIXED, b"\0")
    low, high, version = struct.unpack("<IIH", body[338:348])
    umid = body[348:412] if version >= 1 else b""
    notes = SoundNotes(
        description=_string(body[:256]),
        originator=_string(body[256:288]),
        originator_reference=_string(body[288:320]),
        origination_date=_string(body[320:330]),
        origination_time=_string(body[330:338]),
        coding_history=_string(body[_BEXT_FIXED:]),
        umid=umid.hex() if any(umid) else "",
        time_reference=low | high << 32,
    )
    return _from_description(notes, channels)


def _from_description(notes: SoundNotes, channels: int) -> SoundNotes:
    fields: dict[str, str] = {}
    for line in notes.description.splitlines():
        match = _FIELD.match(line.strip())
        if match:
            fields.setdefault(match[1], match[2].strip())
    tracks = sorted((int(m[1]), name) for key, name in fields.items() if (m := _TRACK.match(key)))
    names = [name for _, name in tracks if name]
    return replace(
        notes,
        scene=fields.get("SCENE", ""),
        take=fields.get("TAKE", ""),
        tape=fields.get("TAPE", ""),
        note=fields.get("NOTE", ""),
        project=fields.get("PROJECT", ""),
        circled=fields.get("CIRCLED", "").upper() in ("TRUE", "YES", "1"),
        timecode_rate=_speed(fields.get("SPEED", "")),
        track_names=(
            tuple((i, name) for i, (_, name) in enumerate(tracks) if name)
            if len(tracks) == channels
            else ()
        ),
        absent_tracks=() if len(tracks) == channels else tuple(dict.fromkeys(names)),
    )


def _speed(text: str) -> FrameRate | None:
    """A rate as recorders write it: `23.976-ND`, `025.000ND`, `29.97-DF`."""
    match = _SPEED.match(text)
    if match is None:
        return None
    try:
        fps = exact_fps(match[1])
    except InputError:
        return None
    try:
        return FrameRate(fps, drop=match[2] in ("DF", "D"))
    except InputError:
        return FrameRate(fps)


def bext_chunk(notes: SoundNotes, loudness: BroadcastLoudness | None = None) -> bytes:
    """The body of a bext chunk: version 2 where loudness is given, else version 1.

    Text is UTF-8 (ASCII where the notes are), cut to its field without splitting a character.
    A time reference of None is written as 0, for the chunk has no way to leave it out; raises
    ValueError where it is negative or does not fit 64 bits.
    """
    reference = notes.time_reference or 0
    if not 0 <= reference < 1 << 64:
        raise ValueError(f"a time reference of {reference} samples can't be written")
    values = [_UNUSED_LOUDNESS] * 5
    if loudness is not None:
        values = [
            _hundredths(value)
            for value in (
                loudness.integrated,
                loudness.loudness_range,
                loudness.true_peak,
                loudness.momentary,
                loudness.short_term,
            )
        ]
    history = notes.coding_history.replace("\r\n", "\n").strip("\n").replace("\n", "\r\n")
    return b"".join(
        (
            _field(notes.description.replace("\r\n", "\n").replace("\n", "\r\n"), 256),
            _field(notes.originator, 32),
            _field(notes.originator_reference, 32),
            _field(notes.origination_date, 10),
            _field(notes.origination_time, 8),
            struct.pack("<IIH", reference & 0xFFFFFFFF, reference >> 32, 2 if loudness else 1),
            _umid(notes.umid),
            struct.pack("<5h", *values) if loudness else bytes(10),
            bytes(180),
            f"{history}\r\n".encode() if history else b"",
        )
    )


def _hundredths(value: float) -> int:
    """A loudness value in hundredths; outside the range of EBU Tech 3285 it counts as unused."""
    return round(value * 100) if -99.99 <= value <= 99.99 else _UNUSED_LOUDNESS


def _umid(umid: str) -> bytes:
    try:
        return bytes.fromhex(umid)[:64].ljust(64, b"\0")
    except ValueError:
        return bytes(64)


def _field(text: str, size: int) -> bytes:
    return text.encode()[:size].decode(errors="ignore").encode().ljust(size, b"\0")


def _string(field: bytes) -> str:
    text = field.split(b"\0", 1)[0]
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()


def _channels(path: Path, chunks: ChunkMap) -> int:
    chunk = chunks.find("fmt ")
    body = b"" if chunk is None else read_body(path, chunk, 4)
    return int.from_bytes(body[2:4], "little") if len(body) == 4 else 0

"""Sound that lies inside an AAF, written out as files of its own.

A WAVE or AIFF file inside comes out byte for byte; bare PCM gets the head of a broadcast wave,
with the timecode of its first sample. All in blocks, whole or not at all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from adapters.timelines.aaf.statements import Descriptor, Mob, Storage
from core.errors import InputError, OutputError
from core.time import round_half_up

FOLDER = "essence"
_BLOCK = 1 << 20
_RIFF_LIMIT = (1 << 32) - 1
_WIDTHS = (2, 3, 4)
_PCM = ("PCMDescriptor", "SoundDescriptor", "WAVEDescriptor")


def extract(
    file: Any,
    storage: Storage,
    wanted: Mapping[str, Fraction | None],
    folder: Path,
    limit: int,
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Write the sound of mobs into `folder/essence`; which file each mob became, and warnings.

    file: the open pyaaf2 file. wanted: mob ids with the timecode (seconds) of their first sample.
    limit: bytes in all, for a damaged file may claim any number. A file that is there already
    with the same length is left as it is. Raises OutputError where the disk refuses.
    """
    written: dict[str, Path] = {}
    warnings: list[str] = []
    left = limit
    held = file.content["EssenceData"]
    for key in list(held.references):
        mob = storage.mobs.get(str(key))
        if mob is None or mob.id not in wanted:
            continue
        try:
            stream = held.get(key).open("r")
            size = int(stream.dir.byte_size)
            if size > left:
                raise InputError("it claims more bytes than the file has")
            left -= size
            written[mob.id] = _write(stream, size, mob, wanted[mob.id], folder / FOLDER)
        except OutputError:
            raise
        except Exception as fault:  # pyaaf2 raises anything on damaged data
            reason = str(fault).split("\n", 1)[0][:100] or type(fault).__name__
            warnings.append(
                f"The sound of {mob.name!r} inside the file can't be extracted ({reason})."
            )
    return written, tuple(warnings)


def _write(stream: Any, size: int, mob: Mob, timecode: Fraction | None, folder: Path) -> Path:
    head = bytes(stream.read(min(12, size)))
    stream.seek(0)
    name = "".join(character for character in mob.id.rpartition(":")[2] if character.isalnum())
    described = mob.descriptor or Descriptor("")
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _copied(stream, b"", _riff_size(head, size), folder / f"{name}.wav")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        declared = struct.unpack(">I", head[4:8])[0] + 8
        return _copied(stream, b"", min(declared, size), folder / f"{name}.aif")
    if described.kind not in _PCM:
        raise InputError(f"it is neither WAVE, AIFF nor PCM but {described.kind or 'unnamed'}")
    width, rate = described.bits // 8, described.audio_rate
    if width not in _WIDTHS or described.bits % 8 or not 0 < described.channels <= 1024:
        raise InputError(f"{described.channels} channels of {described.bits} bits are not PCM")
    if rate is None or rate.denominator != 1:
        raise InputError("it does not say its sample rate")
    frame = described.channels * width
    data = size // frame * frame
    if described.length and described.rate == rate:
        data = min(data, described.length * frame)
    start = round_half_up(timecode * rate) if timecode is not None else 0
    opening = wave_head(int(rate), described.channels, width, max(0, start), data)
    return _copied(stream, opening, data, folder / f"{name}.wav")


def _riff_size(head: bytes, size: int) -> int:
    declared: int = struct.unpack("<I", head[4:8])[0] + 8
    return min(declared, size) if head[:4] == b"RIFF" and declared > 12 else size


def _copied(stream: Any, opening: bytes, data: int, final: Path) -> Path:
    from adapters.media.whole import output_error, whole_file

    padding = bytes((len(opening) + data) % 2)
    whole = len(opening) + data + len(padding)
    try:
        if final.is_file() and final.stat().st_size == whole:
            return final
        with whole_file(final) as temporary, temporary.open("wb") as out:
            out.write(opening)
            for block in _blocks(stream, data):
                out.write(block)
            out.write(padding)
    except OSError as fault:
        raise output_error(final, fault) from fault
    return final


def _blocks(stream: Any, size: int) -> Iterator[bytes]:
    left = size
    while left > 0:
        block = bytes(stream.read(min(_BLOCK, left)))
        if not block:
            raise InputError("it ends early")
        left -= len(block)
        yield block


def wave_head(rate: int, channels: int, width: int, start: int, data: int) -> bytes:
    """All of a broadcast wave before its samples.

    rate: Hz. width: bytes a sample. start: time reference, samples since midnight. data: bytes of
    sound; above 4 GiB the file is RF64 (EBU Tech 3306).
    """
    from adapters.media.bwf import bext_chunk
    from core.media import SoundNotes

    body = bext_chunk(SoundNotes(originator="roomtone", time_reference=start))
    bext = b"bext" + struct.pack("<I", len(body)) + body
    block = channels * width
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * block, block, width * 8)
    total = 4 + 36 + len(bext) + len(fmt) + 8 + data + data % 2
    if total <= _RIFF_LIMIT:
        opening = struct.pack("<4sI4s4sI28x", b"RIFF", total, b"WAVE", b"JUNK", 28)
        return opening + bext + fmt + struct.pack("<4sI", b"data", data)
    sizes = struct.pack("<QQQI", total, data, data // block, 0)
    opening = struct.pack("<4sI4s4sI", b"RF64", _RIFF_LIMIT, b"WAVE", b"ds64", 28) + sizes
    return opening + bext + fmt + struct.pack("<4sI", b"data", _RIFF_LIMIT)

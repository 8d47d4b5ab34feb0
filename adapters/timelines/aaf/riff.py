"""What the `Summary` of an AAF descriptor says: the head of a WAVE or AIFF file."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """Channels, bits a sample and samples a second of a sound file's head."""

    channels: int
    bits: int
    rate: int


def summary_format(head: bytes) -> SoundFormat | None:
    """The format in the head of a RIFF WAVE or AIFF file, None where there is none."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        body = _chunk(head, b"fmt ", "<")
        if len(body) >= 16:
            channels, rate = struct.unpack_from("<HI", body, 2)
            return SoundFormat(channels, struct.unpack_from("<H", body, 14)[0], rate)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        body = _chunk(head, b"COMM", ">")
        if len(body) >= 18:
            channels, _, bits = struct.unpack_from(">HIH", body, 0)
            return SoundFormat(channels, bits, _extended(body[8:18]))
    return None


def _chunk(head: bytes, name: bytes, order: str) -> bytes:
    at = 12
    while at + 8 <= len(head):
        size: int = struct.unpack_from(f"{order}I", head, at + 4)[0]
        if head[at : at + 4] == name:
            return head[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return b""


def _extended(ten: bytes) -> int:
    """A whole number in AIFF's 80-bit float (IEEE 754 extended)."""
    exponent, mantissa = struct.unpack(">HQ", ten)
    shift = 16383 + 63 - (exponent & 0x7FFF)
    return int(mantissa >> shift) if 0 <= shift < 64 else 0

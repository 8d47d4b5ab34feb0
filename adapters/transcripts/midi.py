"""Standard MIDI file with markers: what Pro Tools, Logic, Cubase and Reaper import as markers.

Pro Tools takes memory locations from no text file; its reference guide names markers of a MIDI
file, which it imports into a session that has none (File > Import > MIDI, at session start).
Tempo is 120, as in a new session, so that they lie right whether it is imported or not.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from math import ceil

from core.cut import Marker
from core.spotting import SpottingList, Wanted, cleaned, markers, painter

TICKS = 960
"""Ticks of a quarter note; half a second, so a tick is about half a millisecond."""
_TEMPO_US = 500_000
_TRACK_NAME, _MARKER, _END, _TEMPO = 0x03, 0x06, 0x2F, 0x51


def serialise(found: SpottingList, wanted: Wanted) -> bytes:
    """Lines and events as markers of a MIDI file, counted from the first sample.

    A marker lies on the first tick of its frame, so that no host shows it a frame early.
    """
    found = cleaned(found)
    made = markers(found, wanted, painter(found, ("",), ""))
    events = [_meta(0, _TRACK_NAME, found.name.encode()), _meta(0, _TEMPO, _TEMPO_US.to_bytes(3))]
    before = 0
    for marker in made:
        tick = _tick(found, marker)
        events.append(_meta(tick - before, _MARKER, marker.name.encode()))
        before = tick
    track = b"".join([*events, _meta(0, _END, b"")])
    head = struct.pack(">4sIHHH", b"MThd", 6, 1, 1, TICKS)
    return head + struct.pack(">4sI", b"MTrk", len(track)) + track


def _tick(found: SpottingList, marker: Marker) -> int:
    seconds = found.seconds(found.first_frame + int(marker.at))
    return ceil(seconds * TICKS * Fraction(1_000_000, _TEMPO_US))


def _meta(delta: int, kind: int, content: bytes) -> bytes:
    return _number(delta) + bytes((0xFF, kind)) + _number(len(content)) + content


def _number(value: int) -> bytes:
    """A variable-length quantity: seven bits a byte, the highest first."""
    low = [value & 0x7F]
    while value := value >> 7:
        low.append(value & 0x7F | 0x80)
    return bytes(reversed(low))

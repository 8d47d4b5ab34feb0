"""AAF, as Avid Media Composer, Pro Tools and Premiere write it, through pyaaf2.

Quirks handled here and in the modules beside this one:
- A clip leads through mobs: composition, master clip, file, tape. `aaf_sources` follows them.
- Slots count in rates of their own (24, 96, 48000): all is laid out in exact seconds.
- A transition shortens its track: its two clips overlap by its length, and beside a filler it is
  a fade.
- Avid mutes a clip by a selector, wraps whole tracks in pan and gain effects, leaves the points
  of an effect unsorted, and counts several timecodes beside the one that is the sequence's.
- Premiere says the timecode of a tape twice; timecode at 23.976 that claims to drop frames does
  not.
- Pro Tools counts in samples; only its timecode slot says the frame rate.
- pyaaf2 may raise anything or never end on a damaged file: `aaf_apart` reads in a process that
  can be stopped.

Picture tracks are read for their clips and speeds, so that the cut's length and rate are right;
their effects are not.
"""

from __future__ import annotations

from pathlib import Path

from adapters.timelines.aaf.apart import read_apart
from core.cut import Cut
from core.errors import InputError

TIME_LIMIT_S = 30.0
_MAX_BYTES = 64 << 30
_SECONDS_A_BYTE = 2 / 1_000_000
_MOST_SECONDS = 1800.0
"""Reading takes half a second for a megabyte of metadata (2,000 events): four times that is allowed
beside the limit."""
_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")


def read(path: Path, essence: Path | None = None, limit_s: float = TIME_LIMIT_S) -> Cut:
    """Read an AAF into a cut.

    essence: folder in which sound that lies inside the file is written, as `essence/<mob id>`
    with its suffix; None leaves it there, with a warning. limit_s: seconds that reading may take,
    beside two for each megabyte. Raises InputError where the file is no AAF, holds no
    sequence, or can't be read within the limit; OutputError where sound can't be written.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(len(_SIGNATURE))
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror or fault}).") from fault
    if size > _MAX_BYTES:
        raise InputError(f"{path} is over 64 GB, too large for an AAF; link to the media instead.")
    if head != _SIGNATURE:
        raise InputError(
            f"{path} is not an AAF (it does not begin as one); export the sequence as AAF."
        )
    return read_apart(path, essence, min(limit_s + size * _SECONDS_A_BYTE, _MOST_SECONDS))

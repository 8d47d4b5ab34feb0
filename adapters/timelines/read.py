"""One door for every timeline format."""

from __future__ import annotations

from pathlib import Path

from adapters.timelines import edl, otio
from core.cut import Cut
from core.errors import InputError
from core.time import FrameRate

SUFFIXES = (".otio", ".edl")


def read_cut(path: Path, edl_rate: FrameRate) -> Cut:
    """Read a timeline by its suffix.

    edl_rate: frame rate of an EDL, which names none itself. Raises InputError with one sentence
    where the file is missing, unreadable, empty, or of a format that is not read.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; give the path of a cut.")
    suffix = path.suffix.lower()
    if suffix == ".otio":
        return otio.read(path)
    if suffix == ".edl":
        return edl.read(path, edl_rate)
    raise InputError(
        f"{path} is of a format roomtone does not read yet ({', '.join(SUFFIXES)} are read)."
    )

"""One door for every timeline format."""

from __future__ import annotations

from pathlib import Path

from core.cut import Cut
from core.errors import InputError
from core.time import FrameRate

SUFFIXES = (".otio", ".otioz", ".otiod", ".edl", ".xml", ".fcpxml", ".fcpxmld", ".aaf")
LONGEST_S = 30 * 24 * 3600
"""Of a cut: what is delivered grows with it, and a file of one clip may claim centuries. All takes
of a long production one after another have some 300 hours."""

FOLDERS = (".otiod", ".fcpxmld")
"""Bundles: a timeline that is a folder."""


def timeline_file(path: Path) -> Path:
    """The file that holds a timeline: the path itself, or what a bundle keeps it in."""
    inside = {".otiod": "content.otio", ".fcpxmld": "Info.fcpxml"}.get(path.suffix.lower())
    return path / inside if inside and path.is_dir() else path


def read_cut(path: Path, edl_rate: FrameRate, essence: Path | None = None) -> Cut:
    """Read a timeline by its suffix.

    edl_rate: frame rate of an EDL, which names none itself. essence: folder into which sound
    that a timeline carries inside it is extracted; None leaves it there. Raises InputError with
    one sentence where the file is missing, unreadable, empty, or of a format that is not read.
    """
    cut = _read(path, edl_rate, essence)
    if cut.length > LONGEST_S * cut.rate.fps:
        raise InputError(
            f"{path} is over {LONGEST_S // 86_400} days long; export one reel or sequence."
        )
    return cut


def _read(path: Path, edl_rate: FrameRate, essence: Path | None) -> Cut:
    suffix = path.suffix.lower()
    if not (path.is_file() or (suffix in FOLDERS and path.is_dir())):
        raise InputError(f"{path} does not exist; give the path of a cut.")
    if suffix in (".otio", ".otioz", ".otiod"):
        from adapters.timelines.otio import read as otio

        return otio.read(path, essence)
    if suffix == ".edl":
        from adapters.timelines.edl import read as edl

        return edl.read(path, edl_rate)
    if suffix == ".xml" and not _is_fcpxml(path):
        from adapters.timelines.fcp7 import read as fcp7

        return fcp7.read(path)
    if suffix in (".xml", ".fcpxml", ".fcpxmld"):
        from adapters.timelines.fcpxml import read as fcpxml

        return fcpxml.read(path)
    if suffix == ".aaf":
        from adapters.timelines.aaf import read as aaf

        return aaf.read(path, essence)
    raise InputError(
        f"{path} is of a format roomtone does not read ({', '.join(SUFFIXES)} are read)."
    )


def _is_fcpxml(path: Path) -> bool:
    """Whether an `.xml` file is Final Cut Pro X's, by its root element."""
    try:
        with path.open("rb") as file:
            return b"<fcpxml" in file.read(4096)
    except OSError:
        return False

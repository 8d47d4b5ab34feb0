"""A media file as it was found: its format, its place in timecode and its recorder's notes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.time import FrameRate


@dataclass(frozen=True)
class SoundNotes:
    """What a sound recorder wrote about a take (bext and iXML; iXML wins where they differ).

    track_names: channel number from 0 to name (`BOOM`, a character), as pairs.
    absent_tracks: names of tracks that were recorded with these but are not in the file (a file
        a channel, or channels taken out).
    timecode_rate: of the recorder's timecode, or None.
    time_reference: samples since midnight of the first sample, or None where the file has no
        bext or iXML (a 0 that was written is kept as 0).
    ixml_rest: what else stood in iXML (UBITS, LOCATION, USER, …), an XML element each, so that a
        copy of the sound can carry it on.
    """

    scene: str = ""
    take: str = ""
    tape: str = ""
    circled: bool = False
    note: str = ""
    project: str = ""
    description: str = ""
    originator: str = ""
    originator_reference: str = ""
    origination_date: str = ""
    origination_time: str = ""
    coding_history: str = ""
    umid: str = ""
    track_names: tuple[tuple[int, str], ...] = ()
    absent_tracks: tuple[str, ...] = ()
    timecode_rate: FrameRate | None = None
    time_reference: int | None = None
    ixml_rest: tuple[str, ...] = ()

    def track_name(self, channel: int) -> str:
        """The name of a channel (counted from 0), or an empty string."""
        return dict(self.track_names).get(channel, "")


@dataclass(frozen=True)
class MediaFile:
    """A media file that was probed. frames: samples a channel at sample_rate Hz.

    subtype: sample format as libsndfile names it (`PCM_24`, `FLOAT`), or the codec's name.
    size, mtime_ns: of the file when probed, to notice a change.
    essence: sha256 over the decoded audio (metadata changes leave it alone), or empty where it
        was not hashed yet. sha256: over the bytes of the file, likewise.
    warnings: what was odd about the file but survivable, a sentence each.
    """

    path: Path
    container: str
    subtype: str
    sample_rate: int
    channels: int
    frames: int
    size: int
    mtime_ns: int
    notes: SoundNotes = SoundNotes()
    essence: str = ""
    sha256: str = ""
    warnings: tuple[str, ...] = ()

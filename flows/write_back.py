"""The cut written back, its clips pointing at the original and the cleaned media."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from adapters.media.whole import write_text
from adapters.timelines.named import NamedMedia
from adapters.timelines.otio_write import serialise, to_otio
from flows.clips import Clip
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import code_version


def named_media(
    turnover: Turnover, clips: Sequence[Clip], folder: Path
) -> dict[str, dict[str, NamedMedia]]:
    """For each event its `original` and `cleaned` media, as a timeline in `folder` sees them."""
    rate = turnover.cut.rate
    starts = {
        event.id: event.source_start
        for track in turnover.cut.audio_tracks
        for event in track.events
    }
    media: dict[str, dict[str, NamedMedia]] = {}
    for clip in clips:
        link = turnover.links[clip.event_id]
        hertz = link.media.sample_rate

        # Both files start so many frames before the event's own first frame.
        def placed(
            path: Path,
            first: int,
            frames: int,
            channels: tuple[int, ...],
            width: int,
            clip: Clip = clip,
            hertz: int = hertz,
        ) -> NamedMedia:
            origin = turnover.links[clip.event_id].source_start
            start = starts[clip.event_id] - Fraction(origin - first) * rate.fps / hertz
            length = Fraction(frames) * rate.fps / hertz
            url = relative_url(path, folder)
            return NamedMedia(path.resolve(), url, start, length, hertz, frames, channels, width)

        media[clip.event_id] = {
            "original": placed(
                link.media.path, 0, link.media.frames, link.channels, link.media.channels
            ),
            "cleaned": placed(
                clip.path,
                clip.start,
                clip.end - clip.start,
                tuple(range(clip.channels)),
                clip.channels,
            ),
        }
    return media


def write_timeline(
    folder: Path, turnover: Turnover, clips: Sequence[Clip], cleaned: Mapping[str, CleanedTake]
) -> Path:
    """Write the cut as OTIO; its clips carry `original` and `cleaned` media by name."""
    timelines = folder / "timelines"
    timeline = to_otio(turnover.cut, named_media(turnover, clips, timelines), "cleaned")
    timeline.metadata["roomtone"] = {
        "version": code_version(),
        "cut_sha256": turnover.digest,
        "takes": {
            take.take.id: {"key": take.key, "sha256": take.sha256} for take in cleaned.values()
        },
    }
    path = timelines / f"{turnover.path.stem}.cleaned.otio"
    write_text(path, serialise(timeline))
    return path


def relative_url(path: Path, folder: Path) -> str:
    """A URL relative to a folder, or absolute where the two share no drive."""
    try:
        return quote(Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix())
    except ValueError:
        return path.resolve().as_uri()

"""The cut written back, its clips pointing at the original and the cleaned media."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from adapters.timelines.named import NamedMedia
from adapters.timelines.read import read_cut
from adapters.timelines.write import write_cut
from core.compare import differences, in_words
from core.cut import Cut, with_distinct_tracks
from core.errors import InputError, OutputError
from flows.clips import Clip
from flows.stems import Rendered
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import code_version

READ_BACK = {"otio": "OTIO", "aaf": "AAF", "edl": "An EDL", "xml": "FCP7 XML"}
POINTING = ("media_url", "media_file_name", "media_material_id", "media_name", "channels")
"""What differs by intent: a written clip points at its cleaned file."""


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


@dataclass(frozen=True)
class Timelines:
    """The cut in the formats that were asked for.

    paths: what was written. lost: what a format could not hold, a sentence each.
    """

    paths: tuple[Path, ...]
    lost: tuple[str, ...]


def write_timelines(
    folder: Path,
    turnover: Turnover,
    clips: Sequence[Clip],
    cleaned: Mapping[str, CleanedTake],
    rendered: Rendered,
    formats: Sequence[str],
    embed: bool = False,
) -> Timelines:
    """Write the cut into `folder`, its clips playing the cleaned media; each file is read again.

    formats: of config.settings.TIMELINES. embed: whether an AAF holds the sound itself.
    Raises OutputError where the folder can't be written.
    """
    media = named_media(turnover, clips, folder)
    takes = {take.take.id: {"key": take.key, "sha256": take.sha256} for take in cleaned.values()}
    provenance = {"version": code_version(), "cut_sha256": turnover.digest, "takes": takes}
    paths: list[Path] = []
    lost: list[str] = []
    for name in formats:
        path = folder / f"{turnover.path.stem}.cleaned.{name}"
        shown = with_removed(media, turnover, rendered, folder) if name == "rpp" else media
        write_cut(turnover.cut, shown, "cleaned", path, provenance, embed)
        paths.append(path)
        if name in READ_BACK:
            lost += lost_in(turnover.cut, path, READ_BACK[name])
    return Timelines(tuple(paths), tuple(lost))


def lost_in(cut: Cut, path: Path, name: str) -> tuple[str, ...]:
    """What the written file does not say of the cut, found by reading it again, a sentence each.

    name: of the format, as people call it. Raises OutputError where it can't be read again.
    """
    try:
        again = with_distinct_tracks(read_cut(path, cut.rate))
    except InputError as fault:
        raise OutputError(f"{path} was written and can't be read again ({fault})") from fault
    found = differences(cut, again)
    return in_words(name, [item for item in found if item.field not in POINTING])


def relative_url(path: Path, folder: Path) -> str:
    """A URL relative to a folder, or absolute where the two share no drive."""
    try:
        return quote(Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix())
    except ValueError:
        return path.resolve().as_uri()


def with_removed(
    media: Mapping[str, Mapping[str, NamedMedia]],
    turnover: Turnover,
    rendered: Rendered,
    folder: Path,
) -> dict[str, dict[str, NamedMedia]]:
    """The media with `removed`: each event's stretch of its track's NR stem.

    A stem counts in the record, so its start is moved to where the event's source counts.
    """
    removed = {stem.name.track: stem for stem in rendered.stems if stem.name.role == "NR"}
    fps = turnover.cut.rate.fps
    rate = rendered.sample_rate
    found = {event_id: dict(named) for event_id, named in media.items()}
    for track, event in turnover.cut.sounding():
        stem = removed.get(track.name)
        if stem is None or event.id not in found or event.speed != 1:
            continue
        found[event.id]["removed"] = NamedMedia(
            stem.path.resolve(),
            relative_url(stem.path, folder),
            event.source_start - event.record_start - rendered.leader.head,
            Fraction(stem.frames) * fps / rate,
            rate,
            stem.frames,
            tuple(range(stem.channels)),
            stem.channels,
        )
    return found

"""The holes of a cut: where no dialogue track plays anything between the clips of a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.conform import Placement
from core.scenes import folded_scene
from core.time import frames_to_samples
from flows.turnover import Turnover
from models.noise_only import Stretch


@dataclass(frozen=True)
class Hole:
    """Where nothing plays, in samples of the record, and the clips next to it."""

    start: int
    end: int
    left: tuple[Placement, ...]
    right: tuple[Placement, ...]


def scene_of(turnover: Turnover, item: Placement) -> str:
    """The scene that a clip is of, folded; the file where neither recorder nor cut names one.

    Letters after a scene's number are its setups: 12A and 12B are scene 12.
    """
    media = turnover.links[item.event_id].media
    written = media.notes.scene or _event_scene(turnover, item.event_id)
    return folded_scene(written) or f"file {media.essence}"


def _event_scene(turnover: Turnover, event_id: str) -> str:
    events = (event for track in turnover.cut.audio_tracks for event in track.events)
    return next((event.media.scene for event in events if event.id == event_id), "")


def setup_name(turnover: Turnover, item: Placement) -> tuple[object, ...]:
    """What two clips have in common that were recorded alike: scene, setup and microphones."""
    media = turnover.links[item.event_id].media
    names = tuple(media.notes.track_name(channel) or channel for channel in item.channels)
    return (scene_of(turnover, item), media.notes.scene, names)


def holes(
    turnover: Turnover, laid: Mapping[str, Sequence[Placement]], sample_rate: int, most_s: float
) -> tuple[Hole, ...]:
    """The holes to fill between clips of one scene, in order.

    laid: placements of the dialogue tracks. An event that stays silent for want of its media or
    its speed is no hole.
    """
    items = [item for track in laid.values() for item in track]
    busy = [(item.record_start, item.record_end) for item in items]
    busy += _silent_events(turnover, laid, sample_rate)
    clips = [item for item in items if item.event_id not in turnover.through]
    found = []
    end = 0
    for start, last in sorted(busy):
        if 0 < end < start and start - end <= most_s * sample_rate:
            left = tuple(item for item in clips if item.record_end == end)
            right = tuple(item for item in clips if item.record_start == start)
            scenes = [{scene_of(turnover, item) for item in side} for side in (left, right)]
            if scenes[0] & scenes[1]:
                found.append(Hole(end, start, left, right))
        end = max(end, last)
    return tuple(found)


def _silent_events(
    turnover: Turnover, laid: Mapping[str, Sequence[Placement]], sample_rate: int
) -> list[Stretch]:
    cut = turnover.cut
    placed = {item.event_id for track in laid.values() for item in track}
    origin = frames_to_samples(cut.start, cut.rate.fps, sample_rate)
    return [
        (
            frames_to_samples(cut.start + event.record_start, cut.rate.fps, sample_rate) - origin,
            frames_to_samples(cut.start + event.record_end, cut.rate.fps, sample_rate) - origin,
        )
        for track, event in cut.sounding()
        if track.name in laid and event.id not in placed
    ]

"""Writes an AAF for Pro Tools and Avid: mono sound slots, transitions, gain, pan, mutes, media.

Structured as the files that Avid writes, and read back by two readers; not yet tried in a host.
Not written: picture, markers, roles, more than one reference for a clip. What a slot can't hold
is laid out by `aaf_plan`. Speed is Avid's Motion Control, which a host may refuse on sound.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from adapters.media.whole import output_error, whole_file
from adapters.timelines.aaf.plan import (
    Clip,
    Grid,
    Joint,
    PlannedSlot,
    Silence,
    grid_of,
    planned,
    source_offset,
)
from adapters.timelines.aaf.write_effects import Effects
from adapters.timelines.aaf.write_media import MediaMobs, fps_value, timecode
from adapters.timelines.named import MediaOfEvents
from core.cut import Cut
from core.errors import OutputError

_PRODUCT = "b5a4c0de-3f0c-5b7e-9d1a-7c3f2e5d8a40"
_COMPANY = "roomtone"


def write(cut: Cut, media: MediaOfEvents, active: str, path: Path, embed: bool = False) -> None:
    """Write the sound of a cut as an AAF, whole or not at all.

    media: for an event's id, its media by name. active: the name that plays where an event has
    it; an event without media points where the timeline did. embed: put the sound of the media
    into the file (waves of 16 or 24 bits). Edits lie on frames where all of the cut's do, else
    on samples. Raises OutputError.
    """
    import aaf2

    try:
        with whole_file(path) as temporary, aaf2.open(str(temporary), "w") as file:
            _fill(file, cut, media, active, embed)
    except OSError as fault:
        raise output_error(path, fault) from fault
    except (ValueError, OverflowError) as fault:
        raise OutputError(f"{path} can't be written as an AAF ({fault}).") from fault


def _fill(file: Any, cut: Cut, media: MediaOfEvents, active: str, embed: bool) -> None:
    from aaf2.auid import AUID

    identification = file.header["IdentificationList"].value[0]
    identification["ProductName"].value = _COMPANY
    identification["CompanyName"].value = _COMPANY
    identification["ProductVersionString"].value = "1"
    identification["ProductID"].value = AUID(_PRODUCT)
    grid = grid_of(cut, media, active)
    composition = file.create.CompositionMob(cut.name)
    composition.usage = "Usage_TopLevel"
    file.content.mobs.append(composition)
    counting = composition.create_timeline_slot(fps_value(cut.rate.fps))
    counting.name = "TC1"
    counting["PhysicalTrackNumber"].value = 1
    frames = max(1, -(-cut.length.numerator // cut.length.denominator))
    counting.segment = timecode(file, cut.rate, cut.start, frames)
    mobs, effects = MediaMobs(file, cut.rate, embed), Effects(file)
    for slot in planned(cut, media, active, grid):
        _slot(file, composition, slot, grid, mobs, effects)


def _slot(
    file: Any,
    composition: Any,
    planned_slot: PlannedSlot,
    grid: Grid,
    mobs: MediaMobs,
    effects: Effects,
) -> None:
    slot = composition.create_timeline_slot(fps_value(grid.rate))
    slot.name = planned_slot.name
    slot["PhysicalTrackNumber"].value = planned_slot.number
    if planned_slot.track.muted or not planned_slot.track.enabled:
        tag = file.create.TaggedValue("AudioMixerCompMute", 1, "aafInt32")
        slot["TimelineMobAttributeList"].append(tag)
    sequence = file.create.Sequence(media_kind="sound")
    slot.segment = sequence
    length = 0
    made = []
    for part in planned_slot.parts:
        made.append(_part(file, part, grid, mobs, effects))
        length += -part.length if isinstance(part, Joint) else part.length
    sequence.components.extend(made)
    sequence.length = length


def _part(
    file: Any, part: Silence | Joint | Clip, grid: Grid, mobs: MediaMobs, effects: Effects
) -> Any:
    if isinstance(part, Silence):
        return file.create.Filler("sound", part.length)
    if isinstance(part, Joint):
        return effects.dissolve(part.length, part.cut_point, part.shape)
    return _clip(file, part, grid, mobs, effects)


def _clip(file: Any, clip: Clip, grid: Grid, mobs: MediaMobs, effects: Effects) -> Any:
    """A source clip in the effects that the event has, the innermost first."""
    event, length = clip.event, clip.length
    master = mobs.clip(event, clip.media)
    offset = grid.at(source_offset(event, clip.media))
    plays = length if event.speed == 1 else _consumed(event.speed, length)
    segment = file.create.SourceClip(offset, plays, master.mob_id, clip.channel + 1, "sound")
    if event.speed != 1:
        segment = effects.speed(segment, event.speed, length)
    if event.gain_db:
        segment = effects.gain(segment, event.gain_db, length)
    if event.automation:
        whole = event.record_length or Fraction(1)
        points = [(point.at / whole, point.gain_db) for point in event.automation]
        segment = effects.automation(segment, points, length)
    if event.pan is not None:
        segment = effects.pan(segment, event.pan, length)
    return segment if event.sounds else effects.muted(segment, length)


def _consumed(speed: Fraction, length: int) -> int:
    used = abs(speed) * length
    return max(1, -(-used.numerator // used.denominator))

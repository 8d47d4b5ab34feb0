"""Lays what sounds in an FCPXML timeline into tracks, which the format does not have.

A track holds one role (with its subrole) of one lane, and only dissolves overlap on it; what
else overlaps goes to a further track. Tracks are numbered within their main role: `Dialogue 1`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush

from adapters.timelines.fcpxml.ledger import Picture
from adapters.timelines.fcpxml.sounds import Sound, cropped
from adapters.timelines.fcpxml.values import SILENCE_DB, main_role, plain_role
from core.cut import Event, Fade, GainPoint, Track

_NO_ROLE = "Audio"
_MAX_GROUPS = 500


@dataclass
class _Rows:
    """Rows of one role and lane as they fill, in order of time."""

    rows: list[list[Sound]] = field(default_factory=list)
    busy: list[tuple[Fraction, int]] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    fading: dict[tuple[Fraction, Fraction], int] = field(default_factory=dict)

    def add(self, sound: Sound) -> None:
        """Put a sound into the row it dissolves from, else the first free one, else a new one."""
        while self.busy and self.busy[0][0] <= sound.start:
            end, row = heappop(self.busy)
            if self.rows[row][-1].end == end:
                heappush(self.free, row)
        dissolving = self._dissolving(sound)
        if dissolving is not None:
            row = dissolving
        else:
            row = heappop(self.free) if self.free else len(self.rows)
            if row == len(self.rows):
                self.rows.append([])
        self.rows[row].append(sound)
        heappush(self.busy, (sound.end, row))
        if sound.fade_out is not None:
            self.fading[sound.end - sound.fade_out.length, sound.end] = row

    def _dissolving(self, sound: Sound) -> int | None:
        if sound.fade_in is None:
            return None
        end = sound.start + sound.fade_in.length
        row = self.fading.pop((sound.start, end), None)
        fits = row is not None and self.rows[row][-1].end == end and sound.end > end
        return row if fits else None


def audio_tracks(sounds: Iterable[Sound], fps: Fraction) -> tuple[Track, ...]:
    """Tracks of events at a cut's rate, by role in order of first appearance, then by lane.

    The primary storyline comes first, then lanes below it, then lanes above it.
    """
    ordered = sorted(sounds, key=lambda sound: (sound.start, abs(sound.lane), sound.source))
    lanes = len({(plain_role(sound.role), sound.lane) for sound in ordered})
    groups: dict[str, dict[int, _Rows]] = {}
    titles: dict[str, str] = {}
    for sound in ordered:
        role = plain_role(sound.role)
        titles.setdefault(role, sound.role.strip())
        lane = sound.lane if lanes <= _MAX_GROUPS else 0
        groups.setdefault(role, {}).setdefault(lane, _Rows()).add(sound)
    numbers: dict[str, int] = {}
    tracks = []
    for role, by_lane in groups.items():
        for lane in sorted(by_lane, key=lambda number: (number > 0, abs(number))):
            for row in by_lane[lane].rows:
                title = main_role(role).title() or _NO_ROLE
                numbers[title] = numbers.get(title, 0) + 1
                name = f"{title} {numbers[title]}"
                tracks.append(_track(name, titles[role], row, fps))
    return tuple(tracks)


def picture_track(picture: Iterable[Picture], fps: Fraction) -> Track:
    """The primary storyline as a video track."""
    events = tuple(
        Event(
            id=f"V1/{number:03d}",
            record_start=item.start * fps,
            record_length=item.length * fps,
            source_start=item.source * fps,
            media=item.media,
            speed=item.speed,
            enabled=item.enabled,
        )
        for number, item in enumerate(picture, 1)
        if item.length > 0
    )
    return Track("V1", events, "video")


def _track(name: str, role: str, row: list[Sound], fps: Fraction) -> Track:
    events = tuple(
        _event(f"{name}/{number:03d}", sound, fps) for number, sound in enumerate(row, 1)
    )
    return Track(name, events, role=role)


def _event(name: str, sound: Sound, fps: Fraction) -> Event:
    curve = cropped(sound.curve, sound.start, sound.end)
    levels = {level for _, level in curve}
    steady = levels.pop() if len(levels) == 1 else None
    return Event(
        id=name,
        record_start=sound.start * fps,
        record_length=sound.length * fps,
        source_start=sound.source * fps,
        media=sound.asset.reference(sound.name, sound.slate, fps),
        channels=sound.channels,
        fade_in=_frames(sound.fade_in, fps),
        fade_out=_frames(sound.fade_out, fps),
        gain_db=max(SILENCE_DB, sound.gain_db + (steady or 0.0)),
        automation=()
        if steady is not None
        else tuple(GainPoint((time - sound.start) * fps, level) for time, level in curve),
        pan=sound.pan,
        speed=sound.speed,
        variable_speed=sound.variable,
        keeps_pitch=sound.keeps_pitch,
        enabled=sound.enabled,
        muted=sound.muted,
        role=sound.role,
        notes=(("effects", ", ".join(sound.effects)),) if sound.effects else (),
    )


def _frames(fade: Fade | None, fps: Fraction) -> Fade | None:
    return None if fade is None else Fade(fade.length * fps, fade.shape)

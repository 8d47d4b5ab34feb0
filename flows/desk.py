"""A cut's stems, block by block: which placements sound where, on the grid, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from core.conform import Placement, Retimed, Timetable, placements, render, timetable
from core.speech import Line
from core.stems import Grid, Span, character_mask, character_spans, split_characters, to_grid
from core.time import round_half_up
from flows.listen import Heard
from flows.room_tone import FillOptions, RoomToneFill
from flows.settle import wearers
from flows.sounds import Sounds
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import Workspace

PAGE_SECONDS = 10


@dataclass(frozen=True, order=True)
class StemName:
    """Which stem: its role, and its track or character where it belongs to one.

    role: PROD, DX, NR (of a track), DX with no track (the dialogue of all tracks), CHAR, OTHER;
    THRU of a track that is no dialogue; RT, the room tone between the clips.
    """

    role: str
    track: str = ""
    character: str = ""

    @property
    def label(self) -> str:
        """As part of a file name: `A1_DX.NR`, `DX`, `CHAR.REN`."""
        parts = [self.track, self.role, self.character]
        return ".".join(file_safe(part) for part in parts if part)


def file_safe(name: str) -> str:
    """A name that every file system takes: letters, digits, `-` and `_`."""
    kept = "".join(char if char.isalnum() or char in "-_" else "_" for char in name)
    return kept.strip("_") or "_"


class Desk:
    """A cut's sounds at the session's rate, the tracks that play them, and who speaks where."""

    def __init__(
        self,
        work: Workspace,
        turnover: Turnover,
        cleaned: Mapping[str, CleanedTake],
        heard: Mapping[str, Heard],
        retimed: Retimed,
        fill: FillOptions,
        stack: ExitStack,
    ) -> None:
        """Lay the cut and make its sounds ready. cleaned: by take id. heard: by essence.

        retimed: what becomes of speeds that can't be conformed. fill: which holes get room tone.
        stack: closes the sounds. Raises InputError where media can't be read, OutputError where
        the cache is full.
        """
        self.rate = work.settings.sample_rate
        self.through = turnover.through
        laid = placements(turnover.cut, turnover.sources, self.rate, retimed)
        names = [track.name for track in turnover.cut.audio_tracks]
        self.laid = {name: [item for item in laid if item.track == name] for name in names}
        self.untouched = _untouched(turnover)
        self.widths = {
            name: max((len(item.channels) for item in items), default=1)
            for name, items in self.laid.items()
        }
        self.width = max((self.widths[name] for name in self.dialogue), default=1)
        page = PAGE_SECONDS * self.rate
        self.tables = {name: timetable(items, page) for name, items in self.laid.items()}
        self.sounds = stack.enter_context(Sounds(work, turnover, cleaned, laid))
        own = [item for name in self.dialogue for item in self.laid[name] if not self._passes(item)]
        spans = _spans(work, own, cleaned, heard, self.rate)
        self._all_spans = spans
        self.spans = {
            name: Timetable([span for span in spans if span.track == name], _bounds, page)
            for name in self.dialogue
        }
        self.characters = sorted({span.character for span in spans})
        dialogue = {name: self.laid[name] for name in self.dialogue}
        self.tone = RoomToneFill(work, turnover, self.sounds, heard, dialogue, fill)

    @property
    def dialogue(self) -> list[str]:
        """The tracks that are dialogue, wholly or in part."""
        return [name for name in self.laid if name not in self.untouched]

    def spans_of(self, character: str) -> tuple[Span, ...]:
        """Where in the record a character speaks alone, and its stem sounds."""
        return tuple(span for span in self._all_spans if span.character == character)

    def _passes(self, placement: Placement) -> bool:
        return placement.event_id in self.through

    def block(self, first: int, count: int, gain: float) -> dict[StemName, Grid]:
        """Every stem for a block of the record, on the grid."""
        stems: dict[StemName, Grid] = {}
        dialogue = np.zeros((count, self.width), dtype=np.int64)
        people = {name: np.zeros((count, self.width), dtype=np.int64) for name in self.characters}
        other = np.zeros_like(dialogue)
        for track, width in self.widths.items():
            laid = self.tables[track].during(first, count)
            production = to_grid(render(laid, first, count, width, self.sounds.raw), gain)
            if track in self.untouched:
                stems[StemName("THRU", track)] = production
                continue
            cleaned = to_grid(render(laid, first, count, width, self.sounds.clean), gain)
            stems[StemName("PROD", track)] = production
            stems[StemName("DX", track)] = cleaned
            stems[StemName("NR", track)] = production - cleaned
            dialogue += cleaned
            # What passes through is nobody's, even where it overlaps a line.
            own = [item for item in laid if not self._passes(item)]
            speech = cleaned
            if len(own) < len(laid):
                speech = to_grid(render(own, first, count, width, self.sounds.clean), gain)
            spoken = split_characters(speech, self._masks(track, first, count))[0]
            other += cleaned
            for name, grid in spoken.items():
                people[name] += grid
                other -= grid
        stems[StemName("DX")] = dialogue
        if people:
            for name, grid in people.items():
                stems[StemName("CHAR", character=name)] = grid
            stems[StemName("OTHER")] = other
        if self.tone.voices:
            stems[StemName("RT")] = to_grid(self.tone.block(first, count, self.width), gain)
        return stems

    def _masks(self, track: str, first: int, count: int) -> dict[str, NDArray[np.float64]]:
        spans = self.spans[track].during(first, count)
        return {
            name: character_mask(
                [span for span in spans if span.character == name], first, count, self.rate
            )
            for name in sorted({span.character for span in spans})
        }

    def takes_of(self, name: StemName) -> tuple[str, ...]:
        """The takes that a stem is made of, in the order of first use."""
        if name.role == "RT":
            return self.tone.takes
        tracks = [name.track] if name.track else self.dialogue
        items = [item for track in tracks for item in self.laid[track]]
        if name.character:
            items = [
                item
                for item in items
                if not self._passes(item)
                and any(
                    span.character == name.character
                    for span in self.spans[item.track].during(item.record_start, item.length)
                )
            ]
        return tuple(dict.fromkeys(item.take for item in items))


def _bounds(span: Span) -> tuple[int, int]:
    return span.start, span.end


def _untouched(turnover: Turnover) -> frozenset[str]:
    """The tracks that are no dialogue, and have no event that is."""
    tracks = {track.name: track for track in turnover.cut.audio_tracks}
    return frozenset(
        choice.track
        for choice in turnover.choices
        if not choice.dialogue
        and all(event.id in turnover.through for event in tracks[choice.track].events)
    )


def _spans(
    work: Workspace,
    laid: Sequence[Placement],
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    sample_rate: int,
) -> tuple[Span, ...]:
    """Who speaks alone where. A take at a speed has its lines at that speed."""
    used = {item.take: cleaned[item.take] for item in laid}
    owners = {
        (take_id, channel): name
        for take_id, take in used.items()
        for channel, name in wearers(work, take.media).items()
    }
    rates = {take_id: take.media.sample_rate for take_id, take in used.items()}
    spans: list[Span] = []
    for speed in dict.fromkeys(item.speed for item in laid):
        lines = {
            take_id: [_at_speed(line, speed) for line in heard[take.media.essence].lines]
            for take_id, take in used.items()
            if take.media.essence in heard
        }
        same = [item for item in laid if item.speed == speed]
        spans += character_spans(same, lines, rates, owners, sample_rate)
    return tuple(spans)


def _at_speed(line: Line, speed: Fraction) -> Line:
    if speed == 1:
        return line
    return replace(
        line, start=round_half_up(line.start / speed), end=round_half_up(line.end / speed)
    )

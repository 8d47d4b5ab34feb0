"""The `RT` stem: room tone in the holes between the clips of a scene.

A hole is where no dialogue track plays anything. It is filled where the clips on both sides are
of one scene and it is not too long: from the tone of the clips that end there to the tone of the
clips that start. Next to each join the tone has the level and the spectrum, octave by octave, of
the background that its clip plays there (`models/background.py`); between them it goes over in
equal power, so that a hole is nowhere louder than its louder neighbour. At a hard cut the first and
last `CROSSFADE_S` are the clip's own continuation, where that is noise alone, so that not even a
sample steps. So `RT` is silent where `PROD` plays, but for a clip's own fade at the edge of the
hole, at most `REACH_S`: there the tone comes in as the clip goes (√(1 − g²)).
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.conform import Placement, Timetable, envelope, source_span
from core.media import MediaFile
from core.time import clock
from core.words import some
from flows.harvest import Harvest, Harvester
from flows.holes import Hole, holes, scene_of
from flows.listen import Heard
from flows.sounds import Sounds
from flows.turnover import Turnover
from flows.wild import is_wild
from flows.wild_tones import WildTone, WildTones
from flows.workspace import Workspace
from models.background import background_next_to
from models.roomtone import Tone, process_version, shaped

CROSSFADE_S = 0.06
REACH_S = 0.5
HOLD_S = 0.5
MOST_TONES = 8
DRAWS = 8
_EDGE_S = 0.002

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class FillOptions:
    """Whether and which holes are filled.

    on: whether at all. most_s: a longer hole stays empty, in seconds. wild: further recordings of
    room tone, hashed; where a take's own pauses are too short, one of its scene gives the texture.
    """

    on: bool = True
    most_s: float = 10.0
    wild: tuple[MediaFile, ...] = ()


@dataclass(frozen=True)
class Voice:
    """The tone of one clip at one side of a hole.

    start, end: samples of the record in which it may sound. gain: the clip's at the edge. handle:
    samples next to the edge in which the take itself goes on. harvest: of the clip's take, or of
    another of its setup or of the other side; None where only the wild track is there.
    """

    hole: Hole
    item: Placement
    leaves: bool
    start: int
    end: int
    gain: float
    handle: int
    harvest: Harvest | None
    wild: WildTone | None


@dataclass(frozen=True)
class ToneUse:
    """What the tone in a stretch of the record was made from.

    start, end: samples of the record. take: that it was harvested from, or empty where it was the
    wild track with the sha256 `wild`. first, last: samples of the take's or wild track's file.
    """

    start: int
    end: int
    take: str
    wild: str
    first: int
    last: int


class RoomToneFill:
    """The `RT` stem of a cut, block by block."""

    def __init__(
        self,
        work: Workspace,
        turnover: Turnover,
        sounds: Sounds,
        heard: Mapping[str, Heard],
        laid: Mapping[str, Sequence[Placement]],
        options: FillOptions,
    ) -> None:
        """Find the holes and what to fill them with. laid: placements of the dialogue tracks.

        heard: by essence. Reads a minute or two of a take at a time. Raises InputError.
        """
        self._turnover, self._sounds = turnover, sounds
        self.rate = work.settings.sample_rate
        clips = [
            item
            for track in laid.values()
            for item in track
            if item.event_id not in turnover.through
        ]
        self._harvester = Harvester(work, turnover, sounds, heard, clips)
        wild = (
            *options.wild,
            *turnover.wild,
            *(item for item in turnover.media.values() if is_wild(item)),
        )
        self._wild = WildTones(work, tuple({media.essence: media for media in wild}.values()))
        self._tones: OrderedDict[int, Tone] = OrderedDict()
        self.notes: tuple[str, ...] = ()
        voices: list[Voice] = []
        for hole in holes(turnover, laid, self.rate, options.most_s) if options.on else ():
            found = self._voices(hole)
            voices += found
            if not found:
                self.notes += (self._unfilled(hole),)
        self.voices = tuple(voices)
        self.notes += self._wild_notes()
        self._numbers = {id(voice): number for number, voice in enumerate(self.voices)}
        self._table = Timetable(self.voices, lambda voice: (voice.start, voice.end), 10 * self.rate)

    @property
    def takes(self) -> tuple[str, ...]:
        """The takes that tone was harvested from, in the order of first use."""
        used = (voice.harvest for voice in self.voices if voice.harvest is not None)
        return tuple(dict.fromkeys(harvest.item.take for harvest in used))

    @property
    def uses(self) -> tuple[ToneUse, ...]:
        """For each tone, what it was made from: stretches of takes, or of a wild track."""
        found: set[ToneUse] = set()
        for voice in self.voices:
            where = (voice.start, voice.end)
            if voice.harvest is not None:
                item = voice.harvest.item
                file_rate = self._turnover.links[item.event_id].media.sample_rate
                for start, end in voice.harvest.stretches:
                    played = replace(item, source_start=start, length=end - start)
                    found.add(
                        ToneUse(*where, item.take, "", *source_span(played, self.rate, file_rate))
                    )
            if voice.wild is not None:
                media = voice.wild.media
                found |= {ToneUse(*where, "", media.sha256, *span) for span in voice.wild.stretches}
        return tuple(sorted(found, key=astuple))

    @property
    def from_wild(self) -> tuple[tuple[MediaFile, int, int], ...]:
        """File, first sample and one past the last of each stretch of a wild track that is used."""
        used = (voice.wild for voice in self.voices if voice.wild is not None)
        tones = {(tone.media.essence, tone.channels): tone for tone in used}
        return tuple((tone.media, *span) for tone in tones.values() for span in tone.stretches)

    def block(self, first: int, count: int, width: int) -> Samples:
        """Samples first … first + count of the record, (count, width), full scale 1.0."""
        block = np.zeros((count, width))
        for voice in self._table.during(first, count):
            start, end = max(first, voice.start), min(first + count, voice.end)
            sound = self._sound(voice, start, end - start)
            block[start - first : end - first] += sound if sound.shape[1] == width else sound[:, :1]
        return block

    def _sound(self, voice: Voice, start: int, count: int) -> Samples:
        hole, item = voice.hole, voice.item
        at = np.arange(start, start + count, dtype=np.float64) + 0.5
        part = _gone_over(hole, at, round(HOLD_S * self.rate)) * (math.pi / 2)
        from_edge = at - hole.start if voice.leaves else hole.end - at
        gains = np.cos(part) if voice.leaves else np.sin(part)
        gains *= voice.gain * self._under(voice, from_edge, start, count)
        tone = self._tone(voice).read(start - voice.start, count)
        if not voice.handle:
            return tone * gains[:, None]
        turn = np.clip(from_edge / voice.handle, 0.0, 1.0) * (math.pi / 2)
        place = item.source_start + start - item.record_start
        own = self._sounds.clean(item, place, count) * np.cos(turn)[:, None]
        own[turn >= math.pi / 2] = 0.0
        return (own + tone * np.sin(turn)[:, None]) * gains[:, None]

    def _under(self, voice: Voice, from_edge: Samples, start: int, count: int) -> Samples:
        """The gain with which a tone comes in: under the clip's own fade, else at once."""
        item = voice.item
        reach = _reach(item, self.rate, leaves=voice.leaves)
        if not reach:
            least = _EDGE_S * self.rate
            rise = np.sin(np.clip(from_edge / least, 0.0, 1.0) * (math.pi / 2))
            return rise if not voice.handle else np.ones(count)
        fades = replace(item, gain=1.0, automation=())
        first = min(max(start, item.record_start), item.record_end)
        last = min(max(start + count, item.record_start), item.record_end)
        under = np.ones(count)
        if first < last:
            own = envelope(fades, first - item.record_start, last - first)
            if own is not None:
                left = np.sqrt(np.clip(1.0 - np.square(own), 0.0, 1.0))
                under[first - start : last - start] = left
        ramp = np.sin(np.clip((from_edge + reach) / reach, 0.0, 1.0) * (math.pi / 2))
        return np.minimum(under, ramp)

    def _voices(self, hole: Hole) -> list[Voice]:
        """The tones of a hole, or none. A side without any noise borrows from the other."""
        sides = [
            [
                (item, leaves, self._harvester.next_to(item, leaves=leaves))
                for item in side
                if self._gain(item, leaves=leaves) > 0
            ]
            for side, leaves in ((hole.left, True), (hole.right, False))
        ]
        found = [
            voice
            for number, side in enumerate(sides)
            for item, leaves, own in side
            if (voice := self._voice(hole, item, leaves, own, sides[1 - number])) is not None
        ]
        return found if {voice.leaves for voice in found} == {True, False} else []

    def _voice(
        self,
        hole: Hole,
        item: Placement,
        leaves: bool,
        own: Harvest | None,
        others: Sequence[tuple[Placement, bool, Harvest | None]],
    ) -> Voice | None:
        """The tone next to a clip, or None where there is nothing to make it from."""
        harvest = own or self._harvester.of_setup(item)
        wild = None if own is not None and own.enough else self._wild_of(item)
        if harvest is None and wild is None:
            harvest = next((other for _, _, other in others if other is not None), None)
        if harvest is None and wild is None:
            return None
        reach = _reach(item, self.rate, leaves=leaves)
        handle = 0
        if own is not None and not reach:
            handle = min(round(CROSSFADE_S * self.rate), (hole.end - hole.start) // 2)
            place = item.source_start + (item.length if leaves else -handle)
            if not any(a <= place and place + handle <= b for a, b in own.stretches):
                handle = 0
        start = hole.start - (reach if leaves else 0)
        end = hole.end + (0 if leaves else reach)
        gain = self._gain(item, leaves=leaves)
        return Voice(hole, item, leaves, start, end, gain, handle, harvest, wild)

    def _gain(self, item: Placement, *, leaves: bool) -> float:
        """The clip's gain at its edge, fades left aside."""
        level = replace(item, fade_in=0, fade_out=0)
        gains = envelope(level, max(0, item.length - 1) if leaves else 0, 1)
        return 1.0 if gains is None else float(gains[0])

    def _wild_of(self, item: Placement) -> WildTone | None:
        notes = self._turnover.links[item.event_id].media.notes
        names = [notes.track_name(channel) for channel in item.channels]
        return self._wild.of(scene_of(self._turnover, item), notes.tape, names)

    def _tone(self, voice: Voice) -> Tone:
        number = self._numbers[id(voice)]
        tone = self._tones.pop(number, None) or self._made(voice)
        self._tones[number] = tone
        if len(self._tones) > MOST_TONES:
            self._tones.popitem(last=False)
        return tone

    def _made(self, voice: Voice) -> Tone:
        """The tone of a voice: of several draws the one that is most like the background."""
        harvest, wild = voice.harvest, voice.wild
        if wild is not None:
            grains = wild.grains
        else:
            assert harvest is not None, "a voice has something to be made from"
            grains = self._harvester.grains(harvest.item, harvest.stretches)
        usual = (
            self._harvester.grains(harvest.item, harvest.nearest).level
            if harvest is not None
            else grains.level
        )
        level = self._harvester.level(voice.item, usual, leaves=voice.leaves)
        made = shaped(grains, level, self.rate)
        length = min(round(HOLD_S * self.rate), voice.end - voice.start)
        place = 0 if voice.leaves else voice.end - voice.start - length
        tones = [Tone(made, level, self.rate, self._seed(voice, draw)) for draw in range(DRAWS)]
        return min(tones, key=lambda tone: _off(tone.read(place, length), level, self.rate, voice))

    def _seed(self, voice: Voice, draw: int) -> int:
        """From the take's sound and the place in it, so that no two holes sound the same."""
        item = voice.item
        essence = self._turnover.links[item.event_id].media.essence
        edge = item.source_start + (item.length if voice.leaves else 0)
        name = f"{process_version} {essence} {item.channels} {edge} {voice.leaves} {draw}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")

    def _wild_notes(self) -> tuple[str, ...]:
        holes_of: dict[str, set[int]] = {}
        for voice in self.voices:
            if voice.wild is not None:
                holes_of.setdefault(voice.wild.media.path.name, set()).add(voice.hole.start)
        return tuple(
            f"Room tone at {some([clock(start, self.rate) for start in sorted(starts)])} is made "
            f"from the wild track {name}, because pauses of the takes there are too short."
            for name, starts in holes_of.items()
        )

    def _unfilled(self, hole: Hole) -> str:
        bare = hole.left or hole.right
        return (
            f"The hole at {clock(hole.start, self.rate)} is not filled with room tone: "
            f"{bare[0].event_id} has no noise without speech to match."
        )


def _gone_over(hole: Hole, at: Samples, hold: int) -> Samples:
    """How far, 0 to 1, the tone has gone over from the left of a hole to its right.

    Not at all next to the joins: for `hold` samples, or a quarter of a short hole.
    """
    length = hole.end - hole.start
    kept = min(hold, length // 4)
    return np.clip((at - hole.start - kept) / max(1, length - 2 * kept), 0.0, 1.0)


def _off(tone: Samples, level: Samples, sample_rate: int, voice: Voice) -> float:
    """How far a tone's beginning is off the level it shall have, in dB, the worst octave."""
    found = background_next_to(tone, sample_rate, (), at_end=not voice.leaves)
    if found is None or found.level is None:
        return math.inf
    # Below the octave of 63 Hz so short a sound tells nothing.
    off = 10 * np.log10((found.level[1:] + 1e-20) / (level[1:] + 1e-20))
    return float(np.max(np.abs(off)))


def _reach(item: Placement, sample_rate: int, *, leaves: bool) -> int:
    """How far a tone reaches under a clip: as far as its own fade, up to REACH_S."""
    fade = item.fade_out if leaves else item.fade_in
    return min(fade, round(REACH_S * sample_rate), item.length)

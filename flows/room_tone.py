"""The `RT` stem: room tone in the holes between the clips of a scene.

A hole is where no dialogue track plays anything. It is filled where the clips on both sides are
of one scene and it is not too long: from the tone of the clips that end there to the tone of the
clips that start, in equal power over the whole hole, each at its own clips' level. At a hard cut
the first and last `CROSSFADE_S` are the clip's own continuation, where that is noise alone, so
that not even a sample steps. So `RT` is silent where `PROD` plays, but for a clip's own fade at
the edge of the hole, at most `REACH_S`: there the tone comes in as the clip goes (√(1 − g²)).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, at_rate, sound_file
from core.conform import Placement, Timetable, envelope, source_span
from core.media import MediaFile
from core.time import clock, frames_to_samples
from flows.listen import Heard
from flows.sounds import Sounds
from flows.turnover import Turnover
from flows.workspace import Workspace
from models.roomtone import (
    Grains,
    HarvestOptions,
    Stretch,
    Tone,
    grains_of,
    nearest,
    noise_only,
    process_version,
)
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.rate import SPEECH_RATE, rescale, to_16k

CROSSFADE_S = 0.06
REACH_S = 0.5
HARVEST_S = 6.0
LEVEL_S = 0.75
ENOUGH_S = 1.0
WINDOWS_S = (20, 60)
WILD_S = 60
MOST_TONES = 8
_EDGE_S = 0.002
_WILD = re.compile(r"\b(wild|wildtrack|room ?tone|rt|atmos?|ambien[ct]e)\b", re.IGNORECASE)
_SETUP_LETTER = re.compile(r"^([A-Z]*\d+)[A-Z]{1,2}$")

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class FillOptions:
    """Whether and which holes are filled.

    on: whether at all. most_s: a longer hole stays empty, in seconds. wild: further recordings of
    room tone, hashed, preferred as texture where their scene is the clip's.
    """

    on: bool = True
    most_s: float = 10.0
    wild: tuple[MediaFile, ...] = ()


@dataclass(frozen=True)
class Hole:
    """Where nothing plays, in samples of the record, and the clips next to it."""

    start: int
    end: int
    left: tuple[Placement, ...]
    right: tuple[Placement, ...]


@dataclass(frozen=True)
class Harvest:
    """Noise of a take. item: a placement of the take. stretches: in the take as it plays there.

    nearest: those next to the edge of the clip, whose level the tone has.
    """

    item: Placement
    stretches: tuple[Stretch, ...]
    nearest: tuple[Stretch, ...]


@dataclass(frozen=True)
class Voice:
    """The tone of one clip at one side of a hole.

    start, end: samples of the record in which it may sound. gain: the clip's at the edge. handle:
    samples next to the edge in which the take itself goes on.
    """

    hole: Hole
    item: Placement
    leaves: bool
    start: int
    end: int
    gain: float
    handle: int
    harvest: Harvest


def scene_of(turnover: Turnover, item: Placement) -> str:
    """The scene that a clip is of, folded; the file where neither recorder nor cut names one.

    Letters after a scene's number are its setups: 12A and 12B are scene 12.
    """
    media = turnover.links[item.event_id].media
    written = media.notes.scene or _event_scene(turnover, item.event_id)
    return _folded_scene(written) or f"file {media.essence}"


def _event_scene(turnover: Turnover, event_id: str) -> str:
    events = (event for track in turnover.cut.audio_tracks for event in track.events)
    return next((event.media.scene for event in events if event.id == event_id), "")


def _folded_scene(written: str) -> str:
    name = written.strip().upper()
    match = _SETUP_LETTER.match(name)
    return match[1] if match else name


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


def is_wild(media: MediaFile) -> bool:
    """Whether a file says of itself that it is a wild track of room tone."""
    notes = media.notes
    text = " ".join((media.path.stem, notes.note, notes.description, notes.take, notes.scene))
    return _WILD.search(re.sub(r"[_\-.]+", " ", text)) is not None


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
        self._work, self._turnover, self._sounds, self._heard = work, turnover, sounds, heard
        self.rate = work.settings.sample_rate
        self._clips = [
            item
            for track in laid.values()
            for item in track
            if item.event_id not in turnover.through
        ]
        wild = (*options.wild, *(item for item in turnover.media.values() if is_wild(item)))
        self._wild = tuple({media.essence: media for media in wild}.values())
        self._tones: OrderedDict[Voice, Tone] = OrderedDict()
        self._textures: dict[tuple[str, tuple[int, ...]], Grains | None] = {}
        self.notes: tuple[str, ...] = ()
        voices: list[Voice] = []
        for hole in holes(turnover, laid, self.rate, options.most_s) if options.on else ():
            sides = [
                [voice for item in side if (voice := self._voice(hole, item, leaves=leaves))]
                for side, leaves in ((hole.left, True), (hole.right, False))
            ]
            if all(sides):
                voices += [voice for side in sides for voice in side]
            else:
                self.notes += (self._unfilled(hole, sides),)
        self.voices = tuple(voices)
        self._table = Timetable(self.voices, lambda voice: (voice.start, voice.end), 10 * self.rate)

    @property
    def takes(self) -> tuple[str, ...]:
        """The takes that tone was harvested from, in the order of first use."""
        return tuple(dict.fromkeys(voice.harvest.item.take for voice in self.voices))

    @property
    def harvested(self) -> tuple[tuple[str, int, int], ...]:
        """Take, first sample and one past the last of each stretch, in samples of its file."""
        found = set()
        for voice in self.voices:
            item = voice.harvest.item
            file_rate = self._turnover.links[item.event_id].media.sample_rate
            for start, end in voice.harvest.stretches:
                played = replace(item, source_start=start, length=end - start)
                found.add((item.take, *source_span(played, self.rate, file_rate)))
        return tuple(sorted(found))

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
        part = np.clip((at - hole.start) / (hole.end - hole.start), 0.0, 1.0)
        from_edge = at - hole.start if voice.leaves else hole.end - at
        gains = np.cos(part * (math.pi / 2)) if voice.leaves else np.sin(part * (math.pi / 2))
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

    def _voice(self, hole: Hole, item: Placement, *, leaves: bool) -> Voice | None:
        """The tone next to a clip, or None where there is nothing to make it from."""
        edge = item.length if leaves else 0
        level = replace(item, fade_in=0, fade_out=0)
        gains = envelope(level, max(0, edge - 1), 1)
        gain = 1.0 if gains is None else float(gains[0])
        own = self._harvest(item, item.source_start + edge)
        harvest = own or self._of_setup(item)
        if harvest is None or gain == 0.0:
            return None
        reach = _reach(item, self.rate, leaves=leaves)
        handle = 0
        if own is not None and not reach:
            handle = min(round(CROSSFADE_S * self.rate), (hole.end - hole.start) // 2)
            place = item.source_start + (edge if leaves else -handle)
            if not any(a <= place and place + handle <= b for a, b in own.stretches):
                handle = 0
        start = hole.start - (reach if leaves else 0)
        end = hole.end + (0 if leaves else reach)
        return Voice(hole, item, leaves, start, end, gain, handle, harvest)

    def _of_setup(self, item: Placement) -> Harvest | None:
        """Noise from another place or take of the same scene and microphone."""
        for other in self._clips:
            if other is not item and self._setup(other) == self._setup(item):
                found = self._harvest(other, other.source_start + other.length // 2)
                if found is not None:
                    return found
        return None

    def _setup(self, item: Placement) -> tuple[object, ...]:
        media = self._turnover.links[item.event_id].media
        names = tuple(media.notes.track_name(channel) or channel for channel in item.channels)
        return (scene_of(self._turnover, item), media.notes.scene, names)

    def _harvest(self, item: Placement, place: int) -> Harvest | None:
        """The noise of a clip's take next to a place in it, or None where there is too little."""
        stretches: tuple[Stretch, ...] = ()
        for seconds in WINDOWS_S:
            start = max(0, place - seconds * self.rate)
            count = place + seconds * self.rate - start
            raw = self._sounds.raw(item, start, count).mean(axis=1)
            speech = _spoken(raw, self.rate) + self._lines(item, start)
            clean = self._sounds.clean(item, start, count)
            found = noise_only(clean, self.rate, speech, HarvestOptions())
            stretches = tuple((a + start, b + start) for a, b in found)
            if sum(b - a for a, b in stretches) >= ENOUGH_S * self.rate:
                break
        if not stretches:
            return None
        chosen, level = (
            nearest(stretches, place, round(seconds * self.rate))
            for seconds in (HARVEST_S, LEVEL_S)
        )
        return Harvest(item, chosen, level)

    def _lines(self, item: Placement, start: int) -> list[Stretch]:
        """What was heard in a take, in samples from `start` of the take as it plays."""
        media = self._turnover.links[item.event_id].media
        heard = self._heard.get(media.essence)
        scale = self.rate / media.sample_rate / float(item.speed)
        return [
            (math.floor(line.start * scale) - start, math.ceil(line.end * scale) - start)
            for line in (heard.lines if heard is not None else ())
        ]

    def _tone(self, voice: Voice) -> Tone:
        tone = self._tones.pop(voice, None)
        if tone is None:
            item = voice.harvest.item
            grains = self._grains(item, voice.harvest.stretches)
            near = self._grains(item, voice.harvest.nearest)
            assert grains is not None, "noise_only leaves silence out"
            assert near is not None, "noise_only gives no stretch that is too short for a grain"
            texture = self._texture(voice.item) or grains
            tone = Tone(texture, near.level, self.rate, self._seed(voice))
        self._tones[voice] = tone
        if len(self._tones) > MOST_TONES:
            self._tones.popitem(last=False)
        return tone

    def _grains(self, item: Placement, stretches: Sequence[Stretch]) -> Grains | None:
        parts = [self._sounds.clean(item, start, end - start) for start, end in stretches]
        return grains_of(parts, self.rate)

    def _seed(self, voice: Voice) -> int:
        """From the take's sound and the place in it, so that no two holes sound the same."""
        item = voice.item
        essence = self._turnover.links[item.event_id].media.essence
        edge = item.source_start + (item.length if voice.leaves else 0)
        name = f"{process_version} {essence} {item.channels} {edge} {voice.leaves}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")

    def _texture(self, item: Placement) -> Grains | None:
        """Grains of a wild track of the clip's scene, by the same microphone, if there is one."""
        scene = scene_of(self._turnover, item)
        own = self._turnover.links[item.event_id].media.notes
        names = [own.track_name(channel) for channel in item.channels]
        for media in self._wild:
            if _folded_scene(media.notes.scene) != scene:
                continue
            by_name = {name: channel for channel, name in media.notes.track_names}
            known = [by_name[name] for name in names if name in by_name]
            channels = tuple(known if len(known) == len(names) else range(len(names)))
            if max(channels) >= media.channels:
                continue
            key = (media.essence, channels)
            if key not in self._textures:
                self._textures[key] = self._wild_grains(media, channels)
            if self._textures[key] is not None:
                return self._textures[key]
        return None

    def _wild_grains(self, media: MediaFile, channels: tuple[int, ...]) -> Grains | None:
        cache = self._work.cache
        path = at_rate(sound_file(media, cache), self.rate, cache, media.essence)
        with Sound(path) as sound:
            wild = sound.read(0, min(sound.frames, WILD_S * self.rate), channels)
        speech = _spoken(wild.mean(axis=1), self.rate)
        found = noise_only(wild, self.rate, speech, HarvestOptions())
        middle = nearest(found, len(wild) // 2, round(2 * HARVEST_S * self.rate))
        return grains_of([wild[start:end] for start, end in middle], self.rate)

    def _unfilled(self, hole: Hole, sides: Sequence[Sequence[Voice]]) -> str:
        bare = hole.left if not sides[0] else hole.right
        return (
            f"The hole at {clock(hole.start, self.rate)} is not filled with room tone: "
            f"{bare[0].event_id} has no noise without speech to match."
        )


def _reach(item: Placement, sample_rate: int, *, leaves: bool) -> int:
    """How far a tone reaches under a clip: as far as its own fade, up to REACH_S."""
    fade = item.fade_out if leaves else item.fade_in
    return min(fade, round(REACH_S * sample_rate), item.length)


def _spoken(sound: Samples, sample_rate: int) -> list[Stretch]:
    heard = speech_spans(to_16k(sound.astype(np.float32), sample_rate), ActivityOptions())
    return [
        (rescale(start, SPEECH_RATE, sample_rate), rescale(end, SPEECH_RATE, sample_rate))
        for start, end in heard
    ]

"""Noise of the takes of a cut: what its room tone is made of, and the levels it must meet."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from core.conform import Placement
from core.media import MediaFile
from flows.hearing import in_samples, parts_at_16k, spoken
from flows.holes import setup_name
from flows.listen import Heard
from flows.sounds import Sounds
from flows.turnover import Turnover
from flows.workspace import Workspace
from models.background import FAR_S, background_next_to
from models.noise_only import HarvestOptions, Stretch, nearest, noise_only
from models.roomtone import Grains, grains_of

HARVEST_S = 6.0
LEVEL_S = 0.75
ENOUGH_S = 1.0
WINDOWS_S = (20, 60)
_GRID_S = 10
_MOST_WINDOWS = 16

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Harvest:
    """Noise of a take. item: a placement of the take. stretches: in the take as it plays there.

    nearest: those next to the edge of the clip. enough: whether it is a second and more.
    """

    item: Placement
    stretches: tuple[Stretch, ...]
    nearest: tuple[Stretch, ...]
    enough: bool


@dataclass(frozen=True)
class _Window:
    """A passage of a take as it plays. start, count: in its samples."""

    take: str
    speed: Fraction
    keeps_pitch: bool
    start: int
    count: int


class Harvester:
    """Finds noise in the takes of a cut; what it heard in a take is kept for the next clip."""

    def __init__(
        self,
        work: Workspace,
        turnover: Turnover,
        sounds: Sounds,
        heard: Mapping[str, Heard],
        clips: Sequence[Placement],
    ) -> None:
        """heard: by essence. clips: the placements of production dialogue."""
        self._work, self._turnover, self._sounds, self._heard = work, turnover, sounds, heard
        self._clips = clips
        self._rate = work.settings.sample_rate
        self._windows: OrderedDict[_Window, tuple[Stretch, ...]] = OrderedDict()
        self._speech: dict[tuple[str, tuple[int, ...]], tuple[Stretch, ...]] = {}

    def next_to(self, item: Placement, *, leaves: bool) -> Harvest | None:
        """The noise next to an edge of a clip: the end that it leaves by, or its start.

        None where its take has none within a minute.
        """
        return self._harvest(item, item.source_start + (item.length if leaves else 0))

    def of_setup(self, item: Placement) -> Harvest | None:
        """Noise from another place or take of the same scene and microphone."""
        name = setup_name(self._turnover, item)
        for other in self._clips:
            if other is not item and setup_name(self._turnover, other) == name:
                found = self._harvest(other, other.source_start + other.length // 2)
                if found is not None:
                    return found
        return None

    def grains(self, item: Placement, stretches: Sequence[Stretch]) -> Grains:
        """Grains from stretches of a take, cleaned."""
        parts = [self._sounds.clean(item, start, end - start) for start, end in stretches]
        found = grains_of(parts, self._rate)
        assert found is not None, "noise_only gives neither silence nor what is too short"
        return found

    def level(self, item: Placement, usual: Samples, *, leaves: bool) -> Samples:
        """Mean square of each octave that a tone next to an edge of a clip has to have.

        It is that of the background which the clip itself plays there; where nothing but speech
        is heard, the usual one, and not more than the speech lets through.
        """
        fade = min(item.fade_out if leaves else item.fade_in, item.length)
        count = min(round(FAR_S * self._rate), item.length - fade)
        start = item.source_start + (item.length - fade - count if leaves else fade)
        sound = self._sounds.clean(item, start, count)
        speech = [(a - start, b - start) for a, b in self._spoken(item)]
        found = background_next_to(sound, self._rate, speech, at_end=leaves)
        if found is None:
            return usual
        return np.minimum(usual if found.level is None else found.level, found.most)

    def _harvest(self, item: Placement, place: int) -> Harvest | None:
        """The noise of a clip's take next to a place in it, or None where there is too little."""
        stretches: tuple[Stretch, ...] = ()
        enough = False
        for seconds in WINDOWS_S:
            stretches = self._noise(item, place, seconds)
            enough = sum(b - a for a, b in stretches) >= ENOUGH_S * self._rate
            if enough:
                break
        if not stretches:
            return None
        chosen, level = (
            nearest(stretches, place, round(seconds * self._rate))
            for seconds in (HARVEST_S, LEVEL_S)
        )
        return Harvest(item, chosen, level, enough)

    def _noise(self, item: Placement, place: int, seconds: int) -> tuple[Stretch, ...]:
        grid, reach = _GRID_S * self._rate, seconds * self._rate
        start = max(0, (place - reach) // grid * grid)
        end = min(-(-(place + reach) // grid) * grid, self._sounds.length(item))
        count = max(0, end - start)
        window = _Window(item.take, item.speed, item.keeps_pitch, start, count)
        found = self._windows.pop(window, None)
        if found is None:
            clean = self._sounds.clean(item, start, count)
            speech = [(a - start, b - start) for a, b in self._spoken(item)]
            stretches = noise_only(clean, self._rate, speech, HarvestOptions())
            found = tuple((a + start, b + start) for a, b in stretches)
        self._windows[window] = found
        if len(self._windows) > _MOST_WINDOWS:
            self._windows.popitem(last=False)
        return found

    def _spoken(self, item: Placement) -> tuple[Stretch, ...]:
        """Where somebody speaks in a take, as it plays: voice activity, and the lines heard."""
        media = self._turnover.links[item.event_id].media
        key = (media.essence, item.channels)
        if key not in self._speech:
            self._speech[key] = _activity(self._work, media, item.channels)
        heard = self._heard.get(media.essence)
        lines = [(line.start, line.end) for line in (heard.lines if heard is not None else ())]
        scale = self._rate / media.sample_rate / float(item.speed)
        return tuple(
            (math.floor(start * scale), math.ceil(end * scale))
            for start, end in (*self._speech[key], *lines)
        )


def _activity(work: Workspace, media: MediaFile, channels: Sequence[int]) -> tuple[Stretch, ...]:
    """Where somebody speaks on some channels of a file, in its samples; known from cleaning."""
    with Sound(sound_file(media, work.cache)) as sound:

        def hear(channel: int) -> Iterator[NDArray[np.float32]]:
            def read(start: int, count: int) -> Samples:
                return sound.read(start, count, [channel])[:, 0]

            return parts_at_16k(read, media.frames, media.sample_rate)

        return tuple(
            span
            for channel in channels
            for span in in_samples(
                spoken(work, media, channel, lambda channel=channel: hear(channel)),  # type: ignore[misc]
                media.frames,
                media.sample_rate,
            )
        )

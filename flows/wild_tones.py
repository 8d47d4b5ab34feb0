"""Noise of wild tracks, as the texture of room tone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, at_rate, sound_file
from core.media import MediaFile
from flows.hearing import at_16k
from flows.wild import belongs
from flows.workspace import Workspace
from models.noise_only import HarvestOptions, Stretch, nearest, noise_only
from models.repair.chain import RepairOptions, repair_channel
from models.roomtone import Grains, grains_of
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.rate import SPEECH_RATE, rescale

WILD_S = 60
TEXTURE_S = 12.0

Channels = tuple[int, ...]
Samples = NDArray[np.float64]


@dataclass(frozen=True)
class WildTone:
    """Noise of a wild track. channels: of the file, from 0. stretches: in samples of the file."""

    media: MediaFile
    channels: Channels
    grains: Grains
    stretches: tuple[Stretch, ...]


class WildTones:
    """Noise of wild tracks by scene and microphones, each read once."""

    def __init__(self, work: Workspace, wild: Sequence[MediaFile]) -> None:
        """wild: hashed."""
        self._work, self._wild = work, wild
        self._rate = work.settings.sample_rate
        self._made: dict[tuple[str, Channels], WildTone | None] = {}

    def of(self, scene: str, roll: str, names: Sequence[str]) -> WildTone | None:
        """The noise of a wild track of a scene or roll, by the same microphones where it has them.

        names: the recorder's, of the channels that are wanted. None where there is no such track.
        """
        for media in self._wild:
            if not belongs(media, scene, roll):
                continue
            channels = _channels(media, names)
            if max(channels) >= media.channels:
                continue
            key = (media.essence, channels)
            if key not in self._made:
                self._made[key] = self._heard(media, channels)
            if self._made[key] is not None:
                return self._made[key]
        return None

    def _heard(self, media: MediaFile, channels: Channels) -> WildTone | None:
        """The noise in the first minute, without the hum that cleaning takes from dialogue too."""
        cache, rate = self._work.cache, self._rate
        path = at_rate(sound_file(media, cache), rate, cache, media.essence)
        with Sound(path) as sound:
            frames = min(sound.frames, WILD_S * rate)
            whole = sound.read(0, frames, channels)
        mended = [
            repair_channel(_reader(column), frames, rate, RepairOptions(), number).read(0, frames)
            for number, column in zip(channels, whole.T, strict=True)
        ]
        wild = np.stack(mended, axis=1)
        heard = at_16k(_reader(whole.mean(axis=1)), frames, rate)
        speech = [
            (rescale(start, SPEECH_RATE, rate), rescale(end, SPEECH_RATE, rate))
            for start, end in speech_spans(heard, ActivityOptions())
        ]
        found = noise_only(wild, rate, speech, HarvestOptions())
        middle = nearest(found, frames // 2, round(TEXTURE_S * rate))
        grains = grains_of([wild[start:end] for start, end in middle], rate)
        if grains is None:
            return None
        scale = media.sample_rate / rate
        stretches = tuple((round(start * scale), round(end * scale)) for start, end in middle)
        return WildTone(media, channels, grains, stretches)


def _channels(media: MediaFile, names: Sequence[str]) -> Channels:
    """The channels of those names, else the first of the file."""
    by_name = {name: channel for channel, name in media.notes.track_names}
    known = [by_name[name] for name in names if name in by_name]
    return tuple(known if len(known) == len(names) else range(len(names)))


def _reader(sound: Samples) -> Callable[[int, int], Samples]:
    """A reader of a mono sound, zeros outside."""

    def read(start: int, count: int) -> Samples:
        first, last = max(0, start), min(len(sound), start + count)
        part = sound[first:last] if last > first else sound[:0]
        return np.pad(
            part, (min(count, first - start), max(0, count - (first - start) - len(part)))
        )

    return read

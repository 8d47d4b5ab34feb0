"""What a cut's placements play: originals and cleaned takes at the session's rate and speeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import OpenSounds, Sound, at_rate, at_speed, kept, sound_file
from core.conform import Placement
from core.media import MediaFile
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import Workspace
from models.stretch import StretchPlan, plan_stretch, process_version, stretched, stretched_frames

Read = Callable[[int, int], NDArray[np.float64]]


@dataclass(frozen=True)
class _Played:
    """What is made once and then played: a take's channels at a speed; cleaned, or the original."""

    take: str
    speed: Fraction
    keeps_pitch: bool
    clean: bool


@dataclass(frozen=True)
class _At:
    """Where that lies. channels: of the file, in the order of the take's group."""

    path: Path
    channels: tuple[int, ...]


class Sounds:
    """The sound of every placement, in blocks; a context manager.

    Sound that has another rate or speed is made once, in the cache, as the whole take; raw and
    cleaned by the same linear process. However many files a cut plays, few are open at once.
    """

    def __init__(
        self,
        work: Workspace,
        turnover: Turnover,
        cleaned: Mapping[str, CleanedTake],
        laid: Sequence[Placement],
    ) -> None:
        """Make ready what placements play. cleaned: by take id, for all but what passes through.

        Raises InputError where media can't be read, OutputError where the cache is full.
        """
        self._work = work
        self._through = turnover.through
        self._open = OpenSounds(work.store.here)
        self._at: dict[_Played, _At] = {}
        for placement in laid:
            media = turnover.links[placement.event_id].media
            take = cleaned.get(placement.take)
            wanted = [_played(placement, clean=False)]
            if placement.event_id not in self._through:
                wanted.append(_played(placement, clean=True))
            if any(item not in self._at for item in wanted):
                clean = take.sound if take is not None else None
                key = take.key if take is not None else ""
                self._prepare(wanted, media, placement.channels, clean, key)

    def __enter__(self) -> Sounds:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.__exit__(None, None, None)

    def raw(self, placement: Placement, start: int, count: int) -> NDArray[np.float64]:
        """The original sound of a placement: samples of its take from `start` on."""
        at = self._at[_played(placement, clean=False)]
        return self._open.read(at.path, start, count, at.channels)

    def clean(self, placement: Placement, start: int, count: int) -> NDArray[np.float64]:
        """The cleaned sound of a placement; of an event that passes through, the original."""
        at = self._clean_at(placement)
        return self._open.read(at.path, start, count, at.channels)

    def length(self, placement: Placement) -> int:
        """How many samples the take of a placement has as it plays, cleaned."""
        return self._open.frames(self._clean_at(placement).path)

    def _clean_at(self, placement: Placement) -> _At:
        return self._at[_played(placement, clean=placement.event_id not in self._through)]

    def _prepare(
        self,
        wanted: Sequence[_Played],
        media: MediaFile,
        channels: tuple[int, ...],
        clean: Path | None,
        clean_key: str,
    ) -> None:
        source = sound_file(media, self._work.cache)
        places = {False: (source, channels, media.essence)}
        if clean is not None:
            places[True] = (clean, tuple(range(len(channels))), clean_key)
        if wanted[0].keeps_pitch:
            self._at.update(self._stretched(wanted, places))
            return
        rate, cache = self._work.settings.sample_rate, self._work.cache
        for item in wanted:
            path, own, key = places[item.clean]
            if item.speed == 1:
                self._at[item] = _At(at_rate(path, rate, cache, key), own)
            else:
                made = at_speed(path, rate, item.speed, own, cache, key)
                self._at[item] = _At(made, tuple(range(len(own))))

    def _stretched(
        self,
        wanted: Sequence[_Played],
        places: Mapping[bool, tuple[Path, tuple[int, ...], str]],
    ) -> Iterator[tuple[_Played, _At]]:
        """The original and the cleaned sound, stretched by the plan of the original."""
        rate, cache = self._work.settings.sample_rate, self._work.cache
        original, channels, essence = places[False]
        with ExitStack() as stack:

            def opened(path: Path, key: str) -> Sound:
                return stack.enter_context(Sound(at_rate(path, rate, cache, key)))

            raw = opened(original, essence)
            plan: StretchPlan | None = None

            def laid(sound: Sound, own: tuple[int, ...]) -> Iterator[NDArray[np.float64]]:
                # Only where the file is not there yet: planning listens to the whole take.
                nonlocal plan
                if plan is None:
                    plan = plan_stretch(_reader(raw, channels), raw.frames, rate, item.speed)
                yield from stretched(_reader(sound, own), plan, len(own))

            for item in wanted:
                path, own, key = places[item.clean]
                sound = opened(path, key)
                # The plan follows the original, so it is part of what names the cleaned sound.
                name = f"{key}\n{essence}\n{list(channels)}\nstretch {process_version} {item.speed}"
                frames = stretched_frames(sound.frames, item.speed)
                made = kept(cache, name, rate, len(own), frames, laid(sound, own))
                yield item, _At(made, tuple(range(len(own))))


def _reader(sound: Sound, channels: tuple[int, ...]) -> Read:
    return lambda start, count: sound.read(start, count, channels)


def _played(placement: Placement, *, clean: bool) -> _Played:
    return _Played(placement.take, placement.speed, placement.keeps_pitch, clean)

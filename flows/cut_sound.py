"""A cut's stems to be heard: a track as it was and as it is, side by side, at any place.

Left is what was recorded, right what was delivered as dialogue, both as they lie in the stems. So
a player goes from one to the other by gains, and what was removed is the difference, exactly.
Nothing is written: the bytes are made from the stems when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from adapters.media.wave_bytes import WaveBytes
from core.errors import InputError, OfflineError
from flows.delivered import Delivered
from flows.delivery import DeliveredFile


@dataclass(frozen=True)
class CutSound:
    """Stems as one wave file.

    sides: the files that are summed left and, where there are two, right. mark: changes where the
    sound does.
    """

    shape: WaveBytes
    sides: tuple[tuple[Path, ...], ...]
    mark: str

    def between(self, first: int, last: int) -> Iterator[bytes]:
        """Bytes first … last (without it). Raises InputError where a stem can't be read."""
        with ExitStack() as stack:
            opened = [[stack.enter_context(Sound(path)) for path in paths] for paths in self.sides]

            def read(start: int, count: int) -> NDArray[np.float64]:
                mixed = [
                    sum((_mono(s, start, count) for s in side), np.zeros(count)) for side in opened
                ]
                return np.stack(mixed, axis=1)

            yield from self.shape.between(first, last, read)


def track_sound(delivered: Delivered, track: int | None) -> CutSound:
    """A track of a cut, counted from 0, or (None) all of its dialogue, to be heard.

    Raises InputError for a track that is not there or has no stem, OfflineError where stems are
    not as they were delivered, UsageError where they are too long.
    """
    if not delivered.complete:
        raise OfflineError(
            f"The delivery in {delivered.folder.name} is not finished; run it again."
        )
    if track is None:
        heard = [choice.track for choice in delivered.tracks if choice.dialogue]
        raw = [found for name in heard if (found := delivered.track_stem(name, "PROD"))]
        cleaned = [stem for stem in delivered.stems if stem.role == "DX" and not stem.track]
    else:
        if not 0 <= track < len(delivered.tracks):
            raise InputError(f"The delivery in {delivered.folder.name} has no track {track}.")
        name = delivered.tracks[track].track
        first = delivered.track_stem(name, "PROD") or delivered.track_stem(name, "THRU")
        second = delivered.track_stem(name, "DX")
        raw, cleaned = ([found] if found else [] for found in (first, second))
    if not raw:
        raise InputError(f"The delivery in {delivered.folder.name} has nothing to be heard there.")
    return _sound(delivered, [side for side in (raw, cleaned) if side])


def _sound(delivered: Delivered, sides: Sequence[Sequence[DeliveredFile]]) -> CutSound:
    stems = [stem for side in sides for stem in side]
    first = stems[0]
    if any((s.sample_rate, s.frames) != (first.sample_rate, first.frames) for s in stems):
        raise InputError("The stems of the delivery differ in length; clean the cut again.")
    summed = any(len(side) > 1 for side in sides)
    shape = WaveBytes(
        sample_rate=first.sample_rate,
        channels=len(sides),
        frames=first.frames,
        floating=summed or any(stem.subtype != "PCM_24" for stem in stems),
    )
    return CutSound(
        shape,
        tuple(tuple(delivered.path_of(stem) for stem in side) for side in sides),
        "-".join(dict.fromkeys(stem.sha256[:12] for stem in stems)),
    )


def _mono(sound: Sound, start: int, count: int) -> NDArray[np.float64]:
    both = sound.read(start, count, range(sound.channels))
    mixed: NDArray[np.float64] = both.mean(axis=1)
    return mixed

"""Who speaks when in a take, by its own microphones: turns, the pauses between, and overlaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from core.media import MediaFile
from core.speech import Turn, overlap
from flows.channels import listening_channel, person_channels
from flows.hearing import Read, at_16k, in_samples, parts_at_16k, spoken
from flows.who_speaks import turns_by_microphone
from flows.workspace import Workspace

Span = tuple[int, int]

_GUARD_S = 0.2
_SHORTEST_PAUSE_S = 0.3
_LEAST_PAUSES_S = 1.0


def turns_of(work: Workspace, media: MediaFile) -> tuple[Turn, ...]:
    """Who speaks when in a hashed file, in its samples, by its microphones; kept in the cache.

    With one named microphone or none, the speech is its owner's or nobody's.
    """
    people = person_channels(media)
    rate, frames = media.sample_rate, media.frames
    with Sound(sound_file(media, work.cache)) as sound:

        def one(channel: int) -> Read:
            return lambda at, n: sound.read(at, n, [channel])[:, 0]

        def hear(channel: int) -> NDArray[np.float32]:
            return at_16k(one(channel), frames, rate)

        if len(people) > 1:
            turns = turns_by_microphone(work, media, hear)
        else:
            channel, owner = next(iter(people.items()), (listening_channel(media), ""))
            spans = spoken(work, media, channel, lambda: parts_at_16k(one(channel), frames, rate))
            turns = tuple(Turn(owner, start, end) for start, end in spans)
    found = in_samples(tuple((turn.start, turn.end) for turn in turns), frames, rate)
    return tuple(
        Turn(turn.speaker, start, end) for turn, (start, end) in zip(turns, found, strict=True)
    )


def pauses_between(turns: Sequence[Turn], frames: int, sample_rate: int) -> list[Span]:
    """Where nobody speaks, 0.2 s away from whoever does; none where that is less than a second."""
    guard, shortest = round(_GUARD_S * sample_rate), round(_SHORTEST_PAUSE_S * sample_rate)
    found, at = [], 0
    for start, end in sorted((turn.start, turn.end) for turn in turns):
        if start - guard - at >= shortest:
            found.append((at, start - guard))
        at = max(at, end + guard)
    if frames - at >= shortest:
        found.append((at, frames))
    enough = sum(end - start for start, end in found) >= _LEAST_PAUSES_S * sample_rate
    return found if enough else []


def alone(speaker: str, turns: Sequence[Turn]) -> list[Span]:
    """The turns of a speaker into which nobody else speaks."""
    return [
        (turn.start, turn.end)
        for turn in turns
        if turn.speaker == speaker and not overlap(turn, turns)
    ]

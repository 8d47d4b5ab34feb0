"""Who speaks when in a take, by its own microphones: turns, the pauses between, and overlaps."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from adapters.media.decode import Sound, sound_file
from adapters.media.whole import write_bytes
from core.media import MediaFile
from core.plan import digest
from core.speech import Turn
from flows.hearing import Read, at_16k, in_samples, spoken
from flows.listen import listening_channel, person_channels
from flows.workspace import Workspace
from models.speech.rate import SPEECH_RATE, rescale
from models.speech.speakers import turns_from_tracks

Span = tuple[int, int]

TURNS_VERSION = "1"
_GUARD_S = 0.2
_SHORTEST_PAUSE_S = 0.3
_LEAST_PAUSES_S = 1.0
_TURNS = TypeAdapter(tuple[Turn, ...])


def _mono(sound: Sound, channel: int) -> Read:
    return lambda start, frames: sound.read(start, frames, [channel])[:, 0]


def turns_of(work: Workspace, media: MediaFile) -> tuple[Turn, ...]:
    """Who speaks when in a hashed file, in its samples, by its microphones; kept in the cache.

    With one named microphone or none, the speech is its owner's or nobody's.
    """
    people = person_channels(media)
    path = work.cache / f"{_turns_key(media, people)[:32]}-turns.json"
    try:
        return _TURNS.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        pass
    with Sound(sound_file(media, work.cache)) as sound:
        if len(people) > 1:
            tracks = {
                name: at_16k(_mono(sound, channel), media.frames, media.sample_rate)
                for channel, name in people.items()
            }
            turns = tuple(
                Turn(
                    turn.speaker,
                    rescale(turn.start, SPEECH_RATE, media.sample_rate),
                    min(media.frames, rescale(turn.end, SPEECH_RATE, media.sample_rate)),
                )
                for turn in turns_from_tracks(tracks)
            )
        else:
            channel, owner = next(iter(people.items()), (listening_channel(media), ""))
            read = _mono(sound, channel)
            spans = spoken(
                work, media, channel, lambda: at_16k(read, media.frames, media.sample_rate)
            )
            turns = tuple(
                Turn(owner, start, end)
                for start, end in in_samples(spans, media.frames, media.sample_rate)
            )
    write_bytes(path, _TURNS.dump_json(turns))
    return turns


def _turns_key(media: MediaFile, people: dict[int, str]) -> str:
    named = [[channel, name] for channel, name in people.items()]
    return digest(
        {
            "turns": media.essence,
            "listening": listening_channel(media),
            "people": named,
            "version": TURNS_VERSION,
        }
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


def overlap(turn: Turn, turns: Sequence[Turn]) -> float:
    """Share of a turn in which somebody else speaks as well."""
    shared, at = 0, turn.start
    for other in sorted(turns, key=lambda item: item.start):
        if other.speaker == turn.speaker:
            continue
        start, end = max(at, other.start), min(turn.end, other.end)
        if end > start:
            shared += end - start
            at = end
    return shared / (turn.end - turn.start)

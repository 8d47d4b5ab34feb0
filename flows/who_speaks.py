"""Who speaks when in a take: by named microphones where there are some, else by the voices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from adapters.media.whole import write_bytes
from core.errors import EngineError
from core.media import MediaFile
from core.plan import digest
from core.speech import Turn
from flows.channels import listening_channel, person_channels
from flows.hearing import Spans
from flows.privacy import privacy_in, turns_without_forgotten
from flows.workspace import Workspace
from models.speech.rate import SPEECH_RATE
from models.speech.speakers import turns_from_tracks, turns_from_voices
from models.speech.voiceprint import VoiceEncoder, installed_weights

Hear = Callable[[int], NDArray[np.float32]]

SPEAKING_VERSION = "1"
_TURNS = TypeAdapter(tuple[Turn, ...])


@dataclass(frozen=True)
class Speaking:
    """Who speaks when in a take. turns: in samples at 16 kHz. method: how that was found."""

    turns: tuple[Turn, ...]
    method: str


def speaking_key(work: Workspace, media: MediaFile) -> str:
    """What names the finding of the speakers of a hashed file: the same key, the same turns."""
    return digest(
        {
            "turns": media.essence,
            "listening": listening_channel(media),
            "people": [[channel, name] for channel, name in person_channels(media).items()],
            "speakers": work.settings.speakers,
            **({"voices": False} if privacy_in(work, media).no_voice_profile else {}),
            "version": SPEAKING_VERSION,
        }
    )


def who_speaks(
    work: Workspace, media: MediaFile, main: NDArray[np.float32], spans: Spans, hear: Hear
) -> Speaking:
    """Who speaks when in a hashed file.

    main: its listening channel at 16 kHz. spans: where somebody speaks in that. hear: gives a
    channel at 16 kHz; asked only for named microphones, and only where two or more people wear
    one and that was not found before. Where a production forbids voice profiles and nobody wears
    a named microphone, the turns are nobody's.
    """
    if len(person_channels(media)) > 1:
        return Speaking(turns_by_microphone(work, media, hear), "named microphones")
    if privacy_in(work, media).no_voice_profile:
        anonymous = tuple(Turn("", start, end) for start, end in spans)
        return Speaking(anonymous, "nobody by the voice: no voice profile")
    try:
        encoder = _encoder(installed_weights())
    except EngineError as fault:
        return Speaking((), f"none: {fault}")
    turns = turns_from_voices(main, spans, work.settings.speakers or None, encoder)
    return Speaking(turns_without_forgotten(work, media, turns, SPEECH_RATE), "voices")


def turns_by_microphone(work: Workspace, media: MediaFile, hear: Hear) -> tuple[Turn, ...]:
    """Turns by the named microphones of a hashed file, at 16 kHz; kept in the cache."""
    path = work.cache / f"{speaking_key(work, media)[:32]}-turns.json"
    try:
        return _TURNS.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        people = person_channels(media)
        turns = turns_without_forgotten(
            work,
            media,
            turns_from_tracks({name: hear(channel) for channel, name in people.items()}),
            SPEECH_RATE,
        )
        write_bytes(path, _TURNS.dump_json(turns))
        return turns


@lru_cache(maxsize=2)
def _encoder(weights: Path) -> VoiceEncoder:
    """The voice encoder, loaded once a process."""
    return VoiceEncoder(weights)

"""Who speaks when in a take: by named microphones where there are some, else by the voices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from adapters.media.whole import write_bytes
from core.errors import EngineError
from core.media import MediaFile
from core.plan import digest
from core.privacy import Mark, PeopleInTake
from core.speech import Turn
from flows.channels import listening_channel, person_channels
from flows.head_count import expected_speakers
from flows.hearing import Spans
from flows.privacy import (
    marked_in,
    people_kept,
    privacy_in,
    turns_of,
    turns_without_forgotten,
)
from flows.workspace import Workspace
from models.card import ModelCard
from models.loading import loaded_once
from models.speech.diarizers import DiarizerChoice, choose_diarizer
from models.speech.off_mic import with_off_mic
from models.speech.protocol import Device
from models.speech.pyannote_local import PyannotePipeline
from models.speech.rate import SPEECH_RATE
from models.speech.speakers import Voice, turns_from_tracks, turns_from_voices, voices_of
from models.speech.voiceprint import VoiceEncoder, installed_weights

Hear = Callable[[int], NDArray[np.float32]]

SPEAKING_VERSION = "2"
_TURNS = TypeAdapter(tuple[Turn, ...])


@dataclass(frozen=True)
class Speaking:
    """Who speaks when in a take.

    turns: in samples at 16 kHz. method: how that was found. voices: of the speakers, where they
    may be kept; empty where they may not, or where the encoder is missing. encoder: sha256 of
    its weights, or empty. wearers: speakers whose names are those of their microphones. card: of
    the pipeline that found the turns, where one did. unmeasured: speakers whose voices may not be
    kept, by a mark of their own.
    """

    turns: tuple[Turn, ...]
    method: str
    voices: tuple[Voice, ...] = ()
    encoder: str = ""
    wearers: frozenset[str] = frozenset()
    card: ModelCard | None = None
    unmeasured: frozenset[str] = frozenset()


def speaking_key(work: Workspace, media: MediaFile) -> str:
    """What names the finding of the speakers of a hashed file: the same key, the same turns."""
    diarizer, expected = choose(work), expected_speakers(work, media)
    return digest(
        {
            "turns": media.essence,
            "listening": listening_channel(media),
            "people": [[channel, name] for channel, name in person_channels(media).items()],
            "speakers": work.settings.speakers,
            **({"voices": False} if privacy_in(work, media).no_voice_profile else {}),
            **marked_in(work, media, Mark.NO_VOICE_PROFILE),
            **({"diarizer": diarizer.key} if diarizer.key else {}),
            **({"expected": expected} if expected else {}),
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
    a named microphone, the turns are nobody's. Where only some people's may not be kept, theirs
    are not measured by name, and no voice in their take is looked for beside the microphones.
    """
    people = frozenset(person_channels(media).values())
    named = len(person_channels(media)) > 1
    forbidden = privacy_in(work, media).no_voice_profile
    if forbidden and not named:
        anonymous = tuple(Turn("", start, end) for start, end in spans)
        return Speaking(anonymous, "nobody by the voice: no voice profile")
    worn = turns_by_microphone(work, media, hear) if named else ()
    by_name = Speaking(worn, "named microphones", wearers=people)
    if forbidden:
        return by_name
    kept = people_kept(work, media, Mark.NO_VOICE_PROFILE)
    diarizer = choose(work)
    if not named and diarizer.kind == "pyannote":
        return _by_pipeline(work, media, main, spans, diarizer, kept)
    try:
        encoder = voice_encoder(installed_weights())
    except EngineError as fault:
        return by_name if named else Speaking((), f"none: {fault}")
    if named:
        turns = worn if kept else with_off_mic(worn, main, spans, encoder)
    else:
        count, expected = work.settings.speakers or None, expected_speakers(work, media)
        turns = turns_from_voices(main, spans, count, encoder, expected)
    turns = turns_without_forgotten(work, media, turns, SPEECH_RATE)
    unmeasured = _speakers(kept, turns, media)
    return Speaking(
        turns=turns,
        method="named microphones" if named else "voices",
        voices=voices_of(main, turns, encoder, unmeasured),
        encoder=encoder.card.weights_sha256,
        wearers=people if named else frozenset(),
        unmeasured=unmeasured,
    )


def choose(work: Workspace) -> DiarizerChoice:
    """What tells voices apart, by the settings and what is installed."""
    return choose_diarizer(work.settings.diarizer, work.weights)


def _by_pipeline(
    work: Workspace,
    media: MediaFile,
    main: NDArray[np.float32],
    spans: Spans,
    diarizer: DiarizerChoice,
    kept: PeopleInTake,
) -> Speaking:
    """Who speaks when by a pipeline of pyannote's; its voices by our own encoder, where that is."""
    pipeline = _pipeline(diarizer, work.settings.device)
    count, expected = work.settings.speakers or None, expected_speakers(work, media)
    turns = pipeline.turns(main, count, expected) if spans else ()
    turns = turns_without_forgotten(work, media, turns, SPEECH_RATE)
    unmeasured = _speakers(kept, turns, media)
    method = f"pyannote {pipeline.card.name}"
    found = Speaking(turns, method, card=pipeline.card, unmeasured=unmeasured)
    try:
        encoder = voice_encoder(installed_weights())
    except EngineError:
        return found
    voices = voices_of(main, turns, encoder, unmeasured)
    return replace(found, voices=voices, encoder=encoder.card.weights_sha256)


def _speakers(kept: PeopleInTake, turns: tuple[Turn, ...], media: MediaFile) -> frozenset[str]:
    """The names that people have in these turns, of those that a mark is about."""
    if not kept:
        return frozenset()
    return frozenset(turn.speaker for turn in turns_of(kept, turns, media, SPEECH_RATE))


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


@loaded_once(1)
def _pipeline(diarizer: DiarizerChoice, device: Device) -> PyannotePipeline:
    """The pipeline, loaded once a process."""
    if diarizer.folder is None:
        raise EngineError("No pipeline of pyannote was chosen.")
    return PyannotePipeline(diarizer.folder, diarizer.weights_sha256, device)


@loaded_once(2)
def voice_encoder(weights: Path) -> VoiceEncoder:
    """The voice encoder, loaded once a process."""
    return VoiceEncoder(weights)

"""Listen to whole takes: who speaks when, and what they say; once each, kept in the database."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from core.media import MediaFile
from core.plan import digest
from core.speech import Line, Word
from db.catalogue import lines_of, listened, store_listening
from db.provenance import Use, record
from flows.channels import listening_channel
from flows.hearing import at_16k, spoken
from flows.privacy import allowed
from flows.who_speaks import speaking_key, who_speaks
from flows.workspace import Workspace, activity
from models.card import ModelCard
from models.speech.engines import EngineChoice, choose, load
from models.speech.lines import lines as to_lines
from models.speech.protocol import Recogniser, TranscribeOptions, Transcript
from models.speech.rate import SPEECH_RATE, rescale

TOOL = "roomtone listen"
LISTEN_VERSION = "1"


@dataclass(frozen=True)
class Heard:
    """What was heard in a take.

    lines: a line a turn, in samples of the take's file; without words where nobody wrote them
    down. engine: the recogniser's name or empty. draft: made by a stand-in.
    heard_now: this run did the work.
    """

    media: MediaFile
    lines: tuple[Line, ...]
    engine: str
    draft: bool
    heard_now: bool


def choose_recogniser(work: Workspace) -> EngineChoice:
    """The recogniser that the settings and the installed weights lead to."""
    settings = work.settings
    return choose(settings.recogniser, work.weights.root, settings.allow_draft)


def listen_key(work: Workspace, media: MediaFile, choice: EngineChoice) -> str:
    """What names a listening: the same key means the same lines."""
    settings, choice = work.settings, allowed(work, media, choice)
    return digest(
        {
            "essence": media.essence,
            "engine": choice.key,
            "language": settings.language,
            "prompt": settings.prompt,
            "speaking": speaking_key(work, media),
            "version": LISTEN_VERSION,
        }
    )


def recall_lines(work: Workspace, media: MediaFile, choice: EngineChoice) -> Heard | None:
    """What was heard in a take before with the same engine and options, else None."""
    with work.database.read() as session:
        if not listened(session, media.essence, listen_key(work, media, choice)):
            return None
        found = tuple(item.line for item in lines_of(session, None, media.essence))
    choice = allowed(work, media, choice)
    return Heard(media, found, choice.label, choice.draft, heard_now=False)


def listen_take(work: Workspace, media: MediaFile, choice: EngineChoice) -> Heard:
    """Listen to a take from its first sample to its last, and remember the lines.

    The original sound is transcribed. Speakers come from named microphones where the recorder
    wrote two or more, else from the voices. What a production forbids is not done: no recogniser
    is loaded where no word may be written down.
    """
    started = datetime.now(UTC)
    choice = allowed(work, media, choice)
    with Sound(sound_file(media, work.cache)) as sound:
        hear = partial(_channel, sound, media)
        main = hear(listening_channel(media))
        spans = spoken(work, media, listening_channel(media), lambda: main)
        speaking = who_speaks(work, media, main, spans, hear)
    card: ModelCard | None = None
    transcript = Transcript((), work.settings.language or "")
    if choice.kind != "none" and spans:
        recogniser, turn = _loaded(choice)
        card = recogniser.card
        options = TranscribeOptions(language=work.settings.language, prompt=work.settings.prompt)
        with turn:
            transcript = recogniser.transcribe(main, spans, options)
    found = to_lines(
        transcript.words,
        speaking.turns,
        choice.label,
        choice.draft,
        SPEECH_RATE,
        transcript.language,
    )
    lines = tuple(_in_source(line, media) for line in found)
    done = activity(
        "listen",
        listen_key(work, media, choice),
        started,
        {
            "engine": choice.label,
            "draft": choice.draft,
            "channel": listening_channel(media),
            "speakers": speaking.method,
            "language": transcript.language,
            "lines": len(lines),
            "warnings": list(transcript.warnings),
        },
        card,
    )
    with work.database.write() as session:
        store_listening(
            session,
            media.essence,
            done.key,
            choice.label,
            choice.draft,
            done.card,
            transcript.language,
            lines,
            work.settings.project or media.notes.project,
        )
        record(session, done, used=[Use(media.sha256, "original", 0, media.frames)], generated=[])
    return Heard(media, lines, choice.label, choice.draft, heard_now=True)


@lru_cache(maxsize=2)
def _loaded(choice: EngineChoice) -> tuple[Recogniser, AbstractContextManager[object]]:
    """The recogniser, loaded once a process, and what to hold while it works.

    openai-whisper hangs its cache of keys and values on the model itself, so it can hear one
    take at a time; the others may hear several.
    """
    return load(choice), Lock() if choice.kind == "whisper" else nullcontext()


def _channel(sound: Sound, media: MediaFile, channel: int) -> NDArray[np.float32]:
    return at_16k(
        lambda start, frames: sound.read(start, frames, [channel])[:, 0],
        media.frames,
        media.sample_rate,
    )


def _in_source(line: Line, media: MediaFile) -> Line:
    """A line in samples of the take's file instead of 16 kHz."""

    def moved(at: int) -> int:
        return min(media.frames, rescale(at, SPEECH_RATE, media.sample_rate))

    words = tuple(
        Word(word.text, moved(word.start), moved(word.end), word.confidence) for word in line.words
    )
    return Line(
        **{**asdict(line), "start": moved(line.start), "end": moved(line.end), "words": words}
    )

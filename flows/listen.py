"""Listen to whole takes: who speaks when, and what they say; once each, kept in the database."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from core.forgetting import without
from core.media import MediaFile
from core.plan import digest
from core.privacy import Mark
from core.speech import Line, Word
from db.catalogue import lines_of, listening_keys, store_listening
from db.codec import JSON
from db.provenance import Use, record
from db.voices import store_voices
from flows.about import working_on
from flows.channels import listening_channel
from flows.claims import done_once
from flows.hearing import at_16k, spoken
from flows.privacy import (
    allowed,
    alone_of,
    marked_in,
    people_kept,
    without_forgotten,
    without_words,
)
from flows.scanning import Ears
from flows.settle import heard_voices, project_of
from flows.transcribe import CleanedSound, Written, options_for, write_down
from flows.who_speaks import speaking_key, who_speaks
from flows.workspace import Workspace, activity
from models.speech.engines import EngineChoice
from models.speech.lines import lines as to_lines
from models.speech.rate import SPEECH_RATE, rescale

TOOL = "roomtone listen"
LOG = logging.getLogger("roomtone.takes")
LISTEN_VERSION = "2"


@dataclass(frozen=True)
class Heard:
    """What was heard in a take.

    lines: a line a turn, in samples of the take's file; without words where nobody wrote them
    down. engine: the recogniser's name or empty. draft: made by a stand-in.
    key: names the listening. heard_now: this run did the work.
    """

    media: MediaFile
    lines: tuple[Line, ...]
    engine: str
    draft: bool
    key: str
    heard_now: bool


def listen_key(work: Workspace, media: MediaFile, choice: EngineChoice) -> str:
    """What names a listening to the original: the same key means the same lines.

    Where the original left something doubtful, the key of the listening ends with that of the
    cleaned sound that was tried, or with `-` where there was none to try.
    """
    choice = allowed(work, media, choice)
    return digest(
        {
            "essence": media.essence,
            "engine": choice.key,
            "language": work.settings.language,
            "prompt": options_for(work, media, choice).prompt if choice.takes_prompt else "",
            "speaking": speaking_key(work, media),
            **marked_in(work, media, Mark.NO_TRANSCRIPTION),
            "version": LISTEN_VERSION,
        }
    )


def recall_lines(
    work: Workspace, media: MediaFile, choice: EngineChoice, cleaned: CleanedSound | None
) -> Heard | None:
    """What was heard in a take before with the same engine, options and cleaned sound, else None.

    Without a cleaned sound, what was heard with one is as good and stays.
    """
    key = listen_key(work, media, choice)
    with work.database.read() as session:
        known = listening_keys(session, media.essence)
        if cleaned is None:
            same = sorted(name for name in known if name.partition(":")[0] == key)
        else:
            same = [name for name in (key, f"{key}:{cleaned.key}") if name in known]
        if not same:
            return None
        found = tuple(item.line for item in lines_of(session, None, media.essence))
    choice = allowed(work, media, choice)
    return Heard(media, found, choice.label, choice.draft, same[0], heard_now=False)


def listen_take(
    work: Workspace, media: MediaFile, choice: EngineChoice, cleaned: CleanedSound | None
) -> Heard:
    """Listen to a take from its first sample to its last, and remember the lines.

    The original sound is transcribed, and the cleaned one where that leaves something doubtful.
    Speakers come from named microphones where the recorder wrote two or more, else from the
    voices. What a production forbids is not done: no recogniser is loaded where no word may be
    written down. Where another run is at the same take, that one's work is waited for.
    """
    with working_on("listen", take=media.essence, asset=media.sha256, file=media.path.name):
        heard = done_once(
            work,
            f"listen {listen_key(work, media, choice)}",
            lambda: recall_lines(work, media, choice, cleaned),
            lambda: _heard_now(work, media, choice, cleaned),
        )
        if heard.heard_now:
            LOG.info("%s is listened to", media.path.name)
    return heard


def _heard_now(
    work: Workspace, media: MediaFile, choice: EngineChoice, cleaned: CleanedSound | None
) -> Heard:
    started = datetime.now(UTC)
    choice = allowed(work, media, choice)
    key = listen_key(work, media, choice)
    silent = people_kept(work, media, Mark.NO_TRANSCRIPTION)
    with Sound(sound_file(media, work.cache)) as sound:
        ears = Ears(work, media)
        hear = partial(_channel, sound, media, ears)
        main = hear(listening_channel(media))
        spans = spoken(work, media, listening_channel(media), lambda: (main,))
        speaking = who_speaks(work, media, main, spans, hear)
        ears.store(sound, spans)
    alone = alone_of(silent, speaking.turns, media, SPEECH_RATE)
    said = without(spans, alone) if alone else spans
    written = write_down(work, media, choice, main, said, cleaned)
    found = to_lines(
        written.transcript.words,
        speaking.turns,
        choice.label,
        choice.draft,
        SPEECH_RATE,
        written.transcript.language,
        from_cleaned=written.from_cleaned,
    )
    lines = without_forgotten(work, media, [_in_source(line, media) for line in found])
    lines = without_words(silent, lines, alone, media, SPEECH_RATE)
    tried = cleaned if written.tried_again else None
    if written.tried_again:
        key += f":{cleaned.key if cleaned else '-'}"
    done = activity(
        "listen",
        key,
        started,
        {
            "engine": choice.label,
            "draft": choice.draft,
            "channel": listening_channel(media),
            "speakers": speaking.method,
            **({"diarizer": asdict(speaking.card)} if speaking.card else {}),
            "lines": len(lines),
            **({"silent": len(silent.marks)} if silent else {}),
            **_told(written, tried),
        },
        written.card,
    )
    used = [Use(media.sha256, "original", 0, media.frames)]
    if tried is not None:
        used.append(Use(tried.sha256, "clean", 0, media.frames))
    with work.database.write() as session:
        project = project_of(work, media)
        kept = store_listening(
            session,
            media.essence,
            done.key,
            choice.label,
            choice.draft,
            done.card,
            written.transcript.language,
            lines,
            project,
        )
        if kept:
            store_voices(session, project, media.essence, heard_voices(speaking, media))
        record(session, done, used=used, generated=[])
    return Heard(media, lines, choice.label, choice.draft, key, heard_now=True)


def with_speakers(work: Workspace, heard: Heard) -> Heard:
    """What was heard in a take, with its speakers as they are settled now."""
    with work.database.read() as session:
        found = tuple(item.line for item in lines_of(session, None, heard.media.essence))
    return replace(heard, lines=found)


def _told(written: Written, tried: CleanedSound | None) -> dict[str, JSON]:
    """What provenance keeps of the writing down."""
    transcript = written.transcript
    return {
        "language": transcript.language,
        "path": transcript.path,
        "doubtful": len(written.tried_again),
        "cleaned": tried.key if tried else "",
        "words_from_cleaned": len(written.from_cleaned),
        "warnings": list(transcript.warnings),
    }


def _channel(sound: Sound, media: MediaFile, ears: Ears, channel: int) -> NDArray[np.float32]:
    read = ears.along(channel, lambda start, frames: sound.read(start, frames, [channel])[:, 0])
    return at_16k(read, media.frames, media.sample_rate)


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

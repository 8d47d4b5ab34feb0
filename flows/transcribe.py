"""What is said in a take, from the original, and what failed there from the cleaned sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from core.media import MediaFile
from core.speech import Word
from flows.channels import listening_channel, person_channels
from flows.hearing import at_16k
from flows.takes import CleanedTake, left_alone
from flows.workspace import Workspace
from models.card import ModelCard
from models.loading import loaded_once
from models.speech.engines import EngineChoice, choose, load
from models.speech.protocol import Device, Recogniser, Span, TranscribeOptions, Transcript
from models.speech.second_try import with_second_try

MOST_PROMPTED = 400
"""Letters of a prompt: Whisper heeds 223 tokens of it, and a long one leaks into the text."""


@dataclass(frozen=True)
class CleanedSound:
    """The cleaned sound of the channel that is transcribed.

    key: of the cleaned take. sha256: of its file. channel: in that file, from 0.
    """

    key: str
    sha256: str
    path: Path
    channel: int


@dataclass(frozen=True)
class Written:
    """What was written down of a take, at 16 kHz.

    card: of the recogniser, None where none was asked. tried_again: spans that the first try
    left doubtful. from_cleaned: words that only the cleaned sound gave.
    """

    transcript: Transcript
    card: ModelCard | None = None
    tried_again: tuple[Span, ...] = ()
    from_cleaned: frozenset[Word] = field(default=frozenset())


def choose_recogniser(work: Workspace) -> EngineChoice:
    """The recogniser that the settings and the installed weights lead to."""
    settings = work.settings
    return choose(settings.recogniser, work.weights.root, settings.allow_draft)


def cleaned_sound(
    work: Workspace, media: MediaFile, cleaned: Iterable[CleanedTake]
) -> CleanedSound | None:
    """The cleaned sound of a file's transcribed channel, where a run has one.

    Of several (a person decided for stretches of the take) the take itself comes first, then the
    first by name, so that every run takes the same.
    """
    if left_alone(work, media):
        return None
    channel = listening_channel(media)
    fitting = [
        take
        for take in cleaned
        if take.take.essence == media.essence and channel in take.take.channels
    ]
    if not fitting:
        return None
    take = min(fitting, key=lambda item: (item.take.variant, item.take.id, item.key))
    return CleanedSound(take.key, take.sha256, take.path, take.take.channels.index(channel))


def options_for(work: Workspace, media: MediaFile, choice: EngineChoice) -> TranscribeOptions:
    """How a take is written down: the language and prompt of the settings, and its own names."""
    settings = work.settings
    prompt = settings.prompt
    if choice.takes_prompt:
        names = list(person_channels(media).values())
        prompt = prompt_of(settings.prompt, settings.glossary, names)
    return TranscribeOptions(language=settings.language, prompt=prompt)


def prompt_of(said: str, glossary: Sequence[str], names: Sequence[str]) -> str:
    """A prompt of at most 400 letters: what the settings say, then characters, then terms.

    What doesn't fit is left out from the end, name by name. Names in capitals are written as
    names, for the recogniser writes them as it reads them.
    """
    prompt = said.strip()[:MOST_PROMPTED]
    written = [name.title() if name.isupper() else name for name in names]
    listed: list[str] = []
    for term in dict.fromkeys(term.strip() for term in (*written, *glossary)):
        longer = " ".join(filter(None, [prompt, ", ".join([*listed, term]) + "."]))
        if term and len(longer) <= MOST_PROMPTED:
            listed.append(term)
    return " ".join(filter(None, [prompt, ", ".join(listed) + "." if listed else ""]))


def write_down(
    work: Workspace,
    media: MediaFile,
    choice: EngineChoice,
    sound: NDArray[np.float32],
    spans: Sequence[Span],
    cleaned: CleanedSound | None,
) -> Written:
    """What is said in a take, by the chosen recogniser.

    sound: the original at 16 kHz. spans: where somebody speaks in it. Where the recogniser
    understood nothing or hardly anything, it hears the cleaned sound.
    """
    settings = work.settings
    if choice.kind == "none" or not spans:
        return Written(Transcript((), settings.language))
    recogniser, turn = _loaded(choice, settings.device, settings.threads)
    options = options_for(work, media, choice)
    with turn:
        first = recogniser.transcribe(sound, spans, options)
    if cleaned is None or not first.doubtful:
        return Written(first, recogniser.card, first.doubtful)
    with Sound(work.store.here(cleaned.path)) as there:
        again = at_16k(
            lambda start, frames: there.read(start, frames, [cleaned.channel])[:, 0],
            media.frames,
            media.sample_rate,
        )
    with turn:
        second = recogniser.transcribe(
            again, first.doubtful, replace(options, language=first.language)
        )
    transcript, taken = with_second_try(first, second)
    return Written(transcript, recogniser.card, first.doubtful, taken)


@loaded_once(2)
def _loaded(
    choice: EngineChoice, device: Device, threads: int
) -> tuple[Recogniser, AbstractContextManager[object]]:
    """The recogniser, loaded once a process, and what to hold while it works.

    openai-whisper hangs its cache of keys and values on the model itself, so it can hear one
    take at a time; the others may hear several.
    """
    lock = Lock() if choice.kind == "whisper" else nullcontext()
    return load(choice, device, threads), lock

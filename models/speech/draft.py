"""PocketSphinx: a small recogniser that makes drafts where no Whisper model is installed.

A quarter of its words are wrong on clean speech: enough to find a line by, never to read from.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError
from core.speech import Word
from models.card import ModelCard
from models.described import described
from models.speech.controls import doubtful, in_speech
from models.speech.draft_controls import DraftControls, Stretch, believable, stretch
from models.speech.passages import single_passages
from models.speech.protocol import Span, TranscribeOptions, Transcript

_FILLER = re.compile(r"^(<.*>|\[.*\]|\+\+.*\+\+)$")
_PRONUNCIATION = re.compile(r"\(\d+\)$")
_RATE = 16_000
_OWN = threading.local()
_LOUD = 10 ** (-26 / 20)


@dataclass(frozen=True)
class PocketSphinx:
    """PocketSphinx with the US English model in its wheel."""

    draft: bool = True
    controls: DraftControls = field(default_factory=DraftControls)

    @cached_property
    def card(self) -> ModelCard:
        """Name and licence of the model; a stand-in. Raises EngineError where it is absent."""
        number = installed_version()
        return described("pocketsphinx").card(f"pocketsphinx {number}", "", number, stand_in=True)

    def transcribe(
        self, sound: NDArray[np.float32], spans: Sequence[Span], options: TranscribeOptions
    ) -> Transcript:
        """See Recogniser. English only: a prompt is ignored, and of another language or where
        nothing fits English nothing is written down; each with a warning.
        """
        installed_version()
        if options.language and not options.language.startswith("en"):
            warning = f"PocketSphinx only knows English: of {options.language!r} it wrote nothing."
            return Transcript((), options.language, (warning,), path="cpu")
        decoder = _decoder()
        places = single_passages(spans, len(sound))
        heard = [_decoded(decoder, sound[start:end], start) for start, end in places]
        believed = believable(heard, self.controls)
        words = tuple(
            word
            for item, fits in zip(heard, believed, strict=True)
            if fits
            for word in in_speech(item.words, spans, options)
        )
        warnings = ["This is a draft by PocketSphinx: about a quarter of its words are wrong."]
        if not all(believed):
            warnings.append(
                f"Of {len(believed)} stretches of speech {believed.count(False)} don't fit English "
                "words; nothing was written down there."
            )
        if options.prompt:
            warnings.append("PocketSphinx takes no prompt; it was ignored.")
        language = "en" if any(believed) or options.language else ""
        empty = replace(options, unsure=0.0)
        return Transcript(words, language, tuple(warnings), doubtful(words, spans, empty), "cpu")


def installed_version() -> str:
    """The installed PocketSphinx. Raises EngineError naming the remedy where there is none."""
    try:
        return version("pocketsphinx")
    except PackageNotFoundError as fault:
        raise EngineError(
            'PocketSphinx is not installed; run `pip install "roomtone[draft]"`.'
        ) from fault


def _decoder() -> Any:
    """This thread's decoder, loaded once and set back to how it starts.

    Its front end follows the sound it heard last; left so, a take's words would depend on the
    take before.
    """
    from pocketsphinx import Decoder

    found = getattr(_OWN, "decoder", None)
    if found is None:
        _OWN.decoder = found = Decoder(loglevel="FATAL")
    found.reinit_feat()
    return found


def _decoded(decoder: Any, passage: NDArray[np.float32], offset: int) -> Stretch:
    """The words of a passage; fillers (silence, breath, noise) are none."""
    decoder.start_utt()
    decoder.process_raw(_pcm16(passage), no_search=False, full_utt=True)
    decoder.end_utt()
    frame = _RATE // decoder.config["frate"]
    words, likelihoods, frames = [], [], []
    for segment in decoder.seg() or ():
        if _FILLER.match(segment.word):
            continue
        start = offset + min(segment.start_frame * frame, len(passage))
        end = offset + min((segment.end_frame + 1) * frame, len(passage))
        confidence = min(max(float(segment.prob), 0.0), 1.0)
        words.append(Word(_PRONUNCIATION.sub("", segment.word), start, end, confidence))
        likelihoods.append(float(segment.ascore))
        frames.append(segment.end_frame + 1 - segment.start_frame)
    return stretch(words, len(passage), likelihoods, frames)


def _pcm16(passage: NDArray[np.float32]) -> bytes:
    """16-bit samples at a usual level: a take recorded too low would vanish in their steps."""
    level = float(np.sqrt(np.mean(np.square(passage, dtype=np.float64)))) if len(passage) else 0.0
    gain = _LOUD / level if level > 0 else 1.0
    samples: NDArray[np.int16] = np.rint(np.clip(passage * gain, -1, 1) * 32767).astype("<i2")
    return samples.tobytes()

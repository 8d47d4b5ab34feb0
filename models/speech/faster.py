"""faster-whisper: Whisper models in CTranslate2's format, from a local folder only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError
from models.card import ModelCard
from models.speech.passages import Heard, transcribe_passages
from models.speech.protocol import Span, TranscribeOptions, Transcript
from models.speech.whisper_card import whisper_card

NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""What a folder must hold beside its vocabulary; without the tokenizer the library goes online."""


@dataclass(frozen=True)
class FasterWhisper:
    """A Whisper model in a folder, run by faster-whisper: int8 on a CPU, float16 on a GPU."""

    name: str
    folder: Path
    weights_sha256: str
    draft: bool = False

    @cached_property
    def card(self) -> ModelCard:
        """Name, licence and weights of the model."""
        import ctranslate2  # type: ignore[import-untyped]
        import faster_whisper

        runtime = (
            f"faster-whisper {faster_whisper.__version__}, ctranslate2 {ctranslate2.__version__}"
        )
        return whisper_card(
            "faster-whisper", self.name, self.folder.name, runtime, self.weights_sha256
        )

    def transcribe(
        self, sound: NDArray[np.float32], spans: Sequence[Span], options: TranscribeOptions
    ) -> Transcript:
        """See Recogniser. Raises EngineError where the folder is incomplete or unreadable."""
        import ctranslate2

        model = self._model
        check_language(options.language, model.supported_languages, self.name)
        ctranslate2.set_random_seed(0)
        return transcribe_passages(
            sound,
            spans,
            options,
            decode=lambda passage, language: _segments(model, passage, language, options),
            detect=lambda passage: _detected(model, passage),
        )

    @cached_property
    def _model(self) -> Any:
        """The loaded model. Raises EngineError, and never lets the library go online."""
        missing = [name for name in NEEDED if not (self.folder / name).is_file()]
        if missing:
            raise EngineError(
                f"{self.folder} lacks {', '.join(missing)}; "
                f"import the model again with `roomtone models import`."
            )
        import ctranslate2
        from faster_whisper import WhisperModel

        on_gpu = ctranslate2.get_cuda_device_count() > 0
        try:
            return WhisperModel(
                str(self.folder),
                device="cuda" if on_gpu else "cpu",
                compute_type="float16" if on_gpu else "int8",
                local_files_only=True,
            )
        except Exception as fault:
            raise EngineError(
                f"{self.folder} can't be loaded as a faster-whisper model ({fault}); "
                f"import it again with `roomtone models import`."
            ) from fault


def check_language(language: str, known: Sequence[str], name: str) -> None:
    """Raise EngineError where a language is asked for that the model doesn't know."""
    if language and language not in known:
        raise EngineError(
            f"The model {name} doesn't know the language {language!r}; "
            f"give a code such as `en`, or none to detect it."
        )


def _detected(model: Any, passage: NDArray[np.float32]) -> tuple[str, float]:
    """The language of a passage and its probability (English, surely, for an English model)."""
    if not model.model.is_multilingual:
        return "en", 1.0
    language, probability, _ = model.detect_language(passage)
    return language, probability


def _segments(
    model: Any, passage: NDArray[np.float32], language: str, options: TranscribeOptions
) -> Iterable[Heard]:
    """The segments of a passage with their words."""
    segments, _ = model.transcribe(
        passage,
        language=language,
        beam_size=options.beam_size,
        temperature=list(options.temperatures),
        compression_ratio_threshold=options.max_compression,
        log_prob_threshold=options.min_log_probability,
        no_speech_threshold=options.no_speech,
        condition_on_previous_text=False,
        initial_prompt=options.prompt or None,
        word_timestamps=True,
        hallucination_silence_threshold=options.silence_s or None,
        vad_filter=False,
    )
    for segment in segments:
        yield Heard(
            words=tuple((w.word, w.start, w.end, w.probability) for w in segment.words or ()),
            log_probability=segment.avg_logprob,
            no_speech=segment.no_speech_prob,
            compression=segment.compression_ratio,
        )

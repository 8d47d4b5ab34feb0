"""faster-whisper: Whisper models in CTranslate2's format, from a local folder only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError
from models.card import ModelCard
from models.loading import LoadedOnce
from models.speech.controls import Heard
from models.speech.passages import transcribe_passages
from models.speech.protocol import Device, Span, TranscribeOptions, Transcript
from models.speech.whisper_card import whisper_card

_RATE = 16_000
NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""What a folder must hold beside its vocabulary; without the tokenizer the library goes online."""


@dataclass(frozen=True)
class FasterWhisper:
    """A Whisper model in a folder, run by faster-whisper: int8 on a CPU, float16 on a GPU.

    device: `auto` takes a GPU where there is one. threads: of a CPU; 0 for all cores.
    number_format: CTranslate2's name of it, or empty for the usual one of the device.
    together: whether passages are decoded in batches; None for where it helps, on a GPU.
    """

    name: str
    folder: Path
    weights_sha256: str
    draft: bool = False
    device: Device = "auto"
    threads: int = 0
    number_format: str = ""
    together: bool | None = None

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
        in_batches = options.batch > 1 and (
            self._on_gpu if self.together is None else self.together
        )
        transcript = transcribe_passages(
            sound,
            spans,
            options,
            decode=lambda passage, language: _segments(model, passage, language, options),
            detect=lambda passage: _detected(model, passage),
            together=(
                (lambda pieces, language: _batch(model, pieces, language, options))
                if in_batches
                else None
            ),
        )
        path = f"{model.model.device} {model.model.compute_type}"
        return replace(transcript, path=f"{path} in batches" if in_batches else path)

    @cached_property
    def _on_gpu(self) -> bool:
        """Whether a GPU does the work."""
        import ctranslate2

        found = ctranslate2.get_cuda_device_count() > 0
        if self.device == "cuda" and not found:
            raise EngineError(
                "No GPU that faster-whisper can use was found; set device to auto or cpu."
            )
        return found and self.device != "cpu"

    @LoadedOnce
    def _model(self) -> Any:
        """The loaded model. Raises EngineError, and never lets the library go online."""
        missing = [name for name in NEEDED if not (self.folder / name).is_file()]
        if missing:
            raise EngineError(
                f"{self.folder} lacks {', '.join(missing)}; "
                f"import the model again with `roomtone models import`."
            )
        from faster_whisper import WhisperModel

        on_gpu = self._on_gpu
        try:
            return WhisperModel(
                str(self.folder),
                device="cuda" if on_gpu else "cpu",
                compute_type=self.number_format or ("float16" if on_gpu else "int8"),
                cpu_threads=self.threads,
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
        temperature=list(options.temperatures),
        compression_ratio_threshold=options.max_compression,
        log_prob_threshold=options.min_log_probability,
        no_speech_threshold=options.no_speech,
        hallucination_silence_threshold=options.silence_s or None,
        **_shared(language, options),
    )
    for segment in segments:
        yield _heard(segment, 0.0)


def _batch(
    model: Any,
    pieces: Sequence[NDArray[np.float32]],
    language: str,
    options: TranscribeOptions,
) -> Sequence[Sequence[Heard]]:
    """The segments of several passages, decoded at once at the first temperature.

    The library wants them in one sound, with the seconds in which each lies.
    """
    from faster_whisper import BatchedInferencePipeline

    ends = np.cumsum([len(piece) for piece in pieces])
    starts = ends - [len(piece) for piece in pieces]
    # The library cuts seconds down to samples: half a sample keeps them where they are.
    clips = [
        {"start": (start + 0.5) / _RATE, "end": (end + 0.5) / _RATE}
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    segments, _ = BatchedInferencePipeline(model).transcribe(
        np.concatenate(pieces),
        temperature=options.temperatures[0],
        clip_timestamps=clips,
        batch_size=options.batch,
        without_timestamps=False,
        **_shared(language, options),
    )
    found: list[list[Heard]] = [[] for _ in pieces]
    for segment in segments:
        middle = (segment.start + segment.end) / 2 * _RATE
        at = min(int(np.searchsorted(ends, middle, side="right")), len(pieces) - 1)
        found[at].append(_heard(segment, starts[at] / _RATE))
    return found


def _shared(language: str, options: TranscribeOptions) -> dict[str, Any]:
    """What both ways of decoding are told."""
    return {
        "language": language,
        "beam_size": options.beam_size,
        "condition_on_previous_text": False,
        "initial_prompt": options.prompt or None,
        "word_timestamps": True,
        "vad_filter": False,
    }


def _heard(segment: Any, offset_s: float) -> Heard:
    """A segment of the library's, its words counted from offset_s."""
    return Heard(
        words=tuple(
            (w.word, w.start - offset_s, w.end - offset_s, w.probability)
            for w in segment.words or ()
        ),
        log_probability=segment.avg_logprob,
        no_speech=segment.no_speech_prob,
        compression=segment.compression_ratio,
    )

"""openai-whisper: OpenAI's own implementation, from a local `.pt` checkpoint."""

from __future__ import annotations

import base64
import gzip
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
from models.speech.faster import check_language
from models.speech.passages import transcribe_passages
from models.speech.protocol import Device, Span, TranscribeOptions, Transcript
from models.speech.whisper_card import whisper_card
from models.threads import torch_threads


@dataclass(frozen=True)
class OpenaiWhisper:
    """A Whisper checkpoint in OpenAI's format, run by openai-whisper: float16 on a GPU.

    device: `auto` takes a GPU where there is one. threads: of a CPU; 0 leaves torch's own number.
    """

    name: str
    checkpoint: Path
    weights_sha256: str
    draft: bool = False
    device: Device = "auto"
    threads: int = 0

    @cached_property
    def card(self) -> ModelCard:
        """Name, licence and weights of the model."""
        import torch
        from whisper.version import __version__

        runtime = f"openai-whisper {__version__}, torch {torch.__version__}"
        return whisper_card(
            "whisper", self.name, self.checkpoint.parent.name, runtime, self.weights_sha256
        )

    def transcribe(
        self, sound: NDArray[np.float32], spans: Sequence[Span], options: TranscribeOptions
    ) -> Transcript:
        """See Recogniser. Raises EngineError where the checkpoint can't be read."""
        import torch
        from whisper.tokenizer import LANGUAGES

        model = self._model
        known = list(LANGUAGES) if model.is_multilingual else ["en"]
        check_language(options.language, known, self.name)
        with torch.random.fork_rng(), torch_threads(self.threads):
            torch.manual_seed(0)
            transcript = transcribe_passages(
                sound,
                spans,
                options,
                decode=lambda passage, language: _segments(model, passage, language, options),
                detect=lambda passage: _detected(model, passage),
            )
        on_gpu = model.device.type == "cuda"
        return replace(transcript, path="cuda float16" if on_gpu else "cpu float32")

    @LoadedOnce
    def _model(self) -> Any:
        """The loaded model (tensors only, no pickled code is run), with its alignment heads."""
        model = load_checkpoint(self.checkpoint, self.device)
        align(model, self.checkpoint)
        return model


def load_checkpoint(path: Path, device: Device = "auto") -> Any:
    """The whisper.model.Whisper in a checkpoint file; `auto`: on a GPU where there is one.

    Raises EngineError where the file is missing or no Whisper checkpoint, or there is no GPU.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    if device == "cuda" and not torch.cuda.is_available():
        raise EngineError("No GPU that torch can use was found; set device to auto or cpu.")
    place = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    try:
        saved = torch.load(path, map_location=place, weights_only=True)
        model = Whisper(ModelDimensions(**saved["dims"]))
        model.load_state_dict(saved["model_state_dict"])
    except Exception as fault:
        raise EngineError(
            f"{path} is not a Whisper checkpoint of OpenAI's; "
            f"import the model again with `roomtone models import`."
        ) from fault
    return model.to(place).eval()


def align(model: Any, checkpoint: Path) -> None:
    """Set the attention heads that place words best, where OpenAI published them for the model.

    Known by the file's name (`small.pt`) and the model's size; other models keep the later half
    of all heads, and their word times are a little coarser.
    """
    from whisper import _ALIGNMENT_HEADS

    published = _ALIGNMENT_HEADS.get(checkpoint.stem)
    if published is None:
        return
    heads = len(gzip.decompress(base64.b85decode(published)))
    if heads == model.dims.n_text_layer * model.dims.n_text_head:
        model.set_alignment_heads(published)


def _detected(model: Any, passage: NDArray[np.float32]) -> tuple[str, float]:
    """The language of a passage and its probability (English, surely, for an English model)."""
    import whisper

    if not model.is_multilingual:
        return "en", 1.0
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(passage), model.dims.n_mels)
    _, probabilities = whisper.detect_language(model, mel.to(model.device))
    language = max(probabilities, key=lambda code: probabilities[code])
    return language, float(probabilities[language])


def _segments(
    model: Any, passage: NDArray[np.float32], language: str, options: TranscribeOptions
) -> Iterable[Heard]:
    """The segments of a passage with their words."""
    import whisper

    result = whisper.transcribe(
        model,
        np.ascontiguousarray(passage),
        language=language,
        beam_size=options.beam_size,
        temperature=options.temperatures,
        compression_ratio_threshold=options.max_compression,
        logprob_threshold=options.min_log_probability,
        no_speech_threshold=options.no_speech,
        condition_on_previous_text=False,
        initial_prompt=options.prompt or None,
        word_timestamps=True,
        hallucination_silence_threshold=options.silence_s or None,
        fp16=model.device.type == "cuda",
        verbose=None,
    )
    for segment in result["segments"]:
        yield Heard(
            words=tuple(
                (w["word"], w["start"], w["end"], w["probability"])
                for w in segment.get("words", ())
            ),
            log_probability=segment["avg_logprob"],
            no_speech=segment["no_speech_prob"],
            compression=segment["compression_ratio"],
        )

"""Whether a converted Whisper model computes what its checkpoint does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError

MOST_APART = 0.05
"""Of logits. Weights rounded to float16 leave 0.002."""

_STEPS = 4
_FRAMES = 3_000
_MASKED = -1e30


def check_same(model: Any, folder: Path) -> None:
    """Raise EngineError where the logits of a checkpoint and of its converted folder differ.

    Both hear the same made-up spectrogram and write a few tokens greedily; model: of
    openai-whisper, on the CPU.
    """
    ours, theirs = logits(model, folder)
    apart = float(np.max(np.abs(ours - theirs), initial=0.0))
    if ours.shape != theirs.shape or not apart <= MOST_APART:
        raise EngineError(
            f"The converted model doesn't compute what the checkpoint does (logits {apart:.3g} "
            "apart); use it with openai-whisper, and tell us which checkpoint it is."
        )


def logits(model: Any, folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits (steps, tokens) of the converted folder and of the checkpoint, after the same tokens.

    Tokens that the converter never lets a model write are left out of both.
    """
    import ctranslate2  # type: ignore[import-untyped]
    import torch
    from whisper.tokenizer import get_tokenizer

    languages = model.num_languages if model.is_multilingual else 99
    tokenizer = get_tokenizer(model.is_multilingual, num_languages=languages, language="en")
    prompt = list(tokenizer.sot_sequence_including_notimestamps)
    mel = _spectrogram(model.dims.n_mels)
    converted = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32")
    written = converted.generate(
        ctranslate2.StorageView.from_array(mel),
        [prompt],
        beam_size=1,
        max_length=len(prompt) + _STEPS,
        return_logits_vocab=True,
        suppress_blank=False,
        suppress_tokens=[],
    )[0]
    ours = np.stack([np.array(step).ravel() for step in written.logits[0]])
    tokens = [*prompt, *written.sequences_ids[0]][: len(prompt) + len(ours) - 1]
    with torch.inference_mode():
        heard = model.encoder(torch.from_numpy(mel))
        found = model.decoder(torch.tensor([tokens]), heard)[0, len(prompt) - 1 :]
    theirs = found.float().numpy()
    free = np.all(ours > _MASKED, axis=0)
    return ours[:, free], theirs[: len(ours), free]


def _spectrogram(bands: int) -> NDArray[np.float32]:
    """Thirty seconds of rising and falling ridges, in the range of Whisper's spectrograms."""
    band, frame = np.arange(bands)[:, None], np.arange(_FRAMES)[None]
    ridges = np.cos(2 * np.pi * (band / 7 + frame / 61 + np.sin(frame / 211)))
    return np.ascontiguousarray(0.8 * ridges[None], dtype=np.float32)

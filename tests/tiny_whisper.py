"""A tiny Whisper checkpoint in OpenAI's own format: real layout, real loading, random weights.

No trained checkpoint is needed to test that files are loaded, decoding runs and words come out
with their times; what the words are means nothing.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # its compiler takes longer than these tests

_SPECIAL = 50_257
"""From here on tokens are no text; made unlikely, so that the model babbles instead of ending."""


def write_tiny_checkpoint(path: Path, text_context: int = 448, vocabulary: int = 51_865) -> Path:
    """Write a checkpoint of one narrow layer, the same float16 weights every time.

    text_context: tokens; a model writes at most half of them for a window, so fewer is faster
    (faster-whisper needs all 448). vocabulary: 51,865 is multilingual, 51,864 is English only.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    dims = ModelDimensions(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=64,
        n_audio_head=2,
        n_audio_layer=1,
        n_vocab=vocabulary,
        n_text_ctx=text_context,
        n_text_state=64,
        n_text_head=2,
        n_text_layer=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = Whisper(dims)
        for tensor in model.parameters():
            torch.nn.init.normal_(tensor, std=0.3)
        with torch.no_grad():
            model.decoder.token_embedding.weight[_SPECIAL:] *= 0.1
            # Or it would write one token over and over.
            model.decoder.positional_embedding *= 4
            model.decoder.ln.weight.fill_(1.0)
            model.decoder.ln.bias.zero_()
        model.half()
    torch.save({"dims": asdict(dims), "model_state_dict": model.state_dict()}, path)
    return path

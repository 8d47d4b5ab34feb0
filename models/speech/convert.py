"""An OpenAI checkpoint turned into a folder for faster-whisper, offline.

The weights go into CTranslate2's own specification layer by layer; the tokenizer is built from
the vocabulary in the openai-whisper wheel. Nothing is fetched and transformers isn't needed. What
was made is run beside the checkpoint before it gets its name (`models.speech.same_model`).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import OutputError
from models.speech.openai import align, load_checkpoint
from models.speech.same_model import check_same

Weights = Mapping[str, NDArray[np.float32]]


def convert_checkpoint(checkpoint: Path, folder: Path) -> Path:
    """Write a `.pt` of OpenAI's as a CTranslate2 folder (float16), whole or not at all.

    Returns the folder. It must not exist yet. Raises EngineError where the checkpoint can't be
    read or the two don't compute the same, and OutputError where the folder exists or can't be
    written.
    """
    if folder.exists():
        raise OutputError(f"{folder} exists already; remove it or choose another name.")
    model = load_checkpoint(checkpoint, "cpu")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
            part = Path(made) / folder.name
            part.mkdir()
            _write(model, checkpoint, part)
            check_same(model, part)
            for path in part.iterdir():
                with path.open("rb") as written:
                    os.fsync(written.fileno())
            part.rename(folder)
    except OSError as fault:
        raise OutputError(
            f"{folder} can't be written ({fault.strerror}); check its permissions and free space."
        ) from fault
    return folder


def _write(model: Any, checkpoint: Path, folder: Path) -> None:
    """All files of the model's folder."""
    from whisper.tokenizer import get_tokenizer

    languages = model.num_languages if model.is_multilingual else 99
    tokenizer = get_tokenizer(model.is_multilingual, num_languages=languages)
    spec = _specification(model)
    spec.register_vocabulary(_vocabulary(tokenizer.encoding, model.dims.n_vocab))
    spec.config.suppress_ids = sorted(_suppressed(tokenizer))
    spec.config.suppress_ids_begin = [*tokenizer.encode(" "), tokenizer.eot]
    spec.config.lang_ids = list(tokenizer.all_language_tokens) if model.is_multilingual else []
    align(model, checkpoint)
    spec.config.alignment_heads = model.alignment_heads.indices().T.tolist()
    spec.validate()
    spec.optimize(quantization="float16")
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(_tokenizer_json(tokenizer.encoding), encoding="utf-8")
    features = {
        "chunk_length": 30,
        "feature_size": model.dims.n_mels,
        "hop_length": 160,
        "n_fft": 400,
        "sampling_rate": 16_000,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")


def _specification(model: Any) -> Any:
    """CTranslate2's WhisperSpec filled from the checkpoint's tensors."""
    from ctranslate2.specs import WhisperSpec  # type: ignore[import-untyped]

    dims = model.dims
    weights = {
        name: np.ascontiguousarray(tensor.detach().float().cpu().numpy())
        for name, tensor in model.state_dict().items()
    }
    spec = WhisperSpec(dims.n_audio_layer, dims.n_audio_head, dims.n_text_layer, dims.n_text_head)
    for part in ("conv1", "conv2"):
        _affine(getattr(spec.encoder, part), weights, f"encoder.{part}")
    spec.encoder.position_encodings.encodings = weights["encoder.positional_embedding"]
    _norm(spec.encoder.layer_norm, weights, "encoder.ln_post")
    for index, layer in enumerate(spec.encoder.layer):
        _block(layer, weights, f"encoder.blocks.{index}")
    decoder = spec.decoder
    decoder.embeddings.weight = weights["decoder.token_embedding.weight"]
    decoder.projection.weight = weights["decoder.token_embedding.weight"]
    decoder.position_encodings.encodings = weights["decoder.positional_embedding"]
    _norm(decoder.layer_norm, weights, "decoder.ln")
    for index, layer in enumerate(decoder.layer):
        name = f"decoder.blocks.{index}"
        _block(layer, weights, name)
        _norm(layer.attention.layer_norm, weights, f"{name}.cross_attn_ln")
        _affine(layer.attention.linear[0], weights, f"{name}.cross_attn.query")
        _fused(layer.attention.linear[1], weights, f"{name}.cross_attn", ("key", "value"))
        _affine(layer.attention.linear[2], weights, f"{name}.cross_attn.out")
    return spec


def _block(layer: Any, weights: Weights, name: str) -> None:
    """Self-attention and feed-forward of one layer."""
    _norm(layer.self_attention.layer_norm, weights, f"{name}.attn_ln")
    _fused(layer.self_attention.linear[0], weights, f"{name}.attn", ("query", "key", "value"))
    _affine(layer.self_attention.linear[1], weights, f"{name}.attn.out")
    _norm(layer.ffn.layer_norm, weights, f"{name}.mlp_ln")
    _affine(layer.ffn.linear_0, weights, f"{name}.mlp.0")
    _affine(layer.ffn.linear_1, weights, f"{name}.mlp.2")


def _affine(spec: Any, weights: Weights, name: str) -> None:
    """Weight and bias of a linear layer or convolution."""
    spec.weight = weights[f"{name}.weight"]
    spec.bias = weights[f"{name}.bias"]


def _norm(spec: Any, weights: Weights, name: str) -> None:
    """Gain and offset of a layer norm."""
    spec.gamma = weights[f"{name}.weight"]
    spec.beta = weights[f"{name}.bias"]


def _fused(spec: Any, weights: Weights, name: str, parts: tuple[str, ...]) -> None:
    """Several projections in one matrix; the key has no bias, so zeros stand in."""
    spec.weight = np.concatenate([weights[f"{name}.{part}.weight"] for part in parts])
    none = np.zeros_like(weights[f"{name}.{parts[-1]}.bias"])
    spec.bias = np.concatenate([weights.get(f"{name}.{part}.bias", none) for part in parts])


def _suppressed(tokenizer: Any) -> set[int]:
    """Tokens never to write: symbols that aren't speech, and control tokens."""
    return {
        *tokenizer.non_speech_tokens,
        tokenizer.transcribe,
        tokenizer.translate,
        tokenizer.sot,
        tokenizer.sot_prev,
        tokenizer.sot_lm,
        tokenizer.no_speech,
    }


def _vocabulary(encoding: Any, size: int) -> list[str]:
    """One distinct text for each of the model's tokens, bytes written as GPT-2 writes them."""
    letters = _byte_letters()
    special = _special(encoding)
    return [
        special.get(i) or "".join(letters[b] for b in encoding.decode_single_token_bytes(i))
        for i in range(min(size, encoding.n_vocab))
    ] + [f"<|unused {i}|>" for i in range(encoding.n_vocab, size)]


def _special(encoding: Any) -> dict[int, str]:
    """Control tokens by number, in order."""
    texts = encoding.special_tokens_set
    return dict(sorted((encoding.encode_single_token(text), text) for text in texts))


def _byte_letters() -> list[str]:
    """A printable letter for each byte: itself where printable, else from 256 upwards (GPT-2)."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _tokenizer_json(encoding: Any) -> str:
    """The tokenizer in the format of the tokenizers library, merges found from the ranks."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = _byte_letters()
    special = _special(encoding)
    ranks = {
        encoding.decode_single_token_bytes(rank): rank
        for rank in range(encoding.n_vocab)
        if rank not in special
    }

    def written(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    vocabulary = {written(token): rank for token, rank in ranks.items()}
    merges = [
        (written(left), written(right))
        for token, rank in sorted(ranks.items(), key=lambda item: item[1])
        if len(token) > 1
        for left, right in [_last_merge(token, rank, ranks)]
    ]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(text, special=True, normalized=False) for text in special.values()]
    )
    text: str = tokenizer.to_str()
    return text


def _last_merge(token: bytes, rank: int, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """The two parts that byte-pair encoding joins last to make a token."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        pairs = [ranks.get(a + b, rank) for a, b in pairwise(parts)]
        at = int(np.argmin(pairs))
        if pairs[at] >= rank:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], b"".join(parts[1:])

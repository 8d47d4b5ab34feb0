"""The weights roomtone knows: their files, where their authors publish them, and their hashes."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Kind = Literal["denoise", "whisper", "speakers"]


@dataclass(frozen=True)
class KnownFile:
    """A file of a set of weights.

    name: in our folder. sha256: as its authors or we recorded it; empty where it is not known
    beforehand (then it is recorded when fetched). url: https; where it ends in `.tar.gz`, the
    archive is fetched once and the member of this name taken out of it.
    """

    name: str
    sha256: str
    url: str


@dataclass(frozen=True)
class KnownWeights:
    """A set of weights that belong together.

    version: of the model. size_mb: of the download, in millions of bytes, roughly.
    """

    name: str
    files: tuple[KnownFile, ...]
    licence: str
    trained_on: str
    source: str
    kind: Kind
    version: str
    size_mb: int


_WHISPER_MB = {
    "tiny": 76,
    "tiny.en": 76,
    "base": 145,
    "base.en": 145,
    "small": 484,
    "small.en": 484,
    "medium": 1528,
    "medium.en": 1528,
    "large-v3": 3087,
    "turbo": 1618,
}
_WHISPER_DATA = "680,000 hours of transcribed audio collected from the web"
_WHISPER_V3_DATA = (
    "5 million hours of audio from the web, 4 million of them transcribed by large-v2"
)
_DFN3 = "https://github.com/Rikorose/DeepFilterNet/raw/main/models/DeepFilterNet3_onnx.tar.gz"


def _deepfilternet3() -> KnownWeights:
    hashes = {
        "enc.onnx": "7c5399d3da8a50ebef1c1a0ae421b33376aa5e45d0e92df16da7e83c9c131916",
        "erb_dec.onnx": "ab669a1d10afe20911728b33053a452071042317a90581092b325da7b2f9d895",
        "df_dec.onnx": "23114ce3b0f6464b763ee62f7bb8aab6b2a129a21eabd5bcfe59413db05f278a",
        "config.ini": "415eb925d44990d938fb739f514aa3662c1ec0ea836cff044fa1291b82cb4290",
    }
    return KnownWeights(
        name="deepfilternet3",
        files=tuple(KnownFile(name, sha256, _DFN3) for name, sha256 in hashes.items()),
        licence="MIT OR Apache-2.0",
        trained_on="DNS Challenge 4 (full band), with VCTK and PTDB oversampled",
        source="https://github.com/Rikorose/DeepFilterNet",
        kind="denoise",
        version="0.5.6",
        size_mb=8,
    )


def _openai_whisper() -> list[KnownWeights]:
    """The checkpoints of the installed openai-whisper, whose URLs hold their sha256."""
    table = _table("whisper", "__init__.py")
    return [
        KnownWeights(
            name=f"whisper-{size}",
            files=(KnownFile(url.rsplit("/", 1)[1], url.split("/")[-2], url),),
            licence="MIT",
            trained_on=_WHISPER_V3_DATA if size in ("large-v3", "turbo") else _WHISPER_DATA,
            source="https://github.com/openai/whisper",
            kind="whisper",
            version=size,
            size_mb=megabytes,
        )
        for size, megabytes in _WHISPER_MB.items()
        if (url := table.get(size, ""))
    ]


def _faster_whisper() -> list[KnownWeights]:
    """The same models for CTranslate2, as the installed faster-whisper names them."""
    table = _table("faster_whisper", "utils.py")
    known = []
    for size, megabytes in _WHISPER_MB.items():
        repository = table.get(size, "")
        if not repository.startswith("Systran/"):
            continue
        newer = size == "large-v3"
        names = ["model.bin", "config.json", "tokenizer.json"]
        names += ["vocabulary.json", "preprocessor_config.json"] if newer else ["vocabulary.txt"]
        base = f"https://huggingface.co/{repository}/resolve/main"
        known.append(
            KnownWeights(
                name=f"faster-whisper-{size}",
                files=tuple(KnownFile(name, "", f"{base}/{name}") for name in names),
                licence="MIT",
                trained_on=_WHISPER_V3_DATA if newer else _WHISPER_DATA,
                source=f"https://huggingface.co/{repository}",
                kind="whisper",
                version=size,
                size_mb=megabytes,
            )
        )
    return known


def _table(package: str, file: str) -> dict[str, str]:
    """The `_MODELS` table of an installed package, read without running it (torch is slow)."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return {}
    tree = ast.parse((Path(spec.submodule_search_locations[0]) / file).read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_MODELS":
            return dict(ast.literal_eval(node.value))
    return {}


KNOWN: Mapping[str, KnownWeights] = MappingProxyType(
    {known.name: known for known in (_deepfilternet3(), *_openai_whisper(), *_faster_whisper())}
)
"""Every set of weights that can be fetched by name."""

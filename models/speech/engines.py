"""Which recogniser to use: found by looking at files, without loading anything."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from core.errors import EngineError, UsageError
from models.speech.protocol import Device, Recogniser
from models.weights import WeightsFolder

_BEST_FIRST = ("large-v3", "large-v2", "large", "turbo", "medium", "small", "base", "tiny")
_HOW = "fetch one with `roomtone models fetch` or import it with `roomtone models import`"


@dataclass(frozen=True)
class EngineChoice:
    """A recogniser that could be loaded, or none, and why it was chosen.

    kind: `faster-whisper`, `whisper`, `pocketsphinx` or `none`. name: of the model (`small`).
    path: folder or checkpoint; None for an engine without weights of its own.
    draft: its work is to be redone when a better engine is there.
    reason: a sentence for the report.
    weights_sha256: of the weights as ModelCard counts it, or empty.
    key: changes when engine, model, weights or the library's version do; work done under one
        key is not done again.
    """

    kind: str
    name: str
    path: Path | None
    draft: bool
    reason: str
    weights_sha256: str = ""
    key: str = "none"

    @property
    def takes_prompt(self) -> bool:
        """Whether names and terms in a prompt change what it writes."""
        return self.kind in ("faster-whisper", "whisper")

    @property
    def label(self) -> str:
        """As a person reads it: `faster-whisper small`; empty for none."""
        library = {
            "faster-whisper": "faster-whisper",
            "whisper": "openai-whisper",
            "pocketsphinx": "PocketSphinx",
        }.get(self.kind, "")
        return f"{library} {self.name}".strip()


def choose(name: str, weights_dir: Path, allow_draft: bool) -> EngineChoice:
    """The recogniser that a setting stands for.

    name: `auto`, `faster-whisper:NAME`, `whisper:NAME`, `pocketsphinx` or `none`. `auto` is the
    largest Whisper model under weights_dir (faster-whisper before openai-whisper), else a draft
    where allowed, else none. NAME is a model (`small`) or the folder it lies in. The weights are
    hashed, not loaded. Raises UsageError where name is none of these, EngineError where a named
    engine isn't installed, isn't what it was when it was installed, or may not be used.
    """
    if name == "none":
        return _nothing("Nothing was transcribed, as the settings ask.")
    if name == "pocketsphinx":
        if not allow_draft:
            raise EngineError(
                "PocketSphinx only makes drafts and drafts are not allowed; "
                "allow them in the settings or choose a Whisper model."
            )
        return _draft("Transcribed as a draft by PocketSphinx, as the settings ask.")
    installed = installed_models(weights_dir)
    if name == "auto":
        return _automatic(installed, weights_dir, allow_draft)
    kind, _, model = name.partition(":")
    if kind not in ("faster-whisper", "whisper") or not model:
        raise UsageError(
            f"{name!r} is no recogniser; write auto, faster-whisper:NAME, whisper:NAME, "
            f"pocketsphinx or none."
        )
    for found_kind, found_name, path in installed:
        if found_kind == kind and model in (found_name, path.parent.name, path.name):
            return _whisper(kind, found_name, path, weights_dir, "as the settings ask")
    raise EngineError(f"No {kind} model {model} is in {weights_dir}; {_HOW}.")


def load(choice: EngineChoice, device: Device = "auto", threads: int = 0) -> Recogniser:
    """The recogniser of a choice; its weights are read when it first transcribes.

    device: where a Whisper model runs; `auto`: on a GPU where there is one. threads: of a CPU
    that it uses; 0 for as many as its library likes. PocketSphinx runs in one, on the CPU.
    Raises EngineError with the choice's reason where there is none.
    """
    if choice.kind == "pocketsphinx":
        from models.speech.draft import PocketSphinx

        return PocketSphinx()
    if choice.kind == "faster-whisper" and choice.path:
        from models.speech.faster import FasterWhisper

        return FasterWhisper(
            choice.name, choice.path, choice.weights_sha256, device=device, threads=threads
        )
    if choice.kind == "whisper" and choice.path:
        from models.speech.openai import OpenaiWhisper

        return OpenaiWhisper(
            choice.name, choice.path, choice.weights_sha256, device=device, threads=threads
        )
    raise EngineError(choice.reason)


def installed_models(weights_dir: Path) -> tuple[tuple[str, str, Path], ...]:
    """(kind, name, path) of every Whisper model under a weights folder, best first.

    A set (a folder under weights_dir) with a `model.bin` of CTranslate2's is faster-whisper's,
    one with a `.pt` of OpenAI's is openai-whisper's. The name is the set's, without the engine
    in front (`faster-whisper-small` is `small`). path: the folder, or the checkpoint in it.
    """
    found = []
    for folder in sorted(path for path in weights_dir.glob("[!.]*") if path.is_dir()):
        name = folder.name.removeprefix("faster-").removeprefix("whisper-")
        if _is_ct2(folder / "model.bin"):
            found.append(("faster-whisper", name, folder))
        found += [
            ("whisper", name, path) for path in sorted(folder.glob("*.pt")) if is_checkpoint(path)
        ]
    return tuple(sorted(found, key=lambda model: (_rank(model[1]), model[0], model[1])))


def _automatic(
    installed: tuple[tuple[str, str, Path], ...], weights_dir: Path, allow_draft: bool
) -> EngineChoice:
    """The best that is installed."""
    if installed:
        return _whisper(*installed[0], weights_dir, "the best model installed")
    if not allow_draft:
        return _nothing(f"Nothing was transcribed: no Whisper model is in {weights_dir}; {_HOW}.")
    try:
        return _draft(
            f"Transcribed as a draft by PocketSphinx, because no Whisper model is in "
            f"{weights_dir}; {_HOW}."
        )
    except EngineError:
        return _nothing(
            f"Nothing was transcribed: no Whisper model is in {weights_dir}; {_HOW}, "
            f'or install the draft engine with `pip install "roomtone[draft]"`.'
        )


def _nothing(reason: str) -> EngineChoice:
    """No recogniser."""
    return EngineChoice("none", "", None, False, reason)


def _draft(reason: str) -> EngineChoice:
    """PocketSphinx. Raises EngineError where it isn't installed."""
    try:
        number = version("pocketsphinx")
    except PackageNotFoundError as fault:
        raise EngineError(
            'PocketSphinx is not installed; run `pip install "roomtone[draft]"`.'
        ) from fault
    key = f"pocketsphinx:en-us:{number}"
    return EngineChoice("pocketsphinx", "en-us", None, True, reason, key=key)


def _whisper(kind: str, name: str, path: Path, weights_dir: Path, because: str) -> EngineChoice:
    """A Whisper model in a folder or file."""
    library = "faster-whisper" if kind == "faster-whisper" else "openai-whisper"
    name_of_set = path.relative_to(weights_dir).parts[0]
    digest = WeightsFolder(weights_dir).sha256(name_of_set)
    return EngineChoice(
        kind,
        name,
        path,
        False,
        f"Transcribed by {library} {name}, {because}.",
        weights_sha256=digest,
        key=f"{kind}:{name}:{digest}:{version(library)}",
    )


def _rank(name: str) -> int:
    """How far down the list of known models a name stands; unknown names come last."""
    if "turbo" in name:
        return _BEST_FIRST.index("turbo")
    return next((i for i, known in enumerate(_BEST_FIRST) if known in name), len(_BEST_FIRST))


def _is_ct2(path: Path) -> bool:
    """Whether a `model.bin` says of itself that it is a Whisper model."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b"WhisperSpec" in file.read(64)


def is_checkpoint(path: Path) -> bool:
    """Whether a `.pt` holds what OpenAI's checkpoints hold (their key names; nothing is run)."""
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [name for name in archive.namelist() if name.endswith("data.pkl")]
            return bool(inside) and b"model_state_dict" in archive.read(inside[0])
    except (OSError, zipfile.BadZipFile):
        with path.open("rb") as file:
            return b"model_state_dict" in file.read(1 << 16)

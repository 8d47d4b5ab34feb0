"""Which engine tells voices apart: found by looking at files, without loading anything."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from core.errors import EngineError, UsageError
from models.weights import WeightsFolder, folder_sha256, is_speaker_pipeline

_INSTALL = '`pip install "pyannote.audio>=4,<5"`'


@dataclass(frozen=True)
class DiarizerChoice:
    """What tells voices apart where named microphones don't, and why it was chosen.

    kind: `voices` (the clustering of this project) or `pyannote`. folder: of the pipeline.
    key: changes when pipeline, weights or library do; empty for `voices`. reason: a sentence for
    the report, or empty.
    """

    kind: Literal["voices", "pyannote"]
    folder: Path | None = None
    weights_sha256: str = ""
    key: str = ""
    reason: str = ""


def choose_diarizer(name: str, weights: WeightsFolder) -> DiarizerChoice:
    """The engine that a setting stands for.

    name: `auto` (pyannote where one of its pipelines lies among the weights), `voices`,
    `pyannote` (must lie there) or `pyannote:FOLDER`, a set's name or a path. Raises UsageError
    where name is none of these, EngineError where what was asked for is not there.
    """
    if name == "voices":
        return DiarizerChoice("voices")
    if name in ("auto", "pyannote"):
        found = [path for path in sorted(weights.root.glob("[!.]*")) if is_speaker_pipeline(path)]
        if found:
            return _pyannote(found[0], weights, needed=name == "pyannote")
        if name == "auto":
            return DiarizerChoice("voices")
        raise EngineError(
            f"No pipeline of pyannote lies in {weights.root}; import the folder of its "
            "community-1 with `roomtone models import FOLDER`."
        )
    kind, _, place = name.partition(":")
    if kind != "pyannote" or not place:
        raise UsageError(
            f"{name!r} tells no voices apart; write auto, voices, pyannote or pyannote:FOLDER."
        )
    for folder in (weights.root / place, Path(place).expanduser().absolute()):
        if is_speaker_pipeline(folder):
            return _pyannote(folder, weights, needed=True)
    raise EngineError(
        f"{place} is no pipeline of pyannote, with a config.yaml that says so; give the folder "
        "that its community-1 was downloaded to."
    )


def _pyannote(folder: Path, weights: WeightsFolder, needed: bool) -> DiarizerChoice:
    """A pipeline in a folder, or the clustering where its library is missing and not needed."""
    try:
        library = version("pyannote.audio")
    except PackageNotFoundError as fault:
        if needed:
            raise EngineError(
                f"{folder} needs pyannote.audio, which is not installed; run {_INSTALL}."
            ) from fault
        return DiarizerChoice(
            "voices",
            reason=f"Voices were not told apart by {folder.name}, as pyannote.audio is not "
            f"installed; run {_INSTALL}.",
        )
    inside = folder.parent == weights.root
    sha256 = weights.sha256(folder.name) if inside else folder_sha256(folder)
    return DiarizerChoice(
        "pyannote",
        folder,
        sha256,
        key=f"pyannote:{sha256}:{library}",
        reason=f"Voices were told apart by pyannote.audio {library} with {folder.name}.",
    )

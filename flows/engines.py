"""Which engine cleans, decided before anything is loaded, and loaded once a process."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import EngineError, UsageError
from flows.workspace import Workspace
from models.denoise import rnnoise
from models.denoise.placed import load_placed
from models.denoise.protocol import Denoiser
from models.loading import loaded_once

DEEPFILTERNET = "deepfilternet3"
RNNOISE = "rnnoise"


@dataclass(frozen=True)
class DenoiserChoice:
    """The engine a run cleans with.

    weights: sha256 of its weights (part of every take's key). stand_in: it replaces the engine
    that was asked for. reason: a sentence for the log, the report and the screen, or empty.
    """

    name: str
    weights: str
    stand_in: bool
    reason: str


def choose_denoiser(work: Workspace) -> DenoiserChoice:
    """The engine the settings ask for, or its stand-in where the settings allow one.

    Raises EngineError where the weights are missing and no stand-in is allowed, or where they
    are not what they were; UsageError for an unknown engine.
    """
    asked = work.settings.denoiser
    if asked == RNNOISE:
        return DenoiserChoice(RNNOISE, rnnoise_weights(), False, "")
    if asked != DEEPFILTERNET:
        raise UsageError(f"There is no denoiser {asked!r}; use {DEEPFILTERNET} or {RNNOISE}.")
    if DEEPFILTERNET in {item.name for item in work.weights.installed()}:
        return DenoiserChoice(DEEPFILTERNET, work.weights.sha256(DEEPFILTERNET), False, "")
    if not work.settings.allow_stand_in:
        raise EngineError(
            f"The weights of {DEEPFILTERNET} are not installed: run "
            f"`roomtone models fetch {DEEPFILTERNET}` or `roomtone models import DIR`, or pass "
            "--stand-in to clean with RNNoise for now."
        )
    return DenoiserChoice(
        RNNOISE,
        rnnoise_weights(),
        True,
        f"{DEEPFILTERNET} is not installed: RNNoise stands in for it, and its work is redone "
        "when the real engine is there.",
    )


def rnnoise_weights() -> str:
    """sha256 of the library that carries RNNoise's weights."""
    return rnnoise.load().card.weights_sha256


def load_denoiser(work: Workspace, choice: DenoiserChoice) -> Denoiser:
    """The engine itself, verified and loaded once a process."""
    if choice.name == RNNOISE:
        return rnnoise.load()
    folder = work.weights.path(DEEPFILTERNET)
    return _deepfilternet(folder, choice.weights, work.settings.device)


_deepfilternet = loaded_once(2)(load_placed)

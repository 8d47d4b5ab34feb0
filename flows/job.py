"""What a person asked for, what a run works with, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.media.relink import Offline
from config.deliveries import DeliverySpec
from config.recipes import Recipe
from core.roles import Choice
from flows.engines import DenoiserChoice, choose_denoiser
from flows.head_count import check_script
from flows.held import approved, flagged
from flows.listen import Heard
from flows.permitted import models_of, models_of_recipe, refuse_forbidden
from flows.takes import CleanedTake
from flows.transcribe import choose_recogniser
from flows.turnover import Turnover
from flows.who_speaks import choose as choose_diarizer
from flows.workspace import Workspace
from models.speech.diarizers import DiarizerChoice
from models.speech.engines import EngineChoice


@dataclass(frozen=True)
class Job:
    """What the person asked for."""

    cut: Path
    media: tuple[Path, ...]
    out: Path
    recipe: Recipe
    spec: DeliverySpec


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    takes_cleaned, takes_heard: by this run; takes: the cut needs. rendered_now: whether the
    delivery was written, or found as it should be. flagged: takes that a gate held
    back. approved: those that a person took all the same. repaired: what was mended, a sentence a
    microphone and step.
    tracks: what each audio track was taken for.
    """

    out: Path
    takes: int
    takes_cleaned: int
    takes_heard: int
    rendered_now: bool
    files: int
    offline: tuple[Offline, ...]
    repaired: tuple[str, ...]
    flagged: tuple[str, ...]
    approved: tuple[str, ...]
    engines: tuple[str, ...]
    tracks: tuple[Choice, ...]
    notes: tuple[str, ...]
    loudness: float
    true_peak: float
    gain_db: float


@dataclass(frozen=True)
class Engines:
    """What a run cleans and listens with, chosen before anything is loaded."""

    denoiser: DenoiserChoice
    recogniser: EngineChoice
    diarizer: DiarizerChoice

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the choice, a sentence each."""
        chosen = (self.denoiser.reason, self.recogniser.reason, self.diarizer.reason)
        return tuple(text for text in chosen if text)


def choose_engines(work: Workspace, recipe: Recipe) -> Engines:
    """The engines the settings and the installed weights lead to.

    Raises EngineError for one that is missing, or that the settings don't allow.
    """
    check_script(work)
    found = Engines(choose_denoiser(work), choose_recogniser(work), choose_diarizer(work))
    models = models_of(work, found.denoiser, found.recogniser, found.diarizer)
    refuse_forbidden(work, (*models, *models_of_recipe(recipe)))
    return found


@dataclass(frozen=True)
class Ready:
    """A cut with everything that its delivery is made from.

    cleaned: by take id. heard: by essence.
    """

    job: Job
    turnover: Turnover
    engines: Engines
    cleaned: Mapping[str, CleanedTake]
    heard: Mapping[str, Heard]

    @property
    def repaired(self) -> tuple[str, ...]:
        """What was mended, a sentence a microphone and step."""
        told = (text for take in self.cleaned.values() for text in take.repairs)
        # Variants of one take that a person decided for are mended alike.
        return tuple(dict.fromkeys(told))

    @property
    def flagged(self) -> tuple[str, ...]:
        """What a gate held back, a sentence each."""
        return tuple(flagged(self.cleaned.values()))

    @property
    def approved(self) -> tuple[str, ...]:
        """What a gate held back and a person took all the same, a sentence each."""
        return tuple(approved(self.cleaned.values()))

    @property
    def engine_names(self) -> tuple[str, ...]:
        """What cleaned and what listened, stand-ins and drafts marked."""
        cards = {take.card for take in self.cleaned.values()}
        cleaners = {
            f"{card.name} {card.version}" + (" (stand-in)" if card.stand_in else "")
            for card in cards
        }
        listeners = {
            item.engine + (" (draft)" if item.draft else "")
            for item in self.heard.values()
            if item.engine
        }
        return (*sorted(cleaners), *sorted(listeners))

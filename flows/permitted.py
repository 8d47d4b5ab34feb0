"""Which models a production allows, by their licence and by what their authors disclose."""

from __future__ import annotations

from collections.abc import Iterable

from config.recipes import Recipe
from core.errors import EngineError
from core.licences import forbidden_by
from flows.engines import DenoiserChoice
from flows.workspace import Workspace
from models.described import Described, Disclosure, described
from models.speech.diarizers import DiarizerChoice
from models.speech.engines import EngineChoice

_ASKED = {"described": Disclosure.DESCRIBED, "named": Disclosure.NAMED}


def models_of(
    work: Workspace, denoiser: DenoiserChoice, recogniser: EngineChoice, diarizer: DiarizerChoice
) -> tuple[Described, ...]:
    """The models that these choices run, and what listens with them in any case."""
    names = [denoiser.name, "silero-vad"]
    if recogniser.path is not None:
        names.append(recogniser.path.relative_to(work.weights.root).parts[0])
    elif recogniser.kind == "pocketsphinx":
        names.append("pocketsphinx")
    if diarizer.folder is not None:
        names.append(diarizer.folder.name)
    if not work.settings.no_voice_profile:
        names.append("resemblyzer")
    return tuple(described(name) for name in names)


def models_of_recipe(recipe: Recipe) -> tuple[Described, ...]:
    """The models that a recipe runs beside the denoiser."""
    return (described("nara-wpe"),) if recipe.room_db else ()


def refuse_forbidden(work: Workspace, models: Iterable[Described]) -> None:
    """Raise EngineError for the first model that the settings don't allow, before it runs."""
    settings = work.settings
    wanted = _ASKED.get(settings.require_disclosure, Disclosure.NONE)
    for model in models:
        licence = model.licence or "not known"
        if forbidden_by(model.licence, settings.forbidden_licences):
            raise EngineError(
                f"{model.title} may not run here: its licence ({licence}) is among "
                f"forbidden_licences ({', '.join(settings.forbidden_licences)}); choose another "
                f"model, or change the setting."
            )
        if model.disclosure < wanted:
            raise EngineError(
                f"{model.title} may not run here: require_disclosure is "
                f'"{settings.require_disclosure}", and of what it was trained on its authors say: '
                f"{model.trained_on}; choose another model, or change the setting."
            )

"""Clean a cut: read, relink, clean, listen, conform, normalise, write back, remember.

`clean_cut` is the job as plain functions; `flows.prefect_clean` runs the same steps as a flow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from config.recipes import Recipe
from core.media import MediaFile
from core.plan import Take
from flows import delivery
from flows.deliver import deliver
from flows.engines import DenoiserChoice
from flows.events import note_events
from flows.job import Job, Outcome, Ready, choose_engines
from flows.listen import Heard, listen_take, recall_lines, with_speakers
from flows.overrides import chosen_recipe, with_overrides
from flows.progress import Progress
from flows.room import room_for_cut
from flows.runner import Runner
from flows.settle import project_of, settle_speakers
from flows.setups import Setups
from flows.signing import signing_of
from flows.takes import CleanedTake, clean_take, recall_key
from flows.transcribe import CleanedSound, cleaned_sound
from flows.turnover import Turnover, read_turnover
from flows.withheld import refuse_withheld_files
from flows.workspace import Workspace
from models.speech.engines import EngineChoice

Item = TypeVar("Item")
Piece = TypeVar("Piece")
Result = TypeVar("Result")


def clean_cut(work: Workspace, job: Job, progress: Progress, run: Runner) -> Outcome:
    """The whole job for one cut. Raises RoomtoneError."""
    engines = choose_engines(work, job.recipe)
    signing_of(work.settings)
    for note in engines.notes:
        progress.say(note)
    turnover = run.one("read and relink", lambda: _turnover(work, job, progress))
    inputs = [media.path for media in turnover.media.values()]
    refuse_withheld_files(work, turnover.media.values())
    delivery.prepare(job.out, [*inputs, job.cut], job.media)
    cleaned, decided = clean_takes(
        work,
        turnover,
        job.recipe,
        engines.denoiser,
        progress,
        run,
        lambda missing: room_for_cut(work, turnover, job, missing),
    )
    turnover = replace(turnover, notes=(*turnover.notes, *decided))
    heard = listen_takes(work, turnover, cleaned, engines.recogniser, progress, run)
    note_events(work, cleaned.values(), [*heard.values()], progress, run)
    return run.one(
        "conform and deliver",
        lambda: deliver(work, Ready(job, turnover, engines, cleaned, heard), progress),
    )


def _turnover(work: Workspace, job: Job, progress: Progress) -> Turnover:
    return with_overrides(work, read_turnover(work, job.cut, job.media, progress))


def clean_takes(
    work: Workspace,
    turnover: Turnover,
    recipe: Recipe,
    choice: DenoiserChoice,
    progress: Progress,
    run: Runner,
    before: Callable[[Sequence[Take]], None] = lambda _: None,
) -> tuple[dict[str, CleanedTake], tuple[str, ...]]:
    """Every take of the cut, cleaned now or found in the store, by take id.

    before: is told first which takes are still to be cleaned, and may refuse by raising.

    A setup in which a gate fails is cleaned once more with a gentler recipe. Gives also a
    sentence for each setup that got one, now or in an earlier run, or as a person decided.
    """
    setups = Setups(
        work,
        recipe,
        choice,
        [
            (take, turnover.media[take.essence], chosen_recipe(work, turnover, take, recipe))
            for take in turnover.takes
        ],
    )

    def recall(take: Take) -> CleanedTake | None:
        media = turnover.media[take.essence]
        override = turnover.override_of(take)
        if override is not None and override.locked:
            kept = recall_key(work, take, media, setups.recipe_of(take), override.locked)
            if kept is not None:
                return kept
        return setups.recall(take, media)

    def piece(take: Take) -> tuple[Take, MediaFile, Recipe]:
        return take, turnover.media[take.essence], setups.recipe_of(take)

    clean = partial(_clean, work, choice)
    done = _once("Cleaning takes", turnover.takes, recall, piece, clean, progress, run, before)
    again = setups.decide(done)
    more = _once("Cleaning setups gently", again, recall, piece, clean, progress, run)
    cleaned = {item.take.id: item for item in (*done, *more)}
    setups.remember(cleaned.values(), in_cut=True)
    return cleaned, setups.notes


def listen_takes(
    work: Workspace,
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    choice: EngineChoice,
    progress: Progress,
    run: Runner,
) -> dict[str, Heard]:
    """What is said in every take of the cut, heard now or remembered, by essence.

    cleaned: by take id; heard where the original leaves something doubtful.
    """
    again = {
        media.essence: cleaned_sound(work, media, cleaned.values()) for media in turnover.dialogue
    }

    def recall(media: MediaFile) -> Heard | None:
        return recall_lines(work, media, choice, again[media.essence])

    def piece(media: MediaFile) -> tuple[MediaFile, CleanedSound | None]:
        return media, again[media.essence]

    listen, files = partial(_listen, work, choice), turnover.dialogue
    done = _once("Listening to takes", files, recall, piece, listen, progress, run)
    for project in sorted({project_of(work, media) for media in files}):
        settle_speakers(work, project)
    return {item.media.essence: with_speakers(work, item) for item in done}


def _clean(
    work: Workspace, choice: DenoiserChoice, piece: tuple[Take, MediaFile, Recipe]
) -> CleanedTake:
    take, media, recipe = piece
    return clean_take(work, take, media, recipe, choice)


def _listen(
    work: Workspace, choice: EngineChoice, piece: tuple[MediaFile, CleanedSound | None]
) -> Heard:
    media, again = piece
    return listen_take(work, media, choice, again)


def _once(
    name: str,
    items: Sequence[Item],
    recall: Callable[[Item], Result | None],
    piece: Callable[[Item], Piece],
    do: Callable[[Piece], Result],
    progress: Progress,
    run: Runner,
    before: Callable[[Sequence[Item]], None] = lambda _: None,
) -> list[Result]:
    """The result for each item, in order: as it was done before where it was, else done now.

    piece: all that `do` needs of an item, wherever it is done.
    """
    recalled = [recall(item) for item in items]
    absent = [item for item, found in zip(items, recalled, strict=True) if found is None]
    before(absent)
    missing = [piece(item) for item in absent]
    if not missing:
        return [found for found in recalled if found is not None]
    progress.step(name, len(missing))
    made = iter(run.each(name.lower(), do, missing, lambda _: progress.advance(name)))
    return [next(made) if found is None else found for found in recalled]

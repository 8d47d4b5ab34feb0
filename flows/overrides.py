"""A person's decisions for clips: kept with the sound, obeyed by every later conform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from config.recipes import Recipe, load_recipe
from core.cut import Cut, Event
from core.errors import InputError, OfflineError, UsageError
from core.override import Override, holds_for
from core.plan import Take
from db.overrides import overrides_of, remember_override, revoke_overrides
from flows.engines import choose_denoiser
from flows.progress import Progress
from flows.setups import in_force, recall_in_force
from flows.takes import recipe_for
from flows.turnover import Turnover, read_turnover
from flows.workspace import Workspace


def with_overrides(work: Workspace, turnover: Turnover) -> Turnover:
    """The turnover with the decisions in force for what its dialogue events play."""
    essences = {link.media.essence for link in turnover.links.values()}
    with work.database.read() as session:
        known = overrides_of(session, essences)
    if not known:
        return turnover
    chosen: dict[str, Override] = {}
    for _, event in turnover.cut.sounding():
        if event.id in turnover.links and event.id not in turnover.through:
            start, end = turnover.played(event)
            link = turnover.links[event.id]
            found = holds_for(known, link.media.essence, link.channels, start, end)
            if found is not None:
                chosen[event.id] = found
    return replace(turnover, overrides=chosen)


def chosen_recipe(work: Workspace, turnover: Turnover, take: Take, recipe: Recipe) -> Recipe:
    """The recipe for a take of a cut: the run's, or what a person decided for the variant."""
    media = turnover.media[take.essence]
    override = turnover.override_of(take)
    if override is not None and override.recipe:
        recipe = replace(load_recipe(override.recipe), limits=recipe.limits)
    if override is not None and override.amount_db is not None:
        recipe = replace(recipe, limit_db=override.amount_db)
    return recipe_for(work, media, recipe)


def decide(
    work: Workspace,
    cut: Path,
    roots: Sequence[Path],
    events: Sequence[str],
    decision: Override,
    *,
    lock: bool,
    clear: bool,
    progress: Progress,
) -> tuple[str, ...]:
    """Remember a decision for events of a cut, or take theirs back; a sentence each.

    events: ids as the report shows them. decision: its recipe, amount_db, note and by are used.
    lock: keep the cleaned sound that these events have now, whatever changes later. Raises
    UsageError for an event that the cut does not have, InputError for one that is no dialogue,
    OfflineError for one without media, and InputError for a lock on what was not cleaned yet.
    """
    turnover = with_overrides(work, read_turnover(work, cut, roots, progress))
    told = []
    for event in [_event(turnover.cut, turnover, name) for name in events]:
        link = turnover.links[event.id]
        start, end = turnover.played(event)
        if clear:
            with work.database.write() as session:
                count = revoke_overrides(
                    session, link.media.essence, link.channels, start, end, decision.by
                )
            told.append(f"{event.id}: {count} decision{'s' * (count != 1)} taken back.")
            continue
        made = replace(
            decision,
            essence=link.media.essence,
            channels=link.channels,
            start=start,
            end=end,
        )
        if lock:
            made = replace(made, locked=_present(work, turnover, event))
        with work.database.write() as session:
            remember_override(session, made)
        told.append(f"{event.id} ({link.media.path.name}): {made.words}.")
    return tuple(told)


def _event(cut: Cut, turnover: Turnover, name: str) -> Event:
    """The event of that id."""
    for track in cut.audio_tracks:
        for event in track.events:
            if event.id.casefold() != name.casefold():
                continue
            if event.id in turnover.through:
                raise InputError(f"{event.id} of {turnover.path} is no dialogue: it is untouched.")
            if event.id not in turnover.links:
                raise OfflineError(
                    f"{event.id} of {turnover.path} has no media; name their folder with --media."
                )
            return event
    raise UsageError(f"{turnover.path} has no event {name!r}; the report names them (A1/003).")


def _present(work: Workspace, turnover: Turnover, event: Event) -> str:
    """Key of the cleaned take that an event plays with the settings in force."""
    take, choice = turnover.take_of(event.id), choose_denoiser(work)
    media = turnover.media[take.essence]
    alone = chosen_recipe(work, turnover, take, load_recipe(work.settings.recipe))
    found = recall_in_force(work, media, take, alone, choice)
    if found is None:
        recipe = in_force(work, media, take, alone, choice)
        raise InputError(
            f"{event.id} was not cleaned with recipe {recipe.name} yet, so there is nothing to "
            "lock; run roomtone clean first."
        )
    return found.key

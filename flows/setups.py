"""Decisions for whole setups, so that the background never changes at a cut within one.

A setup is a scene and a microphone. Where a gate fails for one of its takes, all of them get the
recipe that is named as the gentler one, once; what fails still waits for a person. The decision is
remembered under the recipe and the engine, and holds whichever takes a later cut plays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from config.recipes import Recipe, load_recipe, recipe_names
from core.media import MediaFile
from core.plan import Take, digest
from core.review import Review, ReviewKind, ruling
from core.setup import Setup
from db.judged import Judgement, remember_judged, setup_numbers
from db.review import reviews_of
from db.setups import Decision, decisions_of, remember_decision
from flows.engines import DenoiserChoice
from flows.held import flagged
from flows.takes import (
    CleanedTake,
    made_by,
    microphone_name,
    recall_key,
    recall_take,
)
from flows.workspace import Workspace
from models.quality import GATES_VERSION

MOST_REASONS = 3


def setup_of(work: Workspace, media: MediaFile, take: Take) -> Setup:
    """The setup that a take belongs to."""
    microphone = "+".join(microphone_name(media, channel) for channel in take.channels)
    scene = media.notes.scene.strip()
    if not scene:
        return Setup("", "", microphone, media.path.name, media.essence)
    return Setup(work.settings.project or media.notes.project, scene, microphone)


def gentler_recipe(recipe: Recipe) -> Recipe | None:
    """The recipe that a failing setup gets, judged by the limits that were asked for, or None.

    Raises UsageError where the name it is given is no recipe.
    """
    if not recipe.gentler:
        return None
    gentler = load_recipe(recipe.gentler)
    return replace(
        gentler,
        gentler="",
        limits=recipe.limits,
        retimed=recipe.retimed,
        room_db=recipe.room_db,
    )


def decision_key(setup: Setup, recipe: Recipe, choice: DenoiserChoice) -> str:
    """What names a decision: the setup, the recipe with its limits, the engine, the processing.

    Where one of them changes, the setup is decided anew.
    """
    gentler = gentler_recipe(recipe)
    return digest(
        {
            "setup": [setup.project, setup.scene, setup.microphone, setup.essence],
            "limits": asdict(recipe.limits),
            "gates": GATES_VERSION,
            "asked": made_by(recipe, choice),
            "gentler": made_by(gentler, choice) if gentler is not None else {},
        }
    )


class Setups:
    """The setups of a run's takes, and which recipe each of them gets.

    A take with a person's decision for a clip, or one that is left as it is, belongs to no setup:
    it neither follows a decision nor causes one. What a person decided for a setup goes before
    what the gates decided.
    """

    def __init__(
        self,
        work: Workspace,
        recipe: Recipe,
        choice: DenoiserChoice,
        takes: Iterable[tuple[Take, MediaFile, Recipe]],
    ) -> None:
        """recipe: what was asked for. takes: each with what it would be cleaned with alone.

        Raises UsageError where the recipe's gentler one is none.
        """
        self._work = work
        self._recipe = recipe
        self._choice = choice
        self._gentler = gentler_recipe(recipe)
        self._recipes: dict[str, Recipe] = {}
        self._setups: dict[str, tuple[Setup, str]] = {}
        self._rulings: dict[str, Review] = {}
        belonging: list[Take] = []
        for take, media, fitting in takes:
            self._recipes[take.id] = fitting
            if not take.variant and fitting == recipe:
                setup = setup_of(work, media, take)
                self._setups[take.id] = (setup, decision_key(setup, recipe, choice))
                belonging.append(take)
        with work.database.read() as session:
            self._decisions = decisions_of(session, {key for _, key in self._setups.values()})
            numbers = setup_numbers(session, {setup.key for setup, _ in self._setups.values()})
            reviews = reviews_of(session, numbers.values())
        for take in belonging:
            number = numbers.get(self._setups[take.id][0].key, 0)
            found = ruling(reviews.get(number, ()), take.essence, take.channels)
            if found is not None:
                self._rulings[take.id] = found

    def recipe_of(self, take: Take) -> Recipe:
        """The recipe in force for a take."""
        review = self._rulings.get(take.id)
        if review is not None and review.kind is not ReviewKind.LOCK:
            return ruled_recipe(review, self._recipe)
        if self._gentler is not None and self._decision(take) is not None:
            return self._gentler
        return self._recipes[take.id]

    def recall(self, take: Take, media: MediaFile) -> CleanedTake | None:
        """The take as it is to be heard if the store has it, else None.

        A locked one is what was locked, unless that is gone.
        """
        locked = self._locked(take)
        if locked:
            kept = recall_key(self._work, take, media, self.recipe_of(take), locked)
            if kept is not None:
                return kept
        return recall_take(self._work, take, media, self.recipe_of(take), self._choice)

    def decide(self, cleaned: Sequence[CleanedTake]) -> tuple[Take, ...]:
        """Decide for the setups in which a gate failed; gives the takes to be cleaned again.

        cleaned: the takes as cleaned with the recipes in force. What is decided is remembered.
        """
        if self._gentler is None:
            return ()
        follow = [item for item in cleaned if self._follows(item.take)]
        failed: dict[str, list[CleanedTake]] = {}
        for item in follow:
            if item.waits and self._decision(item.take) is None:
                failed.setdefault(self._setups[item.take.id][1], []).append(item)
        if not failed:
            return ()
        setups = {key: setup for setup, key in self._setups.values()}
        with self._work.database.write() as session:
            for key, items in failed.items():
                made = self._made(key, setups[key], self._gentler, items)
                self._decisions[key] = remember_decision(session, made)
        return tuple(item.take for item in follow if self._setups[item.take.id][1] in failed)

    def remember(self, cleaned: Iterable[CleanedTake], *, in_cut: bool) -> None:
        """Remember what the gates said of each take, for the review queue.

        in_cut: the takes were needed for a cut.
        """
        judged = [
            (self._setups[item.take.id][0], self._judgement(item, in_cut))
            for item in cleaned
            if item.take.id in self._setups
        ]
        with self._work.database.write() as session:
            remember_judged(session, judged)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the decisions in force, a sentence for each setup."""
        return tuple(dict.fromkeys(note for name in self._setups for note in self._notes(name)))

    def notes_of(self, take: Take) -> tuple[str, ...]:
        """The same for the setup of one take: a sentence or none."""
        return self._notes(take.id) if take.id in self._setups else ()

    def _notes(self, take_id: str) -> tuple[str, ...]:
        setup, key = self._setups[take_id]
        review = self._rulings.get(take_id)
        if review is not None:
            return (f"{setup.name}: {review.words}, as decided {review.who_when}.",)
        return (_sentence(setup, self._decisions[key]),) if key in self._decisions else ()

    def _follows(self, take: Take) -> bool:
        """Whether a take is cleaned as the gates say."""
        return take.id in self._setups and take.id not in self._rulings

    def _decision(self, take: Take) -> Decision | None:
        if take.id not in self._setups:
            return None
        return self._decisions.get(self._setups[take.id][1])

    def _locked(self, take: Take) -> str:
        """The key of the cleaned sound that is kept for a take, or empty."""
        review = self._rulings.get(take.id)
        if review is None or review.kind is not ReviewKind.LOCK:
            return ""
        return review.key_of(take.essence, take.channels)

    def _judgement(self, item: CleanedTake, in_cut: bool) -> Judgement:
        review = self._rulings.get(item.take.id)
        recipe = self.recipe_of(item.take)
        return Judgement(
            essence=item.take.essence,
            channels=item.take.channels,
            key=item.key,
            in_cut=in_cut,
            recipe=self._named(item.take),
            limit_db=recipe.limit_db,
            gentler=loadable(self._recipe.gentler) if recipe == self._recipe else "",
            gates=tuple(tuple(asdict(gate) for gate in channel) for channel in item.gates),
            failed=not item.passed,
            review=None if review is None else review.number,
        )

    def _named(self, take: Take) -> str:
        """The name or path of the recipe in force for a take."""
        review = self._rulings.get(take.id)
        if review is not None and review.recipe:
            return review.recipe
        if self.recipe_of(take) == self._gentler:
            return loadable(self._recipe.gentler)
        return loadable(self._work.settings.recipe)

    def _made(
        self, key: str, setup: Setup, gentler: Recipe, failed: Sequence[CleanedTake]
    ) -> Decision:
        return Decision(
            key=key,
            project=setup.project,
            scene=setup.scene,
            microphone=setup.microphone,
            asked=self._recipe.name,
            recipe=gentler.name,
            reasons=tuple(flagged(failed)),
        )


def ruled_recipe(review: Review, asked: Recipe) -> Recipe:
    """The recipe that a person's decision for a setup leads to, judged by the limits of the run.

    Raises UsageError where the recipe that it names is none any more.
    """
    if not review.recipe:
        return replace(asked, gentler="", limit_db=review.amount_db)
    made = load_recipe(review.recipe)
    return replace(
        made,
        gentler="",
        limits=asked.limits,
        retimed=asked.retimed,
        limit_db=made.limit_db if review.amount_db is None else review.amount_db,
        room_db=made.room_db if review.kind is ReviewKind.BYPASS else asked.room_db,
    )


def loadable(recipe: str) -> str:
    """The name of a recipe, or its path made absolute, so that it is found from any folder."""
    return recipe if not recipe or recipe in recipe_names() else str(Path(recipe).absolute())


def in_force(
    work: Workspace, media: MediaFile, take: Take, fitting: Recipe, choice: DenoiserChoice
) -> Recipe:
    """The recipe in force for one take, the setup's where one was decided.

    fitting: what it would be cleaned with alone.
    """
    return Setups(work, fitting, choice, [(take, media, fitting)]).recipe_of(take)


def recall_in_force(
    work: Workspace, media: MediaFile, take: Take, fitting: Recipe, choice: DenoiserChoice
) -> CleanedTake | None:
    """One take as a run would play it, if the store has it; else None. fitting: as `in_force`."""
    return Setups(work, fitting, choice, [(take, media, fitting)]).recall(take, media)


def _sentence(setup: Setup, decision: Decision) -> str:
    shown = "; ".join(decision.reasons[:MOST_REASONS])
    more = len(decision.reasons) - MOST_REASONS
    rest = f"; and {more} more" if more > 0 else ""
    return f"{setup.name}: cleaned with recipe {decision.recipe}, because {shown}{rest}."

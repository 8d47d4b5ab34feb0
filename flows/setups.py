"""Decisions for whole setups, so that the background never changes at a cut within one.

A setup is a scene and a microphone. Where a gate fails for one of its takes, all of them get the
recipe that is named as the gentler one, once; what fails still waits for a person. The decision is
remembered under the recipe and the engine, and holds whichever takes a later cut plays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from config.recipes import Recipe, load_recipe
from core.media import MediaFile
from core.plan import Take, digest
from db.setups import Decision, decisions_of, remember_decision
from flows.engines import DenoiserChoice
from flows.takes import CleanedTake, flagged, made_by, microphone_name
from flows.workspace import Workspace
from models.quality import GATES_VERSION

MOST_REASONS = 3


@dataclass(frozen=True)
class Setup:
    """A scene and a microphone of a project; a file by itself where no scene is written.

    microphone: the recorder's name, several joined by `+`. file: name of a file without a scene.
    essence: of such a file.
    """

    project: str
    scene: str
    microphone: str
    file: str = ""
    essence: str = ""

    @property
    def name(self) -> str:
        """The setup for people: `Scene 27B BOOM`."""
        return f"{f'Scene {self.scene}' if self.scene else self.file} {self.microphone}"


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

    A take with a person's decision, or one that is left as it is, belongs to no setup: it
    neither follows a decision nor causes one.
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
        self._gentler = gentler_recipe(recipe)
        self._recipes: dict[str, Recipe] = {}
        self._setups: dict[str, tuple[Setup, str]] = {}
        for take, media, fitting in takes:
            self._recipes[take.id] = fitting
            if self._gentler is not None and not take.variant and fitting == recipe:
                setup = setup_of(work, media, take)
                self._setups[take.id] = (setup, decision_key(setup, recipe, choice))
        with work.database.read() as session:
            self._decisions = decisions_of(session, {key for _, key in self._setups.values()})

    def recipe_of(self, take: Take) -> Recipe:
        """The recipe in force for a take."""
        if self._gentler is not None and self._decision(take) is not None:
            return self._gentler
        return self._recipes[take.id]

    def decide(self, cleaned: Sequence[CleanedTake]) -> tuple[Take, ...]:
        """Decide for the setups in which a gate failed; gives the takes to be cleaned again.

        cleaned: the takes as cleaned with the recipes in force. What is decided is remembered.
        """
        if self._gentler is None:
            return ()
        failed: dict[str, list[CleanedTake]] = {}
        for item in cleaned:
            if item.take.id in self._setups and self._decision(item.take) is None:
                _, key = self._setups[item.take.id]
                if not item.passed:
                    failed.setdefault(key, []).append(item)
        if not failed:
            return ()
        setups = {key: setup for setup, key in self._setups.values()}
        with self._work.database.write() as session:
            for key, items in failed.items():
                made = self._made(key, setups[key], self._gentler, items)
                self._decisions[key] = remember_decision(session, made)
        return tuple(
            item.take
            for item in cleaned
            if item.take.id in self._setups and self._setups[item.take.id][1] in failed
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the decisions in force, a sentence for each setup."""
        return tuple(dict.fromkeys(note for name in self._setups for note in self._notes(name)))

    def notes_of(self, take: Take) -> tuple[str, ...]:
        """The same for the setup of one take: a sentence or none."""
        return self._notes(take.id) if take.id in self._setups else ()

    def _notes(self, take_id: str) -> tuple[str, ...]:
        setup, key = self._setups[take_id]
        return (_sentence(setup, self._decisions[key]),) if key in self._decisions else ()

    def _decision(self, take: Take) -> Decision | None:
        if take.id not in self._setups:
            return None
        return self._decisions.get(self._setups[take.id][1])

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


def in_force(
    work: Workspace, media: MediaFile, take: Take, fitting: Recipe, choice: DenoiserChoice
) -> Recipe:
    """The recipe in force for one take, the setup's where one was decided.

    fitting: what it would be cleaned with alone.
    """
    return Setups(work, fitting, choice, [(take, media, fitting)]).recipe_of(take)


def _sentence(setup: Setup, decision: Decision) -> str:
    shown = "; ".join(decision.reasons[:MOST_REASONS])
    more = len(decision.reasons) - MOST_REASONS
    rest = f"; and {more} more" if more > 0 else ""
    return f"{setup.name}: cleaned with recipe {decision.recipe}, because {shown}{rest}."

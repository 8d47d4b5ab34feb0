"""One night's work on takes: each cleaned, listened to and judged with the others of its setup."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.manifests.verify import disagreement
from config.recipes import Recipe
from core.dailies import Daily
from core.errors import InputError, OutputError
from core.media import MediaFile
from core.plan import Take
from db.forget import is_forgotten
from flows.clean_cut import Runner
from flows.events import note_events
from flows.held import flagged
from flows.job import Engines
from flows.listen import Heard, listen_take, recall_lines, with_speakers
from flows.new_dailies import Arrivals
from flows.night import Clock, Fault, NightJob, Worked
from flows.privacy import privacy_notes
from flows.progress import Progress, Silent
from flows.settle import project_of, settle_speakers
from flows.setups import Setups
from flows.takes import (
    CleanedTake,
    clean_take,
    left_alone,
    microphone_groups,
    recipe_for,
)
from flows.transcribe import cleaned_sound
from flows.turnover import hash_media
from flows.workspace import Workspace

STEP = "Cleaning and listening to takes"
KNOWN = "Looking at what was done"
GENTLY = "Cleaning setups gently"


@dataclass(frozen=True)
class Done:
    """A take that is cleaned and was listened to, now or before."""

    daily: Daily
    cleaned: tuple[CleanedTake, ...]
    heard: Heard


@dataclass(frozen=True)
class Left:
    """A take that the window left no time for."""

    daily: Daily


@dataclass(frozen=True)
class Failed:
    """A take that can't be worked with. trace: of a fault of roomtone itself, else empty."""

    fault: Fault
    trace: str = ""


@dataclass(frozen=True)
class Forgotten:
    """A take that is not to be learned again."""

    daily: Daily


Result = Done | Left | Failed | Forgotten


class Shift:
    """Does takes, one after another or several at once."""

    def __init__(
        self,
        work: Workspace,
        job: NightJob,
        engines: Engines,
        found: Arrivals,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._work, self._job, self._engines = work, job, engines
        self._found, self._clock, self._progress = found, clock, progress
        self.worked: dict[Path, set[str]] = {}
        """What was done tonight of a file: microphones' take ids, and `heard`."""
        self.late: dict[Path, Daily] = {}
        """Takes that are done, but not yet as gently as their setup was decided to be."""
        self.full = ""
        """Why no more can be stored, a sentence."""
        self._decisions: dict[str, None] = {}
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def known(self, dailies: Sequence[Daily]) -> list[Result]:
        """Those of the takes that were done before, or are not to be done."""
        self._progress.step(KNOWN, len(dailies))
        found: list[Result] = []
        for daily in dailies:
            if daily.media.essence and daily.media.sha256:
                done = Forgotten(daily) if self._is_forgotten(daily.media) else None
                again = done or self._recalled(daily)
                found += [again] if again is not None else []
            self._progress.advance(KNOWN)
        return found

    def take(self, daily: Daily) -> Result:
        """Clean and listen to a take, unless the window is over."""
        try:
            return self._safely(daily)
        finally:
            self._progress.advance(STEP)

    def redo(self, dailies: Sequence[Daily], run: Runner) -> list[Result]:
        """Clean takes as their setups were decided; what the window leaves no time for is late."""
        if not dailies:
            return []
        self._progress.step(GENTLY, len(dailies))

        def again(daily: Daily) -> Result:
            done = self._safely(daily)
            self._progress.advance(GENTLY)
            return done

        changed = run.each(GENTLY.lower(), again, dailies)
        self.late |= {
            item.daily.media.path: item.daily for item in changed if isinstance(item, Left)
        }
        return [item for item in changed if not isinstance(item, Left)]

    def _safely(self, daily: Daily) -> Result:
        """A take's work, and whatever goes wrong with it."""
        try:
            return self._take(daily)
        except InputError as fault:
            return Failed(self._fault(daily, str(fault)))
        except OutputError as fault:
            self.full = str(fault)
            return Left(daily)
        except Exception as fault:
            # Whatever goes wrong with one take, the night goes on with the others.
            first = str(fault).partition("\n")[0]
            reason = f"An internal fault ({type(fault).__name__}: {first}) stopped the work on it."
            return Failed(self._fault(daily, reason), traceback.format_exc())

    def _take(self, daily: Daily) -> Result:
        media = daily.media
        if self._over():
            return Left(daily)
        wrong = disagreement(media.path, self._found.listed.get(media.path, ()))
        if wrong:
            return Failed(self._fault(daily, wrong))
        media = hash_media(self._work, media)
        daily = replace(daily, media=media)
        if self._is_forgotten(media):
            return Forgotten(daily)
        # Two files of one sound (a card and its copy) are worked on once.
        with self._guard:
            lock = self._locks.setdefault(media.essence, threading.Lock())
        with lock:
            return self._worked(daily)

    def _worked(self, daily: Daily) -> Done:
        media = daily.media
        setups = self._setups(media)
        cleaned = tuple(self._cleaned(take, media, setups) for take in microphones(media))
        return Done(daily, cleaned, self._heard(media, cleaned))

    def finish(self, done: Sequence[Done], run: Runner) -> list[Result]:
        """What takes need of each other: gentler setups, speakers, and events of their lines."""
        media = {item.daily.media.essence: item.daily.media for item in done}
        takes = {cleaned.take: item for item in done for cleaned in item.cleaned}
        setups = Setups(
            self._work,
            self._job.recipe,
            self._engines.denoiser,
            [(take, media[take.essence], self._fitting(media[take.essence])) for take in takes],
        )
        redo = setups.decide([cleaned for item in done for cleaned in item.cleaned])
        if redo:
            self._decisions |= dict.fromkeys(setups.notes)
        files = list({takes[take].daily.media.path: takes[take].daily for take in redo}.values())
        changed = self.redo(files, run)
        done = [*{**_done_by_path(done), **_done_by_path(changed)}.values()]
        setups.remember([cleaned for item in done for cleaned in item.cleaned], in_cut=False)
        self.settle([item for item in done if item.daily.media.path in self.worked])
        note_events(
            self._work,
            [cleaned for item in done for cleaned in item.cleaned],
            [with_speakers(self._work, item.heard) for item in done],
            Silent(),
            run.each,
        )
        return changed

    def settle(self, done: Iterable[Done]) -> None:
        """Decide who is who in the productions of takes."""
        for project in sorted({project_of(self._work, item.daily.media) for item in done}):
            settle_speakers(self._work, project)

    def is_stale(self, result: Result) -> bool:
        """Whether a take was done, and its setup is another since."""
        if not self._decisions or not isinstance(result, Done):
            return False
        return result.daily.media.path not in self.late and self._recalled(result.daily) is None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the whole night, a sentence each."""
        return (*self._engines.notes, *self._decisions)

    def _fault(self, daily: Daily, reason: str) -> Fault:
        return Fault(daily.media.path, reason, self._found.since[daily.media.path])

    def _over(self) -> bool:
        if self.full:
            return True
        return self._job.until is not None and self._clock.now() >= self._job.until

    def _is_forgotten(self, media: MediaFile) -> bool:
        with self._work.database.read() as session:
            return is_forgotten(session, media.essence)

    def _setups(self, media: MediaFile) -> Setups:
        """What is in force for each microphone of a file."""
        fitting = self._fitting(media)
        takes = [(take, media, fitting) for take in microphones(media)]
        return Setups(self._work, self._job.recipe, self._engines.denoiser, takes)

    def _recalled(self, daily: Daily) -> Done | None:
        """A take that is done under the keys of now, or None."""
        media = daily.media
        setups, cleaned = self._setups(media), []
        for take in microphones(media):
            found = setups.recall(take, media)
            if found is None:
                return None
            cleaned.append(found)
        heard = self._recall_heard(media, cleaned)
        return None if heard is None else Done(daily, tuple(cleaned), heard)

    def _recall_heard(self, media: MediaFile, cleaned: Sequence[CleanedTake]) -> Heard | None:
        again = cleaned_sound(self._work, media, cleaned)
        return recall_lines(self._work, media, self._engines.recogniser, again)

    def _cleaned(self, take: Take, media: MediaFile, setups: Setups) -> CleanedTake:
        found = setups.recall(take, media)
        if found is not None:
            return found
        self.worked.setdefault(media.path, set()).add(take.id)
        return clean_take(self._work, take, media, setups.recipe_of(take), self._engines.denoiser)

    def _heard(self, media: MediaFile, cleaned: Sequence[CleanedTake]) -> Heard:
        found = self._recall_heard(media, cleaned)
        if found is not None:
            return found
        self.worked.setdefault(media.path, set()).add("heard")
        again = cleaned_sound(self._work, media, cleaned)
        return listen_take(self._work, media, self._engines.recogniser, again)

    def _fitting(self, media: MediaFile) -> Recipe:
        return recipe_for(self._work, media, self._job.recipe)

    def worked_on(self, item: Done) -> Worked:
        """A take as it is reported."""
        media, done = item.daily.media, self.worked.get(item.daily.media.path, set())
        alone = left_alone(self._work, media)
        spoken = [line for line in item.heard.lines if line.words]
        card = item.cleaned[0].card
        return Worked(
            daily=item.daily,
            microphones=len(item.cleaned),
            cleaned=len(done - {"heard"}),
            heard="heard" in done,
            lines=len(spoken),
            words=sum(len(line.words) for line in spoken),
            speakers=len({line.speaker for line in item.heard.lines if line.speaker}),
            repaired=tuple(text for cleaned in item.cleaned for text in cleaned.repairs),
            flagged=tuple(flagged(item.cleaned)),
            engine="" if alone else card.name,
            stand_in=card.stand_in and not alone,
            recogniser=item.heard.engine,
            draft=item.heard.draft,
            notes=(*filter(None, [alone]), *privacy_notes(self._work, [media])),
        )


def microphones(media: MediaFile) -> tuple[Take, ...]:
    """The takes that a hashed file is cleaned as: one a microphone.

    A cut plays microphones, so what is cleaned overnight has the keys that its takes will have.
    """
    groups = microphone_groups(media, range(media.channels))
    return tuple(Take(media.essence, group) for group in groups)


def by_path(results: Sequence[Result]) -> dict[Path, Result]:
    """What became of takes, by their files."""
    return {_path(result): result for result in results}


def _path(result: Result) -> Path:
    return result.fault.path if isinstance(result, Failed) else result.daily.media.path


def _done_by_path(results: Sequence[Result]) -> dict[Path, Done]:
    return {_path(item): item for item in results if isinstance(item, Done)}

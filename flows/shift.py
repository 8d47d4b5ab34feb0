"""One night's shift: takes worked on one after another or several at once, and told of together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from core.dailies import Daily
from flows.daily_takes import (
    GENTLY,
    HEARD,
    KNOWN,
    STEP,
    DailyTake,
    DailyTakes,
    Done,
    Failed,
    Forgotten,
    Left,
    Result,
)
from flows.events import note_events
from flows.held import flagged
from flows.job import Engines
from flows.listen import with_speakers
from flows.new_dailies import Arrivals
from flows.night import Clock, NightJob, Worked
from flows.privacy import privacy_notes
from flows.progress import Progress, Silent
from flows.runner import Runner
from flows.settle import project_of, settle_speakers
from flows.setups import Setups
from flows.takes import left_alone
from flows.workspace import Workspace


class Shift:
    """Has takes done, and what they need of each other."""

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
        self._found, self._progress = found, progress
        self._takes = DailyTakes(work, job.recipe, job.until, engines, clock)
        self.worked: dict[Path, frozenset[str]] = {}
        """What was done tonight of a file: microphones' take ids, and `heard`."""
        self.late: dict[Path, Daily] = {}
        """Takes that are done, but not yet as gently as their setup was decided to be."""
        self._decisions: dict[str, None] = {}

    def known(self, dailies: Sequence[Daily]) -> list[Result]:
        """Those of the takes that were done before, or are not to be done."""
        self._progress.step(KNOWN, len(dailies))
        found: list[Result] = []
        for daily in dailies:
            if daily.media.essence and daily.media.sha256:
                done = Forgotten(daily) if self._takes.is_forgotten(daily.media) else None
                again = done or self._takes.recalled(daily)
                found += [again] if again is not None else []
            self._progress.advance(KNOWN)
        return found

    def work(self, dailies: Sequence[Daily], run: Runner) -> list[Result]:
        """Clean and listen to takes, until the window is over."""
        return self._each("clean and listen", STEP, dailies, run)

    def redo(self, dailies: Sequence[Daily], run: Runner) -> list[Result]:
        """Clean takes as their setups were decided; what the window leaves no time for is late."""
        if not dailies:
            return []
        self._progress.step(GENTLY, len(dailies))
        changed = self._each(GENTLY.lower(), GENTLY, dailies, run)
        self.late |= {
            item.daily.media.path: item.daily for item in changed if isinstance(item, Left)
        }
        return [item for item in changed if not isinstance(item, Left)]

    def _each(self, name: str, step: str, dailies: Sequence[Daily], run: Runner) -> list[Result]:
        def told(result: Result) -> None:
            if isinstance(result, Done):
                path = result.daily.media.path
                self.worked[path] = self.worked.get(path, frozenset()) | result.did
            elif isinstance(result, Left) and result.full:
                self._takes.full.why = result.full
            self._progress.advance(step)

        return run.each(name, self._takes.take, [*map(self._piece, dailies)], told)

    def _piece(self, daily: Daily) -> DailyTake:
        path = daily.media.path
        return DailyTake(daily, self._found.listed.get(path, ()), self._found.since[path])

    def finish(self, done: Sequence[Done], run: Runner) -> list[Result]:
        """What takes need of each other: gentler setups, speakers, and events of their lines."""
        media = {item.daily.media.essence: item.daily.media for item in done}
        takes = {cleaned.take: item for item in done for cleaned in item.cleaned}
        setups = Setups(
            self._work,
            self._job.recipe,
            self._engines.denoiser,
            [
                (take, media[take.essence], self._takes.fitting(media[take.essence]))
                for take in takes
            ],
        )
        redo = setups.decide([cleaned for item in done for cleaned in item.cleaned])
        if redo:
            self._decisions |= dict.fromkeys(setups.notes)
        files = list({takes[take].daily.media.path: takes[take].daily for take in redo}.values())
        changed = self.redo(files, run)
        done = [*{**_done_by_path(done), **_done_by_path(changed)}.values()]
        setups.remember([cleaned for item in done for cleaned in item.cleaned], in_cut=False)
        self.settle([item for item in done if self.worked.get(item.daily.media.path)])
        note_events(
            self._work,
            [cleaned for item in done for cleaned in item.cleaned],
            [with_speakers(self._work, item.heard) for item in done],
            Silent(),
            run,
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
        if result.daily.media.path in self.late:
            return False
        return self._takes.recalled(result.daily) is None

    @property
    def full(self) -> str:
        """Why no more can be stored, a sentence; or empty."""
        return self._takes.full.why

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the whole night, a sentence each."""
        return (*self._engines.notes, *self._decisions)

    def worked_on(self, item: Done) -> Worked:
        """A take as it is reported."""
        media, did = item.daily.media, self.worked.get(item.daily.media.path, frozenset())
        alone = left_alone(self._work, media)
        spoken = [line for line in item.heard.lines if line.words]
        card = item.cleaned[0].card
        return Worked(
            daily=item.daily,
            microphones=len(item.cleaned),
            cleaned=len(did - {HEARD}),
            heard=HEARD in did,
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


def by_path(results: Sequence[Result]) -> dict[Path, Result]:
    """What became of takes, by their files."""
    return {_path(result): result for result in results}


def _path(result: Result) -> Path:
    return result.fault.path if isinstance(result, Failed) else result.daily.media.path


def _done_by_path(results: Sequence[Result]) -> dict[Path, Done]:
    return {_path(item): item for item in results if isinstance(item, Done)}

"""A night of dailies: find what is new, clean and transcribe whole takes, report in the morning.

`nightly_dailies` is the job as a plain function. What was done before under the same key is not
done again, so a night that was broken off goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from core.dailies import Daily
from flows.daily_takes import STEP, Done, Failed, Forgotten, Left, Result
from flows.job import choose_engines
from flows.new_dailies import Arrivals, find_dailies
from flows.night import Clock, Night, NightJob
from flows.progress import Progress
from flows.runner import Runner
from flows.search import index_lines
from flows.shift import Shift, by_path
from flows.workspace import Workspace

TAKES_EACH = 16
"""Takes of a batch for every worker but one, so that few wait long for the last of them; of 8, a
simulated farm is a fifth less busy, and 32 gain nothing (`python -m bench simulate`)."""


def nightly_dailies(
    work: Workspace, job: NightJob, clock: Clock, progress: Progress, run: Runner
) -> Night:
    """Work through the new takes of watched folders, circled ones first, until the window ends.

    A file that is broken, or is not what its manifest says, is named and the rest goes on.
    Where the store is full, all that is not done is left. Raises EngineError where weights are
    missing, InputError for a root that is no folder.
    """
    engines = choose_engines(work, job.recipe)
    for note in engines.notes:
        progress.say(note)
    started = clock.now()
    found = find_dailies(work, job, clock, progress)
    began = clock.now()
    shift = Shift(work, job, engines, found, clock, progress)
    results: dict[Path, Result] = by_path(shift.known(found.dailies))
    # What a night that was broken off did not come to is made up for.
    results |= by_path(shift.finish([*_done(results, found.dailies)], run))
    todo = [daily for daily in found.dailies if daily.media.path not in results]
    progress.step(STEP, len(todo))
    for batch in batches(todo, run.width):
        results |= by_path(shift.work(batch, run))
        results |= by_path(shift.finish([*_done(results, batch)], run))
    # A setup that failed late is to be gentle in the takes that were done before, too.
    again = [daily for daily in found.dailies if shift.is_stale(results[daily.media.path])]
    results |= by_path(shift.redo(again, run))
    shift.settle([*_done(results, found.dailies)])
    index_lines(work.database, progress)
    return _night(job, found, shift, results, (started, began, clock.now()))


def batches(dailies: Sequence[Daily], width: int) -> list[list[Daily]]:
    """Takes one after another that are circled or not, of one day and one roll.

    width: how many are worked on at once. A batch is finished before the next one begins, so where
    it would leave most of many workers without a take, rolls are put together, and of the circled
    takes in it, and of the others, the longest come first.
    """
    least = TAKES_EACH * (width - 1)
    made: list[list[Daily]] = []
    for daily in dailies:
        if not made or (len(made[-1]) >= least and _place(made[-1][-1]) != _place(daily)):
            made.append([])
        made[-1].append(daily)
    return made if width == 1 else [sorted(batch, key=_circled_and_long) for batch in made]


def _circled_and_long(daily: Daily) -> tuple[bool, float]:
    return not daily.circled, -daily.media.frames / daily.media.sample_rate


def _place(daily: Daily) -> tuple[bool, str, str]:
    return daily.circled, daily.day, daily.roll


def _done(results: dict[Path, Result], batch: Sequence[Daily]) -> list[Done]:
    found = (results.get(daily.media.path) for daily in batch)
    return [item for item in found if isinstance(item, Done)]


def _night(
    job: NightJob,
    found: Arrivals,
    shift: Shift,
    results: dict[Path, Result],
    times: tuple[datetime, datetime, datetime],
) -> Night:
    """What came of it all. times: when the night started, the work began and ended."""
    outcomes = [results[daily.media.path] for daily in found.dailies]
    worked = [shift.worked_on(item) for item in outcomes if isinstance(item, Done)]
    failed = [item for item in outcomes if isinstance(item, Failed)]
    forgotten = sum(isinstance(item, Forgotten) for item in outcomes)
    notes = [*found.notes, *filter(None, [shift.full])]
    if forgotten:
        notes.append(f"{forgotten} takes were forgotten on request and are left alone.")
    started, began, ended = times
    return Night(
        started=started,
        began=began,
        ended=ended,
        until=job.until,
        roots=job.roots,
        recipe=job.recipe.name,
        new=found.new,
        worked=tuple(item for item in worked if item.now),
        known=sum(not item.now for item in worked),
        waiting=found.waiting,
        failed=(*found.failed, *(item.fault for item in failed)),
        left=(*(item.daily for item in outcomes if isinstance(item, Left)), *shift.late.values()),
        pictures=found.pictures,
        own=found.own,
        notes=tuple(dict.fromkeys((*notes, *shift.notes))),
        traces={item.fault.path: item.trace for item in failed if item.trace},
    )

"""The job as a Prefect flow: a task a take or stage, over the same plain functions.

Import this module only after `flows.quiet.quiet_prefect()`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from httpx import HTTPError
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectException
from prefect.futures import PrefectFuture, as_completed
from prefect.settings import get_current_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from config.deliveries import load_delivery
from config.recipes import load_recipe
from config.settings import SECRETS, Settings
from core.errors import PassingError
from flows import clean_cut as job_steps
from flows.cores import workers_of
from flows.handed import handed, watcher, with_database
from flows.job import Job, Outcome
from flows.prefect_artifacts import show_cut
from flows.progress import Progress
from flows.runner import InTurn, Runner, untold
from flows.spread import call, check_scheduler, known_elsewhere, runner_for, sent
from flows.workspace import Workspace, open_workspace

Item = TypeVar("Item")
Result = TypeVar("Result")

DELAYS_S = [2.0, 15.0, 60.0]
"""Before each further try: a server that is started anew is back within a minute or two."""


def _worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    """A fault of the system may pass; one that is told in a sentence does where it says so."""
    fault = state.result(raise_on_failure=False)
    return isinstance(fault, OSError | PassingError)


@task(
    cache_policy=NO_CACHE,
    retries=len(DELAYS_S),
    retry_delay_seconds=DELAYS_S,
    retry_condition_fn=_worth_another_try,
)
def piece(do: Callable[[Any], Any], item: Any) -> Any:
    """One take of a step, or one stage."""
    return do(item)


class AsTasks:
    """Runs each piece of the job as a task."""

    def __init__(self, workers: int, elsewhere: bool = False) -> None:
        """workers: how many pieces at once, whatever the flow's runner would do.

        elsewhere: that runner sends pieces to other processes, and knows how many.
        """
        self.width = workers
        self._turns = threading.Semaphore(workers)
        self._elsewhere = elsewhere

    def each(
        self,
        name: str,
        do: Callable[[Item], Result],
        items: Sequence[Item],
        told: Callable[[Result], object] = untold,
    ) -> list[Result]:
        """A task for every item; results in the items' order."""
        one = piece.with_options(name=name)
        if self._elsewhere:
            futures = [one.submit(call, sent(do, item)) for item in items]
        else:
            futures = [one.submit(partial(self._in_turn, do), item) for item in items]
        for future in as_completed(futures):
            told(future.result())
        return [future.result() for future in futures]

    def _in_turn(self, do: Callable[[Item], Result], item: Item) -> Result:
        with self._turns:
            return do(item)

    def one(self, name: str, do: Callable[[], Result]) -> Result:
        """A stage as one task, in the flow's own process."""
        made: Any = piece.with_options(name=name)(lambda _: do(), None)
        done: Result = made
        return done


@flow(name="clean-cut", validate_parameters=False, persist_result=False)
def clean_cut_flow(
    cut: str, media: list[str], out: str, recipe: str, loudness: str, settings: dict[str, Any]
) -> Outcome:
    """Clean a cut: choose engines, read and relink, clean, listen, deliver.

    settings: as `Settings.model_dump(mode="json")` gives them, without the database's URL: Prefect
    keeps and shows what a flow is given.
    """
    progress = watcher()
    job = Job(
        Path(cut), tuple(map(Path, media)), Path(out), load_recipe(recipe), load_delivery(loudness)
    )
    chosen = with_database(Settings(**settings))
    with open_workspace(chosen) as work, _runner(work) as run:
        outcome = job_steps.clean_cut(work, job, progress, run)
        show_cut(work, job.cut, outcome)
    return outcome


@contextmanager
def _runner(work: Workspace) -> Iterator[Runner]:
    """Pieces as tasks; of a scheduler alone where workers could tell no Prefect server of them."""
    if not work.settings.scheduler:
        yield AsTasks(workers_of(work.settings))
    elif _server_is_set():
        with known_elsewhere(work):
            yield AsTasks(workers_of(work.settings), elsewhere=True)
    else:
        with runner_for(work) as run:
            yield run


def _server_is_set() -> bool:
    return bool(get_current_settings().api.url)


def run(job: Job, settings: Settings, recipe: str, progress: Progress) -> Outcome:
    """Run the flow in this process, with or without a Prefect server configured.

    Where Prefect itself fails, the same job goes on without it, and says so: what was done is in
    the store, so only the rest is done.
    """
    try:
        return _as_flow(job, settings, recipe, progress)
    except (HTTPError, PrefectException, RuntimeError) as fault:
        if isinstance(fault, RuntimeError) and not _is_prefects(fault):
            raise
        note = (
            f"Prefect did not answer ({type(fault).__name__}: {fault}); the run went on without it."
        )
        progress.say(note)
    with open_workspace(settings) as work, runner_for(work) as spread:
        instead = spread if settings.scheduler else InTurn()
        outcome = job_steps.clean_cut(work, job, progress, instead)
    return replace(outcome, notes=(*outcome.notes, note))


def _is_prefects(fault: BaseException) -> bool:
    """Whether it was Prefect's own code that raised it: a server that is gone is a RuntimeError."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__", "")) if trace else ""
    return module.partition(".")[0] == "prefect"


def _as_flow(job: Job, settings: Settings, recipe: str, progress: Progress) -> Outcome:
    with handed(progress, settings.database):
        configured = clean_cut_flow.with_options(
            flow_run_name=f"clean {job.cut.name}",
            task_runner=_task_runner(settings),
        )
        return configured(
            cut=str(job.cut.absolute()),
            media=[str(root.absolute()) for root in job.media],
            out=str(job.out.absolute()),
            recipe=recipe,
            loudness=job.spec.name,
            settings=settings.model_dump(mode="json", exclude=set(SECRETS)),
        )


def _task_runner(settings: Settings) -> TaskRunner[PrefectFuture[Any]]:
    """Threads of this process, or the workers of a Dask scheduler."""
    made: Any = ThreadPoolTaskRunner(workers_of(settings))
    if settings.scheduler:
        check_scheduler(settings.scheduler)
        if _server_is_set():
            from prefect_dask import DaskTaskRunner

            made = DaskTaskRunner(address=settings.scheduler)
    return cast("TaskRunner[PrefectFuture[Any]]", made)

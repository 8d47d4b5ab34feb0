"""Workers: they take runs that wait, one after another, and have each done in its own process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config.settings import Settings
from core.errors import ExitCode, RoomtoneError
from core.run import Claim, RunState, Step
from db import runs as rows
from db.codec import now
from db.engine import Database
from db.home import open_remembered
from flows.every_night import ask_for_night
from flows.heartbeat import LOOK_S, Heart, Standing
from flows.jobs import JOBS
from flows.night import WallClock
from flows.run_process import JobProcess, job_process
from flows.runs import reconcile
from flows.this_worker import this_worker

LOG = logging.getLogger("roomtone.runs")
RECONCILE_S = 30.0
_AWAY_S = 5.0
_END_S = 15.0

Ending = Callable[[Session, Claim, datetime], bool]
"""Writes down how a run ended."""


class WorkerHandle:
    """Workers that run in threads of this process."""

    def __init__(self, stop: threading.Event, threads: tuple[threading.Thread, ...]) -> None:
        self._stop, self._threads = stop, threads

    def ask(self) -> None:
        """Ask the workers to end, and wait for nothing."""
        self._stop.set()

    def stop(self) -> None:
        """End the workers: what they are at is given back, for others or another time."""
        self.ask()
        for thread in self._threads:
            thread.join(_END_S)


def start_worker(settings: Settings, at_once: int | None = None) -> WorkerHandle:
    """Start workers in threads of this process; `stop()` ends them.

    at_once: how many; None: as the setting `runs_at_once` says. Raises what opening the database
    does.
    """
    open_remembered(settings).close()
    stop = threading.Event()
    threads = tuple(
        threading.Thread(target=work_until, args=(stop, settings), name=f"worker {n}", daemon=True)
        for n in range(settings.runs_at_once if at_once is None else at_once)
    )
    for thread in threads:
        thread.start()
    return WorkerHandle(stop, threads)


def work_until(stop: threading.Event, settings: Settings, *, until_idle: bool = False) -> int:
    """Do runs one after another until `stop` is set; how many that was.

    until_idle: also end where no run is due. Raises what opening the database does.
    """
    database = open_remembered(settings)
    done, reconciled = 0, -RECONCILE_S
    try:
        while not stop.is_set():
            try:
                if time.monotonic() - reconciled >= RECONCILE_S:
                    _tell_deserted(database)
                    ask_for_night(database, settings, WallClock().now())
                    reconciled = time.monotonic()
                claim = claim_next(database)
            except (RoomtoneError, SQLAlchemyError) as fault:
                LOG.warning("The database can't be used, trying again: %s", fault)
                stop.wait(_AWAY_S)
                continue
            if claim is not None:
                do_run(database, settings, claim, stop)
                done += 1
            elif until_idle:
                break
            else:
                stop.wait(LOOK_S)
    finally:
        database.close()
    return done


def claim_next(database: Database) -> Claim | None:
    """Take the run that is due, for this process; None where there is none."""
    with database.read() as session:
        if not rows.run_is_due(session, now(), JOBS):
            return None
    with database.write() as session:
        return rows.claim_run(session, this_worker(), now(), JOBS)


def do_run(database: Database, settings: Settings, claim: Claim, stop: threading.Event) -> None:
    """Have a run done and write down how it ended; it is given back once `stop` is set."""
    run = claim.run
    heart = Heart(database, claim)
    LOG.info("run %d (%s) begins, try %d", run.id, run.kind, run.tries, extra={"run": run.id})
    log = settings.home / "log" / f"run-{run.id}.log"
    try:
        with job_process(run.id, run.kind, run.wanted, settings, log) as job:
            ending = _followed(run.id, job, heart, stop, settings)
    except RoomtoneError as fault:
        ending = _failed(str(fault), fault.exit_code)
    _write_down(database, claim, ending, heart, stop)


def _followed(
    number: int, job: JobProcess, heart: Heart, stop: threading.Event, settings: Settings
) -> Ending:
    """Follow a job until it ends or has to be ended; how that is written down."""
    at = Step()
    begun = heard = looked = time.monotonic()
    while True:
        told = job.told(LOOK_S)
        moment = time.monotonic()
        if told is not None:
            heard = moment
            ending = _told_ending(told)
            if ending is not None:
                return ending
            at, before = _after(at, told), at
            _log(number, at, before)
            _pass_on(number, at, told)
        if moment - looked >= LOOK_S:
            looked = moment
            standing = heart.beat(at)
            if standing is Standing.LOST:
                return _nothing
            if standing is Standing.CANCELLED:
                return _cancelled
        if stop.is_set():
            return rows.release_run
        if moment - heard > settings.run_silent_min * 60:
            return _crashed(f"It made no progress for {settings.run_silent_min:g} minutes.")
        if moment - begun > settings.run_most_h * 3600:
            most = f"{settings.run_most_h:g} h, as long as a run may take (run_most_h)"
            return _failed(f"It was ended after {most}; what it did is kept.", ExitCode.INTERNAL)


def _log(number: int, at: Step, before: Step) -> None:
    if at.name != before.name:
        LOG.info("run %d: %s", number, at.name, extra={"run": number, "step": at.name})
    if at.said != before.said:
        LOG.info("run %d: %s", number, at.said, extra={"run": number, "step": at.name})


def _pass_on(number: int, at: Step, told: Mapping[str, Any]) -> None:
    """Log what a job has logged, as part of its run."""
    match told:
        case {"log": [int(level), str(message), dict(facts)]}:
            about = {"step": at.name} if at.name else {}
            LOG.log(level, "%s", message, extra={**about, **facts, "run": number})


def _told_ending(told: Mapping[str, Any]) -> Ending | None:
    """How the job says that it ended; None where it goes on."""
    if not told:
        return _crashed(rows.CRASHED)
    if "outcome" in told:
        outcome = told["outcome"]
        return lambda session, claim, at: rows.end_run(session, claim, at, RunState.DONE, outcome)
    if "fault" in told:
        sentence = str(told["fault"])
        return _crashed(sentence) if told["again"] else _failed(sentence, told["exit_code"])
    return None


def _after(at: Step, told: Mapping[str, Any]) -> Step:
    """How far a job is after what it told."""
    match told:
        case {"step": [name, total]}:
            return at.begun(name, total)
        case {"advance": [name, done]}:
            return at.advanced(name, done)
        case {"say": said}:
            return replace(at, said=said)
    return at


def _failed(sentence: str, code: int) -> Ending:
    return lambda session, claim, at: rows.end_run(
        session, claim, at, RunState.FAILED, fault=sentence, exit_code=code
    )


def _crashed(sentence: str) -> Ending:
    return lambda session, claim, at: rows.crash_run(session, claim, at, sentence)


def _cancelled(session: Session, claim: Claim, at: datetime) -> bool:
    return rows.end_run(session, claim, at, RunState.CANCELLED)


def _nothing(session: Session, claim: Claim, at: datetime) -> bool:
    """The run is another's by now."""
    del session, claim, at
    return False


def _write_down(
    database: Database, claim: Claim, ending: Ending, heart: Heart, stop: threading.Event
) -> None:
    """Write down how a run ended, trying again while the lease holds.

    Where it can't be, somebody finds the lease run out and the run is done again: all that was
    made is in the store.
    """
    while True:
        try:
            with database.write() as session:
                ending(session, claim, now())
        except (RoomtoneError, SQLAlchemyError) as fault:
            LOG.warning("run %d: %s", claim.run.id, fault, extra={"run": claim.run.id})
            if stop.is_set() or not heart.holds:
                return
            stop.wait(_AWAY_S)
            continue
        break
    with database.read() as session:
        run = rows.run_at(session, claim.run.id)
    if run is not None:
        why = f": {run.fault}" if run.fault else ""
        LOG.info("run %d is %s%s", run.id, run.state, why, extra={"run": run.id})


def _tell_deserted(database: Database) -> None:
    for run in reconcile(database):
        LOG.warning("run %d was deserted; it is %s", run.id, run.state, extra={"run": run.id})

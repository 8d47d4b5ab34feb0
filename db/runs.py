"""Runs as they are remembered: asked for, taken by exactly one worker, ended.

What changes a run belongs in a transaction of `Database.write`. These are one after another, so
what was read in one is still so when it is written. Every moment is given by the caller: the clocks
of machines that share a database must agree to within a good part of a minute.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.run import BACK_OFF, MOST_TRIES, Claim, Run, RunState, Step, Wanted, Worker
from db.codec import path_text, storable, text_path
from db.run_rows import RunRow

LEASE = timedelta(seconds=90)
"""How long a worker has a run without being heard of: far longer than a database is ever busy."""

CRASHED = "The process that did it ended without a word."


def add_run(
    session: Session,
    kind: str,
    wanted: Wanted,
    by: str,
    at: datetime,
    most_tries: int = MOST_TRIES,
) -> Run:
    """Remembers that somebody asked for a run, which waits for a worker."""
    row = RunRow(
        kind=kind,
        inputs=_texts(wanted.inputs),
        media=_texts(wanted.media),
        out=wanted.out,
        settings=_stored(wanted.settings),
        by=by,
        state=RunState.WAITING.value,
        asked=at,
        not_before=at,
        tries=0,
        most_tries=most_tries,
        step="",
        step_done=0,
        step_total=0,
        said="",
        host="",
        pid=0,
        token="",
        cancelled_by="",
        fault="",
    )
    session.add(row)
    session.flush()
    return _run(row)


def waiting_run(session: Session, kind: str, wanted: Wanted) -> Run | None:
    """The run that waits to do just this, if there is one."""
    query = (
        select(RunRow)
        .where(RunRow.state == RunState.WAITING.value, RunRow.kind == kind)
        .order_by(RunRow.id)
    )
    asked = (_texts(wanted.inputs), _texts(wanted.media), _stored(wanted.settings))
    out = wanted.out and wanted.out.absolute()
    for row in session.scalars(query):
        if (row.inputs, row.media, row.settings) == asked and row.out == out:
            return _run(row)
    return None


def latest_run_into(session: Session, kind: str, folder: Path) -> Run | None:
    """The latest run of a kind that ended well in a folder, if there is one."""
    query = (
        select(RunRow)
        .where(RunRow.state == RunState.DONE.value, RunRow.kind == kind)
        .where(RunRow.out == folder)
        .order_by(RunRow.id.desc())
        .limit(1)
    )
    row = session.scalars(query).one_or_none()
    return None if row is None else _run(row)


def asked_since(session: Session, kind: str, by: str, since: datetime) -> bool:
    """Whether somebody asked for a run of a kind at a moment or later."""
    query = select(RunRow.id).where(
        RunRow.kind == kind, RunRow.by == by, RunRow.asked >= since.astimezone(UTC)
    )
    return session.scalars(query).first() is not None


def claim_run(
    session: Session, worker: Worker, at: datetime, kinds: Collection[str]
) -> Claim | None:
    """Gives the worker the run of these kinds that was asked for first, or None where none is due.

    A run waits as long as another one writes to its folder.
    """
    row = _due(session, at, kinds)
    return None if row is None else _begun(session, row, worker, at)


def run_is_due(session: Session, at: datetime, kinds: Collection[str]) -> bool:
    """Whether `claim_run` would give a run; nothing is changed."""
    return _due(session, at, kinds) is not None


def begin_run(session: Session, number: int, worker: Worker, at: datetime) -> Claim:
    """Gives a worker a run that it has just asked for itself."""
    return _begun(session, session.get_one(RunRow, number), worker, at)


def beat_run(session: Session, claim: Claim, at: datetime, step: Step) -> Run | None:
    """Says that a worker is still at its run, and how far.

    Gives the run as it is; None where it is not the worker's own any more.
    """
    row = _owned(session, claim)
    if row is None:
        return None
    row.lease_until = at + LEASE
    row.step, row.step_done, row.step_total, row.said = step.name, step.done, step.total, step.said
    return _run(row)


def owned_run(session: Session, claim: Claim) -> Run | None:
    """The run as it is, where it still is the claim's; it may have been asked to end."""
    row = _owned(session, claim)
    return None if row is None else _run(row)


def end_run(
    session: Session,
    claim: Claim,
    at: datetime,
    state: RunState,
    outcome: Mapping[str, Any] | None = None,
    fault: str = "",
    exit_code: int | None = None,
) -> bool:
    """Ends a worker's run; False where it is not its own any more."""
    row = _owned(session, claim)
    if row is None:
        return False
    _finish(row, at, state, fault)
    row.outcome = None if outcome is None else _stored(outcome)
    row.exit_code = exit_code
    return True


def release_run(session: Session, claim: Claim, at: datetime) -> bool:
    """Gives a run back unfinished, with nothing held against it; False where it isn't its own.

    One that somebody asked to end has ended with this.
    """
    row = _owned(session, claim)
    if row is None:
        return False
    if row.cancelled_by:
        _finish(row, at, RunState.CANCELLED, "")
    else:
        row.tries = max(0, row.tries - 1)
        _wait(row, at)
    return True


def crash_run(session: Session, claim: Claim, at: datetime, fault: str) -> bool:
    """Notes that a run's process died; it waits for another try where one is left."""
    row = _owned(session, claim)
    if row is None:
        return False
    _crash(row, at, fault)
    return True


def reconcile_runs(
    session: Session, at: datetime, host: str, alive: Callable[[int], bool]
) -> tuple[Run, ...]:
    """Takes runs from workers that are gone; gives them as they are now.

    Gone is whose lease has run out, and on this host whose process has ended.
    """
    found = []
    for row in _running(session):
        if _gone(_run(row), at, host, alive):
            _crash(row, at, CRASHED)
            session.flush()
            found.append(_run(row))
    return tuple(found)


def deserted_runs(
    session: Session, at: datetime, host: str, alive: Callable[[int], bool]
) -> tuple[Run, ...]:
    """The runs that `reconcile_runs` would take from their workers; nothing is changed."""
    return tuple(run for row in _running(session) if _gone(run := _run(row), at, host, alive))


def cancel_run(session: Session, number: int, at: datetime, by: str) -> Run | None:
    """Cancels a run that waits, asks the worker of one that runs to end it; None: no such run.

    A run that has ended stays as it is.
    """
    row = session.get(RunRow, number)
    if row is None:
        return None
    state = RunState(row.state)
    if not state.ended:
        row.cancelled_by = by or "somebody"
        if state is RunState.WAITING:
            _finish(row, at, RunState.CANCELLED, "")
    session.flush()
    return _run(row)


def retry_run(session: Session, number: int, at: datetime) -> Run | None:
    """Lets a run that has ended wait once more, with all its tries; None: no such run."""
    row = session.get(RunRow, number)
    if row is None:
        return None
    if RunState(row.state).ended:
        row.tries, row.most_tries = 0, MOST_TRIES
        row.outcome, row.fault, row.exit_code, row.started = None, "", None, None
        row.step, row.step_done, row.step_total, row.said = "", 0, 0, ""
        _wait(row, at)
        session.flush()
    return _run(row)


def run_at(session: Session, number: int) -> Run | None:
    """The run of that number, or None."""
    row = session.get(RunRow, number)
    return None if row is None else _run(row)


def latest_runs(
    session: Session,
    states: Collection[RunState] = (),
    limit: int = 50,
    before: int | None = None,
) -> tuple[Run, ...]:
    """The latest runs, newest first; of some states only where these are named.

    before: only those with a smaller number.
    """
    query = select(RunRow).order_by(RunRow.id.desc()).limit(limit)
    if states:
        query = query.where(RunRow.state.in_([state.value for state in states]))
    if before is not None:
        query = query.where(RunRow.id < before)
    return tuple(_run(row) for row in session.scalars(query))


def count_runs(session: Session, since: datetime | None = None) -> dict[RunState, int]:
    """How many runs are in each state.

    since: of those that were asked for since then, or have not ended.
    """
    query = select(RunRow.state, func.count()).group_by(RunRow.state)
    if since is not None:
        going = [state.value for state in RunState if not state.ended]
        query = query.where(or_(RunRow.asked >= since, RunRow.state.in_(going)))
    return {RunState(state): count for state, count in session.execute(query).tuples()}


@dataclass(frozen=True)
class RunTimes:
    """When a run was asked for, began and ended, and how it stands."""

    kind: str
    state: RunState
    asked: datetime
    began: datetime | None
    ended: datetime | None

    @property
    def seconds(self) -> float:
        """How long it took; 0 where it has not ended."""
        return (self.ended - self.began).total_seconds() if self.ended and self.began else 0.0


def run_times(session: Session) -> tuple[RunTimes, ...]:
    """The times of all runs."""
    query = select(RunRow.kind, RunRow.state, RunRow.asked, RunRow.started, RunRow.ended)
    return tuple(
        RunTimes(kind, RunState(state), asked, began, ended)
        for kind, state, asked, began, ended in session.execute(query).tuples()
    )


def last_asked(session: Session, out: Path) -> datetime | None:
    """When a run that writes to this folder was last asked for."""
    return session.scalar(select(func.max(RunRow.asked)).where(RunRow.out == out))


def redact_runs(session: Session, clean: Callable[[Any], Any]) -> None:
    """Lets what runs say, gave and were set to be cleaned; names of files stay, they are files'."""
    for row in session.scalars(select(RunRow)):
        for field in ("said", "fault", "settings", "outcome"):
            told = getattr(row, field)
            if told and (other := clean(told)) != told:
                setattr(row, field, other)


def _due(session: Session, at: datetime, kinds: Collection[str]) -> RunRow | None:
    written = select(RunRow.out).where(
        RunRow.state == RunState.RUNNING.value, RunRow.out.is_not(None)
    )
    query = (
        select(RunRow)
        .where(
            RunRow.state == RunState.WAITING.value,
            RunRow.not_before <= at,
            RunRow.kind.in_(list(kinds)),
            or_(RunRow.out.is_(None), RunRow.out.not_in(written)),
        )
        .order_by(RunRow.id)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def _running(session: Session) -> Sequence[RunRow]:
    query = select(RunRow).where(RunRow.state == RunState.RUNNING.value).order_by(RunRow.id)
    return session.scalars(query).all()


def _gone(run: Run, at: datetime, host: str, alive: Callable[[int], bool]) -> bool:
    if run.lease_until is None or run.lease_until < at:
        return True
    return run.worker is not None and run.worker.host == host and not alive(run.worker.pid)


def _owned(session: Session, claim: Claim) -> RunRow | None:
    row = session.get(RunRow, claim.run.id)
    mine = row is not None and (row.state, row.token) == (RunState.RUNNING.value, claim.token)
    return row if mine else None


def _begun(session: Session, row: RunRow, worker: Worker, at: datetime) -> Claim:
    row.state, row.token = RunState.RUNNING.value, secrets.token_hex(16)
    row.host, row.pid = worker.host, worker.pid
    row.started, row.ended, row.lease_until = at, None, at + LEASE
    row.tries += 1
    row.cancelled_by = ""
    row.fault, row.exit_code, row.outcome = "", None, None
    row.step, row.step_done, row.step_total, row.said = "", 0, 0, ""
    session.flush()
    return Claim(_run(row), row.token)


def _wait(row: RunRow, at: datetime) -> None:
    row.state = RunState.WAITING.value
    row.not_before, row.ended, row.lease_until = at, None, None
    row.host, row.pid, row.token, row.cancelled_by = "", 0, "", ""


def _finish(row: RunRow, at: datetime, state: RunState, fault: str) -> None:
    row.state, row.fault = state.value, fault
    row.ended, row.lease_until, row.token = at, None, ""


def _crash(row: RunRow, at: datetime, fault: str) -> None:
    if row.cancelled_by:
        _finish(row, at, RunState.CANCELLED, "")
    elif row.tries >= row.most_tries:
        _finish(row, at, RunState.CRASHED, fault)
    else:
        _wait(row, at + BACK_OFF * 2 ** (row.tries - 1))
        row.fault = fault


def _run(row: RunRow) -> Run:
    inputs, media = (tuple(map(text_path, paths)) for paths in (row.inputs, row.media))
    return Run(
        id=row.id,
        kind=row.kind,
        wanted=Wanted(inputs, media, row.out, row.settings),
        by=row.by,
        state=RunState(row.state),
        asked=row.asked,
        not_before=row.not_before,
        started=row.started,
        ended=row.ended,
        tries=row.tries,
        most_tries=row.most_tries,
        step=Step(row.step, row.step_done, row.step_total, row.said),
        worker=Worker(row.host, row.pid) if row.host else None,
        lease_until=row.lease_until,
        cancelled_by=row.cancelled_by,
        outcome=row.outcome,
        fault=row.fault,
        exit_code=row.exit_code,
    )


def _texts(paths: Sequence[Path]) -> list[str]:
    return [path_text(path) for path in paths]


def _stored(value: Any) -> Any:
    """A value as JSON columns take it: safe text, paths as text, numbers that are finite."""
    if isinstance(value, Mapping):
        return {storable(str(key)): _stored(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_stored(item) for item in value]
    if isinstance(value, Path):
        return storable(str(value))
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return storable(value) if isinstance(value, str) else value

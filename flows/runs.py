"""Runs: jobs that are asked for, listed, cancelled and done again, whoever does them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from adapters.media.whole import is_alive
from config.deliveries import load_delivery
from config.recipes import load_recipe
from core.errors import InputError, UsageError
from core.run import Run, RunState, Wanted
from db import runs as rows
from db.codec import now
from db.engine import Database
from flows.jobs import kind_named, settings_of_run
from flows.this_worker import this_worker
from flows.workspace import Workspace


def ask_for_run(work: Workspace, kind: str, wanted: Wanted, by: str) -> Run:
    """Ask for a run, which waits for a worker; the one that waits for the same already, if any.

    kind: of `flows.jobs.JOBS`. by: who asks. Raises UsageError and InputError where the job could
    not be begun.
    """
    wanted = absolute(wanted)
    settings = settings_of_run(work.settings, wanted)
    load_recipe(settings.recipe)
    load_delivery(settings.loudness)
    kind_named(kind).check(wanted)
    with work.database.write() as session:
        known = rows.waiting_run(session, kind, wanted)
        return known or rows.add_run(session, kind, wanted, by, now())


def list_runs(
    database: Database,
    states: Collection[RunState] = (),
    limit: int = 50,
    before: int | None = None,
) -> tuple[Run, ...]:
    """The latest runs, newest first. before: only those with a smaller number."""
    reconcile(database)
    with database.read() as session:
        return rows.latest_runs(session, states, limit, before)


def run_numbered(database: Database, number: int) -> Run:
    """A run by its number. Raises InputError where there is none."""
    with database.read() as session:
        return _known(rows.run_at(session, number), number)


def cancel_run(database: Database, number: int, by: str) -> Run:
    """Cancel a run that waits; have one that runs ended by its worker, within some seconds.

    Raises InputError where there is none of that number, UsageError where it has ended.
    """
    ended = run_numbered(database, number)
    if ended.state.ended:
        raise UsageError(f"Run {number} has ended ({ended.state}): there is nothing to cancel.")
    with database.write() as session:
        return _known(rows.cancel_run(session, number, now(), by), number)


def retry_run(database: Database, number: int) -> Run:
    """Let a run that has ended wait for a worker once more.

    Raises InputError where there is none of that number, UsageError where it has not ended.
    """
    known = run_numbered(database, number)
    if not known.state.ended:
        raise UsageError(f"Run {number} has not ended ({known.state}); cancel it first.")
    with database.write() as session:
        return _known(rows.retry_run(session, number, now()), number)


def reconcile(database: Database) -> tuple[Run, ...]:
    """Take runs from workers that are gone, so that they are done again or seen to have crashed."""
    host = this_worker().host
    with database.read() as session:
        deserted = rows.deserted_runs(session, now(), host, is_alive)
    if not deserted:
        return ()
    with database.write() as session:
        return rows.reconcile_runs(session, now(), host, is_alive)


def absolute(wanted: Wanted) -> Wanted:
    """The same with absolute paths, for whoever works in another folder."""
    return replace(
        wanted,
        inputs=tuple(path.absolute() for path in wanted.inputs),
        media=tuple(path.absolute() for path in wanted.media),
        out=wanted.out and wanted.out.absolute(),
    )


def _known(run: Run | None, number: int) -> Run:
    if run is None:
        raise InputError(f"There is no run {number}; `roomtone runs` lists them.")
    return run

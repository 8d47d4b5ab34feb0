"""A job that a person runs at the command line, noted as a run so that others see it."""

from __future__ import annotations

import _thread
import contextlib
import getpass
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from core.errors import ExitCode, RoomtoneError
from core.run import Claim, RunState, Wanted
from db import runs as rows
from db.codec import now
from db.engine import Database
from db.home import open_remembered
from flows.heartbeat import Heart, Tracked, beating
from flows.jobs import Facts
from flows.progress import Progress
from flows.runs import absolute
from flows.spans import traced
from flows.this_worker import this_worker

Made = TypeVar("Made")


def as_run(
    settings: Settings,
    kind: str,
    wanted: Wanted,
    progress: Progress,
    do: Callable[[Progress], Made],
    told: Callable[[Made], Facts],
) -> Made:
    """Do a job in this process and note it as a run: how far it is, and what came of it.

    Whoever cancels the run ends the job as Ctrl-C does. The job is done whether or not it can be
    noted; what it raises is passed on. told: what is noted of the outcome.
    """
    with contextlib.ExitStack() as open_now:
        begun = _begun(settings, kind, absolute(wanted))
        if begun is None:
            return do(progress)
        database, claim = begun
        open_now.callback(database.close)
        tracked = Tracked(progress)
        try:
            with (
                beating(Heart(database, claim), tracked, _thread.interrupt_main),
                traced(kind, {"run": claim.run.id}, tracked) as spanned,
            ):
                made = do(spanned)
        except RoomtoneError as fault:
            _end(database, claim, RunState.FAILED, fault=str(fault), code=fault.exit_code)
            raise
        except Exception as fault:
            said = f"An internal fault ({type(fault).__name__}); the details are in the log."
            _end(database, claim, RunState.FAILED, fault=said, code=ExitCode.INTERNAL)
            raise
        except BaseException:
            _end(database, claim, RunState.CANCELLED)
            raise
        _end(database, claim, RunState.DONE, told(made))
        return made


def _begun(settings: Settings, kind: str, wanted: Wanted) -> tuple[Database, Claim] | None:
    """The run that the job is noted as, or None where that can't be."""
    try:
        database = open_remembered(settings)
    except RoomtoneError:
        return None
    try:
        at = now()
        with database.write() as session:
            # Nobody begins a person's own command again behind their back.
            asked = rows.add_run(session, kind, wanted, getpass.getuser(), at, most_tries=1)
            return database, rows.begin_run(session, asked.id, this_worker(), at)
    except (RoomtoneError, SQLAlchemyError):
        database.close()
        return None


def _end(
    database: Database,
    claim: Claim,
    state: RunState,
    outcome: Facts | None = None,
    fault: str = "",
    code: ExitCode | None = None,
) -> None:
    with contextlib.suppress(RoomtoneError, SQLAlchemyError), database.write() as session:
        rows.end_run(session, claim, now(), state, outcome, fault, code)

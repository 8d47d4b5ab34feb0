"""A worker's word that it is still at a run, and how it hears that somebody wants it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from enum import Enum

from sqlalchemy.exc import SQLAlchemyError

from core.errors import RoomtoneError
from core.run import Claim, Step
from db import runs as rows
from db.codec import now
from db.engine import Database
from flows.progress import Progress

LOOK_S = 1.0
"""How often a worker looks whether it still has its run."""

_TELL = timedelta(seconds=2)
_BEAT = timedelta(seconds=15)


class Standing(Enum):
    """Whose a run is: still the worker's; asked to end; another's, or nobody's."""

    OURS = 1
    CANCELLED = 2
    LOST = 3


class Heart:
    """Keeps the lease of a run."""

    def __init__(self, database: Database, claim: Claim) -> None:
        self._database, self._claim = database, claim
        self._told, self._at = Step(), now()
        self._until = claim.run.lease_until or self._at

    @property
    def holds(self) -> bool:
        """Whether the lease still holds."""
        return now() < self._until

    def beat(self, at: Step) -> Standing:
        """Tell how far the run is, and hear how it stands with it.

        While the database can't be reached the run is the worker's as long as its lease.
        """
        moment = now()
        due = _TELL if at != self._told else _BEAT
        try:
            if moment - self._at < due:
                with self._database.read() as session:
                    run = rows.owned_run(session, self._claim)
            else:
                with self._database.write() as session:
                    run = rows.beat_run(session, self._claim, moment, at)
                self._told, self._at = at, moment
        except (RoomtoneError, SQLAlchemyError):
            return Standing.OURS if self.holds else Standing.LOST
        if run is None:
            return Standing.LOST
        self._until = run.lease_until or moment
        return Standing.CANCELLED if run.cancelled_by else Standing.OURS


class Tracked:
    """Progress that is passed on, and remembered as the step that a run is at."""

    def __init__(self, inner: Progress) -> None:
        self._inner = inner
        self._at = Step()
        self._lock = threading.Lock()

    @property
    def at(self) -> Step:
        """How far the run is."""
        with self._lock:
            return self._at

    def step(self, name: str, total: int) -> None:
        """A step begins."""
        with self._lock:
            self._at = self._at.begun(name, total)
        self._inner.step(name, total)

    def advance(self, name: str, done: int = 1) -> None:
        """Pieces of a step are done."""
        with self._lock:
            self._at = self._at.advanced(name, done)
        self._inner.advance(name, done)

    def say(self, text: str) -> None:
        """Something a person should read."""
        with self._lock:
            self._at = replace(self._at, said=text)
        self._inner.say(text)


@contextmanager
def beating(heart: Heart, tracked: Tracked, cancelled: Callable[[], None]) -> Iterator[None]:
    """Keep the lease of a run that this process does itself, in a thread, while the block runs.

    cancelled: called once, in that thread, when somebody asks to end the run.
    """
    over = threading.Event()

    def keep() -> None:
        while not over.wait(LOOK_S):
            if heart.beat(tracked.at) is Standing.CANCELLED:
                cancelled()
                return

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

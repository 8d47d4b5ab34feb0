"""Runs: jobs that somebody asked for, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

MOST_TRIES = 3
BACK_OFF = timedelta(seconds=30)
"""How long a run waits after its first crash; twice as long after each further one."""


class RunState(StrEnum):
    """Where a run stands. Crashed: its process ended without a word, and no try is left."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CRASHED = "crashed"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to such a run of its own accord."""
        return self not in (RunState.WAITING, RunState.RUNNING)


@dataclass(frozen=True)
class Wanted:
    """What a run is for.

    inputs: a cut, sound files, or folders, as the kind has it. media: folders that hold its media;
    none: as the settings of whoever does the work say. out: the folder that it writes to, which
    no two runs do at once; None: it writes to no folder of its own. settings: those that differ
    from the settings of whoever does the work.
    """

    inputs: tuple[Path, ...]
    media: tuple[Path, ...] = ()
    out: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Worker:
    """A process that does runs."""

    host: str
    pid: int


@dataclass(frozen=True)
class Step:
    """How far a run is: the step, its pieces done and in all (0: not known), what it last said."""

    name: str = ""
    done: int = 0
    total: int = 0
    said: str = ""

    def begun(self, name: str, total: int) -> Step:
        """When another step begins."""
        return replace(self, name=name, done=0, total=total)

    def advanced(self, name: str, done: int) -> Step:
        """When pieces of a step are done; of another step than this they don't count."""
        return replace(self, done=self.done + done) if name == self.name else self


@dataclass(frozen=True)
class Run:
    """A job that somebody asked for.

    kind: names what is done (`flows.jobs`). by: who asked. tries: how often it was begun, of
    most_tries. not_before: when it may be begun (again). lease_until: until when its worker has it
    unless it is heard of again. cancelled_by: who asked to end it. outcome: what came of it.
    fault: why it failed, or crashed the last time, a sentence; exit_code: as the command line
    would have ended.
    """

    id: int
    kind: str
    wanted: Wanted
    by: str
    state: RunState
    asked: datetime
    not_before: datetime
    started: datetime | None = None
    ended: datetime | None = None
    tries: int = 0
    most_tries: int = MOST_TRIES
    step: Step = Step()
    worker: Worker | None = None
    lease_until: datetime | None = None
    cancelled_by: str = ""
    outcome: Mapping[str, Any] | None = None
    fault: str = ""
    exit_code: int | None = None


@dataclass(frozen=True)
class Claim:
    """A run that a worker has. token: proves it; whoever takes the run over gets another."""

    run: Run
    token: str

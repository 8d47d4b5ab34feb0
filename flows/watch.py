"""Watched folders: saving a cut there asks for a run.

Looking again and again works on every system and on network shares, where notifications don't.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from adapters.timelines.read import timeline_file
from config.settings import Settings
from core.errors import InputError, RoomtoneError, UsageError
from db.runs import last_asked
from flows.announce import announce
from flows.jobs import CUT
from flows.run_inputs import clean_cut_wanted, cuts_below
from flows.runs import ask_for_run
from flows.workspace import Workspace, open_workspace

LOG = logging.getLogger("roomtone.runs")
LOOK_S = 1.0
SETTLED_S = 2.0
"""A file that has not changed for so long is saved."""

WHO = "watched folder"
Stamp = tuple[int, int]
"""Size and time of change (ns) of a file."""


@dataclass(frozen=True)
class _Known:
    stamp: Stamp
    since: float
    told: bool


class Watch:
    """What was seen of cuts, and which of them were saved since."""

    def __init__(self) -> None:
        self._known: dict[Path, _Known] | None = None

    def look(
        self, found: Mapping[Path, Stamp], at: float, missed: Collection[Path] = ()
    ) -> tuple[Path, ...]:
        """The cuts that were saved and have settled; what was there at first is not new.

        found: the cuts that are there now. at: seconds of a steady clock. missed: those of the
        first look that were saved while nobody watched.
        """
        first = self._known is None
        known = self._known or {}
        now = {}
        for path, stamp in found.items():
            before = known.get(path)
            if before is None or before.stamp != stamp:
                before = _Known(stamp, at, first and path not in missed)
            now[path] = before
        self._known = now
        return tuple(
            path for path, one in now.items() if not one.told and at - one.since >= SETTLED_S
        )

    def tell(self, path: Path) -> None:
        """Note that a cut was seen to, until it is saved again."""
        if self._known is not None:
            self._known[path] = replace(self._known[path], told=True)


def watch_until(stop: threading.Event, settings: Settings) -> None:
    """Ask for a run of every cut that is saved in the watched folders, until `stop` is set."""
    watch = Watch()
    first = True
    with open_workspace(settings) as work:
        while not stop.is_set():
            found = {
                path: stamp
                for path in cuts_below(settings.cut_folders)
                if (stamp := _stamp(path)) is not None
            }
            try:
                missed = _missed(work, found) if first else ()
                for path in watch.look(found, time.monotonic(), missed):
                    _ask(work, path)
                    watch.tell(path)
                first = False
            except (RoomtoneError, SQLAlchemyError) as fault:
                LOG.warning("The watched folders can't be followed, trying again: %s", fault)
            stop.wait(LOOK_S)


def _ask(work: Workspace, path: Path) -> None:
    wanted = clean_cut_wanted(work.settings, path, {})
    if work.settings.saved_cuts == "event":
        announce(wanted)
        LOG.info("%s was saved: the Prefect server was told", path)
        return
    try:
        run = ask_for_run(work, CUT, wanted, WHO)
    except (InputError, UsageError) as fault:
        LOG.warning("%s was saved, and can't be cleaned: %s", path, fault)
        return
    LOG.info("%s was saved: run %d", path, run.id, extra={"run": run.id})


def _missed(work: Workspace, found: Mapping[Path, Stamp]) -> tuple[Path, ...]:
    """The cuts that were cleaned before and saved again while nobody watched."""
    missed = []
    with work.database.read() as session:
        for path, (_, changed_ns) in found.items():
            out = clean_cut_wanted(work.settings, path, {}).out
            asked = None if out is None else last_asked(session, out)
            changed = datetime.fromtimestamp(changed_ns / 1e9, UTC)
            if asked is not None and asked < changed:
                missed.append(path)
    return tuple(missed)


def _stamp(path: Path) -> Stamp | None:
    try:
        found = timeline_file(path).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns

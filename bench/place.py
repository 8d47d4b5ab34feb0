"""A home that a benchmark's processes work in, where they deliver, and what came of that."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.media.essence import file_sha256
from adapters.media.whole import is_part
from bench.killed_child import settings_of
from core.run import RunState, Wanted
from db.engine import open_database
from db.home import FILE
from db.run_rows import ClaimRow
from db.tables import Activity
from flows.lock import NAME as LOCK
from flows.runs import ask_for_run, run_numbered
from flows.workspace import open_workspace

Works = dict[tuple[str, str], tuple[str, ...]]
"""Work that ended well: by kind and key, the ids under which it is remembered."""


@dataclass(frozen=True)
class Sound:
    """Every sound file by its name below a folder, with the sha256 of all its bytes."""

    delivered: dict[str, str]
    stored: dict[str, str]


@dataclass(frozen=True)
class Place:
    """A home, a delivery and where the process says what came of it. database: URL or empty.

    name: of the delivery, below the folder.
    """

    folder: Path
    database: str
    cut: Path
    name: str = "out"

    @property
    def home(self) -> Path:
        """Where the home is."""
        return self.folder / "home"

    @property
    def out(self) -> Path:
        """Where the cut is delivered."""
        return self.folder / self.name

    @property
    def answer_path(self) -> Path:
        """Where the process writes down how it ended."""
        return self.folder / f"{self.name}.json"

    @property
    def task(self) -> tuple[Path, str, Path, Path, Path]:
        """What `bench.killed_child.clean` needs to know."""
        return self.home, self.database, self.cut, self.out, self.answer_path

    def ask(self) -> None:
        """Ask for a run of the cut."""
        with open_workspace(settings_of(self.home, self.database)) as work:
            wanted = Wanted((self.cut,), (self.cut.parent,), self.out, {})
            ask_for_run(work, "cut", wanted, "bench")

    def answer(self) -> dict[str, Any]:
        """What the process said last."""
        try:
            told: dict[str, Any] = json.loads(self.answer_path.read_text("utf-8"))
        except FileNotFoundError:
            return {"fault": "nothing: it died"}
        return told

    def run_state(self) -> RunState:
        """How the run stands."""
        database = open_database(self._rows())
        try:
            return run_numbered(database, 1).state
        finally:
            database.close()

    def works(self) -> Works:
        """All work that ended well."""
        if not self.database and not (self.home / FILE).exists():
            return {}
        database = open_database(self._rows())
        found: dict[tuple[str, str], tuple[str, ...]] = defaultdict(tuple)
        try:
            with database.read() as session:
                for row in session.query(Activity).filter(Activity.state == "done"):
                    found[row.kind, row.key] += (row.id,)
        finally:
            database.close()
        return dict(found)

    def sound(self) -> Sound:
        """All sound files that were delivered and stored."""
        return Sound(_files(self.out), _files(self.home / "store"))

    def left_over(self) -> Iterator[str]:
        """Half files, locks and claims that nobody needs any more."""
        for path in sorted(self.folder.rglob("*")):
            if is_part(path.name) or path.name == LOCK:
                yield f"{path.relative_to(self.folder)} is left over"
        database = open_database(self._rows())
        try:
            with database.read() as session:
                for row in session.query(ClaimRow):
                    yield f"the claim on {row.key[:14]} is left over"
        finally:
            database.close()

    def _rows(self) -> Path | str:
        return self.database or self.home / FILE


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): file_sha256(path) for path in folder.rglob("*.wav")
    }


def one_thread() -> None:
    """Libraries in the processes to come keep to one thread, so that two cores are enough."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"

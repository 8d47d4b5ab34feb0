"""Proof that what was forgotten is gone: looked for by content, in every row and every byte."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.needles import Needles, needles_of
from core.words import counted
from db.contents import rows_of, table_names
from db.sought import prints_of, rows_left, said_by_others, words_elsewhere
from flows.forget import HEARD, Plan
from flows.workspace import Workspace

_LEFT_ALONE = ("weights",)
_SOUND = ("store", "essence")
_HEAD = 1 << 20
_KINDS = {"voiceprint": "voiceprint number"}


@dataclass(frozen=True)
class Leftover:
    """Where something was found that should be gone. where: a table or a file. what: a kind."""

    where: str
    what: str
    count: int


@dataclass(frozen=True)
class Proof:
    """What was looked for, where, and what of it was found.

    sought: how many of each kind. tables, rows: of the database. files, bytes: of the home, the
    database's own files among them. copies: listening copies left in the cache.
    """

    sought: dict[str, int]
    tables: int
    rows: int
    files: int
    bytes: int
    copies: int
    found: tuple[Leftover, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.found

    @property
    def words(self) -> str:
        """The same for people."""
        what = ", ".join(
            counted(number, _KINDS.get(kind, kind))
            for kind, number in self.sought.items()
            if number
        )
        where = (
            f"{counted(self.rows, 'row')} of {counted(self.tables, 'table')} and "
            f"{counted(self.files, 'file')} ({self.bytes / 1e6:.1f} MB, the database's own bytes "
            "among them)"
        )
        if self.holds:
            if not what:
                return f"Nothing was known of it that could be looked for in {where}."
            return f"Proof: {what} looked for in {where}: nothing of it is left."
        left = "; ".join(f"{item.count} {item.what} in {item.where}" for item in self.found)
        return f"Not all is gone. Of {what}, looked for in {where}, there is still: {left}."


def needles_for(work: Workspace, plan: Plan) -> Needles:
    """What to look for once a plan was carried out; to be asked before."""
    numbers = [person.id for person in plan.people]
    essences = [essence for _, essence in plan.takes] if plan.asked.take else []
    with work.database.read() as session:
        others = said_by_others(session, numbers, essences)
        elsewhere = words_elsewhere(session)
        prints = prints_of(session, numbers, essences)
    return needles_of(plan.known.texts, others, elsewhere, prints)


def prove(work: Workspace, plan: Plan, needles: Needles) -> Proof:
    """Look for what was forgotten in every row of the database and every file of the home."""
    tables = rows = files = size = copies = 0
    with work.database.read() as session:
        found = [
            Leftover(f"table {table}", what, count)
            for table, what, count in rows_left(session, [person.id for person in plan.people])
        ]
        for table in table_names(session):
            tables += 1
            held: dict[str, int] = {}
            for row in rows_of(session, table):
                rows += 1
                for kind in needles.kinds_in(row):
                    held[kind] = held.get(kind, 0) + 1
            found += [Leftover(f"table {table}", kind, count) for kind, count in held.items()]
    for path in _files(work.settings.home):
        inside = path.relative_to(work.settings.home)
        files += 1
        copies += inside.parts[0] == work.cache.name and path.suffix in HEARD
        looked, kinds = _looked_through(path, needles, sound=inside.parts[0] in _SOUND)
        size += looked
        found += [Leftover(inside.as_posix(), kind, count) for kind, count in kinds.items()]
    sought = {kind: len(texts) for kind, texts in needles.by_kind.items()}
    return Proof(sought, tables, rows, files, size, copies, tuple(found))


def _files(home: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(home):
        if Path(parent) == home:
            folders[:] = [name for name in folders if name not in _LEFT_ALONE]
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _looked_through(path: Path, needles: Needles, *, sound: bool) -> tuple[int, dict[str, int]]:
    """How many bytes of a file were looked through, and what is in it.

    sound: only what stands around the samples can hold text: the first and the last megabyte.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                return 0, {}
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                if sound and size > 2 * _HEAD:
                    ends = whole[:_HEAD] + b"\0" + whole[-_HEAD:]
                    return len(ends), needles.found_in(ends)
                return size, needles.found_in(memoryview(whole))
    except FileNotFoundError:
        return 0, {}
    except OSError as fault:
        return 0, {f"unreadable file ({fault.strerror})": 1}

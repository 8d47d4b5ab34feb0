"""Ways to injure a home and its delivery, one at a time, each told and taken back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from production import Delivered, Home

import db.tally
from db.engine import open_database
from db.mend import accept_counts

HOW = ("flip", "delete", "row", "truncate")


@dataclass(frozen=True)
class Injury:
    """What was done. where: the file. table, row: of the row that was deleted."""

    how: Literal["flip", "delete", "row", "truncate"]
    where: Path
    table: str = ""
    row: tuple[object, ...] = ()


@dataclass(frozen=True)
class Patient:
    """A home and a delivery of its own."""

    home: Home
    out: Path

    @property
    def database(self) -> Path:
        return self.home.folder / "roomtone.db"

    @property
    def store(self) -> list[Path]:
        return sorted((self.home.folder / "store").rglob("*.wav"))

    @property
    def delivered(self) -> list[Path]:
        return sorted(path for path in self.out.rglob("*") if path.is_file())

    @property
    def listed(self) -> list[Path]:
        return [path for path in self.delivered if path.name != "delivery.json"]


def patient(delivered: Delivered, folder: Path) -> Patient:
    """A copy of a home and its delivery that know of each other."""
    home, out = folder / "home", folder / "out"
    shutil.copytree(delivered.home.folder, home)
    shutil.copytree(delivered.out, out)
    with closing(sqlite3.connect(home / "roomtone.db")) as connection, connection:
        for old, new in ((delivered.home.folder, home), (delivered.out, out)):
            connection.execute(
                "UPDATE locations SET path = ? || substr(path, ?) WHERE path LIKE ? || '/%'",
                (str(new), len(str(old)) + 1, str(old)),
            )
    taken_for_right(home / "roomtone.db")
    return Patient(Home(home, delivered.home.environment), out)


def taken_for_right(path: Path) -> None:
    """Have a database take what a test wrote into it past roomtone for its own."""
    database = open_database(path)
    with database.write() as session:
        accept_counts(session)
    database.close()


@contextmanager
def injured(it: Patient, seed: int) -> Iterator[Injury]:
    """Do one thing, drawn by the seed, and take it back afterwards."""
    rng = np.random.default_rng(seed)
    how = HOW[seed % len(HOW)]
    if how == "flip":
        path = _one(rng, it.store + it.listed)
    elif how == "delete":
        path = _one(rng, [*it.store, *it.delivered, it.database])
    else:
        path = it.database
    before = path.read_bytes()
    try:
        yield _do(how, path, rng)
    finally:
        for name in ("-wal", "-shm"):
            it.database.with_name(it.database.name + name).unlink(missing_ok=True)
        path.write_bytes(before)


def _do(how: str, path: Path, rng: np.random.Generator) -> Injury:
    if how == "flip":
        data = bytearray(path.read_bytes())
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        return Injury("flip", path)
    if how == "delete":
        path.unlink()
        return Injury("delete", path)
    if how == "truncate":
        data = path.read_bytes()
        path.write_bytes(data[: rng.integers(len(data))])
        return Injury("truncate", path)
    with closing(sqlite3.connect(path)) as connection, connection:
        names = [*db.tally.counted(), "row_counts", "alembic_version"]
        full = [n for n in names if connection.execute(f"SELECT 1 FROM {n} LIMIT 1").fetchone()]
        table = str(_one(rng, full))
        rows = connection.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall()
        row = rows[rng.integers(len(rows))]
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", row[:1])
    return Injury("row", path, table, row[1:])


def _one(rng: np.random.Generator, things: list) -> object:  # type: ignore[type-arg]
    return things[rng.integers(len(things))]

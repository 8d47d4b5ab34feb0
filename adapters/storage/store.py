"""What a store does, whatever it is: it keeps whole files that are never changed.

A file is named by its place in the store's folder on this machine, whether it lies there or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Told = Callable[[int], None]
"""Hears of bytes that were read."""


@dataclass(frozen=True)
class Stored:
    """What lies in a store. changed: POSIX seconds. regular: a file, and no link or the like."""

    bytes: int
    changed: float
    regular: bool = True


class Store(Protocol):
    """Keeps files. Every method may raise PassingError where the store can't be reached.

    folder: where the files lie, or copies of those that were used last.
    name: for people. remote: whether files have to be brought here before they can be read.
    """

    folder: Path
    name: str
    remote: bool

    def place(self, key: str) -> Path:
        """Where the cleaned take of that key lies, or would."""
        ...

    def shown(self, path: Path) -> str:
        """What a file is called where people read of it."""
        ...

    def placed(self, shown: str) -> Path:
        """The file that `shown` gave that name; any other path as it is."""
        ...

    def look(self, path: Path) -> Stored | None:
        """What lies at a place, None for nothing. Raises OSError where that can't be told."""
        ...

    def has(self, path: Path, size: int) -> bool:
        """Whether a file of so many bytes is there."""
        ...

    def files(self) -> Iterator[tuple[Path, Stored]]:
        """All that lies there, but for what is just being written, in order of the places."""
        ...

    def making(self, path: Path) -> AbstractContextManager[Path]:
        """Where to write a file that is to be kept at a place; what is not kept goes."""
        ...

    def keep(self, made: Path, path: Path, sha256: str) -> None:
        """Keep a file that was written whole to where `making` said.

        Raises OutputError where it can't be kept.
        """
        ...

    def here(self, path: Path) -> Path:
        """Have a file of the store on this machine; any other path is left alone.

        Gives where it can be read now. Raises InputError where the store does not have it, or
        other bytes than were kept, OutputError where this machine has no room for it.
        """
        ...

    def let_go(self, path: Path) -> None:
        """Remove the copy here of a file that the store has elsewhere, which nobody will read."""
        ...

    def sha256(self, path: Path, told: Told) -> str:
        """Read a file as it lies in the store, all of it. Raises InputError."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file, and copies of it here. Raises OutputError."""
        ...

    def take_out(self, path: Path, target: Path) -> None:
        """Move a file, as it is, out of the store. Raises InputError and OutputError."""
        ...

    def tidy(self, known: Callable[[list[str]], set[str]]) -> None:
        """Clear away what broken-off work left here.

        known: of some keys those that are still known of; copies of others go, so that what was
        forgotten on another machine is forgotten here.
        """
        ...

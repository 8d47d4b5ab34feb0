"""How a job tells whoever waits for it how far it is."""

from __future__ import annotations

from typing import Protocol

MIB = 1 << 20


class Progress(Protocol):
    """Told about steps as they happen; called from any thread."""

    def step(self, name: str, total: int) -> None:
        """A step begins that has `total` pieces (0 where that is not known)."""
        ...

    def advance(self, name: str, done: int = 1) -> None:
        """Pieces of a step are done."""
        ...

    def say(self, text: str) -> None:
        """Something a person should read now, a sentence."""
        ...


class Silent:
    """Progress that nobody watches."""

    def step(self, name: str, total: int) -> None:
        """Nothing is shown."""

    def advance(self, name: str, done: int = 1) -> None:
        """Nothing is shown."""

    def say(self, text: str) -> None:
        """Nothing is shown."""


class Meter:
    """Tells a step that counts MiB of the bytes that are done."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name
        self._rest = 0

    def more(self, count: int) -> None:
        """So many bytes more are done."""
        whole, self._rest = divmod(self._rest + count, MIB)
        self._progress.advance(self._name, whole)

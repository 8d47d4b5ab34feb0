"""Ctrl-C that no library can swallow: an exception may be caught on its way, a flag may not."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from flows.progress import Progress

STOP = threading.Event()
"""Set once the person has asked to stop."""


@contextmanager
def heeded() -> Iterator[None]:
    """Note every interrupt while the block runs; it is raised as usual, too."""
    STOP.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, _note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _note(number: int, frame: FrameType | None) -> None:
    STOP.set()
    signal.default_int_handler(number, frame)


class Heeding:
    """Progress that ends a job at its next step where an interrupt was swallowed on the way."""

    def __init__(self, inner: Progress) -> None:
        self._inner = inner

    def step(self, name: str, total: int) -> None:
        """A step begins, unless the person has asked to stop."""
        _heed()
        self._inner.step(name, total)

    def advance(self, name: str, done: int = 1) -> None:
        """Pieces are done; goes on unless the person has asked to stop."""
        self._inner.advance(name, done)
        _heed()

    def say(self, text: str) -> None:
        """Something a person should read now."""
        self._inner.say(text)


def _heed() -> None:
    if STOP.is_set():
        raise KeyboardInterrupt

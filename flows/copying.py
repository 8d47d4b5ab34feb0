"""Listening copies made in the background, so that whoever asks can tell how far they are."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from core.media import MediaFile
from flows.listening_copy import Copy, copy_name, copy_there, whole_copy
from flows.workspace import Workspace

AT_ONCE = 2


@dataclass
class _Making:
    """A copy that is being made. done: share of the work, 0 to 1. fault: why it can't be."""

    done: float = 0.0
    fault: Exception | None = None


class Copying:
    """Makes whole listening copies, AT_ONCE at the most; each is made once, whoever asks."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._making: dict[str, _Making] = {}
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(AT_ONCE)

    def ask(self, work: Workspace, media: MediaFile, channel: int) -> Copy | float:
        """The copy of a channel where it is there, else how much of it is made, 0 to 1.

        The first to ask has it made. Raises what `flows.listening_copy.whole_copy` does; whoever
        asks after that has it tried again.
        """
        there = copy_there(work, media, channel)
        if there is not None:
            return there
        name = copy_name(work, media, channel)
        with self._lock:
            making = self._making.get(name)
            if making is None:
                making = self._making[name] = _Making()
                # A copy that is half made when the program ends is made anew: nobody waits for it.
                threading.Thread(
                    target=self._make, args=(name, making, work, media, channel), daemon=True
                ).start()
            elif making.fault is not None:
                del self._making[name]
                raise making.fault
            return making.done

    def _make(
        self, name: str, making: _Making, work: Workspace, media: MediaFile, channel: int
    ) -> None:
        def told(done: float) -> None:
            making.done = done

        with self._turn:
            try:
                whole_copy(work, media, channel, told)
            except Exception as fault:
                making.fault = fault
                return
        with self._lock:
            del self._making[name]

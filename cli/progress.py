"""Progress bars for a person at a terminal; nothing for anybody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from cli.interrupt import Heeding
from flows.progress import Progress, Silent


class Shown:
    """Progress as bars; safe to call from any thread."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._rows: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def step(self, name: str, total: int) -> None:
        """Add a bar, or start one of the same name afresh."""
        with self._lock:
            if name in self._rows:
                self._bars.reset(self._rows[name], total=total or None)
            else:
                self._rows[name] = self._bars.add_task(name, total=total or None)

    def advance(self, name: str, done: int = 1) -> None:
        """Move a bar on."""
        with self._lock:
            if name in self._rows:
                self._bars.advance(self._rows[name], done)

    def say(self, text: str) -> None:
        """Print a note above the bars."""
        self._bars.console.print(f"[yellow]Note:[/yellow] {escape(text)}", highlight=False)


@contextmanager
def shown(quiet: bool) -> Iterator[Progress]:
    """Progress on the error stream where that is a terminal and nobody asked for quiet."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Heeding(Silent())
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        yield Heeding(Shown(bars))

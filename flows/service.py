"""What `roomtone serve` does beside the page: workers, which begin nights too; watched folders."""

from __future__ import annotations

import threading
from collections.abc import Callable

from config.settings import Settings
from db.home import open_remembered
from flows.watch import watch_until
from flows.worker import WorkerHandle, work_until


def start_service(settings: Settings) -> WorkerHandle:
    """Start it all in threads of this process; `stop()` ends it.

    Raises what opening the database does.
    """
    open_remembered(settings).close()
    stop = threading.Event()
    parts: list[tuple[str, Callable[[threading.Event, Settings], object]]] = [
        (f"worker {number}", work_until) for number in range(settings.runs_at_once)
    ]
    if settings.cut_folders:
        parts.append(("watch", watch_until))
    threads = tuple(
        threading.Thread(target=part, args=(stop, settings), name=name, daemon=True)
        for name, part in parts
    )
    for thread in threads:
        thread.start()
    return WorkerHandle(stop, threads)

"""What a flow is handed beside its parameters, which Prefect keeps and shows.

A module of its own: Dask sends a flow's function with all that it names, and a context variable
can't be sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pydantic import SecretStr

from config.settings import Settings
from flows.progress import Progress, Silent

_WATCHER: ContextVar[Progress] = ContextVar("watcher")
_DATABASE: ContextVar[SecretStr] = ContextVar("database")


@contextmanager
def handed(progress: Progress, database: SecretStr) -> Iterator[None]:
    """Hands flows that are run in the block who is told of progress, and the database's URL."""
    watcher, url = _WATCHER.set(progress), _DATABASE.set(database)
    try:
        yield
    finally:
        _WATCHER.reset(watcher)
        _DATABASE.reset(url)


def watcher() -> Progress:
    """Who is told of a flow's progress; nobody where nothing was handed."""
    return _WATCHER.get(Silent())


def with_database(settings: Settings) -> Settings:
    """Settings with the database's URL that was handed, or their own."""
    return settings.model_copy(update={"database": _DATABASE.get(settings.database)})

"""What is being worked on, for whoever reads lines of log or spans: the run, the take, the file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

from flows.spans import span

Fact = str | int

_ABOUT: ContextVar[Mapping[str, Fact]] = ContextVar("about", default=MappingProxyType({}))

FIELDS = ("run", "take", "asset", "file", "step")
"""What a line may be about: the run's number, the take (sha256 of its sound), the asset (sha256 of
its file), the file's name, the step."""


@contextmanager
def working_on(name: str, **facts: Fact) -> Iterator[None]:
    """Let what is logged in the block, in this thread, say what it is about; also a span of it.

    name: of the work. facts: of `FIELDS`.
    """
    token = _ABOUT.set({**_ABOUT.get(), **facts})
    try:
        with span(name, facts):
            yield
    finally:
        _ABOUT.reset(token)


class Filled(logging.Filter):
    """For a handler: a record that does not say what it is about says what the thread is at."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Fill in what the record lacks; every record passes."""
        for name, value in _ABOUT.get().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


def facts_of(record: logging.LogRecord) -> dict[str, Fact]:
    """What a record is about."""
    return {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}

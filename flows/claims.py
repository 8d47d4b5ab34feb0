"""The same piece of work is done once, however many runs or machines come to it at once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from adapters.media.whole import is_alive
from core.errors import RoomtoneError
from db import claims as rows
from db.codec import now
from flows.this_worker import this_worker
from flows.workspace import Workspace

Made = TypeVar("Made")
LOOK_AGAIN_S = 0.5
_BEAT_S = 15.0


def done_once(
    work: Workspace, key: str, recall: Callable[[], Made | None], do: Callable[[], Made]
) -> Made:
    """What a piece of work makes: as it is remembered, or made now by this process alone.

    key: names the work, for all that share the database. recall: gives what was made, or None
    where it is not there. Waits while another is at it; one that died is waited for no longer
    than its lease.
    """
    with claimed(work, key):
        found = recall()
        return do() if found is None else found


@contextmanager
def claimed(work: Workspace, key: str) -> Iterator[None]:
    """Have the claim on a piece of work, once nobody else has it, until the block ends."""
    while (token := _take(work, key)) is None:
        time.sleep(LOOK_AGAIN_S)
    over = threading.Event()

    def keep() -> None:
        while not over.wait(_BEAT_S):
            with (
                contextlib.suppress(RoomtoneError, SQLAlchemyError),
                work.database.write() as session,
            ):
                rows.keep_claim(session, key, token, now())

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        with (
            contextlib.suppress(RoomtoneError, SQLAlchemyError),
            work.database.write() as session,
        ):
            rows.drop_claim(session, key, token)


def _take(work: Workspace, key: str) -> str | None:
    worker = this_worker()
    with work.database.read() as session:
        # Whoever waits for another writes nothing.
        if not rows.is_free(session, key, worker, now(), is_alive):
            return None
    with work.database.write() as session:
        return rows.take_claim(session, key, worker, now(), is_alive)

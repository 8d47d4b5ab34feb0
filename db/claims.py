"""Pieces of work that somebody is at, so that nobody else does the same at the same time.

What changes a claim belongs in a transaction of `Database.write`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.run import Worker
from db.run_rows import ClaimRow
from db.runs import LEASE


def take_claim(
    session: Session, key: str, worker: Worker, at: datetime, alive: Callable[[int], bool]
) -> str | None:
    """A token of the claim on a piece of work; None while somebody else has it.

    Who has not been heard of for the length of a lease, or is a process of this host that has
    ended, has it no more.
    """
    if not is_free(session, key, worker, at, alive):
        return None
    session.execute(delete(ClaimRow).where(ClaimRow.key == key))
    token = secrets.token_hex(16)
    session.add(
        ClaimRow(key=key, token=token, host=worker.host, pid=worker.pid, lease_until=at + LEASE)
    )
    return token


def is_free(
    session: Session, key: str, worker: Worker, at: datetime, alive: Callable[[int], bool]
) -> bool:
    """Whether `take_claim` would give a token; nothing is changed."""
    row = session.get(ClaimRow, key)
    if row is None or row.lease_until < at:
        return True
    return row.host == worker.host and not alive(row.pid)


def is_claimed(session: Session, key: str) -> bool:
    """Whether somebody has a claim, or had it and died."""
    return session.get(ClaimRow, key) is not None


def left_claims(
    session: Session, worker: Worker, at: datetime, alive: Callable[[int], bool]
) -> tuple[str, ...]:
    """The keys of claims whose owner is gone, whether or not anybody comes to that work again."""
    rows = session.scalars(select(ClaimRow).order_by(ClaimRow.key)).all()
    return tuple(
        row.key
        for row in rows
        if row.lease_until < at or (row.host == worker.host and not alive(row.pid))
    )


def drop_left_claims(
    session: Session, worker: Worker, at: datetime, alive: Callable[[int], bool]
) -> None:
    """Removes them."""
    left = left_claims(session, worker, at, alive)
    session.execute(delete(ClaimRow).where(ClaimRow.key.in_(left)))


def keep_claim(session: Session, key: str, token: str, at: datetime) -> None:
    """Says that whoever has a claim is still at it."""
    mine = (ClaimRow.key == key) & (ClaimRow.token == token)
    session.execute(update(ClaimRow).where(mine).values(lease_until=at + LEASE))


def drop_claim(session: Session, key: str, token: str) -> None:
    """Gives a claim back."""
    session.execute(delete(ClaimRow).where(ClaimRow.key == key, ClaimRow.token == token))

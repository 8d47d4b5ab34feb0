"""When files were first seen in watched folders, so that each is new once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.chunks import chunks
from db.tables import Arrival


def first_seen(session: Session, paths: Collection[Path], now: datetime) -> dict[Path, datetime]:
    """When each file was first seen; those that never were are seen now, and remembered.

    now: with a time zone.
    """
    found: dict[Path, datetime] = {}
    for part in chunks(sorted(paths)):
        query = select(Arrival).where(Arrival.path.in_(part))
        found |= {row.path: row.first_seen for row in session.scalars(query)}
    new = [path for path in paths if path not in found]
    if new:
        session.execute(insert(Arrival), [{"path": path, "first_seen": now} for path in new])
    return found | dict.fromkeys(new, now)

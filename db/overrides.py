"""What people decided for stretches of takes. Nothing is deleted: a decision is revoked."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.override import Override
from db.codec import now
from db.tables import OverrideRow


def remember_override(session: Session, override: Override) -> int:
    """Remembers a decision; its number. One for exactly the same stretch before is revoked."""
    revoke_overrides(
        session, override.essence, override.channels, override.start, override.end, override.by
    )
    row = OverrideRow(
        essence=override.essence,
        channels=list(override.channels),
        start_sample=override.start,
        end_sample=override.end,
        recipe=override.recipe,
        amount_db=override.amount_db,
        locked=override.locked,
        note=override.note,
        by=override.by,
        created=now(),
    )
    session.add(row)
    session.flush()
    return row.id


def revoke_overrides(
    session: Session, essence: str, channels: tuple[int, ...], start: int, end: int, by: str
) -> int:
    """Revokes the decisions in force for a stretch of a take that lie within it; how many."""
    rows = session.scalars(
        select(OverrideRow.id).where(
            OverrideRow.essence == essence,
            OverrideRow.start_sample >= start,
            OverrideRow.end_sample <= end,
            OverrideRow.revoked.is_(None),
        )
    ).all()
    found = [
        number
        for number in rows
        if tuple(session.get_one(OverrideRow, number).channels) == channels
    ]
    if found:
        session.execute(
            update(OverrideRow)
            .where(OverrideRow.id.in_(found))
            .values(revoked=now(), revoked_by=by)
        )
    return len(found)


def overrides_of(session: Session, essences: Collection[str]) -> tuple[Override, ...]:
    """The decisions in force for takes, the oldest first."""
    rows = session.scalars(
        select(OverrideRow).where(OverrideRow.revoked.is_(None)).order_by(OverrideRow.id)
    )
    return tuple(
        Override(
            essence=row.essence,
            channels=tuple(row.channels),
            start=row.start_sample,
            end=row.end_sample,
            recipe=row.recipe,
            amount_db=row.amount_db,
            locked=row.locked,
            note=row.note,
            by=row.by,
        )
        for row in rows
        if row.essence in essences
    )

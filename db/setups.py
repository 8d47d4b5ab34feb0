"""What was decided for whole setups, so that later runs and other cuts hear the same."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.chunks import chunks
from db.codec import now, storable
from db.tables import SetupDecision


@dataclass(frozen=True)
class Decision:
    """That a setup is cleaned with another recipe than was asked for.

    key: names setup, recipe and engine. project, scene: of the setup; both empty where it is one
    file, which microphone names then. microphone: of the setup. asked: the recipe that was asked
    for. recipe: the one it got. reasons: what the gates held back, a clause each.
    """

    key: str
    project: str
    scene: str
    microphone: str
    asked: str
    recipe: str
    reasons: tuple[str, ...]


def remember_decision(session: Session, decision: Decision) -> Decision:
    """Remembers a decision. One that was made before under its key stands, and is given back."""
    row = session.get(SetupDecision, decision.key)
    if row is not None:
        return _decision(row)
    session.add(
        SetupDecision(
            key=decision.key,
            project=storable(decision.project),
            scene=storable(decision.scene),
            microphone=storable(decision.microphone),
            asked=storable(decision.asked),
            recipe=storable(decision.recipe),
            reasons=[storable(reason) for reason in decision.reasons],
            created=now(),
        )
    )
    session.flush()
    return decision


def decisions_of(session: Session, keys: Collection[str]) -> dict[str, Decision]:
    """The decisions of that name, by key."""
    found: dict[str, Decision] = {}
    for some in chunks(sorted(keys)):
        for row in session.scalars(select(SetupDecision).where(SetupDecision.key.in_(some))):
            found[row.key] = _decision(row)
    return found


def _decision(row: SetupDecision) -> Decision:
    return Decision(
        key=row.key,
        project=row.project,
        scene=row.scene,
        microphone=row.microphone,
        asked=row.asked,
        recipe=row.recipe,
        reasons=tuple(row.reasons),
    )

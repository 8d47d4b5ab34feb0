"""What a person asks of lines beside their words."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import EventKind
from core.review import GateState


@dataclass(frozen=True)
class Filters:
    """What a line must be beside holding the words; empty and None: anything.

    project, scene, speaker: by name, in either case of letters. take: as a person names it (see
    `db.takes.is_take`). circled: the take was circled. cut: the name or file name of a cut that
    plays some of the line. min_confidence: 0 to 1. draft: made by a stand-in, or not. events: one
    of these happens within the line; what belongs to a take as a whole (a slate, line-up tone)
    counts anywhere in it. recorded_from, recorded_to: the first and the last day (ISO 8601); a take
    whose day nobody wrote down is on none. tags: the take has all of them (see `core.tags`).
    gates: how the take stands with them.
    corrected: numbers of the lines that people corrected whole, for min_confidence and draft.
    """

    project: str = ""
    scene: str = ""
    take: str = ""
    speaker: str = ""
    circled: bool | None = None
    cut: str = ""
    min_confidence: float = 0.0
    draft: bool | None = None
    events: tuple[EventKind, ...] = ()
    recorded_from: str = ""
    recorded_to: str = ""
    tags: tuple[str, ...] = ()
    gates: GateState | None = None
    corrected: frozenset[int] = frozenset()

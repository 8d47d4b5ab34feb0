"""What a search is narrowed to, as it is asked for over HTTP: by programs and by the page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator

from core.days import day_asked
from core.events import EventKind
from core.filters import Filters
from core.review import GateState
from core.tags import tag_of


def _given(value: Any) -> Any:
    """What a field of a form says: left as it is, it says nothing."""
    if isinstance(value, list):
        return [item for item in value if item != ""]
    return None if value == "" else value


Name = Annotated[str, Query(max_length=200)]
Names = Annotated[list[Name], Query(max_length=20), BeforeValidator(_given)]
Either = Annotated[bool | None, BeforeValidator(_given)]
Day = Annotated[str, Query(max_length=40)]


def filters_asked(
    production: Name = "",
    scene: Name = "",
    take: Name = "",
    speaker: Name = "",
    cut: Name = "",
    circled: Either = None,
    draft: Either = None,
    min_confidence: Annotated[float, Query(ge=0, le=1)] = 0.0,
    event: Annotated[list[EventKind], Query(max_length=20), BeforeValidator(_given)] = [],  # noqa: B006
    tag: Names = [],  # noqa: B006
    gates: Annotated[GateState | None, BeforeValidator(_given)] = None,
    recorded_from: Annotated[Day, Query(alias="from")] = "",
    recorded_to: Annotated[Day, Query(alias="to")] = "",
) -> Filters:
    """The filters. from, to: days of recording. event, tag: may be given again.

    Raises UsageError for what is no day or no tag.
    """
    return Filters(
        project=production,
        scene=scene,
        take=take,
        speaker=speaker,
        circled=circled,
        cut=cut,
        min_confidence=min_confidence,
        draft=draft,
        events=tuple(event),
        tags=tuple(map(tag_of, tag)),
        gates=gates,
        recorded_from=day_asked(recorded_from),
        recorded_to=day_asked(recorded_to),
    )

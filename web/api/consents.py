"""What may be done with words and voices, and who said so: to be read, not changed, from here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from flows.privacy import consents_known
from web.api.shapes import Fault
from web.site import AtSite, Viewer

router = APIRouter(tags=["consents"], responses={code: {"model": Fault} for code in (401, 422)})


class ConsentOut(BaseModel):
    """What was said about one thing: `roomtone privacy` is where it is said."""

    production: str
    speaker: str = Field(description="empty: everybody in the production")
    mark: str = Field(description="what is meant: no transcription, no voice profile, no export")
    allowed: bool
    by: str
    since: str = Field(description="ISO 8601, UTC")
    note: str
    until: str = Field(description="when something else took its place; empty: in force")


@router.get("/consents")
def consents(
    at: AtSite,
    who: Viewer,
    history: Annotated[bool, Query(description="also what was in force before")] = False,
) -> list[ConsentOut]:
    """What productions and speakers allow and forbid."""
    del who
    return [
        ConsentOut(
            production=item.project,
            speaker=item.speaker,
            mark=item.mark.value,
            allowed=item.allowed,
            by=item.by,
            since=item.since.isoformat(timespec="seconds"),
            note=item.note,
            until="" if item.ended is None else item.ended.isoformat(timespec="seconds"),
        )
        for item in consents_known(at.work, history=history)
    ]

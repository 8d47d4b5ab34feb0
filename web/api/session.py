"""Who asks, and the proof that changes need."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from web.api.shapes import Fault
from web.site import AtSite, Viewer

router = APIRouter(tags=["session"], responses={401: {"model": Fault}})


class SessionOut(BaseModel):
    """Who asks. csrf: goes into the header X-CSRF-Token of every change made with a cookie."""

    name: str
    role: str
    csrf: str


@router.get("/session")
def session(at: AtSite, who: Viewer) -> SessionOut:
    """Who asks, and what they may do: viewer, editor or admin."""
    csrf = at.access.proof(who.session) if who.session else ""
    return SessionOut(name=who.name, role=who.role.name.lower(), csrf=csrf)

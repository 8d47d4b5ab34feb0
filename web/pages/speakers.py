"""The page of speakers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flows.privacy import consents_known
from flows.speaker_view import productions
from web.api.speakers import speaker_out
from web.pages.shown import page
from web.site import AtSite, Viewer

router = APIRouter(prefix="/speakers")


@router.get("", response_class=HTMLResponse)
def speakers(request: Request, at: AtSite, who: Viewer) -> HTMLResponse:
    """The speakers of every production, to be heard and named."""
    told = [
        {
            "name": found.name,
            "last": found.last,
            "speakers": [speaker_out(view) for view in found.speakers],
        }
        for found in productions(at.work)
    ]
    agreed = [
        f"{item.project}: {item.words}, since {item.since:%Y-%m-%d} by {item.by}"
        + (f" ({item.note})" if item.note else "")
        for item in consents_known(at.work)
    ]
    return page(request, at, who, "speakers.html", {"productions": told, "consents": agreed})

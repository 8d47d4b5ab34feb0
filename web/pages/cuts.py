"""The pages of cuts: all of them, and one with its tracks."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flows.cut_view import cut_list
from web.api.cut_shapes import cut_out
from web.pages.shown import page
from web.site import AtSite, Viewer

router = APIRouter(prefix="/cuts")


@router.get("", response_class=HTMLResponse)
def cuts(request: Request, at: AtSite, who: Viewer) -> HTMLResponse:
    """All cuts, the one that was cleaned last first."""
    found = [cut_out(item) for item in cut_list(at.work)]
    return page(request, at, who, "cuts.html", {"cuts": found})

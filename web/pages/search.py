"""The first page: search as you type."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from db.search.filters import Filters
from db.search.find import How
from flows.take_view import known_names
from web.api.search import found_lines
from web.api.shapes import HitOut
from web.pages.shown import page
from web.site import AtSite, Viewer

router = APIRouter()
Asked = Annotated[str, Query(max_length=1000)]
_MOST = 60


@router.get("/", response_class=HTMLResponse)
def search(
    request: Request,
    at: AtSite,
    who: Viewer,
    q: Asked = "",
    by: How = "auto",
    speaker: Asked = "",
    scene: Asked = "",
    production: Asked = "",
    circled: bool = False,
) -> HTMLResponse:
    """Lines that hold what is typed, grouped by take; all of the page, or the results alone."""
    filters = Filters(production, scene, "", speaker, True if circled else None)
    hits = found_lines(at, q, _MOST, filters, by) if q.strip() else []
    told: dict[str, Any] = {
        "q": q,
        "groups": grouped(hits),
        "count": len(hits),
        "most": _MOST,
    }
    if request.headers.get("hx-request") and not request.headers.get("hx-history-restore-request"):
        return page(request, at, who, "search_results.html", told)
    asked = {
        "by": by,
        "speaker": speaker,
        "scene": scene,
        "production": production,
        "circled": circled,
    }
    told |= {"asked": asked, "known": known_names(at.work)}
    return page(request, at, who, "search.html", told)


def grouped(hits: list[HitOut]) -> list[list[HitOut]]:
    """Hits by take, the takes in the order of their best hit."""
    place: dict[str, int] = {}
    for hit in hits:
        place.setdefault(hit.take.id, len(place))
    ordered = sorted(hits, key=lambda hit: place[hit.take.id])
    return [list(some) for _, some in groupby(ordered, key=lambda hit: hit.take.id)]

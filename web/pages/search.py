"""The first page: search as you type."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from db.search.filters import Filters
from db.search.find import How
from flows.search import by_take
from flows.take_view import names_known
from web.api.search import found_lines
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
        "groups": by_take(hits, lambda hit: hit.take.id),
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
    told |= {"asked": asked, "known": names_known(at.work)}
    return page(request, at, who, "search.html", told)

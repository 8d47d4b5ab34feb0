"""The first page: search as you type."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from core.events import EventKind
from core.filters import Filters
from db.search.find import How
from flows.known import unknown_filters
from flows.search import by_take
from flows.take_view import names_known
from web.api.search import found_lines
from web.asked import filters_asked
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
    filters: Annotated[Filters, Depends(filters_asked)],
    q: Asked = "",
    by: How = "auto",
) -> HTMLResponse:
    """Lines that hold what is typed, grouped by take; all of the page, or the results alone."""
    hits = found_lines(at, q, _MOST, filters, by) if q.strip() else []
    narrowed = filters != Filters()
    told: dict[str, Any] = {
        "q": q,
        "groups": by_take(hits, lambda hit: hit.take.id),
        "count": len(hits),
        "most": _MOST,
        "strangers": unknown_filters(at.work.database, filters) if narrowed and not hits else (),
        "narrowed": narrowed,
    }
    if request.headers.get("hx-request") and not request.headers.get("hx-history-restore-request"):
        return page(request, at, who, "search_results.html", told)
    told |= {"by": by, "asked": filters, "known": names_known(at.work), "kinds": list(EventKind)}
    return page(request, at, who, "search.html", told)

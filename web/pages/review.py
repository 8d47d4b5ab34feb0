"""The review page: hear what the gates held back, and decide."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from core.review import ReviewState
from flows.review import item_known
from flows.review_queue import queue
from web.api.review import Number, item_out
from web.pages.shown import page
from web.site import AtSite, Viewer

router = APIRouter(prefix="/review")
Shown = Literal["waiting", "all"]
MOST_SETUPS = 100


@router.get("", response_class=HTMLResponse)
def review(request: Request, at: AtSite, who: Viewer, show: Shown = "waiting") -> HTMLResponse:
    """The queue. show: what waits, or all that was ever held back or decided."""
    found = queue(at.work, everything=True)
    counts = Counter(item.state for item in found)
    shown = [item for item in found if show == "all" or item.state is ReviewState.WAITING]
    told = {
        "show": show,
        "items": [item_out(item) for item in shown[:MOST_SETUPS]],
        "left_out": max(0, len(shown) - MOST_SETUPS),
        "counts": [(state.value, counts[state]) for state in ReviewState],
        "total": len(found),
    }
    return page(request, at, who, "review.html", told)


@router.get("/{number}", response_class=HTMLResponse)
def setup(request: Request, at: AtSite, who: Viewer, number: Number) -> HTMLResponse:
    """One setup by itself."""
    told = {"show": "one", "items": [item_out(item_known(at.work, number))], "left_out": 0}
    return page(request, at, who, "review.html", told)

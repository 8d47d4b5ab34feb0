"""Search: lines by their words or how they sound."""

from __future__ import annotations

from itertools import compress
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from core.filters import Filters
from db.search.find import How
from flows.search import find_lines
from flows.take_view import takes_by_essence
from flows.takeline import HOW_FOUND
from flows.withheld import may_leave
from web.api.shapes import Fault, HitOut, hit_out, take_out
from web.asked import filters_asked
from web.site import AtSite, Site, Viewer

router = APIRouter(tags=["search"], responses={401: {"model": Fault}, 422: {"model": Fault}})
Text = Annotated[str, Query(max_length=1000)]


@router.get("/search")
def search(
    at: AtSite,
    who: Viewer,
    q: Text,
    filters: Annotated[Filters, Depends(filters_asked)],
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    by: How = "auto",
) -> list[HitOut]:
    """Lines that hold what is asked for, the closest first. Any text is a valid query."""
    del who
    return found_lines(at, q, limit, filters, by)


def found_lines(at: Site, query: str, limit: int, filters: Filters, by: How) -> list[HitOut]:
    """What a search finds and may leave the home, with the takes that the lines are in."""
    hits = find_lines(at.work.database, query, limit, filters, by)
    hits = tuple(compress(hits, may_leave(at.work, [hit.found for hit in hits])))
    takes = takes_by_essence(at.work, {hit.found.essence for hit in hits})
    return [hit_out(hit, take_out(takes[hit.found.essence]), HOW_FOUND[hit.how]) for hit in hits]

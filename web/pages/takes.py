"""The pages of takes: all of them, and one to be heard line by line."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flows.take_view import events_in, lines_in, names_known, take_list, take_view
from web.api.shapes import event_out, line_out, take_out, take_view_out
from web.api.takes import Channel, TakeId
from web.pages.shown import page
from web.site import AtSite, Viewer

router = APIRouter(prefix="/takes")


@router.get("", response_class=HTMLResponse)
def takes(request: Request, at: AtSite, who: Viewer) -> HTMLResponse:
    """All takes, by scene and take."""
    found = [take_out(item) for item in take_list(at.work)]
    return page(request, at, who, "takes.html", {"takes": found})


@router.get("/{take}", response_class=HTMLResponse)
def take(
    request: Request, at: AtSite, who: Viewer, take: TakeId, channel: Channel | None = None
) -> HTMLResponse:
    """A take: its sound before and after, and its lines. channel: the one that is heard first."""
    view = take_view(at.work, take)
    told = {
        "take": take_view_out(view),
        "channel": view.listened if channel is None else channel,
        "lines": [line_out(item) for item in lines_in(at.work, take)],
        "events": [event_out(item) for item in events_in(at.work, take)],
        "tags_known": names_known(at.work).tags,
    }
    return page(request, at, who, "take.html", told)

"""The pages of cuts: all of them, and one with its tracks."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flows.cut_changes import cut_changes
from flows.cut_events import STATES
from flows.cut_view import cut_list, cut_view, previous_version, versions_of
from web.api.cut_shapes import changes_out, cut_out, cut_view_out
from web.api.cuts import CutId, OtherId
from web.pages.shown import page
from web.site import AtSite, Viewer

router = APIRouter(prefix="/cuts")
_ROLES = ("PROD", "DX", "NR", "THRU", "CHAR", "OTHER", "RT")
_SAVED = ("REPORT", "TIMELINE", "TRANSCRIPT", "MIX")


@router.get("", response_class=HTMLResponse)
def cuts(request: Request, at: AtSite, who: Viewer) -> HTMLResponse:
    """All cuts, the one that was cleaned last first."""
    found = [cut_out(item) for item in cut_list(at.work)]
    return page(request, at, who, "cuts.html", {"cuts": found})


@router.get("/{cut}", response_class=HTMLResponse)
def cut(request: Request, at: AtSite, who: Viewer, cut: CutId) -> HTMLResponse:
    """A cut: a picture of its tracks, its stems, and what changed since the version before."""
    view = cut_view(at.work, cut)
    before = previous_version(at.work, cut)
    shown = cut_view_out(view)
    files = [file for file in shown.files if file.role in _SAVED]
    told = {
        "cut": shown,
        "length": max(1, shown.frames),
        "states": STATES,
        "versions": [cut_out(item) for item in versions_of(at.work, cut)],
        "previous": "" if before is None else before.summary.digest,
        "stems": sorted(shown.stems, key=lambda stem: (stem.track, _ROLES.index(stem.role))),
        "others": files,
        "clips": sum(file.role == "CLIP" for file in shown.files),
    }
    return page(request, at, who, "cut.html", told)


@router.get("/{cut}/changes", response_class=HTMLResponse)
def changes(
    request: Request,
    at: AtSite,
    who: Viewer,
    cut: CutId,
    against: OtherId,
    kept: bool = False,
    picture: bool = False,
) -> HTMLResponse:
    """What changed from an older cut. kept: also what did not; picture: beside the sound."""
    found = changes_out(cut_changes(at.work, cut, against))
    rows = [
        row
        for row in found.changes
        if (picture or row.medium == "audio") and (kept or row.kind != "kept" or row.changed)
    ]
    told = {"found": found, "rows": rows, "kept": kept}
    return page(request, at, who, "cut_changes.html", told)

"""Cuts: what became of each, its stems to be heard, and what changed between versions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response

from core.errors import InputError
from flows.cut_again import clean_again
from flows.cut_changes import cut_changes
from flows.cut_sound import track_sound
from flows.cut_view import cut_list, cut_view, delivered_of
from flows.delivered import Delivered
from flows.stem_loudness import StemLoudness, stem_loudness
from flows.withheld import refuse_withheld_delivery
from web.api.cut_shapes import (
    ChangesOut,
    CutOut,
    CutViewOut,
    changes_out,
    cut_out,
    cut_view_out,
)
from web.api.runs import RunOut, run_out
from web.api.shapes import Fault
from web.ranges import ranged
from web.site import AtSite, Editor, Site, Viewer

router = APIRouter(
    prefix="/cuts",
    tags=["cuts"],
    responses={code: {"model": Fault} for code in (401, 404, 409, 422)},
)
SHA256 = "^[0-9a-f]{64}$"
CutId = Annotated[str, Path(pattern=SHA256, description="sha256 of the timeline file")]
OtherId = Annotated[str, Query(pattern=SHA256, description="the older cut")]
Number = Annotated[int, Path(ge=0, le=9999, description="counted from 0")]
FileId = Annotated[str, Path(pattern=SHA256, description="sha256 of the file")]
WAV: dict[int | str, dict[str, Any]] = {
    **{code: {"content": {"audio/wav": {}}} for code in (200, 206)},
    416: {"model": Fault},
}


@router.get("")
def cuts(at: AtSite, who: Viewer) -> list[CutOut]:
    """All cuts that are known, the one that was cleaned last first."""
    del who
    return [cut_out(item) for item in cut_list(at.work)]


@router.get("/{cut}")
def cut(at: AtSite, who: Viewer, cut: CutId) -> CutViewOut:
    """A cut: its tracks with what became of each event, its stems, and what was delivered."""
    del who
    return cut_view_out(cut_view(at.work, cut))


@router.get("/{cut}/changes")
def changes(at: AtSite, who: Viewer, cut: CutId, against: OtherId) -> ChangesOut:
    """What changed from an older cut to this one."""
    del who
    return changes_out(cut_changes(at.work, cut, against))


@router.post("/{cut}/clean", status_code=201, responses={403: {"model": Fault}})
def clean(at: AtSite, who: Editor, cut: CutId) -> RunOut:
    """Ask for a run that cleans the cut again, into the folder of its latest delivery."""
    return run_out(clean_again(at.work, cut, who.name))


@router.get("/{cut}/audio", response_class=Response, responses=WAV)
def audio(request: Request, at: AtSite, who: Viewer, cut: CutId) -> Response:
    """All dialogue: the production tracks' sum left, the dialogue stem right. By ranges."""
    del who
    found = track_sound(_heard(at, cut), None)
    return ranged(request, found.shape.size, found.mark, "audio/wav", found.between)


@router.get("/{cut}/tracks/{number}/audio", response_class=Response, responses=WAV)
def track_audio(request: Request, at: AtSite, who: Viewer, cut: CutId, number: Number) -> Response:
    """A track: `PROD` left, `DX` right; what was removed is the difference. By ranges of bytes.

    The header X-Roomtone-Channels has how many channels there are: 1 where nothing is cleaned.
    """
    del who
    found = track_sound(_heard(at, cut), number)
    answer = ranged(request, found.shape.size, found.mark, "audio/wav", found.between)
    answer.headers["x-roomtone-channels"] = str(found.shape.channels)
    return answer


@router.get("/{cut}/stems/{number}/audio", response_class=FileResponse, responses=WAV)
def stem_audio(at: AtSite, who: Viewer, cut: CutId, number: Number) -> FileResponse:
    """A stem as it was delivered. Ranges of bytes are served."""
    del who
    _, path = _heard(at, cut).stem(number)
    return FileResponse(path, media_type="audio/wav")


@router.get("/{cut}/stems/{number}/loudness")
def loudness(at: AtSite, who: Viewer, cut: CutId, number: Number) -> StemLoudness:
    """How loud a stem is; measured now where it was not before (some seconds an hour)."""
    del who
    return stem_loudness(at.work, _heard(at, cut), number)


@router.get(
    "/{cut}/files/{file}",
    response_class=FileResponse,
    responses={code: {"content": {"application/octet-stream": {}}} for code in (200, 206)},
)
def file(at: AtSite, who: Viewer, cut: CutId, file: FileId) -> FileResponse:
    """A file of the delivery, to be saved."""
    del who
    delivered = _heard(at, cut)
    for entry in delivered.files:
        if entry.sha256 == file:
            path = delivered.path_of(entry)
            return FileResponse(path, media_type="application/octet-stream", filename=path.name)
    raise InputError(f"The delivery in {delivered.folder.name} has no such file.")


def _heard(at: Site, cut: str) -> Delivered:
    """The delivery of a cut, refused where it plays what may not leave the home."""
    refuse_withheld_delivery(at.work, cut)
    return delivered_of(at.work, cut)

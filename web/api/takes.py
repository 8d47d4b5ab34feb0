"""Takes: what is known of them, and their sound."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import FileResponse, Response

from core.errors import OfflineError
from core.media import MediaFile
from flows import listening_copy
from flows.ab_sounds import KINDS
from flows.channels import listening_channel
from flows.pictures import spectrogram_png
from flows.take_view import events_in, lines_in, media_of, take_known, take_list, take_view
from flows.withheld import refuse_withheld_sound
from web.api.shapes import (
    EventOut,
    Fault,
    LineOut,
    PeaksOut,
    SoundOut,
    TakeOut,
    TakeViewOut,
    event_out,
    line_out,
    take_out,
    take_view_out,
)
from web.site import AtSite, Site, Viewer

router = APIRouter(
    prefix="/takes",
    tags=["takes"],
    responses={code: {"model": Fault} for code in (401, 404, 409, 422)},
)
TakeId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="sha256 of the take's sound")]
CleanedKey = Annotated[
    str, Query(pattern="^[0-9a-f]{64}$", description="names a cleaned sound; else the latest")
]
Channel = Annotated[int, Query(ge=0, le=1023, description="counted from 0")]
Sample = Annotated[int, Query(ge=0, le=1 << 48, description="of the source")]
Kind = Literal["raw", "cleaned", "removed"]
_FLOOR_DB, _CEIL_DB = -110.0, -40.0
FLAC: dict[int | str, dict[str, Any]] = {
    code: {"content": {"audio/flac": {}}} for code in (200, 206)
}
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}


@router.get("")
def takes(at: AtSite, who: Viewer) -> list[TakeOut]:
    """All takes, by scene and take."""
    del who
    return [take_out(found) for found in take_list(at.work)]


@router.get("/{take}")
def take(at: AtSite, who: Viewer, take: TakeId) -> TakeViewOut:
    """A take with its microphones."""
    del who
    return take_view_out(take_view(at.work, take))


@router.get("/{take}/lines")
def lines(at: AtSite, who: Viewer, take: TakeId) -> list[LineOut]:
    """The lines of a take, in the order in which they are spoken."""
    del who
    return [line_out(found) for found in lines_in(at.work, take)]


@router.get("/{take}/events")
def events(at: AtSite, who: Viewer, take: TakeId) -> list[EventOut]:
    """What happens in a take beside its lines."""
    del who
    return [event_out(found) for found in events_in(at.work, take)]


@router.get("/{take}/sound", responses={202: {"model": SoundOut}})
def sound(
    at: AtSite,
    who: Viewer,
    answer: Response,
    take: TakeId,
    channel: Channel | None = None,
    wait: bool = True,
) -> SoundOut:
    """Make the listening copy of a microphone, where it is not there yet; how it is played.

    wait: answer when it is made. Else it is made in the background, and as long as it is not
    there the answer is 202 with the progress: ask again.
    """
    del who
    media, number = _media(at, take, channel)
    copy = (
        listening_copy.whole_copy(at.work, media, number)
        if wait
        else at.copying.ask(at.work, media, number)
    )
    if isinstance(copy, float):
        answer.status_code = 202
        return SoundOut(
            ready=False, progress=copy, sample_rate=media.sample_rate, frames=media.frames
        )
    return SoundOut(
        url=f"/api/v1/takes/{take}/audio?channel={number}",
        channels=copy.channels,
        sample_rate=media.sample_rate,
        frames=media.frames,
        gain_db=copy.gain_db,
        note="" if copy.match is None else copy.match.note,
        engine="" if copy.cleaned is None else copy.cleaned.engine,
        recipe="" if copy.cleaned is None else copy.cleaned.recipe,
    )


@router.get("/{take}/audio", response_class=FileResponse, responses=FLAC)
def audio(at: AtSite, who: Viewer, take: TakeId, channel: Channel | None = None) -> FileResponse:
    """The listening copy: FLAC, original left and cleaned right. Ranges of bytes are served."""
    del who
    media, number = _media(at, take, channel)
    copy = listening_copy.whole_copy(at.work, media, number)
    return FileResponse(copy.path, media_type="audio/flac")


@router.get("/{take}/excerpt", response_class=FileResponse, responses=FLAC)
def excerpt(
    at: AtSite,
    who: Viewer,
    take: TakeId,
    start: Sample,
    end: Sample,
    channel: Channel | None = None,
    key: CleanedKey | None = None,
) -> FileResponse:
    """Samples start … end as `audio` gives them, with short fades; two minutes at the most.

    The header X-Roomtone-Gain-Db has the gain of the cleaned sound, X-Roomtone-Channels how
    many channels there are.
    """
    del who
    media, number = _media(at, take, channel, (start, end))
    copy = listening_copy.excerpt(at.work, media, number, start, min(end, media.frames), key or "")
    told = {
        "X-Roomtone-Channels": str(copy.channels),
        "X-Roomtone-Gain-Db": f"{copy.gain_db:.2f}",
    }
    return FileResponse(copy.path, media_type="audio/flac", headers=told)


@router.get("/{take}/peaks")
def peaks(
    at: AtSite,
    who: Viewer,
    take: TakeId,
    channel: Channel | None = None,
    points: Annotated[int, Query(ge=10, le=20_000)] = 4000,
) -> PeaksOut:
    """The waveforms of original, cleaned and removed sound, in so many stretches at the most."""
    del who
    media, number = _media(at, take, channel)
    found = listening_copy.peaks(listening_copy.whole_copy(at.work, media, number), points)
    kinds = list(KINDS[: len(found)])
    return PeaksOut(kinds=kinds, peaks=[(row.ravel() / 127).round(3).tolist() for row in found])


@router.get("/{take}/spectrogram", response_class=Response, responses=PNG)
def spectrogram(
    at: AtSite,
    who: Viewer,
    take: TakeId,
    kind: Kind = "raw",
    channel: Channel | None = None,
    start: Sample = 0,
    end: Sample | None = None,
    width: Annotated[int, Query(ge=16, le=2000)] = 1000,
    height: Annotated[int, Query(ge=16, le=400)] = 160,
) -> Response:
    """A picture of the sound between two samples (PNG), from 0 to 20 kHz by the mel scale."""
    del who
    media, number = _media(at, take, channel)
    last = media.frames if end is None else min(end, media.frames)
    if start >= last:
        raise HTTPException(422, "end: must lie behind start.")
    with ExitStack() as stack:
        read = listening_copy.reader(at.work, media, number, kind, stack)
        if read is None:
            raise HTTPException(404, f"{media.path.name} is not cleaned yet.")
        png = spectrogram_png(
            read, start, last - start, media.sample_rate, width, height, _FLOOR_DB, _CEIL_DB
        )
    return Response(png, media_type="image/png", headers={"cache-control": "private, max-age=600"})


def _media(
    at: Site, take: str, channel: int | None, span: tuple[int, int] | None = None
) -> tuple[MediaFile, int]:
    """The file of a take and a channel of it, the transcribed one where none is asked for.

    span: the samples that are asked for; None: all. Refused where these may not leave the home.
    """
    name = take_known(at.work, take).name
    media = media_of(at.work, take)
    if media is None:
        raise OfflineError(f"The media of {name} are offline, or have changed since.")
    refuse_withheld_sound(at.work, take, *(span or (0, media.frames)), media)
    number = listening_channel(media) if channel is None else channel
    if number >= media.channels:
        raise HTTPException(422, f"channel: {media.path.name} has {media.channels}.")
    return media, number

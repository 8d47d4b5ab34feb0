"""Speakers: who is heard in a production, and what a person says about who they are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from flows.speaker_view import SpeakerView, productions
from flows.speakers import join_speakers, rename_speaker, undo_speakers
from web.api.shapes import Fault, LineOut, line_out
from web.site import AtSite, Editor, Viewer

router = APIRouter(
    prefix="/speakers",
    tags=["speakers"],
    responses={code: {"model": Fault} for code in (401, 403, 404, 422)},
)
Number = Annotated[int, Path(ge=1, le=1 << 60, description="of the speaker")]


class ExampleOut(BaseModel):
    """A line by which a speaker is known, and the take that it is in."""

    take: str
    take_name: str
    sample_rate: int
    line: LineOut


class SpeakerOut(BaseModel):
    """A speaker. id: stays, whatever they are called. seconds: of their lines. known: how."""

    id: int
    name: str
    production: str
    takes: list[str]
    lines: int
    seconds: float
    known: str
    example: ExampleOut | None


class SpeakerIn(BaseModel):
    """What a speaker is called."""

    name: str = Field(max_length=400)


class OtherIn(BaseModel):
    """Another speaker, by id, who is the same person."""

    other: int = Field(ge=1, le=1 << 60)


class ProductionIn(BaseModel):
    """A production by its name."""

    production: str = Field(max_length=400)


class DecidedOut(BaseModel):
    """What was decided and what it changed, in a sentence."""

    said: str


@router.get("")
def speakers(
    at: AtSite,
    who: Viewer,
    production: Annotated[str | None, Query(max_length=400)] = None,
) -> list[SpeakerOut]:
    """The speakers of all productions or of one, those who speak longest first."""
    del who
    found = productions(at.work, production)
    return [speaker_out(view) for item in found for view in item.speakers]


@router.patch("/{speaker}")
def rename(at: AtSite, who: Editor, speaker: Number, called: SpeakerIn) -> DecidedOut:
    """Give a speaker a name, in every line, now and later."""
    return DecidedOut(said=rename_speaker(at.work, speaker, called.name, who.name))


@router.post("/{speaker}/merge")
def merge(at: AtSite, who: Editor, speaker: Number, same: OtherIn) -> DecidedOut:
    """Say that another speaker is this one."""
    return DecidedOut(said=join_speakers(at.work, speaker, same.other, who.name))


@router.post("/undo")
def undo(at: AtSite, who: Editor, of: ProductionIn) -> DecidedOut:
    """Take back the last decision about the speakers of a production."""
    return DecidedOut(said=undo_speakers(at.work, of.production, who.name))


def speaker_out(view: SpeakerView) -> SpeakerOut:
    """A speaker, as JSON."""
    line = view.example
    return SpeakerOut(
        id=view.summary.number,
        name=view.summary.name,
        production=view.production,
        takes=list(view.summary.takes),
        lines=view.summary.lines,
        seconds=round(view.summary.seconds, 3),
        known=view.summary.known,
        example=None
        if line is None
        else ExampleOut(
            take=line.essence,
            take_name=line.name,
            sample_rate=line.sample_rate,
            line=line_out(line),
        ),
    )

"""Corrections: a person's words for a line, beside what was heard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from flows.corrections import correct_line, undo_correction
from web.api.shapes import Fault, LineOut, line_out
from web.site import AtSite, Editor

router = APIRouter(
    prefix="/lines",
    tags=["corrections"],
    responses={code: {"model": Fault} for code in (401, 403, 404, 422)},
)
Number = Annotated[int, Path(ge=1, le=1 << 60, description="of the line, until it is heard anew")]


class CorrectionIn(BaseModel):
    """What a line says."""

    text: str = Field(max_length=4000)


@router.put("/{number}/correction")
def correct(at: AtSite, who: Editor, number: Number, correction: CorrectionIn) -> LineOut:
    """Give a line other words; what was heard is kept, and search finds both."""
    return line_out(correct_line(at.work, number, correction.text, who.name))


@router.delete("/{number}/correction")
def undo(at: AtSite, who: Editor, number: Number) -> LineOut:
    """Take back the latest correction of a line."""
    return line_out(undo_correction(at.work, number, who.name))

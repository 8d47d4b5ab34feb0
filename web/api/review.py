"""Review: what the gates sent to a person, setup by setup, and what people decide for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from core.review import ReviewKind, ReviewState
from flows.review import decide_review, item_known, undo_decision
from flows.review_queue import ReviewItem, queue
from flows.review_told import describe
from web.api.shapes import Fault
from web.site import AtSite, Editor, Viewer

router = APIRouter(
    prefix="/review",
    tags=["review"],
    responses={code: {"model": Fault} for code in (401, 403, 404, 422)},
)
Number = Annotated[int, Path(ge=1, le=1 << 60, description="of the setup; it stays the same")]
DecisionNumber = Annotated[int, Path(ge=1, le=1 << 60, description="of the decision or comment")]


class HeldGateOut(BaseModel):
    """A gate that holds a take back. channel: from 0. value: null where it is not finite."""

    microphone: str
    channel: int
    name: str
    value: float | None
    unit: str
    limit: float
    meaning: str


class PlayedOut(BaseModel):
    """A place in a cut that plays a take, in record timecode; the end is just past it.

    source_start, source_end: samples of the take. other: the cut was delivered with another
    cleaned sound, for a person decided for this clip alone, or it was not cleaned since.
    """

    cut: str
    event: str
    start: str
    end: str
    source_start: int
    source_end: int
    other: bool


class ReviewTakeOut(BaseModel):
    """A take of a setup as its last run found it. id: sha256 of its sound.

    key: names the cleaned sound. accepted: by whom, when and why; next: what the next run does;
    else empty. time_reference: samples since midnight of its first sample, fps: of its timecode.
    """

    id: str
    name: str
    key: str
    take: str
    circled: bool
    channels: list[int]
    sample_rate: int
    fps: str | None
    drop: bool
    time_reference: int | None
    frames: int
    state: ReviewState
    recipe: str
    gates: list[HeldGateOut]
    accepted: str
    next: str
    played: list[PlayedOut]


class DecisionOut(BaseModel):
    """A decision or comment. takes: names of those that it is about alone; empty: all.

    at, undone_at: in UTC; the latter empty while it is in force.
    """

    number: int
    what: ReviewKind
    words: str
    recipe: str
    amount_db: float | None
    note: str
    by: str
    at: str
    takes: list[str]
    undone_at: str
    undone_by: str


class ReviewItemOut(BaseModel):
    """A setup of the queue, the takes that wait first, decisions and comments oldest first.

    gentler, gentler_db: the recipe or the amount in dB that asking for gentler would give it.
    """

    number: int
    name: str
    project: str
    scene: str
    microphone: str
    state: ReviewState
    gentler: str
    gentler_db: float | None
    takes: list[ReviewTakeOut]
    decisions: list[DecisionOut]


class DecisionIn(BaseModel):
    """What is decided. takes: ids of takes that it is about alone; none: the whole setup.

    amount_db: for `gentler`, the most that is attenuated. note: why, or the comment.
    """

    what: ReviewKind
    takes: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(
        default_factory=list, max_length=1000
    )
    amount_db: float | None = Field(default=None, ge=0, le=120, allow_inf_nan=False)
    note: str = Field(default="", max_length=4000)


@router.get("")
def review(
    at: AtSite,
    who: Viewer,
    everything: Annotated[
        bool, Query(alias="all", description="also what was decided or approved")
    ] = False,
) -> list[ReviewItemOut]:
    """What waits for a person, by scene and microphone."""
    del who
    return [item_out(item) for item in queue(at.work, everything=everything)]


@router.get("/{number}")
def item(at: AtSite, who: Viewer, number: Number) -> ReviewItemOut:
    """A setup, whatever its state."""
    del who
    return item_out(item_known(at.work, number))


@router.post("/{number}/decisions")
def decide(at: AtSite, who: Editor, number: Number, decision: DecisionIn) -> ReviewItemOut:
    """Decide for a setup, or say something about it. The next run obeys."""
    made = decide_review(
        at.work,
        number,
        decision.what,
        who.name,
        takes=decision.takes,
        amount_db=decision.amount_db,
        text=decision.note,
    )
    return item_out(made)


@router.delete("/{number}/decisions/latest")
def undo(at: AtSite, who: Editor, number: Number) -> ReviewItemOut:
    """Take back the latest decision or comment."""
    return item_out(undo_decision(at.work, number, who.name))


@router.delete("/{number}/decisions/{decision}")
def undo_one(at: AtSite, who: Editor, number: Number, decision: DecisionNumber) -> ReviewItemOut:
    """Take back a decision or comment."""
    return item_out(undo_decision(at.work, number, who.name, decision))


def item_out(item: ReviewItem) -> ReviewItemOut:
    """A setup of the queue, as JSON."""
    return ReviewItemOut.model_validate(describe(item))

"""Tags of takes: words to find them by."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from core.tags import MOST_LETTERS
from flows.tags import tag_takes, tags_known
from flows.take_view import take_known
from web.api.shapes import Fault
from web.api.takes import TakeId
from web.site import AtSite, Editor, Viewer

router = APIRouter(
    tags=["tags"], responses={code: {"model": Fault} for code in (401, 403, 404, 422)}
)
Tag = Annotated[str, Field(max_length=4 * MOST_LETTERS)]


class TagsIn(BaseModel):
    """Tags to put on a take, and to take off it."""

    on: list[Tag] = Field(default=[], max_length=20)
    off: list[Tag] = Field(default=[], max_length=20)


class TagOut(BaseModel):
    """A tag, and how many takes have it."""

    tag: str
    takes: int


@router.get("/tags")
def tags(at: AtSite, who: Viewer) -> list[TagOut]:
    """All tags that there are."""
    del who
    return [TagOut(tag=tag, takes=count) for tag, count in tags_known(at.work).items()]


@router.post("/takes/{take}/tags")
def change(at: AtSite, who: Editor, take: TakeId, tags: TagsIn) -> list[str]:
    """Put tags on a take and take others off; its tags as they are now."""
    take_known(at.work, take)
    (now,) = tag_takes(at.work, [take], tags.on, tags.off, who.name)
    return list(now.tags)

"""Speakers as a person sees them: whose voice it is, by an example, and what was decided last."""

from __future__ import annotations

from dataclasses import dataclass

from db.catalogue import TakeLine, line_numbered
from db.speakers import decisions_of, example_of, projects_with_speakers, speaker_names
from flows.speakers import SpeakerSummary, list_speakers
from flows.withheld import leaving
from flows.workspace import Workspace

EXAMPLE_S = 4.0


@dataclass(frozen=True)
class SpeakerView:
    """A speaker of a production. example: a line by which they are known, if they have any."""

    production: str
    summary: SpeakerSummary
    example: TakeLine | None


@dataclass(frozen=True)
class Production:
    """The speakers of a production. last: the decision that undoing takes back, or empty."""

    name: str
    speakers: tuple[SpeakerView, ...]
    last: str


def productions(work: Workspace, asked: str | None = None) -> tuple[Production, ...]:
    """Every production that has speakers (or the one asked for), each's longest speaker first."""
    with work.database.read() as session:
        names = projects_with_speakers(session)
    found = (_production(work, name) for name in names if asked in (None, name))
    return tuple(item for item in found if item.speakers or item.last)


def _production(work: Workspace, name: str) -> Production:
    listed = list_speakers(work, name)
    views = []
    with work.database.read() as session:
        for summary in listed:
            number = example_of(session, summary.number, EXAMPLE_S)
            line = None if number is None else line_numbered(session, number)
            line = next(iter(leaving(work, [line])), None) if line else None
            views.append(SpeakerView(name, summary, line))
        decisions = decisions_of(session, name)
        names, heard = speaker_names(session, name)
    last = ""
    if decisions:
        done = decisions[-1]
        who = names.get(done.speaker, "")
        other = heard.get(done.other or 0, "")
        last = {
            "name": f"{heard.get(done.speaker, '')} is {done.name}",
            "merge": f"{other} is {who}",
            "split": f"some lines of {other} are {who}'s",
            "enrol": f"the voice of {who}",
        }[done.kind]
    return Production(name, tuple(views), last)

"""What people decided for lines of scripts, and what coverage needs to know of takes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.readings import State
from core.script import plain_name
from core.script_marks import LineMark
from core.time import FrameRate
from db.codec import now, rate_from_text
from db.review import accepted_keys
from db.tables import Activity, Asset, Media, ScriptMark, Take, Used
from db.takes import latest_paths, natural


@dataclass(frozen=True)
class TakeFacts:
    """A take as it stands on a slate and in a cut.

    time_reference: samples since midnight of the first sample, or None. circled: in any of its
    files' notes. sha256: of a file with its sound. gates: of its latest cleaning, for each
    channel, as they were recorded; empty where it was not cleaned, or a person accepted that.
    """

    essence: str
    name: str
    scene: str
    take: str
    tape: str
    project: str
    sample_rate: int
    frames: int
    time_reference: int | None
    timecode_rate: FrameRate | None
    circled: bool
    sha256: str
    path: Path | None
    gates: tuple[tuple[dict[str, Any], ...], ...] = ()


def take_facts(session: Session, essences: Collection[str]) -> tuple[TakeFacts, ...]:
    """The takes with these sounds, by scene, take and name."""
    wanted = frozenset(essences)
    media = session.execute(select(Media.essence, Media.circled, Media.sha256)).tuples().all()
    circled = {essence for essence, ring, _ in media if ring}
    files = {essence: sha256 for essence, _, sha256 in media}
    paths = latest_paths(session, set(wanted))
    gates = _gates(session)
    found = [
        TakeFacts(
            essence=row.essence,
            name=row.name,
            scene=row.scene,
            take=row.take,
            tape=row.tape,
            project=row.project,
            sample_rate=row.sample_rate,
            frames=row.frames,
            time_reference=row.time_reference,
            timecode_rate=rate_from_text(row.timecode_rate),
            circled=row.essence in circled,
            sha256=files.get(row.essence, ""),
            path=paths.get(row.essence),
            gates=gates.get(row.essence, ()),
        )
        for row in session.scalars(select(Take))
        if row.essence in wanted
    ]
    return tuple(
        sorted(found, key=lambda take: (natural(take.scene), natural(take.take), take.name))
    )


def remember_mark(session: Session, mark: LineMark) -> None:
    """Remembers a decision; one before for the same line and take is revoked."""
    revoke_mark(session, mark.key, mark.take, mark.by)
    session.add(
        ScriptMark(
            key=mark.key,
            scene=mark.scene,
            character=mark.character,
            text=mark.text,
            essence=mark.take,
            state=mark.state.value,
            start_sample=mark.start,
            end_sample=mark.end,
            note=mark.note,
            by=mark.by,
            created=now(),
        )
    )


def revoke_mark(session: Session, key: str, essence: str, by: str) -> int:
    """Revokes what is decided for a line in a take; how many decisions that were."""
    in_force = select(ScriptMark.id).where(
        ScriptMark.key == key, ScriptMark.essence == essence, ScriptMark.revoked.is_(None)
    )
    found = session.scalars(in_force).all()
    if found:
        session.execute(
            update(ScriptMark).where(ScriptMark.id.in_(found)).values(revoked=now(), revoked_by=by)
        )
    return len(found)


def forget_marks(
    session: Session, characters: Collection[str] = (), essences: Collection[str] = ()
) -> None:
    """Deletes what people decided for lines of some characters, or in some takes.

    What is recorded of the deciding keeps who did it and when, but no note and no line.
    """
    plain = {plain_name(name) for name in characters}
    marks = [
        mark
        for mark in session.scalars(select(ScriptMark))
        if mark.essence in essences or plain_name(mark.character) in plain
    ]
    lines = {mark.key for mark in marks}
    for mark in marks:
        session.delete(mark)
    for done in session.scalars(select(Activity).where(Activity.kind == "mark")):
        if done.parameters.get("line") in lines:
            done.parameters = {**done.parameters, "line": "", "note": ""}


def marks_in_force(session: Session, essences: Collection[str]) -> tuple[LineMark, ...]:
    """The decisions in force for takes, the oldest first."""
    rows = session.scalars(
        select(ScriptMark).where(ScriptMark.revoked.is_(None)).order_by(ScriptMark.id)
    )
    return tuple(
        LineMark(
            key=row.key,
            scene=row.scene,
            character=row.character,
            text=row.text,
            take=row.essence,
            state=State(row.state),
            start=row.start_sample,
            end=row.end_sample,
            note=row.note,
            by=row.by,
        )
        for row in rows
        if row.essence in essences
    )


def _gates(session: Session) -> dict[str, tuple[tuple[dict[str, Any], ...], ...]]:
    """The gates of each take's latest cleaning that nobody accepted as it is, by essence."""
    accepted = set(session.scalars(accepted_keys()))
    query = (
        select(Asset.essence, Activity.key, Activity.parameters)
        .join(Used, Used.asset == Asset.sha256)
        .join(Activity, Activity.id == Used.activity)
        .where(Activity.kind == "clean", Activity.state == "done")
        .order_by(Activity.ended)
    )
    return {
        essence: ()
        if key in accepted
        else tuple(tuple(channel) for channel in parameters.get("gates", ()))
        for essence, key, parameters in session.execute(query).tuples()
    }

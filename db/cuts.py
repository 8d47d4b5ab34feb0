"""Cuts that are known, where they were delivered, and what their events play."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.time import FrameRate
from db.chunks import chunks
from db.codec import rate_from_text
from db.judged import channels_from_text
from db.tables import (
    Activity,
    Asset,
    CutEvent,
    CutRow,
    Generated,
    JudgedTake,
    LineRow,
    Location,
    Speaker,
)


@dataclass(frozen=True)
class CutSummary:
    """A cut by its timeline file.

    digest: sha256 of that file. path: where it was read last. start: frames since midnight.
    length: frames. read_at: when it was cleaned last (UTC). events: those that sound. offline:
    how many of them have no media.
    """

    digest: str
    name: str
    path: Path
    rate: FrameRate
    start: int
    length: Fraction
    read_at: datetime
    events: int
    offline: int


@dataclass(frozen=True)
class Delivery:
    """A delivery of a cut. cut: its digest. folder: where it was written. spec: for which
    specification. made: when (UTC). report: sha256 of the report in it.
    """

    cut: str
    folder: Path
    spec: str
    made: datetime
    report: str


@dataclass(frozen=True)
class SpokenStretch:
    """Where a speaker speaks in a take: samples of it."""

    start: int
    end: int
    speaker: str


def cut_summaries(session: Session, digest: str | None = None) -> tuple[CutSummary, ...]:
    """The cuts that are known (or the one with this sha256), the one that was read last first."""
    query = select(CutRow).order_by(CutRow.read_at.desc(), CutRow.id.desc())
    if digest is not None:
        query = query.where(CutRow.digest == digest)
    latest: dict[str, CutRow] = {}
    for row in session.scalars(query):
        latest.setdefault(row.digest, row)
    counted: dict[int, tuple[int, int]] = {}
    for some in chunks(row.id for row in latest.values()):
        counts = (
            select(CutEvent.cut, func.count(), func.count(CutEvent.asset))
            .where(CutEvent.cut.in_(some))
            .group_by(CutEvent.cut)
        )
        counted |= {cut: (all_, linked) for cut, all_, linked in session.execute(counts).tuples()}
    found = []
    for row in latest.values():
        rate = rate_from_text(row.rate)
        if rate is None:
            continue
        events, linked = counted.get(row.id, (0, 0))
        length = Fraction(row.length)
        found.append(
            CutSummary(
                row.digest, row.name, row.path, rate, row.start, length, row.read_at,
                events, events - linked,
            )
        )  # fmt: skip
    return tuple(found)


def deliveries(session: Session, report: str, cut: str | None = None) -> tuple[Delivery, ...]:
    """Where cuts (or the one with this sha256) were delivered, the latest first.

    report: name of the file that every delivery has in its folder. A folder that another cut was
    delivered to since is left out.
    """
    query = (
        select(Activity.parameters, Activity.ended, Location.path, Asset.sha256)
        .select_from(Asset)
        .join(Generated, Generated.asset == Asset.sha256)
        .join(Activity, Activity.id == Generated.activity)
        .join(Location, Location.asset == Asset.sha256)
        .where(
            Asset.kind == "report",
            Generated.role == "REPORT",
            Activity.kind == "render",
            Activity.state == "done",
        )
        .order_by(Activity.ended.desc(), Location.path)
    )
    return tuple(
        Delivery(
            str(told.get("cut_sha256", "")), path.parent, str(told.get("spec", "")), ended, sha256
        )
        for told, ended, path, sha256 in session.execute(query).tuples()
        if path.name == report and cut in (None, told.get("cut_sha256"))
    )


def essences(session: Session, assets: Collection[str]) -> dict[str, str]:
    """The sound of files, by their sha256; files whose sound is not known are left out."""
    found: dict[str, str] = {}
    for some in chunks(assets):
        query = select(Asset.sha256, Asset.essence).where(Asset.sha256.in_(some))
        found |= {sha256: essence for sha256, essence in session.execute(query).tuples() if essence}
    return found


def speech_in(session: Session, takes: Collection[str]) -> Mapping[str, tuple[SpokenStretch, ...]]:
    """Who speaks where in some takes, by their sound, in order."""
    found: dict[str, list[SpokenStretch]] = {}
    for some in chunks(takes):
        query = (
            select(LineRow.essence, LineRow.start_sample, LineRow.end_sample, Speaker.name)
            .join(Speaker, Speaker.id == LineRow.speaker)
            .where(LineRow.essence.in_(some))
            .order_by(LineRow.start_sample, LineRow.id)
        )
        for essence, start, end, name in session.execute(query).tuples():
            found.setdefault(essence, []).append(SpokenStretch(start, end, name))
    return {essence: tuple(spoken) for essence, spoken in found.items()}


def setups_of(
    session: Session, takes: Collection[str]
) -> dict[tuple[str, tuple[int, ...]], tuple[int, int | None]]:
    """The setups of takes that gates judged, by sound and channels.

    With each the number of the decision that the take was cleaned under, or None.
    """
    found: dict[tuple[str, tuple[int, ...]], tuple[int, int | None]] = {}
    for some in chunks(takes):
        query = select(
            JudgedTake.essence, JudgedTake.channels, JudgedTake.setup, JudgedTake.review
        ).where(JudgedTake.essence.in_(some))
        for essence, channels, setup, review in session.execute(query).tuples():
            found[essence, channels_from_text(channels)] = setup, review
    return found

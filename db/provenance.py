"""Who made what from what: activities, what they used and what they generated (W3C PROV)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from core.errors import InputError
from core.time import FrameRate, samples_to_timecode
from db.chunks import chunks
from db.codec import JSON, plain, rate_from_text, rate_to_text
from db.memory import AssetRecord, asset_at, asset_record
from db.tables import (
    Activity,
    ActivityKind,
    ActivityState,
    Asset,
    Edge,
    Generated,
    Location,
    Used,
)


@dataclass(frozen=True)
class ActivityRecord:
    """Something that was done.

    id: a UUID. kind and key: name the work; the same work has the same key on any machine.
    tool: what did it (`roomtone clean`). card: the engine's ModelCard as `dataclasses.asdict`
    gives it, or None where no model took part. code_version: of the processing code.
    agent: the person on whose behalf. started, ended: with a time zone.
    state: `done` if it ended well, `failed`, or `superseded` where it was done again with
    another result.
    """

    id: str
    kind: ActivityKind
    key: str
    tool: str
    card: Mapping[str, JSON] | None
    parameters: Mapping[str, JSON]
    code_version: str
    started: datetime
    ended: datetime
    machine: str
    agent: str
    state: ActivityState = "done"


TONE = "tone"
"""Role of sound that room tone was made from: of its texture, not sample by sample."""


@dataclass(frozen=True)
class Clock:
    """The timecode of a sound.

    reference: samples since midnight of its first sample, at sample_rate, its own, in Hz.
    """

    reference: int
    rate: FrameRate
    sample_rate: int

    def timecode(self, sample: int) -> str:
        """Timecode of the frame that one of its samples lies in."""
        return samples_to_timecode(self.reference + sample, self.rate, self.sample_rate)

    def as_parameters(self) -> dict[str, JSON]:
        """As an activity keeps it of what it made."""
        return {"time_reference": self.reference, "timecode_rate": rate_to_text(self.rate)}


def clock_of(parameters: Mapping[str, JSON], sample_rate: int | None) -> Clock | None:
    """The timecode that an activity kept of what it made, a sound at sample_rate, or None."""
    reference, text = parameters.get("time_reference"), parameters.get("timecode_rate")
    if not isinstance(reference, int) or not isinstance(text, str):
        return None
    rate = rate_from_text(text)
    return None if rate is None or not sample_rate else Clock(reference, rate, sample_rate)


@dataclass(frozen=True)
class Use:
    """An asset that an activity used or generated.

    asset: its sha256. role: what for (`dialogue`, `NR`). start, end: the samples of it, at its
    own rate; None for the whole. Of what was used also, as far as known: made, the samples of what
    was made in which they lie; event, of the cut that plays them; channels, from 0, empty for all.
    """

    asset: str
    role: str
    start: int | None = None
    end: int | None = None
    made: tuple[int, int] | None = None
    event: str = ""
    channels: tuple[int, ...] = ()


class UnknownAssetError(InputError):
    """A file that is not in the database."""


def find_by_hash(session: Session, start: str) -> AssetRecord:
    """The asset whose sha256 begins so (lower case, at least 8 digits).

    Raises UnknownAssetError where there is none, or more than one.
    """
    query = select(Asset).where(Asset.sha256.startswith(start)).limit(2)
    rows = session.scalars(query).all()
    if len(rows) == 1:
        return asset_record(rows[0])
    if rows:
        raise UnknownAssetError(f"{start} begins the sha256 of several assets; give more of it.")
    raise UnknownAssetError(
        f"No asset with the sha256 {start} is known to this roomtone; use the ROOMTONE_HOME that "
        "it was made with."
    )


def record(
    session: Session, activity: ActivityRecord, used: Sequence[Use], generated: Sequence[Use]
) -> None:
    """Records an activity with what it used and made. All assets must be remembered before.

    Work recorded as done under the same kind and key with the same result stays as it is. Where
    the result is another (redone on another machine), the earlier one becomes `superseded`.
    Raises ValueError for an asset that is not remembered.
    """
    for use in (*used, *generated):
        if session.get(Asset, use.asset) is None:
            raise ValueError(f"Asset {use.asset} is not remembered.")
    if activity.state == "done":
        earlier = _done(session, activity.kind, activity.key)
        if earlier is not None:
            if uses_of(session, Generated, earlier.id) == tuple(generated):
                return
            earlier.state = "superseded"
            session.flush()
    session.add(
        Activity(
            id=activity.id,
            kind=activity.kind,
            key=activity.key,
            tool=activity.tool,
            card=None if activity.card is None else plain(activity.card),
            parameters=plain(activity.parameters),
            code_version=activity.code_version,
            started=activity.started,
            ended=activity.ended,
            machine=activity.machine,
            agent=activity.agent,
            state=activity.state,
        )
    )
    session.flush()
    _add(session, Used, [{**_edge(activity.id, use), **_where(use)} for use in used])
    _add(session, Generated, [_edge(activity.id, use) for use in generated])


def finished(
    session: Session, kind: ActivityKind, key: str
) -> tuple[ActivityRecord, tuple[Use, ...]] | None:
    """The work of this kind and key that ended well and what it made, or None."""
    row = _done(session, kind, key)
    if row is None:
        return None
    return activity_record(row), uses_of(session, Generated, row.id)


def made_named(session: Session, name: str) -> tuple[Use, ...]:
    """What was made under the name that files carry inside them, the latest that counts first."""
    named: ColumnElement[bool] = Activity.parameters["id"].as_string() == name
    query = (
        select(Activity)
        .where(Activity.kind == "render", Activity.state != "failed", named)
        .order_by((Activity.state == "done").desc(), Activity.ended.desc(), Activity.id)
    )
    return tuple(
        use for row in session.scalars(query) for use in uses_of(session, Generated, row.id)
    )


def finished_works(
    session: Session, kind: ActivityKind, keys: Collection[str]
) -> dict[str, ActivityRecord]:
    """The work of this kind that ended well, by its key; keys without any are left out."""
    found: dict[str, ActivityRecord] = {}
    for some in chunks(keys):
        query = select(Activity).where(
            Activity.kind == kind, Activity.key.in_(some), Activity.state == "done"
        )
        found |= {row.key: activity_record(row) for row in session.scalars(query)}
    return found


def made_from(session: Session, kind: ActivityKind, sha256: str) -> tuple[ActivityRecord, ...]:
    """The work of a kind that used an asset and ended well, the latest first."""
    query = (
        select(Activity)
        .join(Used, Used.activity == Activity.id)
        .where(Used.asset == sha256, Activity.kind == kind, Activity.state == "done")
        .order_by(Activity.ended.desc(), Activity.id)
    )
    return tuple(activity_record(row) for row in session.scalars(query).unique())


def find(session: Session, path: Path, sha256: str) -> AssetRecord:
    """The asset that a file is, by its content; its name and place may have changed.

    Raises UnknownAssetError where the content is not known.
    """
    asset = asset_at(session, sha256)
    if asset is not None:
        return asset
    place = session.get(Location, path.absolute())
    if place is not None:
        raise UnknownAssetError(
            f"{path} has changed since roomtone knew it as {place.asset[:12]}: put the earlier"
            " file back to see its history."
        )
    raise UnknownAssetError(
        f"{path} is not known to this roomtone: neither by content nor by its path; use the"
        " ROOMTONE_HOME that it was made with."
    )


def _done(session: Session, kind: ActivityKind, key: str) -> Activity | None:
    query = select(Activity).where(
        Activity.kind == kind, Activity.key == key, Activity.state == "done"
    )
    return session.scalars(query).one_or_none()


def uses_of(session: Session, table: type[Edge], activity: str) -> tuple[Use, ...]:
    """What an activity used or generated (the table says which), in the order of its recording."""
    rows = session.scalars(select(table).where(table.activity == activity).order_by(table.id))
    return tuple(use_of(row) for row in rows)


def use_of(row: Edge) -> Use:
    """A row between an activity and an asset as a value."""
    use = Use(row.asset, row.role, row.start_sample, row.end_sample)
    if not isinstance(row, Used):
        return use
    known = row.made_start is not None and row.made_end is not None
    made = (row.made_start or 0, row.made_end or 0) if known else None
    return replace(use, made=made, event=row.event, channels=tuple(row.channels))


def _edge(activity: str, use: Use) -> dict[str, object]:
    return {
        "activity": activity,
        "asset": use.asset,
        "role": use.role,
        "start_sample": use.start,
        "end_sample": use.end,
    }


def _where(use: Use) -> dict[str, object]:
    start, end = use.made or (None, None)
    return {
        "made_start": start,
        "made_end": end,
        "event": use.event,
        "channels": list(use.channels),
    }


def _add(session: Session, table: type[Edge], rows: Sequence[dict[str, object]]) -> None:
    if rows:
        session.execute(insert(table), rows)


def activity_record(row: Activity) -> ActivityRecord:
    """A row of the table `activities` as a value."""
    return ActivityRecord(
        id=row.id,
        kind=row.kind,
        key=row.key,
        tool=row.tool,
        card=row.card,
        parameters=row.parameters,
        code_version=row.code_version,
        started=row.started,
        ended=row.ended,
        machine=row.machine,
        agent=row.agent,
        state=row.state,
    )

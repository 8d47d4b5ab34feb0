"""Who made what from what: activities, what they used and what they generated (W3C PROV)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.errors import InputError
from db.chunks import chunks
from db.codec import JSON, plain
from db.memory import AssetRecord, asset_at, paths_of
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


@dataclass(frozen=True)
class Use:
    """An asset that an activity used or generated.

    asset: its sha256. role: what for (`dialogue`, `NR`). start, end: the samples of it, at its
    own rate; None for the whole.
    """

    asset: str
    role: str
    start: int | None = None
    end: int | None = None


class Source(NamedTuple):
    """What an asset was made from, with the samples of it that were used (None: the whole)."""

    role: str
    start: int | None
    end: int | None
    node: Node


@dataclass(frozen=True)
class Node:
    """An asset, where it lies, the activity that made it and what that used.

    activity: None for an original, and for an asset that would lead back to itself.
    """

    asset: AssetRecord
    paths: tuple[Path, ...]
    activity: ActivityRecord | None
    used: tuple[Source, ...]


class UnknownAssetError(InputError):
    """A file that is not in the database."""


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
            if _uses(session, Generated, earlier.id) == tuple(generated):
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
    _add_uses(session, Used, activity.id, used)
    _add_uses(session, Generated, activity.id, generated)


def finished(
    session: Session, kind: ActivityKind, key: str
) -> tuple[ActivityRecord, tuple[Use, ...]] | None:
    """The work of this kind and key that ended well and what it made, or None."""
    row = _done(session, kind, key)
    if row is None:
        return None
    return _activity_record(row), _uses(session, Generated, row.id)


def finished_works(
    session: Session, kind: ActivityKind, keys: Collection[str]
) -> dict[str, ActivityRecord]:
    """The work of this kind that ended well, by its key; keys without any are left out."""
    found: dict[str, ActivityRecord] = {}
    for some in chunks(keys):
        query = select(Activity).where(
            Activity.kind == kind, Activity.key.in_(some), Activity.state == "done"
        )
        found |= {row.key: _activity_record(row) for row in session.scalars(query)}
    return found


def made_from(session: Session, kind: ActivityKind, sha256: str) -> tuple[ActivityRecord, ...]:
    """The work of a kind that used an asset and ended well, the latest first."""
    query = (
        select(Activity)
        .join(Used, Used.activity == Activity.id)
        .where(Used.asset == sha256, Activity.kind == kind, Activity.state == "done")
        .order_by(Activity.ended.desc(), Activity.id)
    )
    return tuple(_activity_record(row) for row in session.scalars(query).unique())


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


def trace(session: Session, sha256: str) -> Node:
    """The history of an asset, down to the originals. An asset met twice is the same Node.

    Raises UnknownAssetError for an asset that is not remembered.
    """
    return _node(session, sha256, {}, frozenset())


def _node(session: Session, sha256: str, made: dict[str, Node], above: frozenset[str]) -> Node:
    if sha256 in made:
        return made[sha256]
    asset = asset_at(session, sha256)
    if asset is None:
        raise UnknownAssetError(
            f"{sha256} is not known to this roomtone: use the ROOMTONE_HOME that it was made with."
        )
    paths = paths_of(session, sha256)
    if sha256 in above:
        return Node(asset, paths, None, ())
    row = _maker(session, sha256)
    if row is None:
        return Node(asset, paths, None, ())
    within = above | {sha256}
    used = tuple(
        Source(use.role, use.start, use.end, _node(session, use.asset, made, within))
        for use in _uses(session, Used, row.id)
    )
    made[sha256] = Node(asset, paths, _activity_record(row), used)
    return made[sha256]


def _maker(session: Session, sha256: str) -> Activity | None:
    """The activity that made an asset; of several the one that counts now, then the latest."""
    query = (
        select(Activity)
        .join(Generated, Generated.activity == Activity.id)
        .where(Generated.asset == sha256, Activity.state != "failed")
        .order_by((Activity.state == "done").desc(), Activity.ended.desc(), Activity.id)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def _done(session: Session, kind: ActivityKind, key: str) -> Activity | None:
    query = select(Activity).where(
        Activity.kind == kind, Activity.key == key, Activity.state == "done"
    )
    return session.scalars(query).one_or_none()


def _uses(session: Session, table: type[Edge], activity: str) -> tuple[Use, ...]:
    rows = session.scalars(select(table).where(table.activity == activity).order_by(table.id))
    return tuple(Use(row.asset, row.role, row.start_sample, row.end_sample) for row in rows)


def _add_uses(session: Session, table: type[Edge], activity: str, uses: Sequence[Use]) -> None:
    rows = [
        {
            "activity": activity,
            "asset": use.asset,
            "role": use.role,
            "start_sample": use.start,
            "end_sample": use.end,
        }
        for use in uses
    ]
    if rows:
        session.execute(insert(table), rows)


def _activity_record(row: Activity) -> ActivityRecord:
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


def trace_json(node: Node) -> dict[str, Any]:
    """A history as JSON: asset, paths, activity (or null) and used, nested to the originals."""
    activity = node.activity
    return {
        "asset": asdict(node.asset),
        "paths": [str(path) for path in node.paths],
        "activity": None if activity is None else _activity_json(activity),
        "used": [
            {
                "role": source.role,
                "start": source.start,
                "end": source.end,
                **trace_json(source.node),
            }
            for source in node.used
        ],
    }


def render_trace(node: Node) -> str:
    """A history as a tree to read: an asset a line, beneath it how it was made, then its sources.

    The sources of an asset that comes again are told once.
    """
    return "\n".join(_tree(node, _title(node), "", "", set()))


def _activity_json(activity: ActivityRecord) -> dict[str, Any]:
    facts = {field.name: getattr(activity, field.name) for field in fields(activity)}
    facts["card"] = plain(activity.card)
    facts["parameters"] = plain(activity.parameters)
    facts["started"] = activity.started.isoformat()
    facts["ended"] = activity.ended.isoformat()
    return facts


def _tree(node: Node, title: str, first: str, rest: str, told: set[str]) -> list[str]:
    """The lines of a tree. first, rest: what stands before its first line and the others."""
    again = node.asset.sha256 in told and node.activity is not None
    lines = [first + title + (" (as above)" if again else "")]
    if again or node.activity is None:
        return lines
    told.add(node.asset.sha256)
    sources: dict[tuple[str, str], list[Source]] = {}
    for source in node.used:
        sources.setdefault((source.role, source.node.asset.sha256), []).append(source)
    bar = rest + ("│ " if sources else "  ")
    lines += [bar + line for line in _how(node.activity)]
    for number, uses in enumerate(sources.values(), 1):
        last = number == len(sources)
        role = f"{uses[0].role}: " if uses[0].role else ""
        named = role + _title(uses[0].node) + _spans(uses)
        lines += _tree(
            uses[0].node,
            named,
            rest + ("└─ " if last else "├─ "),
            rest + ("   " if last else "│  "),
            told,
        )
    return lines


def _title(node: Node) -> str:
    asset = node.asset
    place = str(node.paths[0]) if node.paths else f"{asset.name} (no known place)"
    return f"{place} [{asset.kind}, {asset.sha256[:12]}]"


def _spans(uses: Sequence[Source]) -> str:
    """Which samples were used: the first three stretches and how many more."""
    spans = [f"{use.start}-{use.end}" for use in uses if use.start is not None]
    if not spans:
        return ""
    more = f" and {len(spans) - 3} more" if len(spans) > 3 else ""
    return f", samples {', '.join(spans[:3])}{more}"


def _how(activity: ActivityRecord) -> list[str]:
    """The lines about an activity: what and when, with which model, with which parameters."""
    when = activity.ended.isoformat(sep=" ", timespec="seconds")
    who = f" for {activity.agent}" if activity.agent else ""
    state = "" if activity.state == "done" else f" ({activity.state})"
    lines = [
        f"{activity.kind}{state} by {activity.tool} {activity.code_version},"
        f" {when} on {activity.machine}{who}"
    ]
    if activity.card is not None:
        card = activity.card
        weights = str(card.get("weights_sha256", ""))[:12]
        stand_in = ", a stand-in" if card.get("stand_in") else ""
        lines.append(
            f"model {card.get('name', '')} {card.get('version', '')}"
            f" on {card.get('runtime', '')}"
            + (f", weights {weights}" if weights else "")
            + stand_in
        )
    told = [
        f"{name} = {json.dumps(plain(value))}"
        for name, value in activity.parameters.items()
        if value != "" and not _nested(value)
    ]
    if told:
        lines.append(", ".join(told))
    return lines


def _nested(value: JSON) -> bool:
    """Whether a parameter is too much for a line of a tree; `trace_json` has it whole."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, Sequence) and any(
        isinstance(item, Mapping | Sequence) and not isinstance(item, str) for item in value
    )

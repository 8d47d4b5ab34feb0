"""Which files the database counts on: where they should lie, and what should be in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Activity, Asset, AssetKind, Generated, Location


@dataclass(frozen=True)
class Held:
    """A file that should lie somewhere.

    name: of the content when it was first seen. sounds: whether it is sound. seen_at: when it was
    last found there.
    """

    path: Path
    sha256: str
    bytes: int
    kind: AssetKind
    name: str
    sounds: bool
    seen_at: datetime


@dataclass(frozen=True)
class Made:
    """A file as it was made. key: names the work; state: `done`, or `superseded` by later work."""

    key: str
    state: str
    ended: datetime
    sha256: str
    bytes: int
    kind: AssetKind
    name: str


def held_files(session: Session) -> tuple[Held, ...]:
    """Every place where a file was seen, with what lay there last, in order of the paths."""
    query = (
        select(Location, Asset).join(Asset, Asset.sha256 == Location.asset).order_by(Location.path)
    )
    return tuple(
        Held(
            path=place.path,
            sha256=asset.sha256,
            bytes=asset.bytes,
            kind=asset.kind,
            name=asset.name,
            sounds=asset.frames is not None,
            seen_at=place.seen_at,
        )
        for place, asset in session.execute(query).tuples()
    )


def known_paths(session: Session) -> frozenset[Path]:
    """Every path that a row speaks of, also where the rest of what was known of it is lost."""
    return frozenset(session.scalars(select(Location.path)))


def known_contents(session: Session) -> frozenset[str]:
    """The sha256 of every content that a row speaks of."""
    ways = (Asset.sha256, Generated.asset, Location.asset)
    return frozenset(value for column in ways for value in session.scalars(select(column)))


def made_files(session: Session, kind: str) -> Iterator[Made]:
    """What work of a kind (`clean`, `render`) made, the earliest first."""
    query = (
        select(Activity.key, Activity.state, Activity.ended, Asset)
        .join(Generated, Generated.activity == Activity.id)
        .join(Asset, Asset.sha256 == Generated.asset)
        .where(Activity.kind == kind, Activity.state != "failed")
        .order_by(Activity.ended, Activity.id, Generated.id)
    )
    for key, state, ended, asset in session.execute(query).tuples():
        yield Made(key, state, ended, asset.sha256, asset.bytes, asset.kind, asset.name)


def kept_keys(session: Session, keys: Collection[str]) -> set[str]:
    """Those of the keys of cleaned takes whose file lies somewhere, as far as is known."""
    query = (
        select(Activity.key)
        .join(Generated, Generated.activity == Activity.id)
        .join(Location, Location.asset == Generated.asset)
        .where(Activity.kind == "clean", Activity.key.in_(list(keys)), Activity.state == "done")
    )
    return set(session.scalars(query))

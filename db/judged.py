"""Setups, and what the gates said of their takes in the last run that needed them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.setup import Setup
from db.chunks import chunks
from db.codec import now, plain
from db.tables import JudgedTake, SetupRow


@dataclass(frozen=True)
class Judgement:
    """A take as a run found it.

    key: of its cleaned sound. in_cut: it was needed for a cut. recipe: name or path of the recipe
    that was in force; limit_db: the most it attenuates, None for no limit. gentler: name or path of
    a gentler one, or empty. gates: of each channel, as `dataclasses.asdict` gives them. failed:
    whether one holds it back. review: number of the decision that it was cleaned under, or None.
    """

    essence: str
    channels: tuple[int, ...]
    key: str
    in_cut: bool
    recipe: str
    limit_db: float | None
    gentler: str
    gates: tuple[tuple[Mapping[str, Any], ...], ...]
    failed: bool
    review: int | None


def remember_judged(session: Session, judged: Sequence[tuple[Setup, Judgement]]) -> None:
    """Remembers how takes were found, in place of what was known of them."""
    numbers = setup_numbers(session, {setup.key for setup, _ in judged})
    rows: dict[tuple[str, str], JudgedTake] = {}
    for some in chunks(sorted({item.essence for _, item in judged})):
        for row in session.scalars(select(JudgedTake).where(JudgedTake.essence.in_(some))):
            rows[row.essence, row.channels] = row
    for setup, item in judged:
        if setup.key not in numbers:
            numbers[setup.key] = _new_setup(session, setup)
        place = (item.essence, channels_to_text(item.channels))
        if place not in rows:
            rows[place] = JudgedTake(essence=place[0], channels=place[1])
            session.add(rows[place])
        row = rows[place]
        row.setup = numbers[setup.key]
        row.key, row.in_cut = item.key, item.in_cut
        row.recipe, row.gentler, row.limit_db = item.recipe, item.gentler, item.limit_db
        row.gates, row.failed = plain(item.gates), item.failed
        row.review, row.judged = item.review, now()
    session.flush()


def setup_numbers(session: Session, keys: Collection[str]) -> dict[str, int]:
    """The numbers of the setups of that key whose takes were judged before, by key."""
    return {
        key: number
        for some in chunks(sorted(keys))
        for key, number in session.execute(
            select(SetupRow.key, SetupRow.id).where(SetupRow.key.in_(some))
        ).tuples()
    }


def known_setups(session: Session) -> dict[int, Setup]:
    """All setups whose takes were judged, by number."""
    return {
        row.id: Setup(row.project, row.scene, row.microphone, row.file, row.essence)
        for row in session.scalars(select(SetupRow))
    }


def judgement_of(row: JudgedTake) -> Judgement:
    """A row of the table `judged_takes` as a value."""
    return Judgement(
        essence=row.essence,
        channels=channels_from_text(row.channels),
        key=row.key,
        in_cut=row.in_cut,
        recipe=row.recipe,
        limit_db=row.limit_db,
        gentler=row.gentler,
        gates=tuple(tuple(channel) for channel in row.gates),
        failed=row.failed,
        review=row.review,
    )


def channels_to_text(channels: Sequence[int]) -> str:
    """Channels as they are stored: `0,1`."""
    return ",".join(map(str, channels))


def channels_from_text(text: str) -> tuple[int, ...]:
    """The channels that `channels_to_text` wrote."""
    return tuple(int(part) for part in text.split(",") if part)


def _new_setup(session: Session, setup: Setup) -> int:
    row = SetupRow(
        key=setup.key,
        project=setup.project,
        scene=setup.scene,
        microphone=setup.microphone,
        file=setup.file,
        essence=setup.essence,
    )
    session.add(row)
    session.flush()
    return row.id

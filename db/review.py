"""What people decide for setups, and which takes wait. A decision is undone, not deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from core.review import (
    ACCEPTING,
    STEERING,
    GateState,
    Review,
    ReviewedTake,
    ReviewKind,
    acceptance,
)
from db.chunks import chunks
from db.codec import now
from db.judged import Judgement, channels_from_text, channels_to_text, judgement_of
from db.plays import is_read_last
from db.tables import (
    Activity,
    Asset,
    CutEvent,
    CutRow,
    JudgedTake,
    ReviewRow,
    ReviewTake,
    Take,
    Used,
)


def remember_review(session: Session, review: Review) -> Review:
    """Remembers a decision or comment; gives it back with its number and the time."""
    row = ReviewRow(
        setup=review.setup,
        kind=review.kind.value,
        recipe=review.recipe,
        amount_db=review.amount_db,
        text=review.text,
        whole=review.whole,
        by=review.by,
        created=now(),
    )
    session.add(row)
    session.flush()
    session.add_all(
        ReviewTake(
            review=row.id,
            essence=take.essence,
            channels=channels_to_text(take.channels),
            key=take.key,
        )
        for take in review.takes
    )
    session.flush()
    return _review(row, review.takes)


def undo_review(session: Session, number: int, by: str) -> None:
    """Takes a decision or comment back."""
    row = session.get_one(ReviewRow, number)
    row.undone, row.undone_by = now(), by
    session.flush()


def reviews_of(session: Session, setups: Collection[int]) -> dict[int, tuple[Review, ...]]:
    """The decisions and comments for setups, also those undone, the oldest first, by setup."""
    rows = [
        row
        for some in chunks(sorted(setups))
        for row in session.scalars(select(ReviewRow).where(ReviewRow.setup.in_(some)))
    ]
    found: dict[int, list[Review]] = {}
    for review in _with_takes(session, sorted(rows, key=lambda row: row.id)):
        found.setdefault(review.setup, []).append(review)
    return {setup: tuple(reviews) for setup, reviews in found.items()}


def judged_takes(session: Session, setups: Collection[int]) -> dict[int, tuple[Judgement, ...]]:
    """What the gates said of the takes of setups that are still needed, by setup."""
    query = select(JudgedTake).where(in_question()).order_by(JudgedTake.id)
    found: dict[int, list[Judgement]] = {}
    for some in chunks(sorted(setups)):
        for row in session.scalars(query.where(JudgedTake.setup.in_(some))):
            found.setdefault(row.setup, []).append(judgement_of(row))
    return {number: tuple(judged) for number, judged in found.items()}


def setups_in_queue(session: Session) -> set[int]:
    """The numbers of the setups in which a gate holds a take back, or that people spoke about."""
    failed = select(JudgedTake.setup).where(JudgedTake.failed, in_question())
    return {*session.scalars(failed.distinct()), *session.scalars(select(ReviewRow.setup))}


def accepted(session: Session, key: str) -> Review | None:
    """The decision that accepts a cleaned sound as it is, by the key of that, or None."""
    rows = session.scalars(
        select(ReviewRow)
        .join(ReviewTake, ReviewTake.review == ReviewRow.id)
        .where(ReviewTake.key == key, ReviewRow.undone.is_(None))
        .distinct()
    ).all()
    return acceptance(_with_takes(session, rows), key)


def accepted_keys() -> Select[tuple[str]]:
    """The keys of the cleaned sound that people accepted as it is, to be used with `in_`."""
    kinds = [kind.value for kind in ACCEPTING]
    return (
        select(ReviewTake.key)
        .join(ReviewRow, ReviewRow.id == ReviewTake.review)
        .where(ReviewRow.kind.in_(kinds), ReviewRow.undone.is_(None))
    )


def forget_reviewed(session: Session, essences: Collection[str]) -> None:
    """Deletes what the gates said of takes and that decisions name them. For privacy only."""
    for some in chunks(essences):
        session.execute(delete(JudgedTake).where(JudgedTake.essence.in_(some)))
        session.execute(delete(ReviewTake).where(ReviewTake.essence.in_(some)))


def gate_state_is(state: GateState) -> Select[tuple[str]]:
    """The takes (by essence) that stand so with their gates, to be used with `in_`.

    A take counts with all its microphones that a run needed: one that fails makes it failed, and
    all that fail must be approved.
    """
    judged = select(JudgedTake.essence).where(in_question())
    failed = judged.where(JudgedTake.failed)
    left = failed.where(~_is_accepted())
    match state:
        case GateState.PASSED:
            return judged.where(JudgedTake.essence.not_in(failed))
        case GateState.FAILED:
            return failed
        case GateState.WAITING:
            return left.where(_is_obeyed())
        case GateState.APPROVED:
            return failed.where(JudgedTake.essence.not_in(left))
        case GateState.UNCLEANED:
            return select(Take.essence).where(Take.essence.not_in(_cleaned()))


def _cleaned() -> Select[tuple[str]]:
    """The takes (by essence) that were cleaned."""
    return (
        select(Asset.essence)
        .join(Used, Used.asset == Asset.sha256)
        .join(Activity, Activity.id == Used.activity)
        .where(Activity.kind == "clean", Activity.state == "done")
    )


def in_question() -> ColumnElement[bool]:
    """Whether a judged take is still needed: cuts as they were read last play that cleaned sound.

    What was cleaned without a cut counts always.
    """
    played = select(CutEvent.take_key).join(CutRow, CutRow.id == CutEvent.cut).where(is_read_last())
    return or_(~JudgedTake.in_cut, JudgedTake.key.in_(played))


def _is_accepted() -> ColumnElement[bool]:
    return JudgedTake.key.in_(accepted_keys())


def _is_obeyed() -> ColumnElement[bool]:
    """As `core.review.ruling`: the decision in force is the one that the take was cleaned under."""
    return func.coalesce(_ruling(), 0) == func.coalesce(JudgedTake.review, 0)


def _ruling() -> ScalarSelect[int]:
    # SQLAlchemy would put the table two levels out into the innermost FROM of its own accord.
    named = (
        exists()
        .where(
            ReviewTake.review == ReviewRow.id,
            ReviewTake.essence == JudgedTake.essence,
            ReviewTake.channels == JudgedTake.channels,
        )
        .correlate(ReviewRow, JudgedTake)
    )
    whole = and_(ReviewRow.whole, ReviewRow.kind != ReviewKind.LOCK.value)
    return (
        select(func.max(ReviewRow.id))
        .where(
            ReviewRow.setup == JudgedTake.setup,
            ReviewRow.kind.in_([kind.value for kind in STEERING]),
            ReviewRow.undone.is_(None),
            or_(whole, named),
        )
        .correlate(JudgedTake)
        .scalar_subquery()
    )


def _with_takes(session: Session, rows: Iterable[ReviewRow]) -> list[Review]:
    listed = list(rows)
    takes: dict[int, list[ReviewedTake]] = {}
    for some in chunks(row.id for row in listed):
        named = select(ReviewTake).where(ReviewTake.review.in_(some)).order_by(ReviewTake.id)
        for take in session.scalars(named):
            takes.setdefault(take.review, []).append(
                ReviewedTake(take.essence, channels_from_text(take.channels), take.key)
            )
    return [_review(row, tuple(takes.get(row.id, ()))) for row in listed]


def _review(row: ReviewRow, takes: tuple[ReviewedTake, ...]) -> Review:
    return Review(
        number=row.id,
        setup=row.setup,
        kind=ReviewKind(row.kind),
        recipe=row.recipe,
        amount_db=row.amount_db,
        text=row.text,
        by=row.by,
        at=row.created.isoformat(timespec="seconds"),
        whole=row.whole,
        takes=takes,
        undone_at="" if row.undone is None else row.undone.isoformat(timespec="seconds"),
        undone_by=row.undone_by,
    )

"""Takes by how they stand with their gates: the database and `core.review` say the same."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.review import (
    GateState,
    Review,
    ReviewedTake,
    ReviewKind,
    ReviewState,
    acceptance,
    ruling,
    state_of,
)
from core.setup import Setup
from db.engine import Database
from db.judged import Judgement, known_setups, remember_judged
from db.review import (
    forget_reviewed,
    gate_state_is,
    judged_takes,
    remember_review,
    reviews_of,
    setups_in_queue,
    undo_review,
)
from db.tables import CutEvent, CutRow, JudgedTake, ReviewRow, ReviewTake, SetupRow, Take

BOOM = Setup("FILM", "27B", "BOOM")


def judgement(essence: str, *, failed: bool, **more: Any) -> Judgement:
    gates = (({"name": "air", "value": 9.0, "passed": not failed},),)
    made = {"key": f"key of {essence}", "in_cut": False, "review": None} | more
    return Judgement(
        essence,
        (0,),
        recipe="gentle",
        limit_db=12.0,
        gentler="",
        gates=gates,
        failed=failed,
        **made,
    )


def know(session: Session, *judged: Judgement) -> int:
    """Remember takes of one setup; its number."""
    for item in judged:
        session.merge(
            Take(essence=item.essence, name=item.essence, scene="27B", take="1", tape="",
                 project="FILM", sample_rate=48_000, frames=48_000, time_reference=None,
                 timecode_rate=None)
        )  # fmt: skip
    session.flush()
    remember_judged(session, [(BOOM, item) for item in judged])
    return next(iter(known_setups(session)))


def decision(setup: int, kind: ReviewKind, *takes: str, whole: bool = True) -> Review:
    named = tuple(ReviewedTake(take, (0,), f"key of {take}") for take in takes)
    return Review(0, setup, kind, "", None, "", "mk", "", whole, named)


def takes(session: Session, state: GateState) -> set[str]:
    return set(session.scalars(select(Take.essence).where(Take.essence.in_(gate_state_is(state)))))


def test_a_take_is_found_by_how_it_stands(database: Database) -> None:
    with database.write() as session:
        setup = know(session, judgement("good", failed=False), judgement("bad", failed=True))
        assert takes(session, GateState.PASSED) == {"good"}
        assert takes(session, GateState.WAITING) == takes(session, GateState.FAILED) == {"bad"}
        assert setups_in_queue(session) == {setup}
        made = remember_review(session, decision(setup, ReviewKind.APPROVE, "bad"))
        assert takes(session, GateState.APPROVED) == takes(session, GateState.FAILED) == {"bad"}
        assert takes(session, GateState.WAITING) == set()
        undo_review(session, made.number, "mk")
        assert takes(session, GateState.WAITING) == {"bad"}
        assert reviews_of(session, [setup])[setup][0].undone_by == "mk"


def test_a_take_counts_with_all_its_microphones(database: Database) -> None:
    with database.write() as session:
        know(session, judgement("bad", failed=True))
        lav = Judgement(
            "bad", (1,), "key of lav", False, "gentle", 12.0, "", ((),), failed=False, review=None
        )
        remember_judged(session, [(Setup("FILM", "27B", "REN"), lav)])
        assert takes(session, GateState.PASSED) == set()
        assert takes(session, GateState.FAILED) == {"bad"}


def test_what_the_cuts_of_today_do_not_play_counts_no_more(database: Database) -> None:
    with database.write() as session:
        setup = know(session, judgement("bad", failed=True, in_cut=True))
        assert takes(session, GateState.FAILED) == set()
        for digest, day in (("one", 1), ("two", 2)):
            cut = _cut(session, digest, day)
            if digest == "one":
                _event(session, cut, "key of bad")
                assert takes(session, GateState.FAILED) == {"bad"}
                assert judged_takes(session, [setup])[setup][0].essence == "bad"
        # The file was read again since, and plays something else.
        assert takes(session, GateState.FAILED) == set()


def test_what_is_forgotten_is_neither_judged_nor_named(database: Database) -> None:
    with database.write() as session:
        setup = know(session, judgement("bad", failed=True))
        remember_review(session, decision(setup, ReviewKind.BYPASS, "bad", whole=False))
        forget_reviewed(session, ["bad"])
        assert judged_takes(session, [setup]) == {}
        (left,) = reviews_of(session, [setup])[setup]
        # It named one take alone, and must not hold for the setup now.
        assert not left.holds_for("other", (0,))


def _cut(session: Session, digest: str, day: int) -> int:
    row = CutRow(
        digest=digest, path=Path("/cuts/reel.otio"), name="reel", rate="24", start=0,
        length="100", read_at=datetime(2026, 11, day, tzinfo=UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def _event(session: Session, cut: int, key: str) -> None:
    session.add(
        CutEvent(cut=cut, event="A1/001", track="A1", record_start=0, record_length=1, asset=None,
                 source_start=0, source_end=1, channels=[0], linked="url", take_key=key)
    )  # fmt: skip
    session.flush()


MADE = st.lists(
    st.tuples(
        st.sampled_from(list(ReviewKind)), st.booleans(), st.booleans(), st.sampled_from(["a", "b"])
    ),
    max_size=5,
)


@given(MADE, st.booleans(), st.integers(0, 6))
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_the_database_and_the_rules_agree(
    database: Database, made: list[tuple[ReviewKind, bool, bool, str]], failed: bool, under: int
) -> None:
    with database.write() as session:
        for table in (JudgedTake, ReviewTake, ReviewRow, SetupRow):
            session.query(table).delete()
        setup = know(session, judgement("a", failed=failed), judgement("b", failed=True))
        for kind, whole, undone, take in made:
            review = remember_review(session, decision(setup, kind, take, whole=whole))
            if undone:
                undo_review(session, review.number, "mk")
        reviews = reviews_of(session, [setup]).get(setup, ())
        number = reviews[under].number if under < len(reviews) else None
        know(session, judgement("a", failed=failed, review=number))
        ruled, accepted = ruling(reviews, "a", (0,)), acceptance(reviews, "key of a")
        obeyed = (None if ruled is None else ruled.number) == number
        state = state_of(failed, accepted is not None, obeyed)
        waits = state is ReviewState.WAITING
        assert ("a" in takes(session, GateState.WAITING)) is waits
        approved = failed and accepted is not None
        assert ("a" in takes(session, GateState.APPROVED)) is approved

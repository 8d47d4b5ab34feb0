"""What a person decides for a setup that the gates sent to them, and how it stands.

A setup is a scene and a microphone. Of several decisions for a take the latest in force counts; a
decision for a clip (`core.override`) goes before all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ReviewKind(StrEnum):
    """What was decided. A comment decides nothing.

    approve: the cleaned sound is accepted as it is. gentler: less is taken. bypass: the original
    is played. lock: the cleaned sound is accepted and kept, whatever else changes.
    """

    APPROVE = "approve"
    GENTLER = "gentler"
    BYPASS = "bypass"
    LOCK = "lock"
    COMMENT = "comment"


class ReviewState(StrEnum):
    """How a take or a setup stands.

    waiting: a gate holds it back and nobody decided. decided: the next run obeys a decision.
    approved: what a gate holds back was accepted. passed: no gate holds it back.
    """

    WAITING = "waiting"
    DECIDED = "decided"
    APPROVED = "approved"
    PASSED = "passed"


class GateState(StrEnum):
    """How a take stands with its gates, for filters.

    passed: no gate holds it back. failed: one does, whatever a person said. waiting and approved:
    as in `ReviewState`, and both of them also failed. uncleaned: it was not cleaned yet.
    """

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting"
    APPROVED = "approved"
    UNCLEANED = "uncleaned"


STEERING = frozenset({ReviewKind.GENTLER, ReviewKind.BYPASS, ReviewKind.LOCK})
"""Decisions that say how a take is cleaned."""
ACCEPTING = frozenset({ReviewKind.APPROVE, ReviewKind.LOCK})
"""Decisions that accept cleaned sound as it is."""


@dataclass(frozen=True)
class ReviewedTake:
    """A take that a decision names. key: of its cleaned sound then."""

    essence: str
    channels: tuple[int, ...]
    key: str


@dataclass(frozen=True)
class Review:
    """A decision or comment of a person.

    setup: its number. recipe: name of the recipe to clean with, or empty for the run's. amount_db:
    the most that is attenuated instead of the recipe's limit, or None. text: why. at: when, ISO
    8601 in UTC. whole: it holds for all takes of the setup, also for later ones; else for `takes`
    only. undone_at: when it was taken back, or empty.
    """

    number: int
    setup: int
    kind: ReviewKind
    recipe: str
    amount_db: float | None
    text: str
    by: str
    at: str
    whole: bool
    takes: tuple[ReviewedTake, ...] = ()
    undone_at: str = ""
    undone_by: str = ""

    @property
    def in_force(self) -> bool:
        """Whether nobody took it back."""
        return not self.undone_at

    @property
    def words(self) -> str:
        """What was decided, for people."""
        match self.kind:
            case ReviewKind.GENTLER:
                parts = [f"recipe {self.recipe}"] if self.recipe else []
                parts += [] if self.amount_db is None else [f"at most {self.amount_db:g} dB"]
                return f"gentler, {', '.join(parts)}" if parts else "gentler"
            case ReviewKind.APPROVE:
                return "approved"
            case ReviewKind.BYPASS:
                return "left as recorded"
            case ReviewKind.LOCK:
                return "locked"
            case ReviewKind.COMMENT:
                return "comment"

    @property
    def who_when(self) -> str:
        """Who decided, on which day and why: `by mk on 2026-11-27 (her breath)`."""
        why = f" ({self.text})" if self.text else ""
        return f"by {self.by or 'somebody'} on {self.at[:10]}{why}"

    def key_of(self, essence: str, channels: tuple[int, ...]) -> str:
        """The cleaned sound that it names of a take, or empty."""
        same = (t.key for t in self.takes if (t.essence, t.channels) == (essence, channels))
        return next(same, "")

    def holds_for(self, essence: str, channels: tuple[int, ...]) -> bool:
        """Whether it says how a take is cleaned."""
        if self.kind not in STEERING or not self.in_force:
            return False
        # A lock holds what was there: a take that came later has nothing to keep.
        if self.whole and self.kind is not ReviewKind.LOCK:
            return True
        return bool(self.key_of(essence, channels))

    def accepts(self, key: str) -> bool:
        """Whether it accepts a cleaned sound."""
        return (
            self.kind in ACCEPTING and self.in_force and any(take.key == key for take in self.takes)
        )


def ruling(reviews: Iterable[Review], essence: str, channels: tuple[int, ...]) -> Review | None:
    """The decision that says how a take is cleaned: the latest in force; None where there is none.

    reviews: of the take's setup.
    """
    holding = (review for review in reviews if review.holds_for(essence, channels))
    return max(holding, key=lambda review: review.number, default=None)


def acceptance(reviews: Iterable[Review], key: str) -> Review | None:
    """The latest decision that accepts a cleaned sound, or None."""
    found = (review for review in reviews if review.accepts(key))
    return max(found, key=lambda review: review.number, default=None)


def state_of(failed: bool, accepted: bool, obeyed: bool) -> ReviewState:
    """How a take stands.

    failed: a gate holds it back. obeyed: it was cleaned as the decision in force says.
    """
    if not obeyed:
        return ReviewState.DECIDED
    if not failed:
        return ReviewState.PASSED
    return ReviewState.APPROVED if accepted else ReviewState.WAITING


def worst(states: Iterable[ReviewState]) -> ReviewState:
    """The state of a setup: the one of its takes' that asks most of a person."""
    order = list(ReviewState)
    return min(states, key=order.index, default=ReviewState.PASSED)

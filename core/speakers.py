"""What people said about who is who, and how it is applied to what was heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Spans = tuple[tuple[int, int], ...]
DecisionKind = Literal["name", "merge", "split", "enrol"]


@dataclass(frozen=True)
class Stretch:
    """A stretch of a take. essence: of its sound. start, end: source samples."""

    essence: str
    start: int
    end: int


@dataclass(frozen=True)
class SpeakerDecision:
    """A decision about the speakers of a production, in force until it is undone.

    speaker: number of the speaker that is named, merged into, split off or enrolled. other: the
    speaker that was merged, or split. name: the new name. stretches: what a split took away.
    """

    number: int
    kind: DecisionKind
    speaker: int
    other: int | None = None
    name: str = ""
    stretches: tuple[Stretch, ...] = ()
    by: str = ""


def speaker_of(heard: int, essence: str, spans: Spans, decisions: Sequence[SpeakerDecision]) -> int:
    """Who speaks in spans of a take in which `heard` was heard, by the decisions in their order.

    A split holds where it covers at least half of the spans.
    """
    speaker = heard
    for decision in decisions:
        moves = decision.other == speaker and (
            decision.kind == "merge"
            or (decision.kind == "split" and _covers(decision.stretches, essence, spans))
        )
        if moves:
            speaker = decision.speaker
    return speaker


def named(heard_as: dict[int, str], decisions: Iterable[SpeakerDecision]) -> dict[int, str]:
    """The name of every speaker: as heard, or the last that a person gave."""
    names = dict(heard_as)
    for decision in decisions:
        if decision.name and decision.speaker in names:
            names[decision.speaker] = decision.name
    return names


def shared_length(spans: Spans, others: Iterable[tuple[int, int]]) -> int:
    """How many samples of spans, which don't overlap, others, which don't either, cover."""
    return sum(
        max(0, min(end, other_end) - max(start, other_start))
        for start, end in spans
        for other_start, other_end in others
    )


def _covers(stretches: Iterable[Stretch], essence: str, spans: Spans) -> bool:
    own = [(item.start, item.end) for item in stretches if item.essence == essence]
    whole = sum(end - start for start, end in spans)
    return bool(own) and 2 * shared_length(spans, own) >= max(whole, 1)

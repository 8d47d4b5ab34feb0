"""The review queue as a program reads it."""

from __future__ import annotations

from typing import Any

from core.review import Review
from flows.review import gentler_offer
from flows.review_queue import HeldGate, ReviewItem, ReviewTake


def describe(item: ReviewItem) -> dict[str, Any]:
    """A setup of the queue as JSON. Values that are not finite are null."""
    names = {(t.judged.essence, t.judged.channels): t.take.name for t in item.takes}
    gentler, amount = gentler_offer(item)
    return {
        "number": item.number,
        "name": item.setup.name,
        "project": item.setup.project,
        "scene": item.setup.scene,
        "microphone": item.setup.microphone,
        "state": item.state.value,
        "gentler": gentler,
        "gentler_db": amount,
        "takes": [_take(take) for take in item.takes],
        "decisions": [_decision(review, names) for review in item.reviews],
    }


def _take(take: ReviewTake) -> dict[str, Any]:
    judged = take.judged
    rate = None if take.take.time_reference is None else take.take.timecode_rate
    return {
        "id": judged.essence,
        "name": take.take.name,
        "key": judged.key,
        "take": take.take.take,
        "circled": take.take.circled,
        "channels": list(judged.channels),
        "sample_rate": take.take.sample_rate,
        "fps": None if rate is None else f"{rate.fps.numerator}/{rate.fps.denominator}",
        "drop": rate is not None and rate.drop,
        "time_reference": take.take.time_reference,
        "frames": take.take.frames,
        "state": take.state.value,
        "recipe": take.recipe,
        "gates": [_gate(one) for one in take.held],
        "accepted": "" if take.accepted is None else take.accepted.who_when,
        "next": "" if take.ruled is None else take.ruled.words,
        "played": [
            {
                "cut": at.cut,
                "event": at.event,
                "start": at.start,
                "end": at.end,
                "source_start": at.source_start,
                "source_end": at.source_end,
                "other": at.other,
            }
            for at in take.played
        ],
    }


def _gate(one: HeldGate) -> dict[str, Any]:
    gate = one.gate
    return {
        "microphone": one.microphone,
        "channel": one.channel,
        "name": gate.name,
        "value": gate.value if abs(gate.value) < float("inf") else None,
        "unit": gate.unit,
        "limit": gate.limit,
        "meaning": gate.meaning,
    }


def _decision(review: Review, names: dict[tuple[str, tuple[int, ...]], str]) -> dict[str, Any]:
    return {
        "number": review.number,
        "what": review.kind.value,
        "words": review.words,
        "recipe": review.recipe,
        "amount_db": review.amount_db,
        "note": review.text,
        "by": review.by,
        "at": review.at,
        "takes": []
        if review.whole
        else [names.get((take.essence, take.channels), "") for take in review.takes],
        "undone_at": review.undone_at,
        "undone_by": review.undone_by,
    }

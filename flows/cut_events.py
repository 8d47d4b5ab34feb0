"""What became of the events of a cut: from what was remembered, with what people decided since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from config.recipes import GateLimits
from core.override import Override, holds_for
from core.review import Review, ReviewKind, ruling
from db.codec import JSON
from db.cuts import SpokenStretch, essences, setups_of, speech_in
from db.memory import CutEventRecord
from db.overrides import overrides_of
from db.provenance import ActivityRecord, finished_works
from db.review import accepted, reviews_of
from db.take_list import TakeSummary, take_summaries
from flows.delivered import Delivered
from flows.held import gate_words
from flows.workspace import Workspace
from models.quality import Gate, regraded

STATES = {
    "cleaned": "cleaned as asked",
    "gentler": "cleaned with the gentler recipe",
    "bypassed": "left as it was recorded",
    "locked": "kept as a person locked it",
    "flagged": "held by a gate",
    "approved": "held by a gate, and approved by a person",
    "untouched": "no dialogue, passed through",
    "offline": "no media were found",
}
"""What may have become of an event, and what that means."""

_GATES = TypeAdapter(tuple[tuple[Gate, ...], ...])


@dataclass(frozen=True)
class CutEventView:
    """An event of a cut.

    start, end: samples from the start of the cut. take: what it plays, None where that is not
    known; channels, source_start, source_end: of its file. speakers: whose lines it plays.
    state: one of `STATES`. why: gates that failed, the recipe, the reason. decided: what a person
    decided for it, or for its setup, that is in force now. setup: its number in the review queue,
    None where no gate has judged it.
    """

    id: str
    track: str
    start: int
    end: int
    take: TakeSummary | None
    channels: tuple[int, ...]
    source_start: int
    source_end: int
    speakers: tuple[str, ...]
    state: str
    why: str
    decided: str
    setup: int | None


def event_views(
    work: Workspace, records: Sequence[CutEventRecord], delivered: Delivered | None
) -> tuple[CutEventView, ...]:
    """The events of a cut with what became of each. delivered: the delivery that has them."""
    limits = delivered.limits if delivered is not None else None
    with work.database.read() as session:
        sounds = essences(session, {item.asset for item in records if item.asset})
        takes = {item.essence: item for item in take_summaries(session, set(sounds.values()))}
        works = finished_works(session, "clean", {r.take_key for r in records if r.take_key})
        failed = {key: held for key, done in works.items() if (held := _failed(done, limits))}
        reviewed = setups_of(session, takes)
        rulings = reviews_of(session, {setup for setup, _ in reviewed.values()})
        facts = _Facts(
            delivered=delivered,
            sounds=sounds,
            takes=takes,
            spoken=speech_in(session, takes),
            works=works,
            failed=failed,
            accepted={key: found for key in failed if (found := accepted(session, key))},
            overrides=overrides_of(session, set(takes)),
            setups={place: setup for place, (setup, _) in reviewed.items()},
            rulings={
                place: found
                for place, (setup, obeyed) in reviewed.items()
                if (found := ruling(rulings.get(setup, ()), *place)) and found.number != obeyed
            },
        )
    return tuple(facts.view(item) for item in records)


@dataclass(frozen=True)
class _Facts:
    """What is known about what a cut's events play.

    sounds: of media files, by sha256. works, failed, accepted: by key of the cleaned take: how it
    was made, the gates that hold it back, who took it nevertheless. setups, rulings: by sound and
    channels, the setup's number, and what was decided for it that the next run obeys.
    """

    delivered: Delivered | None
    sounds: Mapping[str, str]
    takes: Mapping[str, TakeSummary]
    spoken: Mapping[str, tuple[SpokenStretch, ...]]
    works: Mapping[str, ActivityRecord]
    failed: Mapping[str, tuple[str, ...]]
    accepted: Mapping[str, Review]
    overrides: tuple[Override, ...]
    setups: Mapping[tuple[str, tuple[int, ...]], int]
    rulings: Mapping[tuple[str, tuple[int, ...]], Review]

    def view(self, item: CutEventRecord) -> CutEventView:
        """An event with what became of it."""
        essence = self.sounds.get(item.asset or "", "")
        first = item.source_start or 0
        last = first + item.record_length if item.source_end is None else item.source_end
        override = holds_for(self.overrides, essence, item.channels, first, last)
        ruled = self.rulings.get((essence, item.channels))
        state, why = self._state(item, override)
        decided = ""
        if override is not None:
            decided = _decision(override)
        elif ruled is not None:
            decided = f"{ruled.words}, {ruled.who_when}"
        return CutEventView(
            id=item.event,
            track=item.track,
            start=item.record_start,
            end=item.record_start + item.record_length,
            take=self.takes.get(essence),
            channels=item.channels,
            source_start=first,
            source_end=last,
            speakers=self._speakers(essence, first, last),
            state=state,
            why=why,
            decided=decided,
            setup=self.setups.get((essence, item.channels)),
        )

    def _speakers(self, essence: str, first: int, last: int) -> tuple[str, ...]:
        names = (
            s.speaker for s in self.spoken.get(essence, ()) if s.start < last and s.end > first
        )
        return tuple(dict.fromkeys(names))

    def _state(self, item: CutEventRecord, override: Override | None) -> tuple[str, str]:
        """What became of an event, and why."""
        key = item.take_key
        if item.asset is None:
            return "offline", item.linked
        if not key:
            return "untouched", ""
        done = self.works.get(key)
        told: Mapping[str, JSON] = {} if done is None else done.parameters
        recipe = f"recipe {told['recipe']}" if told.get("recipe") else ""
        if override is not None and override.locked == key:
            return "locked", recipe
        if key in self.failed:
            return self._held(key)
        if told.get("limit_db", 1) == 0:
            return "bypassed", recipe
        asked = self.delivered
        if asked is not None and told.get("recipe") == asked.gentler != asked.recipe:
            return "gentler", recipe
        return "cleaned", recipe

    def _held(self, key: str) -> tuple[str, str]:
        """The state of a take that a gate holds back."""
        held, review = "; ".join(self.failed[key]), self.accepted.get(key)
        if review is None:
            return "flagged", held
        state = "locked" if review.kind is ReviewKind.LOCK else "approved"
        return state, f"{held}; {state} {review.who_when}"


def _failed(done: ActivityRecord, limits: GateLimits | None) -> tuple[str, ...]:
    """The gates that a take did not pass, by these limits or those of the time."""
    try:
        gates = _GATES.validate_python(done.parameters.get("gates", ()))
    except ValidationError:
        return ()
    if limits is not None:
        gates = tuple(regraded(channel, limits) for channel in gates)
    held = (gate for channel in gates for gate in channel if not gate.passed)
    return tuple(gate_words(gate) for gate in held)


def _decision(override: Override) -> str:
    note = f" ({override.note})" if override.note else ""
    return f"{override.words}, by {override.by or 'somebody'}{note}"

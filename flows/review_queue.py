"""The review queue: what the gates sent to a person, setup by setup, and how it stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from core.media import MediaFile
from core.review import (
    Review,
    ReviewKind,
    ReviewState,
    acceptance,
    ruling,
    state_of,
    worst,
)
from core.setup import Setup
from core.time import frames_to_samples, samples_to_timecode
from db.judged import Judgement, known_setups
from db.memory import media_by_essence
from db.plays import Play, plays_of
from db.review import judged_takes, reviews_of, setups_in_queue
from db.take_list import TakeSummary, take_summaries
from db.takes import natural
from flows.held import gate_words
from flows.takes import microphone_name
from flows.workspace import Workspace
from models.quality import Gate

_GATES = TypeAdapter(tuple[tuple[Gate, ...], ...])


@dataclass(frozen=True)
class HeldGate:
    """A gate that holds a take back. microphone: the recorder's name. channel: from 0."""

    microphone: str
    channel: int
    gate: Gate

    @property
    def words(self) -> str:
        """The gate's value and limit: `BOOM: air 12.00 dB (limit 4)`."""
        return f"{self.microphone}: {gate_words(self.gate)}"


@dataclass(frozen=True)
class PlayedAt:
    """A place in a cut that plays a take.

    cut: the name of its file. start, end: record timecode, the end just past the event.
    source_start, source_end: samples of the take. other: the cut was delivered with another
    cleaned sound, for a person decided for this clip alone, or it was not cleaned since.
    """

    cut: str
    event: str
    start: str
    end: str
    source_start: int
    source_end: int
    other: bool


@dataclass(frozen=True)
class ReviewTake:
    """A take of a setup as its last run found it. ruled: the decision that the next run obeys."""

    take: TakeSummary
    judged: Judgement
    state: ReviewState
    held: tuple[HeldGate, ...]
    played: tuple[PlayedAt, ...]
    accepted: Review | None
    ruled: Review | None

    @property
    def measured(self) -> tuple[str, ...]:
        """What holds it back, a clause each, with the microphone where it has several."""
        several = len(self.judged.channels) > 1
        return tuple(one.words if several else gate_words(one.gate) for one in self.held)

    @property
    def recipe(self) -> str:
        """How it was cleaned, for people: `gentle, at most 12 dB`."""
        limit = self.judged.limit_db
        most = "no limit" if limit is None else f"at most {limit:g} dB"
        return f"{Path(self.judged.recipe).stem}, {most}"


@dataclass(frozen=True)
class ReviewItem:
    """A setup of the queue. number: by which people name it; it stays the same.

    takes: all that its cuts need, those that wait first. reviews: decisions and comments, also
    those undone, the oldest first.
    """

    number: int
    setup: Setup
    state: ReviewState
    takes: tuple[ReviewTake, ...]
    reviews: tuple[Review, ...]

    @property
    def waiting(self) -> tuple[ReviewTake, ...]:
        """The takes that a gate holds back and nobody decided for."""
        return tuple(take for take in self.takes if take.state is ReviewState.WAITING)


def queue(work: Workspace, *, everything: bool = False) -> tuple[ReviewItem, ...]:
    """What waits for a person, grouped by setup: what waits first, then by scene and microphone.

    everything: also what was decided or approved, and setups that people only commented on.
    """
    with work.database.read() as session:
        items = _items(work, session, setups_in_queue(session))
    kept = [
        item for item in items if item.takes and (everything or item.state is ReviewState.WAITING)
    ]
    order = list(ReviewState)
    return tuple(
        sorted(
            kept,
            key=lambda item: (
                order.index(item.state),
                natural(item.setup.scene or item.setup.file),
                natural(item.setup.microphone),
                item.number,
            ),
        )
    )


def item_numbered(work: Workspace, number: int) -> ReviewItem | None:
    """A setup of the queue by its number, whatever its state; None for one that is not known."""
    with work.database.read() as session:
        return next(iter(_items(work, session, {number})), None)


def _items(work: Workspace, session: Session, numbers: Collection[int]) -> list[ReviewItem]:
    setups = {n: setup for n, setup in known_setups(session).items() if n in numbers}
    judged = judged_takes(session, setups)
    reviews = reviews_of(session, setups)
    essences = {item.essence for items in judged.values() for item in items}
    summaries = {take.essence: take for take in take_summaries(session, essences)}
    media = media_by_essence(session, essences)
    plays: dict[tuple[str, tuple[int, ...]], list[Play]] = {}
    for play in plays_of(session, essences):
        if play.take_key:
            plays.setdefault((play.essence, play.channels), []).append(play)
    return [
        _item(
            number,
            setups[number],
            [
                _take(
                    work,
                    item,
                    summaries[item.essence],
                    media.get(item.essence),
                    plays.get((item.essence, item.channels), ()),
                    mine,
                )
                for item in judged.get(number, ())
                if item.essence in summaries
            ],
            mine,
        )
        for number in sorted(setups)
        for mine in [reviews.get(number, ())]
    ]


def _item(
    number: int, setup: Setup, takes: Collection[ReviewTake], reviews: tuple[Review, ...]
) -> ReviewItem:
    order = list(ReviewState)
    return ReviewItem(
        number,
        setup,
        worst(take.state for take in takes),
        tuple(
            sorted(
                takes,
                key=lambda take: (
                    order.index(take.state),
                    natural(take.take.scene),
                    natural(take.take.take),
                    take.take.name,
                ),
            )
        ),
        reviews,
    )


def _take(
    work: Workspace,
    judged: Judgement,
    summary: TakeSummary,
    media: MediaFile | None,
    plays: Sequence[Play],
    reviews: Sequence[Review],
) -> ReviewTake:
    ruled = ruling(reviews, judged.essence, judged.channels)
    accepting = acceptance(reviews, judged.key)
    number = None if ruled is None else ruled.number
    keeps = ruled is not None and ruled.kind is ReviewKind.LOCK and ruled.accepts(judged.key)
    names = {
        channel: f"channel {channel + 1}" if media is None else microphone_name(media, channel)
        for channel in judged.channels
    }
    gates = _GATES.validate_python(judged.gates)
    return ReviewTake(
        take=summary,
        judged=judged,
        state=state_of(judged.failed, accepting is not None, keeps or number == judged.review),
        held=tuple(
            HeldGate(names[channel], channel, gate)
            for channel, row in zip(judged.channels, gates, strict=True)
            for gate in row
            if not gate.passed
        ),
        played=tuple(_played(work, play, judged.key) for play in plays),
        accepted=accepting,
        ruled=ruled,
    )


def _played(work: Workspace, play: Play, key: str) -> PlayedAt:
    rate, sample_rate = play.rate, work.settings.sample_rate
    first = frames_to_samples(play.start, rate.fps, sample_rate) + play.record_start
    return PlayedAt(
        cut=play.path.name,
        event=play.event,
        start=samples_to_timecode(first, rate, sample_rate),
        end=samples_to_timecode(first + play.record_length, rate, sample_rate),
        source_start=play.source_start,
        source_end=play.source_end,
        other=play.take_key != key,
    )

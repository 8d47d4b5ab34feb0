"""Cuts as a person sees them: what is known of each, its tracks, its stems, what became of events.

What is shown comes from the database and the delivery's list; media and timeline may be offline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from config.recipes import GateLimits
from core.errors import InputError, OfflineError
from core.override import Override, holds_for
from core.roles import Choice
from core.time import frames_to_samples
from core.versions import version_in
from db.codec import JSON
from db.cuts import (
    CutSummary,
    Delivery,
    SpokenStretch,
    cut_summaries,
    deliveries,
    essences,
    speech_in,
)
from db.memory import CutEventRecord, recall_cut
from db.overrides import overrides_of
from db.provenance import ActivityRecord, finished_works
from db.review import accepted_keys
from db.take_list import TakeSummary, take_summaries
from db.takes import natural
from flows.delivered import Delivered, read_delivery
from flows.delivery import DeliveredFile
from flows.report import REPORT
from flows.stem_loudness import StemLoudness, known_loudness
from flows.workspace import Workspace
from models.quality import Gate, regraded

STATES = {
    "cleaned": "cleaned as asked",
    "gentler": "cleaned with the gentler recipe",
    "bypassed": "left as it was recorded",
    "locked": "kept as a person locked it",
    "flagged": "held by a gate",
    "untouched": "no dialogue, passed through",
    "offline": "no media were found",
}
"""What may have become of an event, and what that means."""

_GATES = TypeAdapter(tuple[tuple[Gate, ...], ...])


@dataclass(frozen=True)
class CutListed:
    """A cut in a list. title, version: of its name. delivery: the latest that is still there.

    complete: whether that was written to its end.
    """

    summary: CutSummary
    title: str
    version: str
    delivery: Delivery | None
    complete: bool


@dataclass(frozen=True)
class CutEventView:
    """An event of a cut.

    start, end: samples from the start of the cut. take: what it plays, None where that is not
    known; channels, source_start, source_end: of its file. speakers: whose lines it plays.
    state: one of `STATES`. why: gates that failed, the recipe, the reason. decided: what a person
    decided for it that is in force now.
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


@dataclass(frozen=True)
class CutTrackView:
    """A track of a cut. why: it is taken for dialogue or not. heard: whether it has a stem;
    cleaned: whether a cleaned one.
    """

    name: str
    dialogue: bool
    why: str
    events: tuple[CutEventView, ...]
    heard: bool
    cleaned: bool


@dataclass(frozen=True)
class CutView:
    """A cut with its tracks, and the latest of its deliveries that is still there.

    sample_rate: of all positions in the record, in Hz. start: samples since midnight of the first
    frame; length: samples. head: samples in the stems before it. stems: in the order of their
    numbers, from 0. earlier: further deliveries of it that are there.
    """

    listed: CutListed
    delivered: Delivered | None
    sample_rate: int
    start: int
    length: int
    head: int
    tracks: tuple[CutTrackView, ...]
    stems: tuple[DeliveredFile, ...]
    loudness: tuple[StemLoudness | None, ...]
    earlier: tuple[Delivery, ...]

    @property
    def rate_name(self) -> str:
        """The frame rate as people write it."""
        return str(self.listed.summary.rate)


def cut_list(work: Workspace) -> tuple[CutListed, ...]:
    """All cuts that are known, the one that was cleaned last first."""
    with work.database.read() as session:
        found = cut_summaries(session)
        made = deliveries(session, REPORT)
    by_cut: dict[str, list[Delivery]] = {}
    for delivery in made:
        by_cut.setdefault(delivery.cut, []).append(delivery)
    return tuple(_listed(summary, by_cut.get(summary.digest, ()))[0] for summary in found)


def cut_known(work: Workspace, digest: str) -> CutSummary:
    """What is known of a cut. Raises InputError for one that is not known."""
    with work.database.read() as session:
        found = cut_summaries(session, digest)
    if not found:
        raise InputError(f"No cut {digest[:12]} is known here.")
    return found[0]


def cut_view(work: Workspace, digest: str) -> CutView:
    """A cut by the sha256 of its timeline file. Raises InputError for one that is not known."""
    summary = cut_known(work, digest)
    with work.database.read() as session:
        made = deliveries(session, REPORT, digest)
        known = recall_cut(session, digest)
        records = known.events if known is not None else ()
        sounds = essences(session, {item.asset for item in records if item.asset})
        takes = {item.essence: item for item in take_summaries(session, set(sounds.values()))}
        spoken = speech_in(session, takes)
        works = finished_works(session, "clean", {r.take_key for r in records if r.take_key})
        decided = overrides_of(session, set(takes))
        approved = set(session.scalars(accepted_keys()))
    listed, delivered = _listed(summary, made)
    stems = delivered.stems if delivered is not None else ()
    rate = next((stem.sample_rate for stem in stems), work.settings.sample_rate)
    start = frames_to_samples(summary.start, summary.rate.fps, rate)
    end = frames_to_samples(summary.start + summary.length, summary.rate.fps, rate)
    head = 0
    if delivered is not None and delivered.head:
        head = start - frames_to_samples(summary.start - delivered.head, summary.rate.fps, rate)
    limits = delivered.limits if delivered is not None else None
    failed = {key: _failed(done, limits) for key, done in works.items() if key not in approved}
    facts = _Facts(delivered, sounds, takes, spoken, works, failed, decided)
    return CutView(
        listed=listed,
        delivered=delivered,
        sample_rate=rate,
        start=start,
        length=end - start,
        head=head,
        tracks=_tracks([facts.view(item) for item in records], delivered),
        stems=stems,
        loudness=tuple(known_loudness(work, stem.sha256) for stem in stems),
        earlier=tuple(item for item in made if item != listed.delivery),
    )


def delivered_of(work: Workspace, digest: str) -> Delivered:
    """What the latest delivery of a cut says of itself. Raises as `latest_delivery` does."""
    return latest_delivery(work, digest)[1]


def latest_delivery(work: Workspace, digest: str) -> tuple[Delivery, Delivered]:
    """The latest delivery of a cut that is there, and what it says of itself.

    Raises InputError for a cut that is not known, OfflineError where none is there.
    """
    name = cut_known(work, digest).name
    with work.database.read() as session:
        made = deliveries(session, REPORT, digest)
    for delivery in made:
        found = read_delivery(delivery.folder)
        if found is not None:
            return delivery, found
    raise OfflineError(f"No delivery of {name} is where it was written; clean the cut again.")


def versions_of(work: Workspace, digest: str) -> tuple[CutListed, ...]:
    """The other cuts, those of the same title first, each part with the latest first."""
    every = cut_list(work)
    title = next((item.title for item in every if item.summary.digest == digest), "")
    others = [item for item in every if item.summary.digest != digest]
    return tuple(sorted(others, key=lambda item: item.title.casefold() != title.casefold()))


def previous_version(work: Workspace, digest: str) -> CutListed | None:
    """The version before: of the same title, with the next lower number, or cleaned before."""
    every = {item.summary.digest: item for item in cut_list(work)}
    if digest not in every:
        return None
    title = every[digest].title.casefold()
    alike = [item for item in every.values() if item.title.casefold() == title]
    earlier = [item for item in alike if _age(item) < _age(every[digest])]
    return max(earlier, key=_age, default=None)


def _age(item: CutListed) -> tuple[tuple[tuple[int, int, str], ...], datetime]:
    return natural(item.version), item.summary.read_at


def _listed(summary: CutSummary, made: Sequence[Delivery]) -> tuple[CutListed, Delivered | None]:
    """A cut with the latest delivery that is there."""
    title, version = version_in(summary.name)
    version = version or version_in(summary.path.stem)[1]
    for delivery in made:
        found = read_delivery(delivery.folder)
        if found is not None:
            return CutListed(summary, title, version, delivery, found.complete), found
    return CutListed(summary, title, version, None, False), None


def _tracks(
    events: Sequence[CutEventView], delivered: Delivered | None
) -> tuple[CutTrackView, ...]:
    """The tracks in the cut's order."""
    by_track: dict[str, list[CutEventView]] = {}
    choices: dict[str, Choice] = {}
    if delivered is not None:
        choices = {choice.track: choice for choice in delivered.tracks}
        by_track = {choice.track: [] for choice in delivered.tracks}
    for event in events:
        by_track.setdefault(event.track, []).append(event)
    stems = delivered.stems if delivered is not None else ()
    roles = {(stem.track, stem.role) for stem in stems}
    return tuple(
        CutTrackView(
            name=name,
            dialogue=choices[name].dialogue if name in choices else True,
            why=choices[name].why if name in choices else "",
            events=tuple(sorted(found, key=lambda item: (item.start, item.id))),
            heard=bool(roles & {(name, "PROD"), (name, "THRU")}),
            cleaned=(name, "DX") in roles,
        )
        for name, found in by_track.items()
    )


@dataclass(frozen=True)
class _Facts:
    """What is known about what a cut's events play."""

    delivered: Delivered | None
    sounds: Mapping[str, str]
    takes: Mapping[str, TakeSummary]
    spoken: Mapping[str, tuple[SpokenStretch, ...]]
    works: Mapping[str, ActivityRecord]
    failed: Mapping[str, tuple[str, ...]]
    decided: tuple[Override, ...]

    def view(self, item: CutEventRecord) -> CutEventView:
        """An event with what became of it."""
        essence = self.sounds.get(item.asset or "", "")
        first = item.source_start or 0
        last = first + item.record_length if item.source_end is None else item.source_end
        override = holds_for(self.decided, essence, item.channels, first, last)
        state, why = self._state(item, override)
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
            decided="" if override is None else _decision(override),
        )

    def _speakers(self, essence: str, first: int, last: int) -> tuple[str, ...]:
        names = (
            s.speaker for s in self.spoken.get(essence, ()) if s.start < last and s.end > first
        )
        return tuple(dict.fromkeys(names))

    def _state(self, item: CutEventRecord, override: Override | None) -> tuple[str, str]:
        """What became of an event, and why."""
        if item.asset is None:
            return "offline", item.linked
        if not item.take_key:
            return "untouched", ""
        done = self.works.get(item.take_key)
        told: Mapping[str, JSON] = {} if done is None else done.parameters
        recipe = str(told.get("recipe", ""))
        if override is not None and override.locked == item.take_key:
            return "locked", f"recipe {recipe}"
        if self.failed.get(item.take_key):
            return "flagged", "; ".join(self.failed[item.take_key])
        if told.get("limit_db", 1) == 0:
            return "bypassed", f"recipe {recipe}"
        if self.delivered is not None and recipe == self.delivered.gentler != self.delivered.recipe:
            return "gentler", f"recipe {recipe}"
        return "cleaned", f"recipe {recipe}" if recipe else ""


def _failed(done: ActivityRecord, limits: GateLimits | None) -> tuple[str, ...]:
    """The gates that a take did not pass, by these limits or those of the time."""
    try:
        gates = _GATES.validate_python(done.parameters.get("gates", ()))
    except ValidationError:
        return ()
    if limits is not None:
        gates = tuple(regraded(channel, limits) for channel in gates)
    held = (gate for channel in gates for gate in channel if not gate.passed)
    return tuple(f"{g.name} {g.value:.2f} {g.unit} (limit {g.limit:g})" for g in held)


def _decision(override: Override) -> str:
    note = f" ({override.note})" if override.note else ""
    return f"{override.words}, by {override.by or 'somebody'}{note}"

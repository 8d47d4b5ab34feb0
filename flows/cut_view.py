"""Cuts as a person sees them: what is known of each, its tracks, its stems, what became of events.

What is shown comes from the database and the delivery's list; media and timeline may be offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import InputError, OfflineError
from core.roles import Choice
from core.time import frames_to_samples
from core.versions import same_title, version_in
from db.cuts import (
    CutSummary,
    Delivery,
    cut_summaries,
    deliveries,
)
from db.memory import recall_cut
from db.takes import natural
from flows.cut_events import CutEventView, event_views
from flows.delivered import Delivered, read_delivery
from flows.delivery import DeliveredFile
from flows.report import REPORT
from flows.stem_loudness import StemLoudness, known_loudness
from flows.workspace import Workspace


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
    numbers, from 0. loudness: of each, where it was measured.
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
    listed, delivered = _listed(summary, made)
    stems = delivered.stems if delivered is not None else ()
    rate = next((stem.sample_rate for stem in stems), work.settings.sample_rate)
    start = frames_to_samples(summary.start, summary.rate.fps, rate)
    end = frames_to_samples(summary.start + summary.length, summary.rate.fps, rate)
    head = 0
    if delivered is not None and delivered.head:
        head = start - frames_to_samples(summary.start - delivered.head, summary.rate.fps, rate)
    events = event_views(work, known.events if known is not None else (), delivered)
    return CutView(
        listed=listed,
        delivered=delivered,
        sample_rate=rate,
        start=start,
        length=end - start,
        head=head,
        tracks=_tracks(events, delivered),
        stems=stems,
        loudness=tuple(known_loudness(work, stem.sha256) for stem in stems),
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
    return tuple(sorted(others, key=lambda item: not same_title(item.title, title)))


def previous_version(work: Workspace, digest: str) -> CutListed | None:
    """The version before: of the same title, with the next lower number, or cleaned before.

    Of several with that number one in the same format, then the latest.
    """
    every = {item.summary.digest: item for item in cut_list(work)}
    if digest not in every:
        return None
    own = every[digest]
    alike = [item for item in every.values() if same_title(item.title, own.title)]
    earlier = [item for item in alike if _age(item) < _age(own)]
    suffix = own.summary.path.suffix

    def nearness(item: CutListed) -> tuple[object, bool, datetime]:
        return natural(item.version), item.summary.path.suffix == suffix, item.summary.read_at

    lower = [item for item in earlier if item.version != own.version]
    return max(lower or earlier, key=nearness, default=None)


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

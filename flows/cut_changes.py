"""What changed between two cuts that are known, by what their events are known to play."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from adapters.media.essence import file_sha256
from adapters.timelines.read import read_cut, timeline_file
from core.cut import Cut, with_distinct_tracks
from core.errors import InputError, OfflineError, UsageError
from core.match import Known
from core.reconform import ChangeList, changes
from db.cuts import CutSummary, deliveries
from db.memory import asset_at, recall_cut
from flows.cut_view import cut_known
from flows.delivered import read_delivery
from flows.reconform import not_compared
from flows.report import REPORT
from flows.workspace import Workspace


@dataclass(frozen=True)
class CutChanges:
    """What changed from an old cut to a new one. notes: what to know of it, a sentence each."""

    old: CutSummary
    new: CutSummary
    found: ChangeList
    notes: tuple[str, ...]


def cut_changes(work: Workspace, new: str, old: str) -> CutChanges:
    """What changed from one known cut to another, both by the sha256 of their timeline files.

    Raises InputError for a cut that is not known, UsageError for one and the same, OfflineError
    where a timeline file is not where it was read and no delivery of the cut holds it.
    """
    if new == old:
        raise UsageError("A cut is compared with another one.")
    before, after = cut_known(work, old), cut_known(work, new)
    old_cut, new_cut = _read(work, before), _read(work, after)
    found = changes(old_cut, new_cut, _played(work, old, old_cut), _played(work, new, new_cut))
    return CutChanges(before, after, found, not_compared(old_cut, new_cut))


def _read(work: Workspace, known: CutSummary) -> Cut:
    """The cut as it was read, from its file or, where that is gone, from a delivery of it."""
    path = known.path
    if timeline_sha256(path) != known.digest:
        path = _delivered_timeline(work, known)
    # A reel may have been told to start at its hour.
    return replace(with_distinct_tracks(read_cut(path, known.rate)), start=known.start)


def _delivered_timeline(work: Workspace, known: CutSummary) -> Path:
    with work.database.read() as session:
        made = deliveries(session, REPORT, known.digest)
    for delivery in made:
        delivered = read_delivery(delivery.folder)
        for entry in delivered.files if delivered is not None else ():
            if delivered is not None and entry.role == "TIMELINE" and entry.path.endswith(".otio"):
                path = delivered.path_of(entry)
                if timeline_sha256(path) == entry.sha256:
                    return path
    raise OfflineError(
        f"{known.path.name} is not where it was read, or has changed since; put it back to compare."
    )


def _played(work: Workspace, digest: str, cut: Cut) -> dict[str, Known]:
    """What each event is known to play, if the cut's events are those that were remembered."""
    with work.database.read() as session:
        known = recall_cut(session, digest)
        events = known.events if known is not None else ()
        sounds = {name: asset_at(session, name) for name in {e.asset for e in events if e.asset}}
    ids = {event.id for track in cut.tracks for event in track.events}
    if not {event.event for event in events} <= ids:
        return {}
    played = {}
    for event in events:
        asset = sounds.get(event.asset or "")
        if asset is not None and asset.sample_rate and event.source_start is not None:
            start = Fraction(event.source_start, asset.sample_rate)
            played[event.event] = Known(asset.essence or asset.sha256, start)
    return played


def timeline_sha256(path: Path) -> str:
    """The sha256 of a timeline's file, or empty where it can't be read."""
    try:
        return file_sha256(timeline_file(path))
    except InputError:
        return ""

"""Where the media of a cut are, and how they were found: a look before anything is cleaned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.media.links import Explanation, Link, Offline
from adapters.media.relink import explain
from adapters.timelines.read import read_cut
from core.cut import Cut, Event, with_distinct_tracks
from core.errors import InputError
from flows.progress import Progress
from flows.turnover import (
    candidates,
    edl_rate_of,
    index_media,
    unreadable,
    with_essence,
    with_renamed,
)
from flows.workspace import Workspace

STEP = "Looking for media"


@dataclass(frozen=True)
class Relinked:
    """A cut and where its media are.

    found: for every event that is heard, in the cut's order. events: those events, likewise.
    notes: what a person should know of the cut and the media folders, a sentence each.
    """

    cut: Cut
    found: tuple[Explanation, ...]
    events: tuple[Event, ...]
    notes: tuple[str, ...]

    @property
    def linked(self) -> tuple[Link, ...]:
        """The links that were made."""
        return tuple(item.decision for item in self.found if isinstance(item.decision, Link))


def _with_reasons(
    found: Sequence[Explanation], events: Sequence[Event], unread: Sequence[str]
) -> tuple[Explanation, ...]:
    """The same; where a file is there but can't be read, that is why its clip is offline."""
    missing = [item.decision for item in found if isinstance(item.decision, Offline)]
    told = {item.event_id: item for item in unreadable(missing, events, unread)}
    return tuple(
        replace(item, decision=told[item.event_id]) if isinstance(item.decision, Offline) else item
        for item in found
    )


def relink_cut(
    work: Workspace,
    path: Path,
    roots: Sequence[Path],
    progress: Progress,
) -> Relinked:
    """Read a cut and look for its media under `roots`, as cleaning would; nothing is hashed but
    what may be a file of an earlier run under another name.

    Raises InputError for an unreadable cut or
    root, and for a cut without a sound that is heard.
    """
    progress.step(STEP, 0)
    index, unread = index_media(work, roots)
    rate, notes = edl_rate_of(work, path, index)
    cut = with_distinct_tracks(read_cut(path, rate, work.essence))
    events = tuple(event for _, event in cut.sounding())
    if not events:
        raise InputError(f"{path} has no sound that is heard; export it with its audio tracks.")
    index, more = with_essence(work, index, cut)
    index, known = with_renamed(work, candidates(work, index, cut), path.parent)
    found = _with_reasons(explain(cut, index, path.parent, known=known), events, (*unread, *more))
    return Relinked(cut, found, events, (*notes, *cut.warnings, *unread, *more))

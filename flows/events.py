"""What happens in the takes of a run: kept by take and detector, so that it is searchable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby

from core.events import EventKind, SoundEvent, from_defect
from core.media import MediaFile
from core.speech import Line
from db.events import events_of, has_events, store_events
from db.forget import is_forgotten
from flows.listen import Heard
from flows.progress import Progress
from flows.runner import Runner
from flows.scanning import is_scanned, scan_file
from flows.takes import CleanedTake
from flows.workspace import Workspace
from models.events.lines import LINES_VERSION, line_events
from models.repair import chain

LINES, REPAIR = "lines", "repair"
STEP = "Looking for slates and tone"
SHOWN = 3


def note_events(
    work: Workspace,
    cleaned: Iterable[CleanedTake],
    heard: Sequence[Heard],
    progress: Progress,
    run: Runner,
) -> None:
    """Remember what happens in the takes of a run; what is remembered already is left alone.

    A file that was listened to in this run was searched then.
    """
    for take in cleaned:
        note_defects(work, take)
    missing = [item.media for item in heard if not is_scanned(work, item.media)]
    if missing:
        progress.step(STEP, len(missing))
        scan = partial(scan_file, work)
        run.each(STEP.lower(), scan, missing, lambda _: progress.advance(STEP))
    for item in heard:
        with work.database.read() as session:
            if is_forgotten(session, item.media.essence):
                continue
        note_lines(work, item.media, item.lines, item.key)


def note_defects(work: Workspace, take: CleanedTake) -> None:
    """What repair found in a take, as events.

    A take that was cleaned without repair says nothing about its defects, so what is known stays.
    """
    detector = f"{REPAIR} {','.join(map(str, take.take.channels))}"
    essence, version = take.media.essence, chain.process_version
    with work.database.read() as session:
        known = has_events(session, essence, detector, version)
    if take.defects and not known:
        with work.database.write() as session:
            store_events(session, essence, detector, version, [*map(from_defect, take.defects)])


def note_lines(work: Workspace, media: MediaFile, lines: Sequence[Line], key: str) -> None:
    """What a take's lines tell, as events. key: names the listening that the lines come from."""
    version = f"{LINES_VERSION} {key}"
    with work.database.read() as session:
        known = has_events(session, media.essence, LINES, version)
    if not known:
        found = line_events(lines, media.frames, media.sample_rate)
        with work.database.write() as session:
            store_events(session, media.essence, LINES, version, found)


def known_events(work: Workspace, essences: Iterable[str]) -> Mapping[str, tuple[SoundEvent, ...]]:
    """The events of takes, by essence, in order of their starts."""
    with work.database.read() as session:
        return {
            essence: tuple(item.event for item in events_of(session, essence=essence))
            for essence in sorted(set(essences))
        }


def told_within(
    events: Sequence[SoundEvent], start: int, end: int, place: Callable[[int], str]
) -> str:
    """The events within a stretch in one clause, by kind: `slate at 10:12:05:03`.

    place: a sample as people write it. Of many of a kind the first is placed.
    """
    inside = [event for event in events if event.start < end and event.end > start]
    whole = [event for event in inside if event.start <= start and event.end >= end]
    inside = [event for event in inside if event not in whole]
    order = list(EventKind)
    inside.sort(key=lambda event: (order.index(event.kind), event.start))
    told = [f"{kind} throughout" for kind in dict.fromkeys(event.kind for event in whole)]
    for kind, group in groupby(inside, key=lambda event: event.kind):
        same = list(group)
        if len(same) > SHOWN:
            told.append(f"{len(same)} × {kind}, the first at {place(max(start, same[0].start))}")
        else:
            told += [f"{kind} at {place(max(start, event.start))}" for event in same]
    return "; ".join(told)

"""Takes as a person sees them: what is known of each, its microphones, its lines and events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from core.errors import InputError
from core.media import MediaFile
from core.time import FrameRate
from db.catalogue import TakeLine, lines_of
from db.chunks import chunks
from db.codec import rate_from_text
from db.events import TakeEvent, events_of
from db.memory import media_by_essence
from db.tables import LineRow, Media, Speaker, Take
from db.takes import latest_paths, natural
from flows.channels import listening_channel
from flows.cleaned import Cleaned, cleaned_last
from flows.takes import microphone_name
from flows.workspace import Workspace


@dataclass(frozen=True)
class TakeSummary:
    """A take in a list; the fields are those of `db.catalogue.TakeLine`.

    frames: its length in samples. lines: how many are known of it.
    """

    name: str
    scene: str
    take: str
    tape: str
    project: str
    essence: str
    path: Path | None
    sample_rate: int
    frames: int
    time_reference: int | None
    timecode_rate: FrameRate | None
    circled: bool
    lines: int


@dataclass(frozen=True)
class Microphone:
    """A channel of a take. channel: from 0. cleaned: as it was cleaned last, or None."""

    channel: int
    name: str
    cleaned: Cleaned | None


@dataclass(frozen=True)
class TakeView:
    """A take with all that its page shows. media: None where no file of it is there.

    listened: the channel that was transcribed.
    """

    summary: TakeSummary
    media: MediaFile | None
    microphones: tuple[Microphone, ...]
    listened: int
    lines: tuple[TakeLine, ...]
    events: tuple[TakeEvent, ...]


def take_list(work: Workspace) -> tuple[TakeSummary, ...]:
    """All takes that are known, by scene, take and name."""
    return _summaries(work, None)


def takes_by_essence(work: Workspace, essences: Collection[str]) -> dict[str, TakeSummary]:
    """What is known of some takes, by the sha256 of their sound."""
    return {found.essence: found for found in _summaries(work, essences)}


def take_view(work: Workspace, essence: str) -> TakeView:
    """A take by the sha256 of its sound. Raises InputError for one that is not known."""
    summary = take_known(work, essence)
    media = media_of(work, essence)
    with work.database.read() as session:
        lines = lines_of(session, essence=essence)
        events = events_of(session, essence=essence)
    microphones: tuple[Microphone, ...] = ()
    if media is not None:
        microphones = tuple(
            Microphone(k, microphone_name(media, k), cleaned_last(work, media, (k,)))
            for k in range(media.channels)
        )
    listened = 0 if media is None else listening_channel(media)
    return TakeView(summary, media, microphones, listened, lines, events)


@dataclass(frozen=True)
class KnownNames:
    """What lines can be asked for by: the names that there are, sorted as people do."""

    speakers: tuple[str, ...]
    scenes: tuple[str, ...]
    productions: tuple[str, ...]


def known_names(work: Workspace) -> KnownNames:
    """The names of speakers, scenes and productions that are known."""
    with work.database.read() as session:
        speakers, scenes, productions = (
            tuple(sorted({name for name in session.scalars(query) if name}, key=natural))
            for query in (
                select(Speaker.name).distinct(),
                select(Take.scene).distinct(),
                select(Take.project).distinct(),
            )
        )
    return KnownNames(speakers, scenes, productions)


def media_of(work: Workspace, essence: str) -> MediaFile | None:
    """The file of a take that was seen last, or None where it is not there (or has changed)."""
    with work.database.read() as session:
        media = media_by_essence(session, {essence}).get(essence)
    if media is None:
        return None
    try:
        found = media.path.stat()
    except OSError:
        return None
    same = (found.st_size, found.st_mtime_ns) == (media.size, media.mtime_ns)
    return media if same else None


def take_known(work: Workspace, essence: str) -> TakeSummary:
    """What is known of a take. Raises InputError for one that is not known."""
    found = _summaries(work, {essence})
    if not found:
        raise InputError(f"No take {essence[:12]} is known here.")
    return found[0]


def _summaries(work: Workspace, essences: Collection[str] | None) -> tuple[TakeSummary, ...]:
    with work.database.read() as session:
        takes: list[Take] = []
        if essences is None:
            takes += session.scalars(select(Take))
        else:
            for some in chunks(sorted(essences)):
                takes += session.scalars(select(Take).where(Take.essence.in_(some)))
        counts = select(LineRow.essence, func.count()).group_by(LineRow.essence)
        rings = select(Media.essence).where(Media.circled)
        if essences is not None and len(takes) == 1:
            counts = counts.where(LineRow.essence == takes[0].essence)
            rings = rings.where(Media.essence == takes[0].essence)
        lines = dict(session.execute(counts).tuples().all())
        circled = set(session.scalars(rings))
        paths = latest_paths(session, {take.essence for take in takes})
        found = [_summary(take, paths, take.essence in circled, lines) for take in takes]
    return tuple(sorted(found, key=lambda t: (natural(t.scene), natural(t.take), t.name)))


def _summary(
    take: Take, paths: Mapping[str, Path], circled: bool, lines: Mapping[str, int]
) -> TakeSummary:
    return TakeSummary(
        name=take.name,
        scene=take.scene,
        take=take.take,
        tape=take.tape,
        project=take.project,
        essence=take.essence,
        path=paths.get(take.essence),
        sample_rate=take.sample_rate,
        frames=take.frames,
        time_reference=take.time_reference,
        timecode_rate=rate_from_text(take.timecode_rate),
        circled=circled,
        lines=lines.get(take.essence, 0),
    )

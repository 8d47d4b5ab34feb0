"""Takes as a person sees them: what is known of each, its microphones, its lines and events."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.errors import InputError
from core.media import MediaFile
from db.catalogue import TakeLine, lines_of
from db.events import TakeEvent, events_of
from db.memory import media_by_essence
from db.take_list import KnownNames, TakeSummary, known_names, take_summaries
from flows.channels import listening_channel
from flows.cleaned import Cleaned, cleaned_takes
from flows.takes import microphone_name
from flows.withheld import leaving
from flows.workspace import Workspace


@dataclass(frozen=True)
class Microphone:
    """A channel of a take. channel: from 0. cleaned: as it was cleaned last, or None."""

    channel: int
    name: str
    cleaned: Cleaned | None


@dataclass(frozen=True)
class TakeView:
    """A take and its microphones. media: None where no file of it is there.

    listened: the channel that was transcribed.
    """

    summary: TakeSummary
    media: MediaFile | None
    microphones: tuple[Microphone, ...]
    listened: int


def take_list(work: Workspace) -> tuple[TakeSummary, ...]:
    """All takes that are known, by scene, take and name."""
    with work.database.read() as session:
        return take_summaries(session)


def takes_by_essence(work: Workspace, essences: Collection[str]) -> dict[str, TakeSummary]:
    """What is known of some takes, by the sha256 of their sound."""
    with work.database.read() as session:
        return {found.essence: found for found in take_summaries(session, essences)}


def take_known(work: Workspace, essence: str) -> TakeSummary:
    """What is known of a take. Raises InputError for one that is not known."""
    found = takes_by_essence(work, {essence})
    if not found:
        raise InputError(f"No take {essence[:12]} is known here.")
    return found[essence]


def take_view(work: Workspace, essence: str) -> TakeView:
    """A take by the sha256 of its sound. Raises InputError for one that is not known."""
    summary = take_known(work, essence)
    media = media_of(work, essence)
    if media is None:
        return TakeView(summary, None, (), 0)
    cleaned = cleaned_takes(work, media)
    microphones = tuple(
        Microphone(
            k, microphone_name(media, k), next((c for c in cleaned if k in c.channels), None)
        )
        for k in range(media.channels)
    )
    return TakeView(summary, media, microphones, listening_channel(media))


def lines_in(work: Workspace, essence: str) -> tuple[TakeLine, ...]:
    """The lines of a take that may leave the home. Raises InputError for one that is not known."""
    take_known(work, essence)
    with work.database.read() as session:
        found = lines_of(session, essence=essence)
    return leaving(work, found)


def events_in(work: Workspace, essence: str) -> tuple[TakeEvent, ...]:
    """What happens in a take beside its lines. Raises InputError for one that is not known."""
    take_known(work, essence)
    with work.database.read() as session:
        return events_of(session, essence=essence)


def names_known(work: Workspace) -> KnownNames:
    """The names of speakers, scenes and productions that are known."""
    with work.database.read() as session:
        return known_names(session)


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

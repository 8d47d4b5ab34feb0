"""The cleaned sound of a take as it lies in the store, whichever run made it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from core.media import MediaFile
from db.provenance import ActivityRecord, made_from
from flows.takes import store_path
from flows.workspace import Workspace
from models.quality import Gate

_CHANNELS = TypeAdapter(tuple[int, ...])
_GATES = TypeAdapter(tuple[tuple[Gate, ...], ...])


@dataclass(frozen=True)
class Cleaned:
    """A cleaned take in the store.

    key: names the work. channels: of the original's file, from 0,
    in their order there. engine, recipe: by name. gates: of each of the channels, as they were
    judged then.
    """

    key: str
    path: Path
    channels: tuple[int, ...]
    engine: str
    recipe: str
    gates: tuple[tuple[Gate, ...], ...]


def cleaned_last(work: Workspace, media: MediaFile, channels: Collection[int]) -> Cleaned | None:
    """A take as it was cleaned last with these channels in it, if the store still has that."""
    with work.database.read() as session:
        made = made_from(session, "clean", media.sha256)
    for done in made:
        held = _CHANNELS.validate_python(done.parameters["channels"])
        if set(channels) <= set(held) and store_path(work, done.key).is_file():
            return _cleaned(work, done, held)
    return None


def _cleaned(work: Workspace, done: ActivityRecord, channels: tuple[int, ...]) -> Cleaned:
    return Cleaned(
        key=done.key,
        path=store_path(work, done.key),
        channels=channels,
        engine=str((done.card or {}).get("name", "")),
        recipe=str(done.parameters.get("recipe", "")),
        gates=_GATES.validate_python(done.parameters.get("gates", [])),
    )

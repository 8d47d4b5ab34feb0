"""The cleaned sound of a take as it lies in the store, whichever run made it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from adapters.storage.store import Store
from core.errors import InputError
from core.media import MediaFile
from db.provenance import made_from
from flows.marks import Worked
from flows.workspace import Workspace
from models.card import ModelCard
from models.quality import Gate

_CHANNELS = TypeAdapter(tuple[int, ...])
_BYTES = TypeAdapter(int)
_CARD = TypeAdapter(ModelCard)
_GATES = TypeAdapter(tuple[tuple[Gate, ...], ...])


@dataclass(frozen=True)
class Cleaned:
    """A cleaned take in the store. path: its place there; read it by `sound`.

    key: names the work. channels: of the original's file, from 0, in their order there.
    engine, recipe: by name. worked: what was done to it. gates: of each of the channels, as they
    were judged then.
    """

    key: str
    path: Path
    channels: tuple[int, ...]
    engine: str
    recipe: str
    gates: tuple[tuple[Gate, ...], ...]
    worked: Worked
    store: Store = field(compare=False, repr=False)

    @property
    def sound(self) -> Path:
        """Where its sound can be read now. Raises what `Store.here` does."""
        return self.store.here(self.path)


def cleaned_takes(work: Workspace, media: MediaFile) -> tuple[Cleaned, ...]:
    """All that the store holds of a cleaned file, the latest first."""
    with work.database.read() as session:
        made = made_from(session, "clean", media.sha256)
    return tuple(
        Cleaned(
            key=done.key,
            path=path,
            channels=_CHANNELS.validate_python(done.parameters["channels"]),
            engine=str(done.card.get("name", "")),
            recipe=str(done.parameters.get("recipe", "")),
            gates=_GATES.validate_python(done.parameters.get("gates", [])),
            worked=Worked(
                recipe=str(done.parameters.get("recipe", "")),
                card=_CARD.validate_python(done.card),
                engine_ran=done.parameters.get("limit_db") != 0,
                repaired=bool(done.parameters.get("repairs")),
            ),
            store=work.store,
        )
        for done in made
        if done.card is not None
        and work.store.has(
            path := work.store.place(done.key), _BYTES.validate_python(done.parameters["bytes"])
        )
    )


def cleaned_last(work: Workspace, media: MediaFile, channels: Collection[int]) -> Cleaned | None:
    """A take as it was cleaned last with these channels in it, if the store still has that."""
    found = cleaned_takes(work, media)
    return next((item for item in found if set(channels) <= set(item.channels)), None)


def cleaned_keyed(work: Workspace, media: MediaFile, channel: int, key: str) -> Cleaned:
    """A take as it was cleaned under a key, with this channel in it.

    Raises InputError where the store has no such sound of it.
    """
    for item in cleaned_takes(work, media):
        if item.key == key and channel in item.channels:
            return item
    raise InputError(
        f"That cleaned sound of {media.path.name} is not in the store any more; run roomtone "
        "clean again."
    )

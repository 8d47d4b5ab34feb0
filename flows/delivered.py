"""A delivery as its `delivery.json` tells it, read with care: others may have written there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter

from adapters.json_file import read_bytes
from config.recipes import GateLimits
from core.errors import InputError, OfflineError
from core.roles import Choice
from flows.delivery import LIST, MOST_BYTES, DeliveredFile

_HELD = 32

STEM_ROLES = ("PROD", "DX", "NR", "CHAR", "OTHER", "RT", "THRU")
"""Roles of files that are as long as the cut."""


@dataclass(frozen=True)
class Loudness:
    """Of the dialogue, in LUFS and dBTP: as measured and as delivered; None for silence."""

    measured_lufs: float | None = None
    measured_dbtp: float | None = None
    gain_db: float = 0.0
    delivered_lufs: float | None = None


@dataclass(frozen=True)
class Delivered:
    """What a delivery says of itself.

    complete: whether it was written to its end. recipe: that was asked for; gentler: the one that
    failing setups got. limits: of the gates then. offline: why, by event id. tracks: what each
    audio track was taken for, in the cut's order. head: frames of leader before the programme.
    """

    folder: Path
    complete: bool
    recipe: str
    gentler: str
    limits: GateLimits | None
    loudness: Loudness
    offline: Mapping[str, str]
    tracks: tuple[Choice, ...]
    notes: tuple[str, ...]
    files: tuple[DeliveredFile, ...]
    head: int

    @property
    def stems(self) -> tuple[DeliveredFile, ...]:
        """The files that are as long as the cut, in the list's order."""
        return tuple(entry for entry in self.files if entry.role in STEM_ROLES)

    def stem(self, number: int) -> tuple[DeliveredFile, Path]:
        """A stem and where it lies, by its number from 0.

        Raises InputError for a number that no stem has, OfflineError where it is not there.
        """
        if not 0 <= number < len(self.stems):
            raise InputError(f"The delivery in {self.folder.name} has no stem {number}.")
        return self.stems[number], self.path_of(self.stems[number])

    def track_stem(self, track: str, role: str) -> DeliveredFile | None:
        """The stem of a track in a role, or None."""
        return next((s for s in self.stems if (s.track, s.role) == (track, role)), None)

    def path_of(self, entry: DeliveredFile) -> Path:
        """Where a file of the delivery lies.

        Raises OfflineError where it is not there as it was delivered, InputError where the list
        names something outside the delivery's folder.
        """
        inside = PurePosixPath(entry.path)
        path = (self.folder / inside).resolve()
        if inside.is_absolute() or self.folder.resolve() not in path.parents:
            raise InputError(f"{self.folder / LIST} names a file outside its folder.")
        if not path.is_file() or path.stat().st_size != entry.bytes:
            raise OfflineError(
                f"{inside.name} is not in the delivery as it was written; clean the cut again."
            )
        return path


class _Recipe(BaseModel):
    name: str = ""
    gentler: str = ""
    limits: GateLimits | None = None


class _Loudness(BaseModel):
    measured_lufs: float | None = None
    measured_dbtp: float | None = None
    gain_db: float = 0.0
    delivered_lufs: float | None = None


class _Offline(BaseModel):
    event: str
    reason: str


class _Leader(BaseModel):
    head: int = Field(0, ge=0, le=1 << 30)


class _List(BaseModel):
    model_config = ConfigDict(extra="ignore")

    roomtone: str
    state: str
    recipe: _Recipe = _Recipe()
    loudness: _Loudness = _Loudness()
    # The first item that is wrong is enough: a fault each would fill the memory.
    offline: Annotated[list[_Offline], FailFast()] = []
    tracks: Annotated[list[Choice], FailFast()] = []
    notes: Annotated[list[str], FailFast()] = []
    files: Annotated[list[DeliveredFile], FailFast()] = []
    leader: _Leader = _Leader()


_LISTED = TypeAdapter(_List)


def read_delivery(folder: Path) -> Delivered | None:
    """What the delivery in a folder says of itself, or None where there is none of ours."""
    path = folder / LIST
    try:
        found = path.stat()
    except OSError:
        return None
    return _read(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=_HELD)
def _read(path: Path, size: int, mtime_ns: int) -> Delivered | None:
    """The list of this size and time of change."""
    del size, mtime_ns
    try:
        told = _LISTED.validate_json(read_bytes(path, MOST_BYTES))
    except (OSError, ValueError):
        return None
    return Delivered(
        folder=path.parent,
        complete=told.state == "complete",
        recipe=told.recipe.name,
        gentler=told.recipe.gentler,
        limits=told.recipe.limits,
        loudness=Loudness(**told.loudness.model_dump()),
        offline=MappingProxyType({item.event: item.reason for item in told.offline}),
        tracks=tuple(told.tracks),
        notes=tuple(told.notes),
        files=tuple(told.files),
        head=told.leader.head,
    )

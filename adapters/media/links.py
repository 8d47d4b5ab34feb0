"""What relinking works on, and what it finds: the index, links, and why an event is offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.cut import MediaReference
from core.media import MediaFile

Known = Callable[[MediaReference], str | None]
"""Gives the essence or the sha256 that a reference's file had in an earlier run, or None."""


@dataclass(frozen=True)
class MediaIndex:
    """The media files under the configured roots. roots: resolved folders."""

    files: tuple[MediaFile, ...]
    roots: tuple[Path, ...]


@dataclass(frozen=True)
class Link:
    """An event and its file.

    how: `url`, `material`, `known`, `reel`, `scene`, `name`, `identity` or `sibling`.
    source_start: sample of the file (at its own rate) that the event's first record frame plays;
    it may lie outside the file by less than a frame or by a fade's length. channels: of the file,
    from 0. notes: what was decided on the way, sentences.
    """

    event_id: str
    media: MediaFile
    how: str
    source_start: int
    channels: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Offline:
    """An event whose file is not certain. reason: a sentence for an editor.

    candidates: all that fit alike where several do, else the nearest three at the most, the one
    that the reason names first.
    """

    event_id: str
    reason: str
    candidates: tuple[Path, ...]


@dataclass(frozen=True)
class Weighed:
    """A candidate as it was weighed. verdict: why it was taken or not, a clause."""

    path: Path
    taken: bool
    verdict: str


@dataclass(frozen=True)
class Step:
    """One way that was tried to find an event's file.

    how: as in Link. asked: what was looked for, as the cut writes it. candidates: those that
    were weighed. outcome: what came of it, a clause.
    """

    how: str
    asked: str
    candidates: tuple[Weighed, ...]
    outcome: str


@dataclass(frozen=True)
class Explanation:
    """How an event's file was looked for. label: what the cut calls it. steps: in order."""

    event_id: str
    label: str
    steps: tuple[Step, ...]
    decision: Link | Offline

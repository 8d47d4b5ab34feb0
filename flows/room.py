"""Whether there is room on the disks for what a run will write, found before it begins."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

from adapters.media.probe import SOUND_FORMATS
from core.errors import OutputError
from core.media import MediaFile
from core.plan import Take
from core.time import frames_to_samples
from flows.job import Job
from flows.turnover import Turnover
from flows.workspace import Workspace

SPARE = 64 << 20
"""Bytes that must stay free on a disk: for the database, reports and whatever else writes there."""

_FLOAT, _GRID = 4, 3
_CHARACTERS = 4
"""Stems of characters that a delivery is taken to have, as nobody knows yet who speaks."""


def check_room(wanted: Mapping[Path, int]) -> None:
    """See that folders, also such as are still to be made, have room for so many bytes each.

    Folders on one disk need room together. Raises OutputError where a disk has too little.
    """
    disks: dict[int, list[Path]] = defaultdict(list)
    for folder, size in wanted.items():
        if size > 0:
            there = _there(folder)
            disks[there.stat().st_dev].append(folder)
    for folders in disks.values():
        need = sum(wanted[folder] for folder in folders)
        free = shutil.disk_usage(_there(folders[0])).free
        if free < need + SPARE:
            raise OutputError(
                f"{' and '.join(map(str, folders))} can't hold what this run will write: about "
                f"{_size(need)} are needed and {_size(max(0, free - SPARE))} are free; free some "
                "space (roomtone prune shows what can go) or choose another folder, and run again."
            )


def room_for_cut(work: Workspace, turnover: Turnover, job: Job, missing: Iterable[Take]) -> None:
    """See that there is room for a cut: takes that are still to be cleaned, and the delivery.

    Raises OutputError where there is not.
    """
    takes = [(take, turnover.media[take.essence]) for take in missing]
    extracted = {media.path: _extracted(media) for _, media in takes}
    delivered = max(0, _delivery_bytes(work, turnover) - _wave_bytes(job.out))
    wanted = {
        work.store.folder: sum(take_bytes(take, media) for take, media in takes),
        work.cache: sum(extracted.values()),
        job.out: delivered,
    }
    check_room(wanted)


def room_for_take(work: Workspace, take: Take, media: MediaFile) -> None:
    """See that there is room for a cleaned take. Raises OutputError where there is not."""
    check_room({work.store.folder: take_bytes(take, media), work.cache: _extracted(media)})


def take_bytes(take: Take, media: MediaFile) -> int:
    """The size of a cleaned take's file, but for its header."""
    return media.frames * len(take.channels) * _FLOAT


def _extracted(media: MediaFile) -> int:
    """What the sound of a container takes in the cache."""
    return 0 if media.container in SOUND_FORMATS else media.frames * media.channels * _FLOAT


def _delivery_bytes(work: Workspace, turnover: Turnover) -> int:
    """About the size of a delivery's sound: each track three times, the mixes, and the clips."""
    rate, fps = work.settings.sample_rate, turnover.cut.rate.fps
    tracks = turnover.cut.audio_tracks
    events = [event for track in tracks for event in track.events if event.id in turnover.links]
    ends = [Fraction(event.record_start + event.record_length) for event in events]
    length = frames_to_samples(max(ends, default=Fraction(0)), fps, rate)
    widths = [
        max((len(turnover.links[e.id].channels) for e in track.events if e in events), default=0)
        for track in tracks
    ]
    mixes = 3 + _CHARACTERS  # dialogue, room tone, and who is nobody's
    stems = length * (3 * sum(widths) + mixes * max(widths, default=0)) * _GRID
    clips = 0
    for event in events:
        if event.id in turnover.through:
            continue
        first, last = turnover.played(event)
        link = turnover.links[event.id]
        handles = 2 * round(work.settings.handles_s * link.media.sample_rate)
        most = min(link.media.frames, last - first + handles)
        clips += most * len(link.channels) * _GRID
    return stems + clips


def _wave_bytes(folder: Path) -> int:
    """What sound lies there already, which is written over file by file."""
    return sum(path.stat().st_size for path in folder.glob("*/*.wav"))


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"

"""What is there to be done in watched folders, what is still being copied, and what is broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from adapters.manifests.find import find_manifests
from adapters.manifests.manifest import Listed, Manifest
from adapters.media.arrivals import SOUND_NAME, Look, look, unsettled
from adapters.media.probe import probe
from adapters.media.references import fold
from core.dailies import Daily, daily_of, in_order
from core.errors import InputError
from core.media import MediaFile
from core.words import some
from db.arrivals import first_seen
from db.memory import recall_media
from flows.night import Clock, Fault, NightJob, Waiting
from flows.progress import Progress
from flows.turnover import is_ours, with_reports
from flows.workspace import Workspace

BROKEN_OFF = timedelta(days=1)
"""A copy that was not written to for this long has broken off."""


@dataclass(frozen=True)
class Arrivals:
    """What was found.

    dailies: takes to be done, or done before, in the order of the work. new: how many sound files
    no night had seen. since: when each sound file was first seen. listed: what manifests say of a
    file, by its path.
    pictures, own: files that are left alone. notes: a sentence each.
    """

    dailies: tuple[Daily, ...]
    new: int
    since: Mapping[Path, datetime]
    waiting: tuple[Waiting, ...]
    failed: tuple[Fault, ...]
    listed: Mapping[Path, tuple[tuple[Path, Listed], ...]]
    pictures: int
    own: int
    notes: tuple[str, ...]


def find_dailies(work: Workspace, job: NightJob, clock: Clock, progress: Progress) -> Arrivals:
    """Look at the watched folders, wait, and look again: what is the same both times is whole.

    A new file waits with its folder while anything in there is being written, or is listed by a
    manifest and not there yet. Raises InputError for a root that is no folder.
    """
    for root in job.roots:
        if not root.is_dir():
            raise InputError(f"{root} is not a folder; name the folders that dailies arrive in.")
    progress.step("Looking for new takes", 0)
    seen = look(job.roots)
    known = _known(work, seen)
    moving: frozenset[Path] = frozenset()
    if any(item.path not in known for item in seen.sounds) or seen.unfinished:
        progress.step("Waiting to see what is still being copied", 0)
        clock.sleep(job.settle_s)
        again = look(job.roots)
        moving = unsettled(seen, again)
        seen = again
        known = {path: media for path, media in _known(work, seen).items() if path not in moving}
    manifests, notes = find_manifests(job.roots)
    new = [item.path for item in seen.sounds if item.path not in known]
    now = clock.now()
    with work.database.write() as session:
        since = first_seen(session, [item.path for item in seen.sounds], now)
    waiting, stale = _waiting(new, moving, seen, manifests, since, now)
    held = {item.folder for item in waiting}
    files, failed, own = _probed(
        work, [path for path in new if path.parent not in held], known.values(), since
    )
    files, odd = with_reports(files, job.roots)
    dailies = in_order(
        daily_of(media, datetime.fromtimestamp(media.mtime_ns / 1e9, now.tzinfo)) for media in files
    )
    warnings = [text for manifest in manifests for text in manifest.warnings]
    return Arrivals(
        dailies=dailies,
        new=sum(since[path] == now for path in new),
        since=since,
        waiting=waiting,
        failed=failed,
        listed=_listed(manifests, [item.path for item in seen.sounds]),
        pictures=seen.pictures,
        own=own,
        notes=(*notes, *warnings, *stale, *odd),
    )


def _known(work: Workspace, seen: Look) -> dict[Path, MediaFile]:
    """The files that an earlier run worked with, unchanged since."""
    with work.database.read() as session:
        found = {
            item.path: recall_media(session, item.path, item.size, item.mtime_ns)
            for item in seen.sounds
        }
    return {path: media for path, media in found.items() if media is not None}


def _waiting(
    new: Sequence[Path],
    moving: Iterable[Path],
    seen: Look,
    manifests: Sequence[Manifest],
    since: Mapping[Path, datetime],
    now: datetime,
) -> tuple[tuple[Waiting, ...], list[str]]:
    """The folders that are still being copied to, and a sentence for each copy that broke off."""
    reasons: dict[Path, list[str]] = {}

    def say(paths: Iterable[Path], before: str) -> None:
        by_folder: dict[Path, list[str]] = {}
        for path in sorted(paths):
            by_folder.setdefault(path.parent, []).append(path.name)
        for folder, names in by_folder.items():
            reasons.setdefault(folder, []).append(f"{before}: {some(names)}.")

    say(moving, "Being written")
    stale, fresh = [], []
    for item in seen.unfinished:
        age = now.timestamp() - item.mtime_ns / 1e9
        if age > BROKEN_OFF.total_seconds():
            stale.append(
                f"{item.path} was left by a copy that broke off: copy the file again, or remove it."
            )
        else:
            fresh.append(item.path)
    say(fresh, "Being copied")
    there = {fold(str(item.path)) for item in seen.sounds}
    for manifest in manifests:
        missing = [
            path
            for listed in manifest.files
            if SOUND_NAME.search(listed.path.name)
            and not any(part.startswith(".") for part in listed.path.parts)
            and fold(str(path := manifest.folder / listed.path)) not in there
        ]
        say(missing, f"Listed in {manifest.path.name} and not there yet")
    inside: dict[Path, list[Path]] = {}
    for path in new:
        inside.setdefault(path.parent, []).append(path)
    first = {folder: min(since[path] for path in paths) for folder, paths in inside.items()}
    return (
        tuple(
            Waiting(folder, len(inside.get(folder, ())), " ".join(told), first.get(folder))
            for folder, told in sorted(reasons.items())
            if folder.is_dir()
        ),
        stale,
    )


def _probed(
    work: Workspace,
    new: Sequence[Path],
    known: Iterable[MediaFile],
    since: Mapping[Path, datetime],
) -> tuple[tuple[MediaFile, ...], tuple[Fault, ...], int]:
    """The originals among the files, what can't be read, and how many roomtone made itself."""
    files, failed = list(known), []
    for path in new:
        try:
            files.append(probe(path))
        except InputError as fault:
            failed.append(Fault(path, str(fault), since[path]))
    originals = tuple(media for media in files if not is_ours(work, media))
    return originals, tuple(failed), len(files) - len(originals)


def _listed(
    manifests: Sequence[Manifest], paths: Sequence[Path]
) -> dict[Path, tuple[tuple[Path, Listed], ...]]:
    """What the manifests say of each file, however they write its letters and accents."""
    by_name = {fold(str(path)): path for path in paths}
    found: dict[Path, list[tuple[Path, Listed]]] = {}
    for manifest in manifests:
        for item in manifest.files:
            path = by_name.get(fold(str(manifest.folder / item.path)))
            if path is not None:
                found.setdefault(path, []).append((manifest.path, item))
    return {path: tuple(items) for path, items in found.items()}

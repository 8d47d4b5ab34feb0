"""Finding the media of a cut: by URL, by reel and timecode, by scene and take, by name.

A file counts only if it holds the range that the event plays. Where several do and nothing
tells them apart, the event stays offline with the candidates named: a guess is never linked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.media.placing import Placing, Trust, place, played_range, sounding_channels
from adapters.media.probe import probe, scan
from adapters.media.references import (
    Slate,
    file_slate,
    fold,
    locate,
    reel_keys,
    reference_names,
    reference_slate,
    shared_tail,
    stems,
)
from core.cut import Cut, Event
from core.errors import InputError
from core.media import MediaFile
from core.time import FrameRate

Recall = Callable[[Path, int, int], MediaFile | None]
"""Gives what is remembered of a file by path, size in bytes and mtime_ns, or None."""


@dataclass(frozen=True)
class MediaIndex:
    """The media files under the configured roots. roots: resolved folders."""

    files: tuple[MediaFile, ...]
    roots: tuple[Path, ...]


@dataclass(frozen=True)
class Link:
    """An event and its file.

    how: `url`, `reel`, `scene` or `name`. source_start: sample of the file (at its own rate) that
    the event's first record frame plays; it may lie outside the file by less than a frame or by a
    fade's length. channels: of the file, from 0. notes: what was decided on the way, sentences.
    """

    event_id: str
    media: MediaFile
    how: str
    source_start: int
    channels: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Offline:
    """An event whose file is not certain. reason: a sentence for an editor."""

    event_id: str
    reason: str
    candidates: tuple[Path, ...]


@dataclass(frozen=True)
class _Tables:
    """The index by what references say. Keys are folded for comparison."""

    roots: tuple[Path, ...]
    by_path: dict[Path, MediaFile]
    by_name: dict[str, list[MediaFile]]
    by_stem: dict[str, list[MediaFile]]
    by_reel: dict[str, list[MediaFile]]
    by_slate: dict[Slate, list[MediaFile]]


@dataclass(frozen=True)
class _Step:
    """Files that one criterion gives. how: its name. label: for people."""

    how: str
    label: str
    trust: Trust
    files: tuple[MediaFile, ...]


def build_index(roots: Sequence[Path], recall: Recall) -> tuple[MediaIndex, tuple[str, ...]]:
    """The media files under the roots, probing those that `recall` does not know.

    Gives the index and a warning, a sentence each, for files that can't be used and for what is
    odd about the others. Raises InputError for a root that does not exist.
    """
    files: list[MediaFile] = []
    warnings: list[str] = []
    for path in scan(roots):
        try:
            stat = path.stat()
            known = recall(path, stat.st_size, stat.st_mtime_ns)
            media = probe(path) if known is None else known
        except InputError as fault:
            warnings.append(str(fault))
            continue
        except OSError as fault:
            warnings.append(f"{path} can't be read ({fault.strerror}): check the disk.")
            continue
        files.append(media)
        warnings += media.warnings
    resolved = tuple(dict.fromkeys(root.resolve() for root in roots))
    return MediaIndex(tuple(files), resolved), tuple(warnings)


def relink(
    cut: Cut, index: MediaIndex, cut_folder: Path
) -> tuple[tuple[Link, ...], tuple[Offline, ...]]:
    """Every enabled event of the cut's enabled audio tracks, linked or offline with the reason.

    cut_folder: where relative URLs count from. Nothing outside the index's roots is looked at.
    """
    tables = _tables(index)
    links: list[Link] = []
    offline: list[Offline] = []
    for track in cut.audio_tracks:
        for event in track.events if track.enabled else ():
            if event.enabled:
                found = _find(event, cut.rate, tables, cut_folder)
                if isinstance(found, Link):
                    links.append(found)
                else:
                    offline.append(found)
    return tuple(links), tuple(offline)


def _find(event: Event, rate: FrameRate, tables: _Tables, folder: Path) -> Link | Offline:
    misses: list[tuple[_Step, MediaFile]] = []
    refusal = ""
    try:
        steps = list(_by_url(event, tables, folder))
    except InputError as fault:
        steps, refusal = [], str(fault)
    for step in (*steps, *_by_words(event, tables)):
        placings = []
        for media in step.files:
            placing = place(event, media, rate, step.trust)
            if placing is None:
                misses.append((step, media))
            else:
                placings.append(placing)
        if placings:
            return _choose(event, rate, step, placings, refusal)
    return _not_found(event, rate, misses, refusal)


def _by_url(event: Event, tables: _Tables, folder: Path) -> Iterator[_Step]:
    """The file that the URL names; else those that share the longest tail of its path.

    Raises InputError (a sentence) for a URL that leads out of the roots or is no file.
    """
    url = event.media.url
    if not url:
        return
    where = locate(url, folder)
    if where.foreign:
        raise InputError(f"{url} is not a file on a disk: download it and relink.")
    for path in where.paths:
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if not any(real.is_relative_to(root) for root in tables.roots):
            raise InputError(
                f"{url} leads outside the media folders: add its folder to them if it belongs "
                "to the production."
            )
        if real in tables.by_path:
            yield _Step("url", "URL", Trust.URL, (tables.by_path[real],))
            return
    named = tables.by_name.get(fold(where.parts[-1]), []) if where.parts else []
    longest = max((shared_tail(media.path, where.parts) for media in named), default=0)
    tail = tuple(media for media in named if shared_tail(media.path, where.parts) == longest)
    if tail:
        yield _Step("url", "URL", Trust.NAMED, tail)


def _by_words(event: Event, tables: _Tables) -> Iterator[_Step]:
    """Files by reel, by scene and take, and by each name that the reference gives."""
    keys = reel_keys(event.media.reel)
    reel = _unique(media for key in keys[:1] for media in tables.by_reel.get(key, ()))
    yield _Step("reel", "reel", Trust.TIMECODE, reel)
    wanted = reference_slate(event.media)
    if wanted is not None:
        slates = tuple(tables.by_slate.get(wanted, ()))
        yield _Step("scene", "scene and take", Trust.SLATE, slates)
    for name in reference_names(event.media):
        named = _unique(media for stem in stems(name) for media in tables.by_stem.get(stem, ()))
        yield _Step("name", "name", Trust.NAMED, named)


def _choose(
    event: Event, rate: FrameRate, step: _Step, placings: list[Placing], refusal: str
) -> Link | Offline:
    """The one file that fits best, or offline where several fit alike."""
    left = _distinct(placings)
    for fits in _preferences(event, rate):
        if len(left) > 1:
            left = [placing for placing in left if fits(placing)] or left
    if len(left) > 1:
        return Offline(
            event.id,
            f"{len(left)} files fit {_label(event)} alike by {step.label}: keep one of them in the "
            "media folders, or link the clip in the cut.",
            tuple(placing.media.path for placing in left),
        )
    chosen = left[0]
    try:
        channels, note = sounding_channels(event, chosen.media)
    except ValueError as fault:
        return Offline(event.id, str(fault), (chosen.media.path,))
    notes = (*((refusal,) if refusal else ()), *chosen.notes, *((note,) if note else ()))
    return Link(event.id, chosen.media, step.how, chosen.start, channels, notes)


def _preferences(event: Event, rate: FrameRate) -> Iterator[Callable[[Placing], bool]]:
    """What speaks for one of several files that a criterion found, the strongest first."""
    reel = reel_keys(event.media.reel)[:1]
    wanted = reference_slate(event.media)
    yield lambda placing: placing.full
    yield lambda placing: place(event, placing.media, rate, Trust.TIMECODE) is not None
    yield lambda placing: bool(set(reel) & set(reel_keys(placing.media.notes.tape)))
    yield lambda placing: wanted is not None and file_slate(placing.media) == wanted
    for name in reference_names(event.media):
        yield partial(_has_name, stems(name))


def _has_name(spellings: tuple[str, ...], placing: Placing) -> bool:
    return fold(placing.media.path.stem) in spellings


def _distinct(placings: Iterable[Placing]) -> list[Placing]:
    """One of each sound, the first by path; a sound that was not hashed counts for itself."""
    seen: dict[tuple[str, int], Placing] = {}
    for placing in sorted(placings, key=lambda placing: placing.media.path):
        sound = placing.media.essence or str(placing.media.path)
        seen.setdefault((sound, placing.start), placing)
    return list(seen.values())


def _not_found(
    event: Event, rate: FrameRate, misses: list[tuple[_Step, MediaFile]], refusal: str
) -> Offline:
    candidates = tuple(dict.fromkeys(media.path for _, media in misses))
    if refusal:
        return Offline(event.id, refusal, candidates)
    named = [(step, media) for step, media in misses if step.how != "reel"]
    if named:
        step, media = named[0]
        reason = (
            f"{media.path.name} matches {_label(event)} by {step.label}, but does not hold "
            f"{played_range(event, rate)}: supply the whole take or correct the source timecode."
        )
    elif misses:
        reason = (
            f"No file of reel {event.media.reel} holds {played_range(event, rate)} for "
            f"{_label(event)}: add the folder that does."
        )
    else:
        reason = f"No media file matches {_label(event)}: add the folder that holds it."
    return Offline(event.id, reason, candidates)


def _label(event: Event) -> str:
    names = (event.media.name, *reference_names(event.media), event.media.reel)
    return next((name for name in names if name), f"event {event.id}")


def _unique(files: Iterable[MediaFile]) -> tuple[MediaFile, ...]:
    return tuple({media.path: media for media in files}.values())


def _tables(index: MediaIndex) -> _Tables:
    tables = _Tables(
        index.roots,
        {media.path.resolve(): media for media in index.files},
        defaultdict(list),
        defaultdict(list),
        defaultdict(list),
        defaultdict(list),
    )
    for media in index.files:
        tables.by_name[fold(media.path.name)].append(media)
        tables.by_stem[fold(media.path.stem)].append(media)
        for key in reel_keys(media.notes.tape):
            tables.by_reel[key].append(media)
        found = file_slate(media)
        if found is not None:
            tables.by_slate[found].append(media)
    return tables

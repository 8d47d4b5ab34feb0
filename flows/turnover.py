"""Read a cut and find its media: what everything after works from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from adapters.media.decode import sound_file
from adapters.media.essence import essence_sha256, file_sha256
from adapters.media.known import known_from, worth_hashing
from adapters.media.links import Known
from adapters.media.references import fold, locate, reference_names
from adapters.media.relink import Link, MediaIndex, Offline, build_index, relink
from adapters.reports.report import find_reports, index_reports, read_report, with_report
from adapters.timelines.read import read_cut, timeline_file
from core.conform import Source
from core.cut import Cut, Event, with_distinct_tracks
from core.errors import InputError, OfflineError
from core.media import MediaFile
from core.override import Override
from core.plan import Take, takes_needed
from core.reels import with_hour_start
from core.roles import Choice, choose_tracks, passes_through
from core.time import RATES, FrameRate, frames_to_samples
from core.words import some
from db.memory import recall_media, remember_media, remembered_media
from flows.progress import Progress
from flows.wild import wild_of
from flows.workspace import Workspace

OUR_MARK = "T=roomtone "
_BLANK_BYTES = 1 << 20
"""White space at the start of a cut's file after which nothing else is looked for."""


@dataclass(frozen=True)
class Turnover:
    """A cut with its media found.

    digest: sha256 of the cut file. links: by event id. media: by essence, hashed.
    notes: what a person should know, a sentence each. choices: what each audio track is taken
    for. through: ids of the events that are no production dialogue and pass through untouched.
    overrides: what a person decided, by the ids of the events that it holds for. wild: wild
    tracks of the scenes and sound rolls of the cut that no event plays, hashed.
    """

    cut: Cut
    path: Path
    digest: str
    links: Mapping[str, Link]
    offline: tuple[Offline, ...]
    media: Mapping[str, MediaFile]
    notes: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    through: frozenset[str] = frozenset()
    overrides: Mapping[str, Override] = field(default_factory=dict)
    wild: tuple[MediaFile, ...] = ()

    def take_of(self, event_id: str) -> Take:
        """The take that an event plays."""
        link = self.links[event_id]
        override = self.overrides.get(event_id)
        return Take(
            link.media.essence, link.channels, override.variant if override is not None else ""
        )

    def played(self, event: Event) -> tuple[int, int]:
        """Samples of its file that an event plays: the first, and one past the last.

        Backwards, it plays what lies before its first sample.
        """
        link = self.links[event.id]
        length = frames_to_samples(
            event.record_length * event.speed, self.cut.rate.fps, link.media.sample_rate
        )
        ends = (link.source_start, link.source_start + length)
        return min(ends), max(ends)

    def override_of(self, take: Take) -> Override | None:
        """What a person decided for a take of this cut, or None."""
        same = (item for item in self.overrides.values() if item.variant == take.variant)
        return next(same, None) if take.variant else None

    @property
    def takes(self) -> tuple[Take, ...]:
        """Every take to be cleaned, once, in the order of first use."""
        return takes_needed(
            self.take_of(event_id) for event_id in self.links if event_id not in self.through
        )

    @property
    def dialogue(self) -> tuple[MediaFile, ...]:
        """The files that dialogue comes from, once, in the order of first use."""
        return tuple(self.media[key] for key in dict.fromkeys(take.essence for take in self.takes))

    @property
    def sources(self) -> dict[str, Source]:
        """Where each linked event's sound comes from, for conform."""
        return {
            event_id: Source(
                self.take_of(event_id).id, link.source_start, link.media.sample_rate, link.channels
            )
            for event_id, link in self.links.items()
        }


def read_turnover(
    work: Workspace, path: Path, roots: Sequence[Path], progress: Progress
) -> Turnover:
    """Read a cut and relink it against the media under `roots`.

    A file that can't be decoded to its end is offline like one that is not there.
    Raises InputError for an unreadable cut or root, OfflineError where nothing was found.
    """
    _refuse_empty(path)
    progress.step("Looking for media", 0)
    index, unread = index_media(work, roots)
    rate, notes = edl_rate_of(work, path, index)
    cut = with_distinct_tracks(read_cut(path, rate, work.essence))
    if work.settings.reel:
        cut = with_hour_start(cut, work.settings.reel)
    choices = choose_tracks(cut, work.settings.tracks)
    audio_events = [event for track in cut.audio_tracks for event in track.events]
    if not audio_events:
        raise InputError(f"{path} has no sound, only picture; export it with its audio tracks.")
    through = frozenset(_through(cut, choices))
    if all(event.id in through for event in audio_events):
        raise InputError(
            f"{path} has no track that is dialogue by role or name "
            f"({', '.join(track.name for track in cut.audio_tracks)}); name them with --tracks."
        )
    index, more = with_essence(work, index, cut)
    unread += more
    index, known = with_renamed(work, candidates(work, index, cut), path.parent)
    found, missing = relink(cut, index, path.parent, known=known)
    links, media, broken = _hash(work, found, progress)
    missing = tuple(unreadable(missing, audio_events, unread))
    failed = {item.event_id: item for item in (*missing, *broken)}
    offline = tuple(failed[event.id] for event in audio_events if event.id in failed)
    if not links:
        reason = offline[0].reason if offline else "every event is disabled"
        raise OfflineError(
            f"All media of {path} are offline ({reason.rstrip('.')}); "
            "name the folders that hold them with --media."
        )
    wild, silent = _wild_tracks(work, index, media.values())
    return Turnover(
        cut=cut,
        path=path,
        digest=file_sha256(timeline_file(path)),
        links=links,
        offline=offline,
        media=media,
        choices=choices,
        through=through,
        wild=wild,
        notes=(*notes, *cut.warnings, *unread, *silent, *_link_notes(found)),
    )


def _wild_tracks(
    work: Workspace, index: MediaIndex, linked: Iterable[MediaFile]
) -> tuple[tuple[MediaFile, ...], tuple[str, ...]]:
    """The wild tracks that room tone may come from, hashed; and why others can't be used."""
    if not work.settings.room_tone:
        return (), ()
    used = tuple(linked)
    paths = {media.path for media in used}
    found, faults = [], []
    for media in wild_of(index.files, used):
        if media.path not in paths:
            try:
                found.append(hash_media(work, media))
            except InputError as fault:
                faults.append(f"{fault} Its room tone is not used.")
    return tuple(found), tuple(faults)


def _through(cut: Cut, choices: Sequence[Choice]) -> Iterator[str]:
    by_track = {choice.track: choice for choice in choices}
    for track in cut.audio_tracks:
        for event in track.events:
            if passes_through(event, by_track[track.name]):
                yield event.id


def _refuse_empty(path: Path) -> None:
    try:
        with timeline_file(path).open("rb") as file:
            empty = not file.read(_BLANK_BYTES).strip()
    except OSError:
        return  # said better by whoever reads it
    if empty:
        raise InputError(f"{path} is empty; export the cut again.")


def unreadable(
    missing: Sequence[Offline], events: Sequence[Event], unread: Sequence[str]
) -> Iterator[Offline]:
    """What was not found; where its file is there but can't be read, that is the reason given."""
    media = {event.id: event.media for event in events}
    for item in missing:
        stems = [f"/{PurePath(name).stem}." for name in reference_names(media[item.event_id])]
        told = (text for text in unread if any(stem in text.replace("\\", "/") for stem in stems))
        yield replace(item, reason=next(told, item.reason))


def with_renamed(work: Workspace, index: MediaIndex, cut_folder: Path) -> tuple[MediaIndex, Known]:
    """What earlier runs know of references, and the index with what may be renamed hashed.

    Only files as long as one that is gone from its place are hashed.
    """
    with work.database.read() as session:
        seen = remembered_media(session)
    gone = [media for media in seen if not media.path.exists()]
    hashed: dict[Path, MediaFile] = {}
    for media in worth_hashing(index, gone) if gone else ():
        with suppress(InputError):  # found to be broken when it is used
            hashed[media.path] = hash_media(work, media)
    files = tuple(hashed.get(media.path, media) for media in index.files)
    return replace(index, files=files), known_from(
        {media.path: media.essence for media in seen}, cut_folder
    )


def index_media(work: Workspace, roots: Sequence[Path]) -> tuple[MediaIndex, tuple[str, ...]]:
    """Every media file under the roots; what could not be read is a sentence each.

    Scene, take and the like that a file lacks are taken from sound reports beside the media.
    """
    for root in roots:
        if not root.is_dir():
            raise InputError(f"{root} is not a folder; --media takes the folders that hold media.")
    with work.database.read() as session:
        index, warnings = build_index(
            roots, lambda path, size, mtime_ns: recall_media(session, path, size, mtime_ns)
        )
    files, more = with_reports(index.files, roots)
    return replace(index, files=files), (*warnings, *more)


def with_reports(
    media: Sequence[MediaFile], roots: Sequence[Path]
) -> tuple[tuple[MediaFile, ...], tuple[str, ...]]:
    """Media files with what the sound reports below the roots add, and what was odd about these."""
    paths = find_reports(roots)
    if not paths:
        return tuple(media), ()
    reports, warnings = [], []
    for path in paths:
        try:
            reports.append(read_report(path))
        except InputError as fault:
            warnings.append(str(fault))
    told = index_reports(reports)
    files = tuple(with_report(item, told) for item in media)
    for new, old in zip(files, media, strict=True):
        warnings += new.warnings[len(old.warnings) :]
    return files, tuple(warnings)


def is_ours(work: Workspace, media: MediaFile) -> bool:
    """Whether roomtone made a file, so that it is no original."""
    own = (work.store.folder.resolve(), work.cache.resolve())
    return OUR_MARK in media.notes.coding_history or any(
        media.path.is_relative_to(folder) for folder in own
    )


def candidates(work: Workspace, index: MediaIndex, cut: Cut) -> MediaIndex:
    """The index without what roomtone made, lest a delivery among the media is cleaned again.

    A file that the cut itself names by URL, and that is no original's name, stays.
    """
    made = {media.path for media in index.files if is_ours(work, media)}
    kept = {
        fold(parts[-1])
        for track in cut.audio_tracks
        for event in track.events
        if event.media.url and (parts := locate(event.media.url, Path()).parts)
    } - {fold(media.path.name) for media in index.files if media.path not in made}
    files = [
        media for media in index.files if media.path not in made or fold(media.path.name) in kept
    ]
    return replace(index, files=tuple(files))


def with_essence(
    work: Workspace, index: MediaIndex, cut: Cut
) -> tuple[MediaIndex, tuple[str, ...]]:
    """The index with the sound that the cut carried inside it, where it did."""
    home = work.essence.as_uri()
    if not any(event.media.url.startswith(home) for _, event in cut.sounding()):
        return index, ()
    inside, unread = index_media(work, (work.essence,))
    return MediaIndex((*index.files, *inside.files), (*index.roots, *inside.roots)), unread


def hash_media(work: Workspace, media: MediaFile) -> MediaFile:
    """The media file with the hashes of its bytes and of its sound, remembered.

    Raises InputError where the file can't be decoded to its end or holds NaN.
    """
    if media.essence and media.sha256:
        return media
    decoded = sound_file(media, work.cache)
    found = replace(media, sha256=file_sha256(media.path), essence=essence_sha256(media, decoded))
    with work.database.write() as session:
        remember_media(session, found)
    return found


def edl_rate_of(
    work: Workspace, path: Path, index: MediaIndex
) -> tuple[FrameRate, tuple[str, ...]]:
    """The frame rate for an EDL: as set, else as most of the media's recorders say."""
    if work.settings.edl_frame_rate is not None:
        return work.settings.edl_frame_rate, ()
    counted = Counter(
        media.notes.timecode_rate for media in index.files if media.notes.timecode_rate
    )
    if path.suffix.lower() != ".edl":
        return RATES["24"], ()
    if not counted:
        return RATES["24"], (
            f"{path.name} names no frame rate and neither do its media: 24 is assumed; "
            "give --edl-rate where that is wrong.",
        )
    rate = counted.most_common(1)[0][0]
    return rate, (f"{path.name} is read at {rate} frames a second, as its media say.",)


def _hash(
    work: Workspace, links: Sequence[Link], progress: Progress
) -> tuple[dict[str, Link], dict[str, MediaFile], list[Offline]]:
    """Links by event id with their media hashed, the media by essence, and what is broken."""
    files = {link.media.path: link.media for link in links}
    name = "Checking media"
    progress.step(name, len(files))
    hashed: dict[Path, MediaFile] = {}
    faults: dict[Path, str] = {}
    for path, media in files.items():
        try:
            hashed[path] = hash_media(work, media)
        except InputError as fault:
            faults[path] = str(fault)
        progress.advance(name)
    good = {
        link.event_id: replace(link, media=hashed[link.media.path])
        for link in links
        if link.media.path in hashed
    }
    broken = [
        Offline(link.event_id, faults[link.media.path], (link.media.path,))
        for link in links
        if link.media.path in faults
    ]
    return good, {media.essence: media for media in hashed.values()}, broken


def _link_notes(links: Sequence[Link]) -> list[str]:
    """What was decided while relinking, each sentence once with the events it holds for."""
    events: dict[str, list[str]] = {}
    for link in links:
        for note in link.notes:
            events.setdefault(note, []).append(link.event_id)
    return [f"{some(ids)}: {note}" for note, ids in events.items()]

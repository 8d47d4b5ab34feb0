"""Spotting lists of takes and cuts from what the database knows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from adapters.media.essence import file_sha256
from adapters.timelines.read import read_cut, timeline_file
from adapters.transcripts.write import Sheet
from config.recipes import load_recipe
from core.conform import (
    Placement,
    Retimed,
    Source,
    conformable,
    cut_length,
    placements,
    retime_notes,
    start_sample,
)
from core.cut import Cut, Event, MediaReference, Track, with_distinct_tracks
from core.days import day_asked, day_of
from core.errors import InputError
from core.media import MediaFile
from core.recorded import Playing, recorded
from core.reels import with_hour_start
from core.speech import Line
from core.spotting import Spot, SpottingList, with_overlaps
from core.time import RATES, FrameRate, samples_to_timecode
from core.words import some
from db.catalogue import lines_of
from db.events import events_of
from db.memory import CutRecord, asset_at, media_by_essence, recall_cut
from db.takes import natural
from flows.channels import person_channels
from flows.delivery import LIST, read_list
from flows.known import takes_named
from flows.privacy import privacy_in
from flows.progress import Progress
from flows.references import placed
from flows.settle import wearers
from flows.turnover import read_turnover
from flows.withheld import held_notes, kept_back, refuse_withheld_files
from flows.workspace import Workspace


@dataclass(frozen=True)
class Linked:
    """Where an event's sound comes from: a file, and the sample of it that the event starts at."""

    media: MediaFile
    start: int
    channels: tuple[int, ...]


@dataclass(frozen=True)
class CutSheets:
    """A cut's list, the lists of the takes it plays, and what a person should know of them.

    path: of the cut's file. media: its sound files, as they were last seen.
    """

    sheet: Sheet
    takes: tuple[Sheet, ...]
    notes: tuple[str, ...]
    path: Path
    media: tuple[MediaFile, ...]


def take_sheets(
    work: Workspace, asked: Sequence[str], day: str = ""
) -> tuple[tuple[Sheet, ...], tuple[MediaFile, ...]]:
    """The lists of takes in their order, and their files.

    asked: as people name takes; none: all that have lines. day: only those recorded then
    (`2026-11-27`). Raises InputError for a take, or a day, of which nothing is known, UsageError
    for what is no day, and where export is not allowed.
    """
    essences: set[str] | None = None
    with work.database.read() as session:
        if asked:
            essences = set()
            for name in asked:
                essences.update(takes_named(session, name))
        files = media_by_essence(session, essences)
    day = day_asked(day)
    if day:
        files = {
            essence: media
            for essence, media in files.items()
            if day_of(media.notes.origination_date) == day
        }
    held = {essence for essence, media in files.items() if privacy_in(work, media).no_export}
    if asked or len(held) == len(files):
        refuse_withheld_files(work, files.values())
    files = {essence: media for essence, media in files.items() if essence not in held}
    spots = spots_of(work, files)
    files = {essence: media for essence, media in files.items() if asked or spots[essence]}
    if not files:
        when = f" recorded on {day}" if day else ""
        raise InputError(f"No lines are known of any take{when}; clean a cut first.")
    ordered = sorted(files.values(), key=_order)
    return tuple(take_sheet(media, spots[media.essence]) for media in ordered), tuple(ordered)


def line_spot(media: MediaFile, line: Line) -> Spot:
    """A line of a take as a spot in samples of its file."""
    return replace(
        _of_take(media, line.start, line.end),
        speaker=line.speaker,
        words=line.words,
        confidence=line.confidence,
        draft=line.draft,
        language=line.language,
        engine=line.engine,
        heard_in=line.heard_in,
        corrected=line.heard is not None,
        overlap=line.overlap > 0,
    )


def spots_of(work: Workspace, files: Mapping[str, MediaFile]) -> dict[str, tuple[Spot, ...]]:
    """Lines and events of these takes by essence, in samples of their files.

    Lines that may not leave the home are left out.
    """
    found: dict[str, list[Spot]] = {essence: [] for essence in files}
    held = {essence: kept_back(work, media) for essence, media in files.items()}
    with work.database.read() as session:
        for essence, media in files.items():
            stays = held[essence]
            found[essence] += [
                line_spot(media, item.line)
                for item in lines_of(session, None, essence)
                if not stays(item.line.speaker)
            ]
            for told in events_of(session, None, essence):
                event = told.event
                found[essence].append(
                    replace(
                        _of_take(media, event.start, event.end),
                        kind=event.kind.value,
                        label=event.kind.value.capitalize(),
                        note=event.note,
                        confidence=event.confidence,
                        channel=event.channel,
                    )
                )
    return {essence: with_overlaps(spots) for essence, spots in found.items()}


def take_sheet(media: MediaFile, spots: Sequence[Spot]) -> Sheet:
    """A take's list, and a cut of one clip that plays the whole take."""
    notes = media.notes
    rate = notes.timecode_rate or RATES["24"]
    found = SpottingList(
        name=media.path.stem,
        clock="source",
        spots=tuple(spots),
        sample_rate=media.sample_rate,
        length=media.frames,
        rate=rate,
        reference=notes.time_reference or 0,
        has_timecode=notes.time_reference is not None and notes.timecode_rate is not None,
        scene=notes.scene,
        take=notes.take,
        tape=notes.tape,
        channels=media.channels,
    )
    length = Fraction(found.frame(max(0, media.frames - 1)) + 1 - found.first_frame)
    start = Fraction(found.first_frame)
    reference = MediaReference(
        name=found.name,
        url=media.path.as_uri() if media.path.is_absolute() else media.path.as_posix(),
        reel=notes.tape,
        available_start=start,
        available_length=length,
    )
    event = Event("A1/001", Fraction(0), length, start, reference)
    return Sheet(found, Cut(found.name, rate, found.first_frame, length, (Track("A1", (event,)),)))


def cut_sheets(
    work: Workspace, given: Path, roots: Sequence[Path], progress: Progress
) -> CutSheets:
    """A cut's list in record time, and those of the takes that it plays.

    given: a cut's file, a delivery's folder, or a timeline in one. A cut that was cleaned before
    is known with its links; any other needs its media under `roots`.
    Raises InputError and OfflineError as `read_turnover` does.
    """
    path = _cut_file(work, given)
    try:
        digest = file_sha256(timeline_file(path))
    except InputError:
        digest = ""  # said better by whoever reads it
    with work.database.read() as session:
        known = recall_cut(session, digest)
    if known is not None:
        cut, links, notes = _remembered(work, path, known)
    elif not path.exists():
        raise InputError(f"{path} does not exist; name the cut's file or its delivery.")
    elif roots:
        turnover = read_turnover(work, path, roots, progress)
        cut, notes = turnover.cut, turnover.notes
        links = {
            event_id: Linked(link.media, link.source_start, link.channels)
            for event_id, link in turnover.links.items()
            if event_id not in turnover.through
        }
    else:
        raise InputError(
            f"{path} was not cleaned in this home; name the folders of its sound with --media."
        )
    retimed = load_recipe(work.settings.recipe).retimed
    files = {link.media.essence: link.media for link in links.values()}
    refuse_withheld_files(work, files.values())
    spots = spots_of(work, files)
    silent = [media.path.name for essence, media in files.items() if not spots[essence]]
    if len(silent) == len(files):
        raise InputError(f"No lines are known of the takes of {path}; clean the cut first.")
    notes = (
        *notes,
        *retime_notes(cut, retimed),
        *held_notes(work, files.values()),
        *((f"No lines are known of {some(silent)}.",) if silent else ()),
    )
    ordered = sorted(files.values(), key=_order)
    takes = tuple(take_sheet(media, spots[media.essence]) for media in ordered)
    return CutSheets(
        Sheet(
            record_list(
                cut, links, spots, work.settings.sample_rate, retimed, partial(wearers, work)
            ),
            placed(cut, path.parent),
        ),
        takes,
        notes,
        path,
        tuple(ordered),
    )


def record_list(
    cut: Cut,
    links: Mapping[str, Linked],
    spots: Mapping[str, Sequence[Spot]],
    sample_rate: int,
    retimed: Retimed = "silence",
    worn: Callable[[MediaFile], Mapping[int, str]] = person_channels,
) -> SpottingList:
    """The list of a cut, in samples from its first frame.

    links: by event id. spots: of each take, by essence. sample_rate: the session's, in Hz.
    retimed: what becomes of speeds that can't be conformed. worn: whose microphone each channel
    of a file is.
    """
    sources = {
        event_id: Source(link.media.essence, link.start, link.media.sample_rate, link.channels)
        for event_id, link in links.items()
    }
    playing = [
        Playing(
            placement,
            placement.take,
            links[placement.event_id].media.sample_rate,
            tuple(spots[placement.take]),
            _absent(placement, worn(links[placement.event_id].media)),
        )
        for placement in placements(cut, sources, sample_rate, retimed)
    ]
    files = {link.media.essence: link.media for link in links.values()}
    return SpottingList(
        name=cut.name,
        clock="record",
        spots=tuple(_placed(spot, files[spot.key]) for spot in recorded(playing, sample_rate)),
        sample_rate=sample_rate,
        length=cut_length(cut, sample_rate),
        rate=cut.rate,
        reference=start_sample(cut, sample_rate),
    )


def _placed(spot: Spot, media: MediaFile) -> Spot:
    """A spot of the record with the source timecode of where it starts now."""
    start = spot.source[0] if spot.source else 0
    return replace(spot, source_timecode=_timecode(media, start))


def _absent(placement: Placement, people: Mapping[int, str]) -> frozenset[str]:
    """Who has a microphone of their own in a take of which only others' are played."""
    if len(people) < 2 or not placement.channels or not set(placement.channels) <= set(people):
        return frozenset()
    return frozenset(people.values()) - {people[channel] for channel in placement.channels}


def _of_take(media: MediaFile, start: int, end: int) -> Spot:
    return Spot(
        start=start,
        end=end,
        take=media.path.stem,
        scene=media.notes.scene,
        source=(start, end),
        source_timecode=_timecode(media, start),
        key=media.essence,
    )


def _timecode(media: MediaFile, sample: int) -> str:
    rate, reference = media.notes.timecode_rate, media.notes.time_reference
    if rate is None or reference is None:
        return ""
    return samples_to_timecode(reference + sample, rate, media.sample_rate)


def _order(media: MediaFile) -> tuple[object, ...]:
    notes = media.notes
    return natural(notes.scene), natural(notes.take), natural(media.path.stem), media.essence


def _cut_file(work: Workspace, given: Path) -> Path:
    """The cut's own file, where a delivery's folder or one of its timelines is given."""
    for folder in (given, given.parent.parent):
        listed = read_list(folder) if folder.is_dir() else {}
        if listed and (folder == given or given in _delivered(folder, listed)):
            return _delivered_cut(work, folder, listed)
    if (given / LIST).is_file() and not read_list(given):
        raise InputError(f"{given / LIST} is damaged; clean the cut again, or name its file.")
    return given


def _delivered(folder: Path, listed: Mapping[str, Any]) -> set[Path]:
    """The files that a delivery lists."""
    entries = listed.get("files")
    if not isinstance(entries, list):
        return set()
    return {folder / str(entry.get("path")) for entry in entries if isinstance(entry, dict)}


def _delivered_cut(work: Workspace, folder: Path, listed: Mapping[str, Any]) -> Path:
    """The file of the cut that a delivery was made from."""
    cut = listed.get("cut")
    if not isinstance(cut, dict) or not cut.get("sha256"):
        raise InputError(f"{folder / LIST} is not finished; clean the cut again, or name its file.")
    with work.database.read() as session:
        known = recall_cut(session, str(cut["sha256"]))
    if known is None or not known.path.exists():
        raise InputError(
            f"The cut of {folder / LIST} ({cut.get('file')}) is not where it was; name the cut's "
            "file itself."
        )
    return known.path


def _remembered(
    work: Workspace, path: Path, known: CutRecord
) -> tuple[Cut, dict[str, Linked], tuple[str, ...]]:
    """A cut that was cleaned before, its dialogue's links, and what of it was offline."""
    rate: FrameRate = work.settings.edl_frame_rate or known.rate
    cut = with_distinct_tracks(read_cut(path, rate, work.essence))
    if work.settings.reel:
        cut = with_hour_start(cut, work.settings.reel)
    with work.database.read() as session:
        assets = {
            event.asset: asset_at(session, event.asset) for event in known.events if event.asset
        }
        essences = {asset.essence for asset in assets.values() if asset is not None}
        files = media_by_essence(session, essences)
    links = {}
    for event in known.events:
        asset = assets.get(event.asset or "")
        media = files.get(asset.essence) if asset is not None else None
        if media is not None and event.source_start is not None and event.take_key:
            links[event.event] = Linked(media, event.source_start, event.channels)
    return cut, links, _missing(cut, {event.event for event in known.events if event.asset})


def _missing(cut: Cut, found: Collection[str]) -> tuple[str, ...]:
    """That events which sound have no source, where some have none."""
    events: Iterable[Event] = (event for _, event in cut.sounding())
    lost = [event.id for event in events if event.id not in found and conformable(event)]
    return (f"{some(lost)}: offline when the cut was cleaned, so nothing is known.",) * bool(lost)

"""What was seen: files by their content, where they lie, takes, and cuts as they were linked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from core.cut import Cut
from core.days import day_of
from core.errors import InputError
from core.media import MediaFile
from core.time import FrameRate
from db.codec import (
    media_from_json,
    media_to_json,
    now,
    rate_from_text,
    rate_to_text,
    storable,
    whole,
)
from db.tables import Asset, AssetKind, CutEvent, CutRow, Location, Media, Take


@dataclass(frozen=True)
class AssetRecord:
    """A file by its content.

    sha256: over its bytes. name: of the file when it was first seen. bytes: its size.
    essence: sha256 over its decoded audio, or empty. container, subtype, sample_rate (Hz),
    channels, frames (samples a channel): for sound, else empty and None. sound: sha256 of the
    samples as they lie in a wave that roomtone wrote, or empty.
    """

    sha256: str
    kind: AssetKind
    name: str
    bytes: int
    essence: str = ""
    container: str = ""
    subtype: str = ""
    sample_rate: int | None = None
    channels: int | None = None
    frames: int | None = None
    sound: str = ""


@dataclass(frozen=True)
class CutEventRecord:
    """An event of a cut as it was linked.

    event: its id in the cut (`A1/003`). record_start, record_length: samples from the start of
    the cut. asset: sha256 of its media file, or None where that is offline. source_start: sample
    of the media file that record_start plays; source_end: past the last one that is played.
    channels: of the media file, from 0.
    linked: how the media were found, or why not. take_key: names the work on the take, or empty.
    """

    event: str
    track: str
    record_start: int
    record_length: int
    asset: str | None
    source_start: int | None
    source_end: int | None
    channels: tuple[int, ...]
    linked: str
    take_key: str


def cut_paths(session: Session) -> tuple[Path, ...]:
    """Where cuts that were cleaned lay, the latest first."""
    query = select(CutRow.path).group_by(CutRow.path).order_by(func.max(CutRow.read_at).desc())
    return tuple(session.scalars(query))


def recall_media(session: Session, path: Path, size: int, mtime_ns: int) -> MediaFile | None:
    """What is known of a media file, or None where it is new or has changed since.

    size, mtime_ns: of the file as it is now.
    """
    row = session.get(Media, path.absolute())
    if row is None or (row.size, row.mtime_ns) != (size, mtime_ns):
        return None
    return media_from_json(row.probe, path)


def remembered_media(session: Session) -> tuple[MediaFile, ...]:
    """Every media file that was remembered, as it was then, in order of their paths."""
    rows = session.execute(select(Media.path, Media.probe).order_by(Media.path))
    found = (media_from_json(probe, path) for path, probe in rows)
    return tuple(media for media in found if media is not None)


def media_by_essence(
    session: Session, essences: Collection[str] | None = None
) -> dict[str, MediaFile]:
    """A media file for each of these sounds (None: all), the one that was seen last."""
    query = (
        select(Media.essence, Media.path, Media.probe)
        .join(Location, Location.path == Media.path)
        .order_by(Location.seen_at, Media.path.desc())
    )
    found = {
        essence: media_from_json(probe, path)
        for essence, path, probe in session.execute(query)
        if essences is None or essence in essences
    }
    return {essence: media for essence, media in found.items() if media is not None}


def remember_media(session: Session, media: MediaFile) -> None:
    """Remembers a probed file, its asset (kind `original` unless known as another) and its take.

    Of several files with the same sound, the one remembered last names the take.
    Raises ValueError where essence or sha256 are not filled in.
    """
    if not (media.essence and media.sha256):
        raise ValueError(f"{media.path} was not hashed.")
    asset = AssetRecord(
        sha256=media.sha256,
        kind="original",
        name=media.path.name,
        bytes=media.size,
        essence=media.essence,
        container=media.container,
        subtype=media.subtype,
        sample_rate=media.sample_rate,
        channels=media.channels,
        frames=media.frames,
    )
    _remember(session, asset)
    _place(session, asset.sha256, media.path, media.size, media.mtime_ns)
    notes = media.notes
    session.merge(
        Take(
            essence=media.essence,
            name=media.path.stem,
            scene=notes.scene,
            take=notes.take,
            tape=notes.tape,
            project=notes.project,
            sample_rate=media.sample_rate,
            frames=media.frames,
            time_reference=whole(notes.time_reference),
            timecode_rate=rate_to_text(notes.timecode_rate),
            recorded=day_of(notes.origination_date),
        )
    )
    session.flush()
    session.merge(
        Media(
            path=media.path.absolute(),
            size=media.size,
            mtime_ns=media.mtime_ns,
            sha256=media.sha256,
            essence=media.essence,
            scene=notes.scene,
            take=notes.take,
            tape=notes.tape,
            circled=notes.circled,
            probe=media_to_json(media),
        )
    )
    session.flush()


def remember_asset(session: Session, asset: AssetRecord, path: Path | None) -> None:
    """Remembers a file by its content, and where it lies if path is given.

    What is known already stays (the kind above all); what was not known is filled in.
    Raises InputError where there is no file at path.
    """
    _remember(session, asset)
    if path is None:
        return
    try:
        found = path.stat()
    except OSError as fault:
        raise InputError(
            f"{path} can't be read ({fault.strerror}): put it back and run again."
        ) from fault
    _place(session, asset.sha256, path, found.st_size, found.st_mtime_ns)


def asset_at(session: Session, sha256: str) -> AssetRecord | None:
    """What is known of a file by its content."""
    row = session.get(Asset, sha256)
    return None if row is None else asset_record(row)


def sounds_like(
    session: Session, kind: AssetKind, sample_rate: int, frames: int
) -> tuple[AssetRecord, ...]:
    """The sounds of a kind with this rate that have so many samples or more, latest first."""
    query = select(Asset).where(
        Asset.kind == kind, Asset.sample_rate == sample_rate, Asset.frames >= frames
    )
    rows = session.scalars(query.order_by(Asset.first_seen.desc(), Asset.sha256))
    return tuple(asset_record(row) for row in rows)


def asset_record(row: Asset) -> AssetRecord:
    """A row of the table `assets` as a value."""
    return AssetRecord(
        sha256=row.sha256,
        kind=row.kind,
        name=row.name,
        bytes=row.bytes,
        essence=row.essence,
        container=row.container,
        subtype=row.subtype,
        sample_rate=row.sample_rate,
        channels=row.channels,
        frames=row.frames,
        sound=row.sound,
    )


def assets_like(
    session: Session, *, sha256: str = "", sound: str = "", essence: str = ""
) -> tuple[tuple[AssetRecord, datetime], ...]:
    """The files with these bytes, samples or decoded audio, and when each was first seen."""
    wanted = {Asset.sha256: sha256, Asset.sound: sound, Asset.essence: essence}
    named = [column == value for column, value in wanted.items() if value]
    if not named:
        return ()
    rows = session.scalars(select(Asset).where(*named).order_by(Asset.first_seen, Asset.sha256))
    return tuple((asset_record(row), row.first_seen) for row in rows)


def asset_known_at(session: Session, path: Path) -> AssetRecord | None:
    """The file that was seen at a path last, whatever lies there now."""
    place = session.get(Location, path.absolute())
    return None if place is None else asset_at(session, place.asset)


def paths_of(session: Session, sha256: str) -> tuple[Path, ...]:
    """Where a file with this content was seen, the latest first. It need not be there any more."""
    query = select(Location.path).where(Location.asset == sha256)
    return tuple(session.scalars(query.order_by(Location.seen_at.desc(), Location.path)))


def remember_cut(
    session: Session, cut: Cut, digest: str, path: Path, placements: Sequence[CutEventRecord]
) -> int:
    """Remembers a cut and how its events were linked; its row number.

    digest: sha256 of the timeline file. The same file read again at the same path keeps its
    number, and its events are replaced.
    """
    known = select(CutRow).where(CutRow.digest == digest, CutRow.path == path)
    row = session.scalars(known).one_or_none()
    if row is None:
        row = CutRow(digest=digest, path=path)
        session.add(row)
    row.name = cut.name
    row.rate = rate_to_text(cut.rate) or ""
    row.start = cut.start
    row.length = str(cut.length)
    row.read_at = now()
    session.flush()
    session.execute(delete(CutEvent).where(CutEvent.cut == row.id))
    if placements:
        session.execute(insert(CutEvent), [_event_row(row.id, record) for record in placements])
    return row.id


@dataclass(frozen=True)
class CutRecord:
    """A cut as it was remembered. path: of its file then. events: that sound, in its order."""

    path: Path
    rate: FrameRate
    events: tuple[CutEventRecord, ...]


def recall_cut(session: Session, digest: str) -> CutRecord | None:
    """What is known of the cut whose file has this sha256, as it was linked last; None if new."""
    query = select(CutRow).where(CutRow.digest == digest).order_by(CutRow.read_at.desc())
    row = session.scalars(query.limit(1)).first()
    rate = None if row is None else rate_from_text(row.rate)
    if row is None or rate is None:
        return None
    events = session.scalars(select(CutEvent).where(CutEvent.cut == row.id).order_by(CutEvent.id))
    return CutRecord(row.path, rate, tuple(_event_record(event) for event in events))


def _event_record(row: CutEvent) -> CutEventRecord:
    return CutEventRecord(
        event=row.event,
        track=row.track,
        record_start=row.record_start,
        record_length=row.record_length,
        asset=row.asset,
        source_start=row.source_start,
        source_end=row.source_end,
        channels=tuple(row.channels),
        linked=row.linked,
        take_key=row.take_key,
    )


def _event_row(cut: int, record: CutEventRecord) -> dict[str, object]:
    return {
        "cut": cut,
        "event": record.event,
        "track": record.track,
        "record_start": record.record_start,
        "record_length": record.record_length,
        "asset": record.asset,
        "source_start": whole(record.source_start),
        "source_end": whole(record.source_end),
        "channels": list(record.channels),
        "linked": record.linked,
        "take_key": record.take_key,
    }


def _remember(session: Session, asset: AssetRecord) -> None:
    row = session.get(Asset, asset.sha256)
    if row is None:
        row = Asset(**vars(replace(asset, name=storable(asset.name))), first_seen=now())
        session.add(row)
        session.flush()
        return
    if not row.sound:
        row.sound = asset.sound
    if not row.essence and asset.essence:
        row.essence = asset.essence
        row.container = asset.container
        row.subtype = asset.subtype
        row.sample_rate = asset.sample_rate
        row.channels = asset.channels
        row.frames = asset.frames
    session.flush()


def _place(session: Session, sha256: str, path: Path, size: int, mtime_ns: int) -> None:
    where = path.absolute()
    session.merge(Location(path=where, asset=sha256, size=size, mtime_ns=mtime_ns, seen_at=now()))
    session.flush()


def cuts_playing(
    session: Session, asset: AssetRecord, span: tuple[int, int] | None = None
) -> tuple[tuple[Path, str, tuple[str, ...]], ...]:
    """The cuts that play a sound: path and name of each, and the ids of the events that do.

    Copies of the same sound count. span: only events that play some of these samples.
    """
    same = {asset.sha256}
    if asset.essence:
        same |= {*session.scalars(select(Asset.sha256).where(Asset.essence == asset.essence))}
    rows = session.execute(
        select(CutRow.path, CutRow.name, CutEvent)
        .join(CutEvent, CutEvent.cut == CutRow.id)
        .where(CutEvent.asset.in_(same))
        .order_by(CutRow.read_at, CutRow.id, CutEvent.id)
    ).tuples()
    found: dict[tuple[Path, str], list[str]] = {}
    for path, name, row in rows:
        start, end = row.source_start, row.source_end
        if span is None or start is None or end is None or (start < span[1] and span[0] < end):
            found.setdefault((path, name), []).append(row.event)
    return tuple((path, name, tuple(events)) for (path, name), events in found.items())

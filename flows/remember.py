"""What a delivery leaves in the database: every file, what it was made of, and the cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.conform import Placement, Retimed, placements, source_span, start_sample
from core.time import span_to_samples
from db.memory import AssetRecord, CutEventRecord, remember_asset, remember_cut
from db.provenance import ActivityRecord, Use, finished, record
from db.tables import AssetKind
from flows.clips import Clip
from flows.delivery import DeliveredFile
from flows.report import REPORT
from flows.stems import Rendered, Stem
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import Workspace, activity

_KINDS: dict[str, AssetKind] = {
    "CLIP": "clip",
    "TIMELINE": "timeline",
    "TRANSCRIPT": "report",
    "REPORT": "report",
}


@dataclass(frozen=True)
class Made:
    """A delivery as it was made.

    key: names it. spec: name of the delivery specification. retimed: what became of speeds that
    can't be conformed.
    """

    out: Path
    key: str
    spec: str
    started: datetime
    rendered: Rendered
    clips: Sequence[Clip]
    files: Sequence[DeliveredFile]
    retimed: Retimed


def is_remembered(work: Workspace, key: str) -> bool:
    """Whether this home knows the delivery of that key; another may have made it."""
    with work.database.read() as session:
        return finished(session, "render", f"{key}:{REPORT}") is not None


def remember_delivery(
    work: Workspace, turnover: Turnover, cleaned: Mapping[str, CleanedTake], made: Made
) -> None:
    """Remember the cut, its events, and for every file what it was made of, in one transaction."""
    uses = _uses(turnover, cleaned, made)
    everything = tuple(
        use
        for take in cleaned.values()
        for use in (Use(take.media.sha256, "original"), Use(take.sha256, "clean"))
    )
    with work.database.write() as session:
        for entry in made.files:
            remember_asset(session, _asset(entry), made.out / entry.path)
            record(
                session,
                _activity(turnover, made, entry),
                used=uses.get(entry.path, everything),
                generated=[Use(entry.sha256, entry.role)],
            )
        remember_cut(
            session,
            turnover.cut,
            turnover.digest,
            turnover.path,
            _cut_events(work, turnover, cleaned),
        )


def _asset(entry: DeliveredFile) -> AssetRecord:
    path = Path(entry.path)
    return AssetRecord(
        sha256=entry.sha256,
        kind=_KINDS.get(entry.role, "stem"),
        name=path.name,
        bytes=entry.bytes,
        container="WAV" if entry.frames else path.suffix.lstrip(".").upper(),
        subtype=entry.subtype,
        sample_rate=entry.sample_rate or None,
        channels=entry.channels or None,
        frames=entry.frames or None,
    )


def _activity(turnover: Turnover, made: Made, entry: DeliveredFile) -> ActivityRecord:
    return activity(
        "render",
        f"{made.key}:{entry.path}",
        made.started,
        {
            "role": entry.role,
            "track": entry.track,
            "character": entry.character,
            "gain_db": entry.gain_db,
            "spec": made.spec,
            "cut": turnover.cut.name,
            "cut_sha256": turnover.digest,
        },
    )


def _uses(
    turnover: Turnover, cleaned: Mapping[str, CleanedTake], made: Made
) -> dict[str, tuple[Use, ...]]:
    """For each stem and clip, by its path in the delivery, the stretches it was made of."""
    uses = {
        stem.path.relative_to(made.out).as_posix(): tuple(_stem_uses(turnover, cleaned, made, stem))
        for stem in made.rendered.stems
    }
    for clip in made.clips:
        path = clip.path.relative_to(made.out).as_posix()
        uses[path] = (Use(cleaned[clip.take].sha256, "clean", clip.start, clip.end),)
    return uses


def _stem_uses(
    turnover: Turnover, cleaned: Mapping[str, CleanedTake], made: Made, stem: Stem
) -> Iterator[Use]:
    """The stretches of originals and cleaned takes that a stem plays, in their own samples."""
    if stem.name.role == "RT":
        for take, first, last in stem.harvested:
            yield Use(cleaned[take].sha256, "clean", first, last)
        for sha256, first, last in stem.wild:
            yield Use(sha256, "original", first, last)
        return
    rate = made.rendered.sample_rate
    for item in placements(turnover.cut, turnover.sources, rate, made.retimed):
        if item.take not in stem.takes or stem.name.track not in ("", item.track):
            continue
        media = turnover.links[item.event_id].media
        start, end = source_span(item, rate, media.sample_rate)
        through = item.event_id in turnover.through
        if through or stem.name.role in ("PROD", "NR"):
            yield Use(media.sha256, "original", start, end)
        if not through and stem.name.role != "PROD":
            yield Use(cleaned[item.take].sha256, "clean", start, end)


def _cut_events(
    work: Workspace, turnover: Turnover, cleaned: Mapping[str, CleanedTake]
) -> list[CutEventRecord]:
    """Every event that sounds, in the cut's order; those without media play nothing."""
    rate = work.settings.sample_rate
    laid = placements(turnover.cut, turnover.sources, rate, "original")
    linked = [
        CutEventRecord(
            event=item.event_id,
            track=item.track,
            record_start=item.record_start,
            record_length=item.length,
            asset=turnover.links[item.event_id].media.sha256,
            source_start=turnover.links[item.event_id].source_start,
            source_end=_source_end(turnover, item, rate),
            channels=item.channels,
            linked=turnover.links[item.event_id].how,
            take_key="" if item.event_id in turnover.through else cleaned[item.take].key,
        )
        for item in laid
    ]
    order = {event.id: number for number, (_, event) in enumerate(turnover.cut.sounding())}
    found = [*linked, *_offline_events(turnover, rate)]
    return sorted(found, key=lambda item: order[item.event])


def _offline_events(turnover: Turnover, rate: int) -> Iterator[CutEventRecord]:
    cut, lost = turnover.cut, {item.event_id: item for item in turnover.offline}
    first = start_sample(cut, rate)
    for track, event in cut.sounding():
        if event.id in lost:
            start, length = span_to_samples(
                cut.start + event.record_start, event.record_length, cut.rate.fps, rate
            )
            yield CutEventRecord(
                event=event.id,
                track=track.name,
                record_start=start - first,
                record_length=length,
                asset=None,
                source_start=None,
                source_end=None,
                channels=(),
                linked=lost[event.id].reason,
                take_key="",
            )


def _source_end(turnover: Turnover, item: Placement, rate: int) -> int:
    """The sample of its media file past the last one that an event plays."""
    return source_span(item, rate, turnover.links[item.event_id].media.sample_rate)[1]

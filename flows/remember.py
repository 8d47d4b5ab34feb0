"""What a delivery leaves in the database: every file, what it was made of, and the cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from adapters.media.bwf import read_block
from core.conform import Placement, Retimed, placements, source_span, start_sample
from core.reels import laid_out
from core.time import span_to_samples
from db.codec import JSON
from db.memory import AssetRecord, CutEventRecord, remember_asset, remember_cut
from db.provenance import TONE, ActivityRecord, Clock, Use, finished, record
from db.tables import AssetKind
from flows.clips import Clip
from flows.delivery import LIST, DeliveredFile, describe
from flows.listening_mix import mixed_stems
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
    "LIST": "report",
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
    clocks = _clocks(turnover, made)
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
                _activity(
                    turnover,
                    made,
                    entry,
                    clocks.get(entry.path),
                    uses.get(entry.path, everything),
                    cleaned.values(),
                ),
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


def remember_list(work: Workspace, turnover: Turnover, made: Made) -> None:
    """Remember the list of a delivery as it was written at last, so that a change is noticed."""
    entry = describe(made.out, made.out / LIST, "LIST")
    with work.database.write() as session:
        remember_asset(session, _asset(entry), made.out / entry.path)
        done = _activity(turnover, made, entry, None, (), ())
        record(session, done, used=(), generated=[Use(entry.sha256, entry.role)])


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
        sound=entry.sound_sha256,
    )


def _activity(
    turnover: Turnover,
    made: Made,
    entry: DeliveredFile,
    clock: Clock | None,
    used: Sequence[Use],
    takes: Iterable[CleanedTake],
) -> ActivityRecord:
    events, assets = ({use.event for use in used}, {use.asset for use in used})
    accepted: list[JSON] = [
        {
            "take": take.media.path.name,
            "key": take.key,
            "decided": take.accepted.kind.value,
            "by": take.accepted.by,
        }
        for take in takes
        if take.accepted is not None and take.sha256 in assets
    ]
    decided: list[JSON] = [
        {"event": event, "decided": override.words, "by": override.by}
        for event, override in turnover.overrides.items()
        if event in events
    ]
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
            **({"id": name} if (name := read_block(made.out / entry.path).get("ID")) else {}),
            **({} if clock is None else clock.as_parameters()),
            **({"overrides": decided} if decided else {}),
            **({"approvals": accepted} if accepted else {}),
        },
    )


def _clocks(turnover: Turnover, made: Made) -> dict[str, Clock]:
    """The timecode of each stem, mix and clip that has one, by its path in the delivery."""
    session = Clock(made.rendered.start, turnover.cut.rate, made.rendered.sample_rate)
    found = {entry.path: session for entry in made.files if entry.role not in _KINDS}
    for clip in made.clips:
        rate = turnover.links[clip.event_id].media.notes.timecode_rate or turnover.cut.rate
        if clip.time_reference is not None:
            path = clip.path.relative_to(made.out).as_posix()
            found[path] = Clock(clip.time_reference, rate, clip.sample_rate)
    return found


def _uses(
    turnover: Turnover, cleaned: Mapping[str, CleanedTake], made: Made
) -> dict[str, tuple[Use, ...]]:
    """For each stem, mix and clip, by its path in the delivery, the stretches it was made of."""
    rendered = made.rendered
    layout = laid_out(turnover.cut, rendered.leader, rendered.sample_rate)
    placed = placements(turnover.cut, turnover.sources, rendered.sample_rate, made.retimed)
    conform = _Conform(turnover, cleaned, rendered, layout.head, placed)
    paths = {stem.path.relative_to(made.out).as_posix(): stem for stem in rendered.stems}
    uses = {path: tuple(conform.uses(stem)) for path, stem in paths.items()}
    for clip in made.clips:
        path = clip.path.relative_to(made.out).as_posix()
        whole = (0, clip.end - clip.start)
        asset = cleaned[clip.take].sha256
        uses[path] = (Use(asset, "clean", clip.start, clip.end, whole, clip.event_id),)
    mixed = {stem.path for stem in mixed_stems(rendered)}
    parts = [entry for entry in made.files if made.out / entry.path in mixed]
    for entry in made.files:
        if entry.role == "MIX":
            uses[entry.path] = tuple(
                Use(part.sha256, part.role, 0, part.frames, (0, part.frames)) for part in parts
            )
    return uses


@dataclass(frozen=True)
class _Conform:
    """What a cut's stems were made of. head: samples of leader before the programme in them."""

    turnover: Turnover
    cleaned: Mapping[str, CleanedTake]
    rendered: Rendered
    head: int
    placed: Sequence[Placement]

    def uses(self, stem: Stem) -> Iterator[Use]:
        """The stretches of originals and cleaned takes that a stem plays, and where in it."""
        if stem.name.role == "RT":
            yield from self._tone(stem)
            return
        for item in self.placed:
            if item.take in stem.takes and stem.name.track in ("", item.track):
                for part in _spoken(stem, item):
                    yield from self._event(stem, part)

    def _tone(self, stem: Stem) -> Iterator[Use]:
        for tone in stem.tone:
            asset = self.cleaned[tone.take].sha256 if tone.take else tone.wild
            made = (self.head + tone.start, self.head + tone.end)
            yield Use(asset, TONE, tone.first, tone.last, made)

    def _event(self, stem: Stem, item: Placement) -> Iterator[Use]:
        rate, media = self.rendered.sample_rate, self.turnover.links[item.event_id].media
        start, end = source_span(item, rate, media.sample_rate)
        made = (self.head + item.record_start, self.head + item.record_end)
        through = item.event_id in self.turnover.through
        if through or stem.name.role in ("PROD", "NR"):
            yield Use(media.sha256, "original", start, end, made, item.event_id, item.channels)
        if not through and stem.name.role != "PROD":
            asset = self.cleaned[item.take].sha256
            yield Use(asset, "clean", start, end, made, item.event_id)


def _spoken(stem: Stem, item: Placement) -> Iterator[Placement]:
    """The parts of a placement that sound in a stem: all, or where its character speaks alone."""
    if stem.name.role != "CHAR":
        yield item
        return
    for span in stem.spoken:
        start = max(span.start, item.record_start)
        end = min(span.end, item.record_end)
        if span.track == item.track and start < end:
            yield replace(
                item,
                record_start=start,
                length=end - start,
                source_start=item.source_start + start - item.record_start,
            )


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

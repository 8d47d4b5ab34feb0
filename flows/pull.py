"""Pull what a search found into a timeline, a clip a line, with raw or cleaned media."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import compress
from pathlib import Path
from typing import Literal

from adapters.media.essence import file_sha256
from adapters.timelines.named import NamedMedia
from adapters.timelines.write import FORMATS, write_cut
from core.cut import Cut
from core.errors import InputError, OutputError, UsageError
from core.media import MediaFile
from core.plan import digest
from core.selects import Pick, media_start, rate_of, selects, span
from core.time import FrameRate, frames_to_samples, round_half_up
from core.words import some
from db.catalogue import Hit
from db.memory import AssetRecord, media_by_essence, remember_asset
from db.provenance import Use, record
from flows.channels import listening_channel
from flows.cleaned import cleaned_last
from flows.clips import Stretch, free_name, write_stretch
from flows.desk import file_safe
from flows.marks import Stamp, ixml_fields
from flows.progress import Progress
from flows.withheld import left_out, may_leave
from flows.workspace import Workspace, activity, code_version
from flows.write_back import READ_BACK, lost_in, relative_url

Sound = Literal["raw", "cleaned"]
PULLED = tuple(kind for kind in FORMATS if kind != "rpp")


@dataclass(frozen=True)
class Pulled:
    """What came of it. clips: in the timeline. notes: a sentence each, for the person."""

    path: Path
    clips: int
    notes: tuple[str, ...]


def pull(
    work: Workspace,
    hits: Sequence[Hit],
    out: Path,
    sound: Sound,
    handles_s: float,
    progress: Progress,
) -> Pulled:
    """Write a timeline of what was found, in the order given.

    out: the timeline, whose suffix is its format; nothing may be there yet. sound: what its clips
    play; the cleaned stretches are written beside it. handles_s: seconds kept before and after a
    line. Raises UsageError for a suffix, InputError where nothing can be pulled, OutputError.
    """
    kind = out.suffix.lower().lstrip(".")
    if kind not in PULLED:
        raise UsageError(f"{out} must end in one of {', '.join('.' + name for name in PULLED)}.")
    beside = out.parent / f"{out.stem}_media"
    for path in (out, beside) if sound == "cleaned" else (out,):
        if path.exists():
            raise OutputError(f"{path} exists already; choose another name, or move it away.")
    started = datetime.now(UTC)
    may = may_leave(work, [hit.found for hit in hits])
    kept = [hit for hit, leaves in zip(hits, may, strict=True) if not leaves]
    if kept and len(kept) == len(hits):
        raise UsageError(
            "Nothing is pulled: export is not allowed for any of these lines; roomtone privacy "
            "shows who said so."
        )
    picks, notes = _picks(work, list(compress(hits, may)))
    notes += left_out(len(kept), [hit.found.line.speaker for hit in kept])
    rate = rate_of(picks)
    handles = round_half_up(Fraction(handles_s) * rate.fps)
    cut = selects(out.stem, picks, rate, handles)
    media = {
        event.id: {"original": _original(pick, rate, out.parent)}
        for event, pick in zip(cut.tracks[0].events, picks, strict=True)
    }
    if sound == "cleaned":
        cleaned, missing = _write_cleaned(work, picks, cut, beside, handles, progress)
        for event_id, item in cleaned.items():
            media[event_id]["cleaned"] = item
        notes += missing
    active = "cleaned" if sound == "cleaned" else "original"
    write_cut(cut, media, active, out, {"version": code_version()})
    notes += lost_in(cut, out, READ_BACK[kind])
    _remember(work, out, picks, started, sound)
    return Pulled(out, len(picks), tuple(notes))


def _picks(work: Workspace, hits: Sequence[Hit]) -> tuple[list[Pick], list[str]]:
    """What can be pulled, and a sentence for what can't."""
    with work.database.read() as session:
        files = media_by_essence(session, {hit.found.essence for hit in hits})
    picks, offline = [], dict[str, None]()
    for hit in hits:
        media = files.get(hit.found.essence)
        if media is None or not media.path.is_file():
            offline[hit.found.name] = None
            continue
        line = hit.found.line
        title = f"{line.speaker}: {line.text}" if line.speaker else line.text
        picks.append(Pick(media, line.start, line.end, (listening_channel(media),), title))
    if not picks:
        raise InputError(
            "Nothing to pull: "
            + (f"the media of {some(list(offline))} are offline." if offline else "no line fits.")
        )
    told = [f"Not in the timeline, as their media are offline: {some(list(offline))}."]
    return picks, told if offline else []


def _original(pick: Pick, rate: FrameRate, folder: Path) -> NamedMedia:
    media = pick.media
    return _named(media.path, media, 0, media.frames, pick.channels, media.channels, rate, folder)


def _named(
    path: Path,
    media: MediaFile,
    first: int,
    frames: int,
    channels: tuple[int, ...],
    width: int,
    rate: FrameRate,
    folder: Path,
) -> NamedMedia:
    """A file that holds `frames` of a take from its sample `first` on."""
    start = media_start(media, rate) + Fraction(first) * rate.fps / media.sample_rate
    length = Fraction(frames) * rate.fps / media.sample_rate
    url = relative_url(path, folder)
    return NamedMedia(
        path.resolve(), url, start, length, media.sample_rate, frames, channels, width
    )


def _write_cleaned(
    work: Workspace,
    picks: Sequence[Pick],
    cut: Cut,
    folder: Path,
    handles: int,
    progress: Progress,
) -> tuple[dict[str, NamedMedia], list[str]]:
    """The cleaned stretches as files of their own, by event; a sentence for takes not cleaned."""
    found: dict[str, NamedMedia] = {}
    missing: dict[str, None] = {}
    taken: set[str] = set()
    progress.step("Writing clips", len(picks))
    for event, pick in zip(cut.tracks[0].events, picks, strict=True):
        cleaned = cleaned_last(work, pick.media, pick.channels)
        progress.advance("Writing clips")
        if cleaned is None:
            missing[pick.media.path.name] = None
            continue
        folder.mkdir(parents=True, exist_ok=True)
        start, end = _samples(pick, cut.rate, handles)
        stem = free_name(file_safe(pick.media.path.stem), taken)
        path = folder / f"{stem}.wav"
        part = Stretch(cleaned.sound, pick.media, cleaned.channels, start, end)
        fields = {
            **ixml_fields([cleaned.worked], Stamp(ai_mark=work.settings.ai_mark), path),
            "ROLE": "CLIP",
            "TAKE_KEY": cleaned.key,
            "ORIGINAL_SHA256": pick.media.sha256,
        }
        write_stretch(path, part, cleaned.worked, fields)
        found[event.id] = _named(
            path,
            pick.media,
            start,
            end - start,
            tuple(cleaned.channels.index(channel) for channel in pick.channels),
            len(cleaned.channels),
            cut.rate,
            folder.parent,
        )
    names = some(list(missing))
    told = [f"Not cleaned yet, so their original plays: {names}; clean a cut that uses them."]
    return found, told if missing else []


def _samples(pick: Pick, rate: FrameRate, handles: int) -> tuple[int, int]:
    """The samples of its file that a pick plays, with another handle on both sides."""
    first, last = span(pick, rate, 2 * handles)
    origin = media_start(pick.media, rate)
    start, end = (
        frames_to_samples(frame - origin, rate.fps, pick.media.sample_rate)
        for frame in (first, last)
    )
    return max(0, start), min(pick.media.frames, end)


def _remember(
    work: Workspace, out: Path, picks: Sequence[Pick], started: datetime, sound: Sound
) -> None:
    """The timeline and the takes it plays, in one transaction."""
    sha256 = file_sha256(out)
    asset = AssetRecord(
        sha256=sha256,
        kind="timeline",
        name=out.name,
        bytes=out.stat().st_size,
        container=out.suffix.lstrip(".").upper(),
    )
    done = activity("render", digest({"pull": sha256}), started, {"pull": out.name, "sound": sound})
    used = [Use(pick.media.sha256, "original", pick.start, pick.end) for pick in picks]
    with work.database.write() as session:
        remember_asset(session, asset, out)
        record(session, done, used, [Use(sha256, "TIMELINE")])

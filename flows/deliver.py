"""Conform, normalise, write back and remember: the delivery of a cut, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from config.deliveries import DeliverySpec
from core.conform import retime_notes
from core.errors import UsageError
from core.media import MediaFile
from core.plan import digest
from core.privacy import Mark
from core.words import some
from db.codec import JSON
from flows import delivery
from flows.channels import person_channels
from flows.clips import Clip, write_clips
from flows.events import known_events
from flows.job import Outcome, Ready
from flows.listening_mix import MIX_VERSION, ListeningMix, write_listening_mix
from flows.lock import only_writer
from flows.marks import MARKS_VERSION, Stamp
from flows.mono_sum import CutMicrophones, as_json, cut_microphones
from flows.privacy import people_kept, privacy_notes
from flows.progress import Progress
from flows.remember import Made, is_remembered, remember_delivery, remember_list
from flows.report import REPORT_VERSION, Brief, write_report
from flows.room_tone import FillOptions
from flows.scanning import VERSION
from flows.settle import wearers
from flows.sidecars import SIDECAR_VERSION, write_sidecars
from flows.signing import sign_file, signing_of
from flows.stems import RENDER_VERSION, Rendered, render_stems, takes_in, works_of
from flows.takes import CleanedTake, left_alone
from flows.transcripts import transcripts_key, write_transcripts
from flows.withheld import refuse_withheld_cut
from flows.workspace import Workspace, code_version
from flows.write_back import write_timelines
from models import dereverb
from models.alignment import alignment_version
from models.events.lines import LINES_VERSION
from models.microphones import microphones_version


def delivery_key(work: Workspace, ready: Ready) -> str:
    """What names a delivery: the same key means the same files."""
    job, turnover = ready.job, ready.turnover
    return digest(
        {
            "cut": turnover.digest,
            "links": [
                [
                    event_id,
                    turnover.take_of(event_id).id,
                    link.source_start,
                    link.media.sha256,
                    str(link.media.path),
                ]
                for event_id, link in turnover.links.items()
            ],
            "offline": [[item.event_id, item.reason] for item in turnover.offline],
            "takes": [_take(ready.cleaned[take.id]) for take in turnover.takes],
            "lines": [ready.heard[media.essence].key for media in turnover.dialogue],
            "speakers": [
                [line.speaker for line in ready.heard[media.essence].lines]
                for media in turnover.dialogue
            ],
            **_renamed(work, turnover.dialogue),
            **_held(work, turnover.dialogue),
            **({"sidecar": SIDECAR_VERSION} if work.settings.sidecar else {}),
            "through": sorted(turnover.through),
            "choices": [asdict(choice) for choice in turnover.choices],
            "limits": asdict(job.recipe),
            "spec": asdict(job.spec),
            "sample_rate": work.settings.sample_rate,
            "handles_s": work.settings.handles_s,
            "clip_pattern": work.settings.clip_pattern,
            "leader": [work.settings.leader_s, work.settings.pops],
            "timelines": [*work.settings.timelines, work.settings.embed_aaf],
            "transcripts": transcripts_key(work.settings.transcripts, ready.heard),
            "reel": work.settings.reel,
            "room_tone": [
                work.settings.room_tone,
                work.settings.room_tone_most_s,
                [media.sha256 for media in turnover.wild],
            ],
            "mix": [work.settings.listening_mix, MIX_VERSION],
            "render": RENDER_VERSION,
            "marks": [MARKS_VERSION, work.settings.ai_mark],
            "signed": signing.digest if (signing := signing_of(work.settings)) else "",
            "report": [
                REPORT_VERSION,
                microphones_version,
                alignment_version,
                VERSION,
                LINES_VERSION,
            ],
            "code": code_version(),
        }
    )


def _renamed(work: Workspace, files: Sequence[MediaFile]) -> dict[str, JSON]:
    """Microphones whose wearer has another name than the recorder wrote, where some have."""
    found: list[JSON] = [
        [media.essence, channel, name]
        for media in files
        for channel, name in wearers(work, media).items()
        if name != person_channels(media)[channel]
    ]
    return {"wearers": found} if found else {}


def _held(work: Workspace, files: Sequence[MediaFile]) -> dict[str, JSON]:
    """People whose lines are left out of the transcripts, where there are some."""
    found = {name for media in files for name in people_kept(work, media, Mark.NO_EXPORT).marks}
    return {"held": sorted(found)} if found else {}


def _take(take: CleanedTake) -> list[str]:
    """A take's part of the key: its sound, and who accepted it where somebody had to."""
    return [take.take.id, take.key, *filter(None, [take.approved])]


def deliver(work: Workspace, ready: Ready, progress: Progress) -> Outcome:
    """Conform, normalise and write the delivery, unless it is there already.

    Raises UsageError where it would hold a voice that may not leave the home.
    """
    try:
        refuse_withheld_cut(work, ready.turnover)
    except UsageError:
        delivery.leave(ready.job.out)
        raise
    with only_writer(ready.job.out, progress):
        out, key = ready.job.out, delivery_key(work, ready)
        if delivery.is_current(out, key) and is_remembered(work, key):
            there = delivery.read_list(out)
            notes = (*_notes(work, ready), *there["told"])
            return _outcome(ready, there["loudness"], len(there["files"]), notes, made=False)
        return _make(work, ready, key, progress)


def _make(work: Workspace, ready: Ready, key: str, progress: Progress) -> Outcome:
    job, turnover, cleaned, heard = ready.job, ready.turnover, ready.cleaned, ready.heard
    kept = delivery.keep_edited(job.out)
    delivery.announce(job.out, key)
    started = datetime.now(UTC)
    stamp = Stamp(turnover.digest, job.out, work.settings.ai_mark)
    rendered = render_stems(
        work,
        turnover,
        cleaned,
        heard,
        job.spec,
        job.out / "stems",
        progress,
        job.recipe.retimed,
        FillOptions(work.settings.room_tone, work.settings.room_tone_most_s),
        stamp,
    )
    clips = write_clips(
        turnover,
        cleaned,
        work.settings.handles_s,
        job.out / "clips",
        progress,
        work.settings.clip_pattern,
        stamp,
    )
    written = write_timelines(
        job.out / "timelines",
        turnover,
        clips,
        cleaned,
        rendered,
        work.settings.timelines,
        work.settings.embed_aaf,
    )
    transcripts = write_transcripts(
        work,
        job.out / "transcripts",
        turnover,
        heard,
        work.settings.transcripts,
        job.recipe.retimed,
    )
    mix = _listening_mix(work, ready, rendered, stamp, progress)
    found = cut_microphones(work, turnover, heard, progress)
    told = (
        *kept,
        *found.notes,
        *rendered.notes,
        *_float_notes(rendered),
        *written.lost,
        *((mix.said,) if mix is not None and mix.said else ()),
    )
    notes = (*_notes(work, ready), *told)
    events = known_events(work, heard)
    _sign(work, ready, rendered, clips, mix, stamp)
    brief = Brief(job.recipe, job.spec, work.cache, notes, found, events)
    report = write_report(job.out, turnover, cleaned, heard, rendered, brief, progress)
    files = [
        *delivery.stem_files(job.out, turnover, rendered),
        *delivery.clip_files(job.out, turnover, clips),
        *(delivery.describe(job.out, path, "TIMELINE") for path in written.paths),
        *(delivery.describe(job.out, path, "TRANSCRIPT") for path in transcripts),
        delivery.describe(job.out, report, "REPORT"),
        *(delivery.mix_files(job.out, turnover, rendered, mix) if mix is not None else ()),
    ]
    loudness = _loudness(rendered, job.spec)
    made = Made(job.out, key, job.spec.name, started, rendered, clips, files, job.recipe.retimed)
    remember_delivery(work, turnover, cleaned, made)
    if work.settings.sidecar:
        files = [*files, *write_sidecars(work, job.out, key, files, started)]
    content = _content(ready, key, loudness, notes, told, found)
    removed = delivery.finish(job.out, {**content, "leader": asdict(rendered.leader)}, files)
    remember_list(work, turnover, made)
    if removed:
        notes = (
            *notes,
            f"{removed} files of the delivery before were removed.",
        )
    return _outcome(ready, loudness, len(files), notes, made=True)


def _sign(
    work: Workspace,
    ready: Ready,
    rendered: Rendered,
    clips: Sequence[Clip],
    mix: ListeningMix | None,
    stamp: Stamp,
) -> None:
    """Sign the sound files, where the settings ask for it: after all that is written into them."""
    signing = signing_of(work.settings)
    if signing is None:
        return
    every = tuple(take.worked for take in ready.cleaned.values())
    for stem in rendered.stems:
        works, takes = works_of(stem, ready.cleaned), takes_in(stem, ready.cleaned)
        sign_file(signing, stem.path, works, stamp, takes)
    for clip in clips:
        take = ready.cleaned[clip.take]
        sign_file(signing, clip.path, [take.worked], stamp, [take.key])
    if mix is not None:
        keys = [take.key for take in ready.cleaned.values()]
        sign_file(signing, mix.path, every, stamp, keys)


def _listening_mix(
    work: Workspace, ready: Ready, rendered: Rendered, stamp: Stamp, progress: Progress
) -> ListeningMix | None:
    """The mix for listening, where the settings ask for one."""
    if not work.settings.listening_mix:
        return None
    job = ready.job
    works = tuple(dict.fromkeys(take.worked for take in ready.cleaned.values()))
    return write_listening_mix(
        ready.turnover,
        rendered,
        job.spec,
        job.recipe.finishing,
        job.out,
        progress,
        works,
        [take.key for take in ready.cleaned.values()],
        stamp,
    )


def _content(
    ready: Ready,
    key: str,
    loudness: Mapping[str, object],
    notes: Sequence[str],
    told: Sequence[str],
    found: CutMicrophones,
) -> dict[str, object]:
    """What `delivery.json` says beside its files."""
    cut = ready.turnover.cut
    return {
        "key": key,
        "cut": {
            "name": cut.name,
            "file": ready.turnover.path.name,
            "sha256": ready.turnover.digest,
            "rate": str(cut.rate),
            "frames": float(cut.length),
        },
        "recipe": asdict(ready.job.recipe),
        "loudness": loudness,
        "engines": list(ready.engine_names),
        "offline": [
            {
                "event": item.event_id,
                "reason": item.reason,
                "candidates": [path.name for path in item.candidates],
            }
            for item in ready.turnover.offline
        ],
        "repaired": list(ready.repaired),
        "flagged": list(ready.flagged),
        "approved": list(ready.approved),
        "tracks": [asdict(choice) for choice in ready.turnover.choices],
        "told": list(told),
        "microphones": as_json(found),
        "notes": list(notes),
    }


def _notes(work: Workspace, ready: Ready) -> tuple[str, ...]:
    """What a person should know of the run, a sentence each."""
    left = (left_alone(work, media) for media in ready.turnover.dialogue)
    decided = (
        f"{event_id}: {override.words}, as {override.by or 'somebody'} decided"
        f"{f' ({override.note})' if override.note else ''}."
        for event_id, override in ready.turnover.overrides.items()
    )
    retimed = retime_notes(ready.turnover.cut, ready.job.recipe.retimed)
    private = privacy_notes(work, ready.turnover.dialogue)
    engine = dereverb.card()
    room = (
        f"Late reverberation is turned down by up to {ready.job.recipe.room_db:g} dB "
        f"({engine.name} {engine.version}).",
    )
    return (
        *ready.engines.notes,
        *(room if ready.job.recipe.room_db else ()),
        *private,
        *ready.turnover.notes,
        *retimed,
        *decided,
        *filter(None, left),
    )


def _loudness(rendered: Rendered, spec: DeliverySpec) -> dict[str, object]:
    """Loudness as it goes into `delivery.json`; silence is null."""
    finite = rendered.loudness > float("-inf")
    gain = rendered.gain
    return {
        "spec": spec.name,
        "measured_lufs": rendered.loudness if finite else None,
        "measured_dbtp": rendered.true_peak if rendered.true_peak > float("-inf") else None,
        "gain_db": gain.gain_db,
        "delivered_lufs": gain.delivered_lufs if finite else None,
        "limited_by_peak": gain.limited_by_peak,
        "reason": gain.reason,
    }


def _float_notes(rendered: Rendered) -> tuple[str, ...]:
    """That stems are louder than 24 bit can hold, where some are."""
    loud = [stem.name.label for stem in rendered.stems if stem.subtype == "FLOAT"]
    if not loud:
        return ()
    return (
        f"{some(loud)}: peaks pass full scale, so 32-bit float files were written, which hold them "
        "whole; a system that turns them into 24 bit would clip.",
    )


def _peak_notes(loudness: Mapping[str, object]) -> tuple[str, ...]:
    """That the level stays below what was asked for, where it does."""
    return (str(loudness["reason"]),) if loudness["limited_by_peak"] else ()


def _outcome(
    ready: Ready,
    loudness: Mapping[str, object],
    files: int,
    notes: Sequence[str],
    *,
    made: bool,
) -> Outcome:
    def number(name: str) -> float:
        value = loudness[name]
        return float(value) if isinstance(value, int | float) else float("-inf")

    return Outcome(
        out=ready.job.out,
        takes=len(ready.cleaned),
        takes_cleaned=sum(take.cleaned_now for take in ready.cleaned.values()),
        takes_heard=sum(item.heard_now for item in ready.heard.values()),
        rendered_now=made,
        files=files,
        offline=ready.turnover.offline,
        repaired=ready.repaired,
        flagged=ready.flagged,
        approved=ready.approved,
        engines=ready.engine_names,
        tracks=ready.turnover.choices,
        notes=(*notes, *_peak_notes(loudness)),
        loudness=number("measured_lufs"),
        true_peak=number("measured_dbtp"),
        gain_db=number("gain_db"),
    )

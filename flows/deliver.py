"""Conform, normalise, write back and remember: the delivery of a cut, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from config.deliveries import DeliverySpec
from core.plan import digest
from flows import delivery
from flows.clips import write_clips
from flows.job import Engines, Job, Outcome, Ready
from flows.listen import listen_key
from flows.lock import only_writer
from flows.progress import Progress
from flows.remember import Made, is_remembered, remember_delivery
from flows.report import Brief, write_report
from flows.stems import RENDER_VERSION, Rendered, render_stems
from flows.takes import (
    left_alone,
    recipe_for,
    take_key,
)
from flows.turnover import Turnover
from flows.workspace import Workspace, code_version
from flows.write_back import write_timeline


def delivery_key(work: Workspace, job: Job, turnover: Turnover, engines: Engines) -> str:
    """What names a delivery: the same key means the same files."""
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
            "takes": [
                take_key(
                    take,
                    recipe_for(work, turnover.media[take.essence], job.recipe),
                    engines.denoiser,
                )
                for take in turnover.takes
            ],
            "lines": [
                listen_key(work, media, engines.recogniser) for media in turnover.media.values()
            ],
            "limits": asdict(job.recipe),
            "spec": asdict(job.spec),
            "sample_rate": work.settings.sample_rate,
            "handles_s": work.settings.handles_s,
            "render": RENDER_VERSION,
            "code": code_version(),
        }
    )


def deliver(work: Workspace, ready: Ready, progress: Progress) -> Outcome:
    """Conform, normalise and write the delivery, unless it is there already."""
    with only_writer(ready.job.out, progress):
        out, key = ready.job.out, delivery_key(work, ready.job, ready.turnover, ready.engines)
        if delivery.is_current(out, key) and is_remembered(work, key):
            there = delivery.read_list(out)
            return _outcome(work, ready, there["loudness"], len(there["files"]), made=False)
        return _make(work, ready, key, progress)


def _make(work: Workspace, ready: Ready, key: str, progress: Progress) -> Outcome:
    job, turnover, cleaned, heard = ready.job, ready.turnover, ready.cleaned, ready.heard
    delivery.announce(job.out, key)
    started = datetime.now(UTC)
    rendered = render_stems(work, turnover, cleaned, heard, job.spec, job.out / "stems", progress)
    clips = write_clips(turnover, cleaned, work.settings.handles_s, job.out / "clips", progress)
    timeline = write_timeline(job.out, turnover, clips, cleaned)
    brief = Brief(job.recipe, job.spec, work.cache, _notes(work, ready))
    report = write_report(job.out, turnover, cleaned, heard, rendered, brief, progress)
    files = [
        *delivery.stem_files(job.out, turnover, rendered),
        *delivery.clip_files(job.out, turnover, clips),
        delivery.describe(job.out, timeline, "TIMELINE"),
        delivery.describe(job.out, report, "REPORT"),
    ]
    loudness = _loudness(rendered, job.spec)
    made = Made(job.out, key, job.spec.name, started, rendered, clips, files)
    remember_delivery(work, turnover, cleaned, made)
    delivery.finish(job.out, _content(work, ready, key, loudness), files)
    return _outcome(work, ready, loudness, len(files), made=True)


def _content(
    work: Workspace, ready: Ready, key: str, loudness: Mapping[str, object]
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
        "notes": list(_notes(work, ready)),
    }


def _notes(work: Workspace, ready: Ready) -> tuple[str, ...]:
    """What a person should know of the run, a sentence each."""
    left = (left_alone(work, media) for media in ready.turnover.media.values())
    return (*ready.engines.notes, *ready.turnover.notes, *filter(None, left))


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


def _peak_notes(loudness: Mapping[str, object]) -> tuple[str, ...]:
    """That the level stays below what was asked for, where it does."""
    return (str(loudness["reason"]),) if loudness["limited_by_peak"] else ()


def _outcome(
    work: Workspace, ready: Ready, loudness: Mapping[str, object], files: int, *, made: bool
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
        engines=ready.engine_names,
        notes=(*_notes(work, ready), *_peak_notes(loudness)),
        loudness=number("measured_lufs"),
        true_peak=number("measured_dbtp"),
        gain_db=number("gain_db"),
    )

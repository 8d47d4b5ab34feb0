"""A cut of many events: what it costs to tell of it, to show it, and to compare two versions."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from bench.scratch import scratch_folder
from bench.table import Table, figures, ratio, where
from config.settings import Settings
from core.cut import Cut, Event, MediaReference, Track
from core.media import MediaFile, SoundNotes
from core.reconform import changes
from core.time import RATES, frames_to_samples
from db.memory import AssetRecord, CutEventRecord, remember_asset, remember_cut, remember_media
from db.provenance import Use, record
from flows.report import REPORT
from flows.workspace import Workspace, activity, open_workspace
from models.quality import Gate
from web.access import Access
from web.app import create_app

RATE = 48_000
CUT_RATE = RATES["24"]
TRACKS, TAKES = 8, 200
FEWER = 10
SEED = 1


def bench_cut_page(events: int) -> Table:
    """The table. events: in the larger cut; the smaller one has a tenth of them."""
    here = where()
    rows = []
    for count in (max(TRACKS, events // FEWER), events):
        with scratch_folder() as scratch, open_workspace(Settings(home=scratch / "home")) as work:
            cut = made_cut(count)
            digest = _remember(work, cut, scratch / "out")
            client = TestClient(
                create_app(work, Access(work.settings.home, open_to_all=True)), "http://localhost"
            )
            json_ms, data = _timed(partial(_answer, client, f"/api/v1/cuts/{digest}"))
            page_ms, page = _timed(partial(_answer, client, f"/cuts/{digest}"))
            change_ms, _ = _timed(partial(changes, cut, moved(cut)))
            rows.append((count, json_ms, len(data), page_ms, len(page), change_ms))
    return Table(
        "Cuts on the page",
        ("events", "JSON ms", "JSON kB", "page ms", "page kB", "changes ms", "page ms / event"),
        tuple(
            (
                str(count), figures(json_ms), figures(data / 1000), figures(page_ms),
                figures(page / 1000), figures(change_ms), ratio(page_ms, count),
            )
            for count, json_ms, data, page_ms, page, change_ms in rows
        ),
        (
            "CPU time, the best of three. Changes: between two versions, of their media alone.",
            here,
        ),
    )  # fmt: skip


def made_cut(events: int) -> Cut:
    """A cut of eight tracks, each event a stretch of one of many takes."""
    rng = np.random.default_rng(SEED)
    tracks = []
    for track in range(TRACKS):
        at, made = 0, []
        for number in range(events // TRACKS):
            length = int(rng.integers(12, 120))
            take = f"T{int(rng.integers(TAKES)):03}"
            reference = MediaReference(
                name=take,
                url=f"file:///sound/{take}.wav",
                available_start=Fraction(0),
                available_length=Fraction(24 * 600),
            )
            source = Fraction(int(rng.integers(24 * 590)))
            name = f"A{track + 1}"
            made.append(
                Event(f"{name}/{number:04}", Fraction(at), Fraction(length), source, reference)
            )
            at += length + int(rng.integers(0, 48))
        tracks.append(Track(f"A{track + 1}", tuple(made)))
    end = max(event.record_end for track in tracks for event in track.events)
    return Cut("FEATURE v1", CUT_RATE, 24 * 3600, end, tuple(tracks))


def moved(cut: Cut) -> Cut:
    """The next version: every tenth event is gone, and all after the first third lies later."""

    def later(event: Event) -> Event:
        shift = 30 if event.record_start > cut.length / 3 else 0
        return Event(
            event.id,
            event.record_start + shift,
            event.record_length,
            event.source_start,
            event.media,
        )

    tracks = tuple(
        Track(t.name, tuple(later(e) for n, e in enumerate(t.events) if n % 10)) for t in cut.tracks
    )
    return Cut("FEATURE v2", cut.rate, cut.start, cut.length + 30, tracks)


def _remember(work: Workspace, cut: Cut, out: Path) -> str:
    """A home that has cleaned the cut, as far as the page looks at it; the cut's sha256."""
    digest = hashlib.sha256(cut.name.encode()).hexdigest()
    out.mkdir()
    (out / REPORT).write_text("report")
    (out / "delivery.json").write_text(json.dumps({"roomtone": "", "state": "complete"}))
    report = hashlib.sha256(b"report").hexdigest()
    gate = asdict(Gate("air", 0.5, "dB", 4.0, True, "what was lost"))
    with work.database.write() as session:
        for number in range(TAKES):
            remember_media(session, _media(f"T{number:03}"))
            done = activity(
                "clean",
                f"key {number}",
                datetime.now(UTC),
                {"recipe": "standard", "limit_db": 26.0, "gates": [[gate] * 13]},
            )
            record(session, done, [Use(_sha(f"T{number:03}"), "original")], [])
        remember_asset(session, AssetRecord(report, "report", REPORT, 6), out / REPORT)
        made = activity("render", "made", datetime.now(UTC), {"cut_sha256": digest, "spec": "none"})
        record(session, made, [], [Use(report, "REPORT")])
        remember_cut(session, cut, digest, Path("/cuts/feature_v1.otio"), _records(cut))
    return digest


def _records(cut: Cut) -> list[CutEventRecord]:
    def samples(frames: Fraction) -> int:
        return frames_to_samples(frames, cut.rate.fps, RATE)

    return [
        CutEventRecord(
            event.id,
            track.name,
            samples(event.record_start),
            samples(event.record_length),
            _sha(event.media.name),
            samples(event.source_start),
            samples(event.source_start + event.record_length),
            (0,),
            "url",
            f"key {int(event.media.name[1:])}",
        )
        for track in cut.tracks
        for event in track.events
    ]


def _media(name: str) -> MediaFile:
    return MediaFile(
        path=Path(f"/sound/{name}.wav"),
        container="WAV",
        subtype="PCM_24",
        sample_rate=RATE,
        channels=1,
        frames=RATE * 600,
        size=1,
        mtime_ns=1,
        notes=SoundNotes(scene="1", take=name, project="FEATURE"),
        essence=_sha(name),
        sha256=_sha(name),
    )


def _sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _answer(client: TestClient, path: str) -> bytes:
    return client.get(path).raise_for_status().content


def _timed(do: Callable[[], object]) -> tuple[float, bytes]:
    """Milliseconds of CPU time, the best of three, and what came of it."""
    best, found = float("inf"), b""
    for _ in range(3):
        started = time.process_time()
        told = do()
        best = min(best, 1000 * (time.process_time() - started))
        found = told if isinstance(told, bytes) else b""
    return best, found

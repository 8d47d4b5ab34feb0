"""Clean plain sound files, with no cut: each whole, to a broadcast wave of the same name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound
from adapters.media.essence import file_sha256, sound_sha256
from adapters.media.probe import probe
from adapters.media.write import WaveWriter
from config.deliveries import DeliverySpec
from config.recipes import Recipe
from core.errors import OutputError
from core.media import MediaFile
from core.plan import Take
from core.stems import FULL_SCALE, to_grid
from db.codec import JSON
from db.memory import AssetRecord, asset_at, remember_asset
from db.provenance import Use, finished, record
from flows.events import note_events
from flows.held import approved, flagged
from flows.job import Engines, choose_engines
from flows.listen import listen_take, recall_lines
from flows.marks import (
    MARKS_VERSION,
    Stamp,
    after_history,
    cleaning_lines,
    coding_history,
    ixml_fields,
)
from flows.privacy import privacy_notes
from flows.progress import Progress, Silent
from flows.room import check_room, take_bytes
from flows.runner import InTurn
from flows.settle import project_of, settle_speakers
from flows.setups import Setups
from flows.signing import sign_file, signing_of
from flows.takes import CleanedTake, clean_take, left_alone, recipe_for
from flows.transcribe import cleaned_sound
from flows.turnover import hash_media
from flows.withheld import refuse_withheld_files, refuse_withheld_take
from flows.workspace import Workspace, activity
from models.loudness import LoudnessMeter, programme_gain

BLOCK = 1 << 18


@dataclass(frozen=True)
class CleanedFile:
    """A sound file that was cleaned.

    cleaned_now: this run did the work. written_now: else the file was as it should be.
    loudness, true_peak: after cleaning, before `gain_db`. notes: a sentence each.
    """

    source: Path
    out: Path
    cleaned_now: bool
    written_now: bool
    loudness: float
    true_peak: float
    gain_db: float
    repaired: tuple[str, ...]
    flagged: tuple[str, ...]
    approved: tuple[str, ...]
    engine: str
    notes: tuple[str, ...]


def clean_audio(
    work: Workspace,
    sources: Sequence[Path],
    out: Path,
    recipe: Recipe,
    spec: DeliverySpec,
    progress: Progress,
) -> tuple[CleanedFile, ...]:
    """Clean each file whole into the folder `out`, and note what is said in it.

    Lag is zero and length, rate, channels and timecode are kept. Raises InputError for a file
    that can't be read, OutputError where an output would overwrite an input or a stranger's file.
    """
    engines = choose_engines(work, recipe)
    signing_of(work.settings)
    for note in engines.notes:
        progress.say(note)
    targets = _targets(work, sources, out)
    name = "Cleaning files"
    progress.step(name, len(sources))
    files = [hash_media(work, probe(source)) for source in sources]
    refuse_withheld_files(work, files)
    takes = [Take(media.essence, tuple(range(media.channels))) for media in files]
    fitting = [recipe_for(work, media, recipe) for media in files]
    setups = Setups(work, recipe, engines.denoiser, zip(takes, files, fitting, strict=True))

    def cleaned(take: Take, media: MediaFile) -> CleanedTake:
        found = setups.recall(take, media)
        if found is not None:
            return found
        # As much again is written beside: the cleaned file.
        check_room({work.store.folder: take_bytes(take, media), out: take_bytes(take, media)})
        return clean_take(work, take, media, setups.recipe_of(take), engines.denoiser)

    made = []
    for take, media in zip(takes, files, strict=True):
        made.append(cleaned(take, media))
        progress.advance(name)
    again = {take.id for take in setups.decide(made)}
    made = [cleaned(item.take, item.media) if item.take.id in again else item for item in made]
    setups.remember(made, in_cut=False)
    return tuple(
        _finished(work, item, target, spec, engines, setups.notes_of(item.take))
        for item, target in zip(made, targets, strict=True)
    )


def _targets(work: Workspace, sources: Sequence[Path], out: Path) -> list[Path]:
    """Where each file goes, after checking that nothing is overwritten."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            f"{out} can't be written ({fault.strerror}); choose another --out."
        ) from fault
    targets = [out / f"{source.stem}.wav" for source in sources]
    inputs = {source.resolve() for source in sources}
    for source, target in zip(sources, targets, strict=True):
        if target.resolve() in inputs:
            raise OutputError(f"{target} is an original; choose another --out than its folder.")
        if targets.count(target) > 1:
            raise OutputError(
                f"{source} has the same name as another of the files; clean them to two folders."
            )
        if target.exists() and not _ours(work, target):
            raise OutputError(f"{target} exists and is not roomtone's; choose another --out.")
    return targets


def _ours(work: Workspace, path: Path) -> bool:
    with work.database.read() as session:
        found = asset_at(session, file_sha256(path))
    return found is not None and found.kind == "clip"


def _finished(
    work: Workspace,
    cleaned: CleanedTake,
    target: Path,
    spec: DeliverySpec,
    engines: Engines,
    decided: tuple[str, ...],
) -> CleanedFile:
    """Listen to a file and write what was cleaned of it. decided: of its setup, a sentence each."""
    started = datetime.now(UTC)
    media = cleaned.media
    again = cleaned_sound(work, media, [cleaned])
    heard = recall_lines(work, media, engines.recogniser, again)
    if heard is None:
        heard = listen_take(work, media, engines.recogniser, again)
        settle_speakers(work, project_of(work, media))
    note_events(work, [cleaned], [heard], Silent(), InTurn())
    refuse_withheld_take(work, media)
    meter, peak = _measured(cleaned)
    decision = programme_gain(meter.integrated, meter.true_peak(), spec)
    alone = left_alone(work, media)
    stamp = Stamp(f"{decision.gain_db:.6f}", target.parent, work.settings.ai_mark)
    signing = signing_of(work.settings)
    marks = f"{MARKS_VERSION} {stamp.ai_mark} {signing.digest if signing else ''}".strip()
    key = f"{cleaned.key}:{decision.gain_db:.6f}:{marks}:{target.name}"
    done = CleanedFile(
        source=media.path,
        out=target,
        cleaned_now=cleaned.cleaned_now,
        written_now=not _is_current(work, key, target),
        loudness=meter.integrated(),
        true_peak=meter.true_peak(),
        gain_db=decision.gain_db,
        repaired=cleaned.repairs,
        flagged=tuple(flagged([cleaned])),
        approved=tuple(approved([cleaned])),
        engine="" if alone else cleaned.card.name,
        notes=(
            *engines.notes,
            *privacy_notes(work, [media]),
            *filter(None, [alone]),
            *decided,
            *((decision.reason,) if decision.limited_by_peak else ()),
        ),
    )
    if not done.written_now:
        return done
    _write(cleaned, target, decision.gain_db, peak, stamp)
    if signing is not None:
        sign_file(signing, target, [cleaned.worked], stamp, [cleaned.key])
    sha256 = file_sha256(target)
    asset = AssetRecord(
        sha256=sha256,
        kind="clip",
        name=target.name,
        bytes=target.stat().st_size,
        container="WAV",
        sample_rate=media.sample_rate,
        channels=media.channels,
        frames=media.frames,
        sound=sound_sha256(target),
    )
    parameters: dict[str, JSON] = {
        "spec": spec.name,
        "gain_db": decision.gain_db,
        "id": stamp.name(target, [cleaned.key]),
    }
    with work.database.write() as session:
        remember_asset(session, asset, target)
        record(
            session,
            activity("render", key, started, parameters),
            used=[Use(cleaned.sha256, "clean", 0, media.frames, made=(0, media.frames))],
            generated=[Use(sha256, "clip", 0, media.frames)],
        )
    return done


def _is_current(work: Workspace, key: str, target: Path) -> bool:
    """Whether the file is what that work made."""
    with work.database.read() as session:
        found = finished(session, "render", key)
    return found is not None and target.is_file() and file_sha256(target) == found[1][0].asset


def _measured(cleaned: CleanedTake) -> tuple[LoudnessMeter, float]:
    """A meter that has heard a cleaned take, and the take's sample peak."""
    meter = LoudnessMeter(cleaned.media.sample_rate, len(cleaned.take.channels))
    peak = 0.0
    with Sound(cleaned.sound) as sound:
        for start in range(0, sound.frames, BLOCK):
            block = sound.read(start, min(BLOCK, sound.frames - start), range(sound.channels))
            meter.add(block)
            peak = max(peak, float(np.max(np.abs(block), initial=0.0)))
    return meter, peak


def _write(cleaned: CleanedTake, target: Path, gain_db: float, peak: float, stamp: Stamp) -> None:
    media: MediaFile = cleaned.media
    gain = 10 ** (gain_db / 20)
    fits = peak * gain * FULL_SCALE + 2 < FULL_SCALE
    channels = len(cleaned.take.channels)
    step = "file" + (f" gain {gain_db:+.2f} dB" if gain_db else "")
    history = cleaning_lines(media.sample_rate, channels, [cleaned.worked]) + coding_history(
        media.sample_rate, 24 if fits else 32, channels, [], step
    )
    notes = replace(media.notes, coding_history=after_history(media.notes.coding_history, history))
    with (
        Sound(cleaned.sound) as sound,
        WaveWriter(
            target,
            media.sample_rate,
            channels,
            "PCM_24" if fits else "FLOAT",
            notes,
            {
                **ixml_fields([cleaned.worked], stamp, target, [cleaned.key]),
                "ROLE": "CLIP",
                "TAKE_KEY": cleaned.key,
                "ORIGINAL_SHA256": media.sha256,
                "GAIN_DB": f"{gain_db:.6f}",
            },
        ) as writer,
    ):
        for start in range(0, sound.frames, BLOCK):
            block = sound.read(start, min(BLOCK, sound.frames - start), range(channels))
            writer.write(to_grid(block, gain))

"""Clean whole takes: once each, kept in the store under a key that says all that shaped them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from adapters.media.decode import Sound, sound_file
from adapters.media.essence import file_sha256
from adapters.media.write import WaveWriter
from config.recipes import Recipe
from core.defects import Defect
from core.media import MediaFile
from core.plan import Take, digest
from core.stems import to_grid
from db.memory import AssetRecord, remember_asset
from db.provenance import Use, finished, record
from flows.engines import DenoiserChoice, load_denoiser
from flows.workspace import Workspace, activity
from models.card import ModelCard
from models.denoise.clean import DenoiseOptions, clean_channel, process_version
from models.quality import Gate, judge
from models.repair import chain
from models.repair.chain import Repaired, RepairOptions, repair_channel
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.rate import SPEECH_RATE, rescale, to_16k

TOOL = "roomtone clean"
_CLEANED = re.compile(r"T=roomtone [^;\r\n]*;")
_GATES = TypeAdapter(tuple[tuple[Gate, ...], ...])
_CARD = TypeAdapter(ModelCard)
_DEFECTS = TypeAdapter(tuple[Defect, ...])
_REPAIRS = TypeAdapter(tuple[str, ...])
Read = Callable[[int, int], NDArray[np.float64]]


@dataclass(frozen=True)
class CleanedTake:
    """A take and its cleaned sound.

    path: in the store, 32-bit float, the same rate, channels and length as the take's group.
    gates: for each channel of the group. defects: what was wrong with the recording.
    repairs: what was mended, a sentence a microphone and step. cleaned_now: this run did the work.
    """

    take: Take
    media: MediaFile
    key: str
    path: Path
    sha256: str
    card: ModelCard
    gates: tuple[tuple[Gate, ...], ...]
    defects: tuple[Defect, ...]
    repairs: tuple[str, ...]
    cleaned_now: bool

    @property
    def passed(self) -> bool:
        """Whether every gate of every channel let it through."""
        return all(gate.passed for channel in self.gates for gate in channel)


def take_key(take: Take, recipe: Recipe, choice: DenoiserChoice) -> str:
    """What names the cleaned take: the same key means the same samples."""
    return digest(
        {
            "essence": take.essence,
            "channels": list(take.channels),
            "limit_db": recipe.limit_db,
            "target_level_dbfs": recipe.target_level_dbfs,
            "engine": choice.name,
            "weights": choice.weights,
            "process": process_version,
            "repair": chain.process_version if recipe.repair else "",
        }
    )


def left_alone(work: Workspace, media: MediaFile) -> str:
    """Why a file is not cleaned, a sentence: its CodingHistory says that roomtone cleaned it.

    Empty where it is cleaned. A file that roomtone wrote but did not clean (PROD) is cleaned.
    """
    if work.settings.clean_again or not _CLEANED.search(media.notes.coding_history):
        return ""
    return (
        f"{media.path.name} went through roomtone before and is left as it is; "
        "--again cleans it once more."
    )


def recipe_for(work: Workspace, media: MediaFile, recipe: Recipe) -> Recipe:
    """The recipe for a file: what was cleaned before is bypassed, unless asked otherwise."""
    return replace(recipe, limit_db=0.0, repair=False) if left_alone(work, media) else recipe


def store_path(work: Workspace, key: str) -> Path:
    """Where the cleaned take of that key lies."""
    return work.store / key[:2] / f"{key}.wav"


def recall_take(
    work: Workspace, take: Take, media: MediaFile, recipe: Recipe, choice: DenoiserChoice
) -> CleanedTake | None:
    """The cleaned take if the store has it, else None; judged again where the limits are others."""
    return recall_key(work, take, media, recipe, take_key(take, recipe, choice))


def recall_key(
    work: Workspace, take: Take, media: MediaFile, recipe: Recipe, key: str
) -> CleanedTake | None:
    """As `recall_take`, by the key of the cleaned take."""
    path = store_path(work, key)
    with work.database.read() as session:
        found = finished(session, "clean", key)
    if found is None or not path.is_file():
        return None
    done, generated = found
    if done.card is None or path.stat().st_size != done.parameters["bytes"]:
        return None
    gates = _GATES.validate_python(done.parameters["gates"])
    if done.parameters.get("limits") != asdict(recipe.limits):
        with _repaired(sound_file(media, work.cache), take, media, recipe) as channels:
            gates = _judge(channels, path, media, recipe)
    return CleanedTake(
        take,
        media,
        key,
        path,
        generated[0].asset,
        _CARD.validate_python(done.card),
        gates,
        _DEFECTS.validate_python(done.parameters["defects"]),
        _REPAIRS.validate_python(done.parameters["repairs"]),
        cleaned_now=False,
    )


def clean_take(
    work: Workspace, take: Take, media: MediaFile, recipe: Recipe, choice: DenoiserChoice
) -> CleanedTake:
    """Clean a take into the store, judge it, and remember what was done.

    The whole take is processed from its first sample. Raises EngineError for missing weights,
    InputError where the media can't be read to the end, OutputError where the store is full.
    """
    started = datetime.now(UTC)
    engine = load_denoiser(work, choice)
    path = store_path(work, take_key(take, recipe, choice))
    path.parent.mkdir(parents=True, exist_ok=True)
    source = sound_file(media, work.cache)
    options = DenoiseOptions(limit_db=recipe.limit_db, target_level_dbfs=recipe.target_level_dbfs)
    width = len(take.channels)
    with _repaired(source, take, media, recipe) as channels:
        cleaning = [
            clean_channel(channel.read, media.frames, media.sample_rate, engine, options)
            for channel in channels
        ]
        with WaveWriter(path, media.sample_rate, width, "FLOAT", media.notes) as writer:
            for blocks in zip(*cleaning, strict=True):
                writer.write(to_grid(np.stack(blocks, axis=1)))
        gates = _judge(channels, path, media, recipe)
    done = CleanedTake(
        take=take,
        media=media,
        key=take_key(take, recipe, choice),
        path=path,
        sha256=file_sha256(path),
        # The same engine is a stand-in in one run and the person's own choice in another.
        card=replace(engine.card, stand_in=choice.stand_in),
        gates=gates,
        defects=tuple(defect for channel in channels for defect in channel.defects),
        repairs=_summaries(media, take, channels),
        cleaned_now=True,
    )
    _remember(work, done, recipe, started)
    return done


def _remember(work: Workspace, done: CleanedTake, recipe: Recipe, started: datetime) -> None:
    """The cleaned take, and what made it, in one transaction."""
    media, size = done.media, done.path.stat().st_size
    parameters = {
        "recipe": recipe.name,
        "limit_db": recipe.limit_db,
        "target_level_dbfs": recipe.target_level_dbfs,
        "channels": list(done.take.channels),
        "process": process_version,
        "repair": chain.process_version if recipe.repair else "",
        "repairs": list(done.repairs),
        "defects": [asdict(defect) for defect in done.defects],
        "gates": [[asdict(gate) for gate in channel] for channel in done.gates],
        "limits": asdict(recipe.limits),
        "bytes": size,
        "stand_in": done.card.stand_in,
    }
    asset = AssetRecord(
        sha256=done.sha256,
        kind="clean",
        name=done.path.name,
        bytes=size,
        container="WAV",
        subtype="FLOAT",
        sample_rate=media.sample_rate,
        channels=len(done.take.channels),
        frames=media.frames,
    )
    with work.database.write() as session:
        remember_asset(session, asset, done.path)
        record(
            session,
            activity("clean", done.key, started, parameters, done.card),
            used=[Use(media.sha256, "original", 0, media.frames)],
            generated=[Use(done.sha256, "clean", 0, media.frames)],
        )


def flagged(takes: Iterable[CleanedTake]) -> list[str]:
    """A sentence for every gate that held one of the takes back."""
    found = []
    for take in takes:
        for channel, gates in zip(take.take.channels, take.gates, strict=True):
            where = f"{take.media.path.name} {microphone_name(take.media, channel)}"
            found += [
                f"{where}: {gate.name} {gate.value:.2f} {gate.unit} (limit {gate.limit:g})"
                for gate in gates
                if not gate.passed
            ]
    return found


@contextmanager
def _readers(path: Path, channels: Sequence[int]) -> Iterator[list[Read]]:
    """A mono reader for each channel of a sound file."""
    with Sound(path) as sound:
        yield [_mono(sound, channel) for channel in channels]


def _mono(sound: Sound, channel: int) -> Read:
    return lambda start, frames: sound.read(start, frames, [channel])[:, 0]


@contextmanager
def _repaired(
    source: Path, take: Take, media: MediaFile, recipe: Recipe
) -> Iterator[list[Repaired]]:
    """Each channel of a take as the engine hears it: mended where something was wrong."""
    with _readers(source, take.channels) as reads:
        if not recipe.repair:
            yield [Repaired(read, (), ()) for read in reads]
            return
        yield [
            repair_channel(read, media.frames, media.sample_rate, RepairOptions(), channel)
            for read, channel in zip(reads, take.channels, strict=True)
        ]


def _summaries(media: MediaFile, take: Take, channels: Sequence[Repaired]) -> tuple[str, ...]:
    """What was mended, a sentence for each microphone and step."""
    return tuple(
        f"{media.path.name} {microphone_name(media, number)}: {report.step}, {report.summary}"
        for number, channel in zip(take.channels, channels, strict=True)
        for report in channel.reports
        if report.changed
    )


def microphone_name(media: MediaFile, channel: int) -> str:
    """The recorder's name for a channel, or its number."""
    return media.notes.track_name(channel) or f"channel {channel + 1}"


def _judge(
    channels: Sequence[Repaired], cleaned: Path, media: MediaFile, recipe: Recipe
) -> tuple[tuple[Gate, ...], ...]:
    """The gates of each channel: the cleaned sound against the repaired one.

    Repair has its own report; what a click or the hum was is no loss of speech.
    """
    judged = []
    with Sound(cleaned) as result:
        for index, channel in enumerate(channels):
            spans = speech_in(channel.read, media.frames, media.sample_rate)
            judged.append(
                judge(
                    channel.read,
                    _mono(result, index),
                    media.frames,
                    media.sample_rate,
                    spans,
                    recipe.limits,
                    result.frames,
                )
            )
    return tuple(judged)


def speech_in(read: Read, frames: int, sample_rate: int) -> tuple[tuple[int, int], ...]:
    """Where somebody speaks in a channel, in its own samples."""
    sound = at_16k(read, frames, sample_rate)
    return tuple(
        (
            rescale(start, SPEECH_RATE, sample_rate),
            min(frames, rescale(end, SPEECH_RATE, sample_rate)),
        )
        for start, end in speech_spans(sound, ActivityOptions())
    )


def at_16k(read: Read, frames: int, sample_rate: int) -> NDArray[np.float32]:
    """A channel at 16 kHz, read and resampled in blocks of a minute (64 kB a second in all)."""
    import soxr

    block = 60 * sample_rate
    if sample_rate == SPEECH_RATE or frames <= block:
        return to_16k(read(0, frames).astype(np.float32), sample_rate)
    stream = soxr.ResampleStream(sample_rate, SPEECH_RATE, 1, dtype="float32")
    whole = np.zeros(-(-frames * SPEECH_RATE // sample_rate) + SPEECH_RATE, dtype=np.float32)
    filled = 0
    for start in range(0, frames, block):
        part = stream.resample_chunk(
            read(start, min(block, frames - start)).astype(np.float32),
            last=start + block >= frames,
        )
        whole[filled : filled + len(part)] = part
        filled += len(part)
    return whole[:filled]

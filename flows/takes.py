"""Clean whole takes: once each, kept in the store under a key that says all that shaped them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from adapters.media.decode import Sound, sound_file
from adapters.media.essence import file_sha256, sound_sha256
from adapters.media.write import WaveWriter
from adapters.storage.store import Store
from config.recipes import Recipe
from core.defects import Defect
from core.media import MediaFile
from core.plan import Take, digest
from core.review import Review
from core.stems import to_grid
from db.codec import JSON
from db.memory import AssetRecord, remember_asset
from db.provenance import Use, finished, record
from db.review import accepted
from flows.about import working_on
from flows.claims import done_once
from flows.engines import DenoiserChoice, load_denoiser
from flows.hearing import (
    Read,
    Spans,
    decoded_once,
    in_samples,
    parts_at_16k,
    spoken,
    worked_once,
)
from flows.marks import Worked
from flows.workspace import Workspace, activity
from models import dereverb
from models.card import ModelCard
from models.denoise.clean import DenoiseOptions, clean_group, process_version
from models.dereverb import RoomOptions, without_room
from models.quality import GATES_VERSION, Gate, Judged, judge_group, regraded
from models.repair import chain
from models.repair.chain import Repaired, RepairOptions, repair_channel
from models.threads import one_blas_thread

LOG = logging.getLogger("roomtone.takes")
PAIR = 2
_LEFT_RIGHT = re.compile(r"(.*?)(?:[ _.-]+|(?<=mix))(?:left|right|l|r)", re.IGNORECASE)
_MID_SIDE = re.compile(
    r"((?:boom|bm|ms|stereo|amb\w*|room)\w*)[ _.-]+(?:mid|side|m|s)", re.IGNORECASE
)
_CLEANED = re.compile(r"T=roomtone [^;\r\n]*;")
_GATES = TypeAdapter(tuple[tuple[Gate, ...], ...])
_BYTES = TypeAdapter(int)
_CARD = TypeAdapter(ModelCard)
_DEFECTS = TypeAdapter(tuple[Defect, ...])
_REPAIRS = TypeAdapter(tuple[str, ...])
_OTHERS = re.compile(
    r"izotope\s*rx|\brx\s?\d+\s*(?:advanced|standard|elements|audio)|\bcedar\b|\bwaves\b"
    r"|\bclarity\b|\bde-?nois\w*|\bnoise[ _-]?(?:reduc|suppress)\w*|\bsupertone\b|\bdxrevive\b"
    r"|\baccentize\b|\bdeepfilternet\w*|\brnnoise\b|\babsentia\b|\bauphonic\b"
    r"|\b(?:adobe )?enhance speech\b|\b(?-i:NR)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class CleanedTake:
    """A take and its cleaned sound.

    path: its place in the store; read it by `sound`. 32-bit float, the same rate, channels and
    length as the take's group.
    gates: for each channel of the group. defects: what was wrong with the recording.
    repairs: what was mended, a sentence a microphone and step. cleaned_now: this run did the work.
    accepted: the person's decision that takes it as it is, or None.
    recipe: that it was cleaned with, by name. engine_ran: whether noise was taken at all.
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
    accepted: Review | None = None
    recipe: str = ""
    engine_ran: bool = True
    store: Store | None = field(default=None, compare=False, repr=False)

    @property
    def sound(self) -> Path:
        """Where its sound can be read now, brought to this machine if the store is elsewhere.

        Raises what `Store.here` does.
        """
        return self.path if self.store is None else self.store.here(self.path)

    @property
    def worked(self) -> Worked:
        """What was done to it, for what files say of themselves."""
        return Worked(self.recipe, self.card, self.engine_ran, bool(self.repairs))

    @property
    def passed(self) -> bool:
        """Whether every gate of every channel let it through."""
        return all(gate.passed for channel in self.gates for gate in channel)

    @property
    def waits(self) -> bool:
        """Whether a gate holds it back and no person accepted it."""
        return not self.passed and self.accepted is None

    @property
    def approved(self) -> str:
        """Who took it although a gate holds it back: `approved by mk on 2026-11-27`; or empty."""
        if self.passed or self.accepted is None:
            return ""
        return f"{self.accepted.words} {self.accepted.who_when}"


def take_key(take: Take, media: MediaFile, recipe: Recipe, choice: DenoiserChoice) -> str:
    """What names the cleaned take: the same key means the same samples."""
    return digest(
        {
            "essence": take.essence,
            "channels": list(take.channels),
            "groups": [list(group) for group in microphone_groups(media, take.channels)],
            **made_by(recipe, choice),
        }
    )


def made_by(recipe: Recipe, choice: DenoiserChoice) -> dict[str, JSON]:
    """What shapes any take beside its sound: the recipe, the engine and the processing."""
    return {
        "options": asdict(_options(recipe)),
        "engine": choice.name,
        "weights": choice.weights,
        "process": process_version,
        "repair": chain.process_version if recipe.repair else "",
        **_room(recipe),
    }


def _room(recipe: Recipe) -> dict[str, JSON]:
    """What turns the room down, where it is turned down at all."""
    if not recipe.room_db:
        return {}
    engine = dereverb.card()
    return {
        "room": {
            "amount_db": recipe.room_db,
            "engine": f"{engine.name} {engine.version}",
            "process": dereverb.process_version,
        }
    }


def _options(recipe: Recipe) -> DenoiseOptions:
    return DenoiseOptions(
        limit_db=recipe.limit_db,
        target_level_dbfs=recipe.target_level_dbfs,
        adaptive=recipe.adaptive,
        two_pass=recipe.two_pass,
    )


def microphone_groups(media: MediaFile, channels: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The channels of a take, the two of one microphone together: left and right, mid and side.

    Such channels have one name but for its end (`BOOM L`, `BOOM R`), or are the two of a file
    without names. channels: of the file, from 0. Gives their places among `channels`, each once.
    """
    if not media.notes.track_names and media.channels == len(set(channels)) == PAIR:
        return (tuple(range(len(channels))),)
    groups: dict[str, list[int]] = {}
    for place, channel in enumerate(channels):
        name = media.notes.track_name(channel).strip()
        sided = _LEFT_RIGHT.fullmatch(name) or _MID_SIDE.fullmatch(name)
        stem = sided.group(1).casefold() if sided else f" {place}"
        groups.setdefault(stem, []).append(place)
    return tuple(
        group
        for members in groups.values()
        for group in ([tuple(members)] if len(members) == PAIR else [(one,) for one in members])
    )


def left_alone(work: Workspace, media: MediaFile) -> str:
    """Why a file is not cleaned, a sentence: its CodingHistory says that it was, by us or others.

    Empty where it is cleaned. A file that roomtone wrote but did not clean (PROD) is cleaned.
    """
    if work.settings.clean_again:
        return ""
    history = media.notes.coding_history
    if _CLEANED.search(history):
        return (
            f"{media.path.name} went through roomtone before and is left as it is; "
            "--again cleans it once more."
        )
    other = _OTHERS.search(history)
    if other is None:
        return ""
    return (
        f"{media.path.name} says in its CodingHistory that it was denoised before "
        f"({other.group().strip()}) and is left as it is; --again cleans it once more."
    )


def recipe_for(work: Workspace, media: MediaFile, recipe: Recipe) -> Recipe:
    """The recipe for a file: what was cleaned before is bypassed, unless asked otherwise."""
    if not left_alone(work, media):
        return recipe
    return replace(recipe, limit_db=0.0, repair=False, room_db=0.0)


def recall_take(
    work: Workspace, take: Take, media: MediaFile, recipe: Recipe, choice: DenoiserChoice
) -> CleanedTake | None:
    """The cleaned take if the store has it, else None; judged again where the limits are others."""
    return recall_key(work, take, media, recipe, take_key(take, media, recipe, choice))


def recall_key(
    work: Workspace, take: Take, media: MediaFile, recipe: Recipe, key: str
) -> CleanedTake | None:
    """As `recall_take`, by the key of the cleaned take."""
    path = work.store.place(key)
    with work.database.read() as session:
        found, review = finished(session, "clean", key), accepted(session, key)
    if found is None:
        return None
    done, generated = found
    if done.card is None or not work.store.has(
        path, _BYTES.validate_python(done.parameters["bytes"])
    ):
        return None
    return CleanedTake(
        take,
        media,
        key,
        path,
        generated[0].asset,
        _CARD.validate_python(done.card),
        _gates_again(work, take, media, recipe, path, done.parameters),
        _DEFECTS.validate_python(done.parameters["defects"]),
        _REPAIRS.validate_python(done.parameters["repairs"]),
        cleaned_now=False,
        accepted=review,
        recipe=str(done.parameters.get("recipe", "")),
        engine_ran=done.parameters.get("limit_db") != 0,
        store=work.store,
    )


def clean_take(
    work: Workspace, take: Take, media: MediaFile, recipe: Recipe, choice: DenoiserChoice
) -> CleanedTake:
    """Clean a take into the store, judge it, and remember what was done.

    The whole take is processed from its first sample. Where another run is at the same take, that
    one's work is waited for. Raises EngineError for missing weights, InputError where the media
    can't be read to the end, OutputError where the store is full.
    """
    key = take_key(take, media, recipe, choice)
    with working_on("clean", take=media.essence, asset=media.sha256, file=media.path.name):
        cleaned = done_once(
            work,
            f"clean {key}",
            lambda: recall_key(work, take, media, recipe, key),
            lambda: _cleaned_now(work, take, media, recipe, choice, key),
        )
        if cleaned.cleaned_now:
            LOG.info("%s is cleaned", media.path.name)
    return cleaned


def _cleaned_now(
    work: Workspace,
    take: Take,
    media: MediaFile,
    recipe: Recipe,
    choice: DenoiserChoice,
    key: str,
) -> CleanedTake:
    started = datetime.now(UTC)
    one_blas_thread()
    engine = load_denoiser(work, choice)
    path = work.store.place(key)
    with work.database.read() as session:
        review = accepted(session, key)
    width = len(take.channels)
    with (
        _heard(work, take, media, recipe) as (channels, speech),
        work.store.making(path) as made,
    ):
        groups = microphone_groups(media, take.channels)
        cleaning = [
            clean_group(
                without_room(
                    [channels[place].read for place in group],
                    media.frames,
                    media.sample_rate,
                    RoomOptions(recipe.room_db),
                ),
                media.frames,
                media.sample_rate,
                engine,
                _options(recipe),
            )
            for group in groups
        ]
        order = np.argsort([place for group in groups for place in group])
        with WaveWriter(made, media.sample_rate, width, "FLOAT", media.notes) as writer:
            for blocks in zip(*cleaning, strict=True):
                writer.write(to_grid(np.concatenate(blocks, axis=1)[:, order]))
        gates = _judge(take, channels, speech, made, media, recipe)
        asset = _asset(made, path, media, width)
        work.store.keep(made, path, asset.sha256)
    done = CleanedTake(
        take=take,
        media=media,
        key=key,
        path=path,
        sha256=asset.sha256,
        # The same engine is a stand-in in one run and the person's own choice in another.
        card=replace(engine.card, stand_in=choice.stand_in),
        gates=gates,
        defects=tuple(defect for channel in channels for defect in channel.defects),
        repairs=_summaries(media, take, channels),
        cleaned_now=True,
        accepted=review,
        recipe=recipe.name,
        engine_ran=recipe.limit_db != 0,
        store=work.store,
    )
    _remember(work, done, asset, recipe, started)
    return done


def _asset(made: Path, path: Path, media: MediaFile, channels: int) -> AssetRecord:
    """What was made, which is to be kept at a path."""
    return AssetRecord(
        sha256=file_sha256(made),
        kind="clean",
        name=path.name,
        bytes=made.stat().st_size,
        container="WAV",
        subtype="FLOAT",
        sample_rate=media.sample_rate,
        channels=channels,
        frames=media.frames,
        sound=sound_sha256(made),
    )


def _remember(
    work: Workspace, done: CleanedTake, asset: AssetRecord, recipe: Recipe, started: datetime
) -> None:
    """The cleaned take, and what made it, in one transaction."""
    media = done.media
    parameters = {
        "recipe": recipe.name,
        **asdict(_options(recipe)),
        "channels": list(done.take.channels),
        "process": process_version,
        "repair": chain.process_version if recipe.repair else "",
        **_room(recipe),
        "repairs": list(done.repairs),
        "defects": [asdict(defect) for defect in done.defects],
        "gates": [[asdict(gate) for gate in channel] for channel in done.gates],
        "gates_version": GATES_VERSION,
        "limits": asdict(recipe.limits),
        "bytes": asset.bytes,
        "stand_in": done.card.stand_in,
    }
    whole = (0, media.frames)
    with work.database.write() as session:
        remember_asset(session, asset, done.path)
        record(
            session,
            activity("clean", done.key, started, parameters, done.card),
            used=[
                Use(
                    media.sha256,
                    "original",
                    *whole,
                    made=whole,
                    channels=done.take.channels,
                )
            ],
            generated=[Use(done.sha256, "clean", 0, media.frames)],
        )


@contextmanager
def _heard(
    work: Workspace, take: Take, media: MediaFile, recipe: Recipe
) -> Iterator[tuple[list[Repaired], list[Spans]]]:
    """Each channel of a take as the engine hears it, and where somebody speaks in it.

    It is mended where something was wrong. Every microphone's speech is its own.
    """
    with Sound(sound_file(media, work.cache)) as sound:
        reads = decoded_once(sound, take.channels, media.subtype)
        speech = [
            in_samples(_speech(work, media, number, read), media.frames, media.sample_rate)
            for number, read in zip(take.channels, reads, strict=True)
        ]
        if not recipe.repair:
            yield [Repaired(read, (), ()) for read in reads], speech
            return
        options = RepairOptions()
        mended = [
            repair_channel(read, media.frames, media.sample_rate, options, number)
            for number, read in zip(take.channels, reads, strict=True)
        ]
        yield [_kept(channel, media.frames, len(mended)) for channel in mended], speech


def _kept(channel: Repaired, frames: int, channels: int) -> Repaired:
    """The same channel, which is not mended anew for each of its readers."""
    if channel.untouched:
        return channel
    return replace(channel, read=worked_once(channel.read, frames, channels))


def _speech(work: Workspace, media: MediaFile, channel: int, read: Read) -> Spans:
    return spoken(work, media, channel, lambda: parts_at_16k(read, media.frames, media.sample_rate))


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
    take: Take,
    channels: Sequence[Repaired],
    speech: Sequence[Spans],
    cleaned: Path,
    media: MediaFile,
    recipe: Recipe,
) -> tuple[tuple[Gate, ...], ...]:
    """The gates of each channel: the cleaned sound against the repaired one.

    Repair has its own report; what a click or the hum was is no loss of speech.
    """
    with Sound(cleaned) as result:
        reads = decoded_once(result, range(result.channels), "FLOAT")
        gates: list[tuple[Gate, ...]] = [()] * len(channels)
        for group in microphone_groups(media, take.channels):
            judged = [Judged(channels[at].read, reads[at], speech[at]) for at in group]
            found = judge_group(
                judged, media.frames, media.sample_rate, recipe.limits, result.frames
            )
            for place, passed in zip(group, found, strict=True):
                gates[place] = passed
        return tuple(gates)


def _gates_again(
    work: Workspace,
    take: Take,
    media: MediaFile,
    recipe: Recipe,
    path: Path,
    parameters: Mapping[str, JSON],
) -> tuple[tuple[Gate, ...], ...]:
    """The gates of a take in the store: as measured then, against the limits of now."""
    if parameters.get("gates_version") == GATES_VERSION:
        gates = _GATES.validate_python(parameters["gates"])
        return tuple(regraded(channel, recipe.limits) for channel in gates)
    with _heard(work, take, media, recipe) as (channels, speech):
        return _judge(take, channels, speech, work.store.here(path), media, recipe)

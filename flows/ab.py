"""A/B: any stretch of a take raw, cleaned and removed, level-matched, with a picture of the three.

The raw sound stays as it is; the cleaned one gets the gain that makes its speech as loud, and what
was removed gets the same gain, so that cleaned and removed add up to the raw sound under it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.media.decode import Sound, sound_file
from adapters.media.essence import file_sha256, sound_sha256
from adapters.media.probe import probe
from adapters.media.whole import write_bytes
from config.recipes import Recipe
from core.errors import OutputError
from core.media import MediaFile
from core.plan import Take, digest
from core.time import clock
from db.codec import JSON
from db.memory import AssetRecord, asset_at, remember_asset
from db.provenance import Use, finished, record
from flows.ab_picture import AB_PICTURE_VERSION, Plate, ab_picture
from flows.ab_sounds import KINDS, WRITING, Ready, matched, same_sound, write_sounds
from flows.engines import DenoiserChoice, choose_denoiser
from flows.hearing import Read
from flows.lock import only_writer
from flows.marks import MARKS_VERSION
from flows.permitted import refuse_forbidden
from flows.pictures import difference
from flows.place import channel_of, position_text, stretch_of
from flows.progress import Progress
from flows.setups import in_force, recall_in_force
from flows.takes import (
    CleanedTake,
    clean_take,
    left_alone,
    microphone_name,
    recipe_for,
)
from flows.turnover import hash_media
from flows.withheld import refuse_withheld_sound
from flows.workspace import Workspace, activity
from models.described import described
from models.quality import Gate

AB_VERSION = "1"
CLEANING = "Cleaning the take"
_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class AbRequest:
    """What is compared.

    channel: a number from 1 or the recorder's name of one; empty: the boom, else the mix, else
    the first. start, end: timecode, or time from the start of the file in seconds or as m:ss;
    empty: the whole take.
    """

    file: Path
    recipe: Recipe
    out: Path
    channel: str = ""
    start: str = ""
    end: str = ""


@dataclass(frozen=True)
class AbOutcome:
    """What came of it.

    channel: from 0; microphone: its name. start, end: samples of the file. record: where that
    is, for people. gain_db: on cleaned and removed. raw, cleaned, removed, picture: the files.
    gates: of the whole take. cleaned_now, written_now: whether this run did the work.
    notes: a sentence each.
    """

    source: Path
    channel: int
    microphone: str
    start: int
    end: int
    where: tuple[str, str]
    gain_db: float
    raw: Path
    cleaned: Path
    removed: Path
    picture: Path
    gates: tuple[Gate, ...]
    recipe: str
    engine: str
    cleaned_now: bool
    written_now: bool
    notes: tuple[str, ...]


def ab(work: Workspace, request: AbRequest, progress: Progress) -> AbOutcome:
    """Write raw, cleaned and removed sound of a stretch, and their picture, into a folder.

    The cleaned take comes from the store where it is there, else the whole take is cleaned first.
    Raises InputError for a file that can't be read, UsageError for a channel or a stretch it does
    not have or that may not leave the home, EngineError for missing weights, OutputError where the
    folder can't be written or a file there is not roomtone's.
    """
    media = hash_media(work, probe(request.file))
    channel = channel_of(media, request.channel)
    start, end = stretch_of(media, request.start, request.end)
    refuse_withheld_sound(work, media.essence, start, end, media)
    files = _files(request.out, media, channel, start, end)
    choice = choose_denoiser(work)
    refuse_forbidden(work, (described(choice.name), described("silero-vad")))
    if choice.reason:
        progress.say(choice.reason)
    _make_folder(request.out)
    progress.step(CLEANING, 1)
    take, place, recipe = _cleaned(work, media, channel, request.recipe, choice)
    progress.advance(CLEANING)
    left = left_alone(work, media)
    recipe = replace(recipe, name="bypass") if left else recipe
    ready = Ready(media, channel, start, end, recipe, take, place, work.settings.ai_mark)
    with only_writer(request.out, progress):
        gain, told, written = _delivered(work, ready, files, progress)
    notes = (choice.reason, left, told)
    return AbOutcome(
        source=request.file,
        channel=channel,
        microphone=microphone_name(media, channel),
        start=start,
        end=end,
        where=(position_text(media, start), position_text(media, end)),
        gain_db=gain,
        raw=files["raw"],
        cleaned=files["cleaned"],
        removed=files["removed"],
        picture=files["picture"],
        gates=take.gates[place],
        recipe=recipe.name,
        engine=take.card.name,
        cleaned_now=take.cleaned_now,
        written_now=written,
        notes=tuple(filter(None, notes)),
    )


def _files(out: Path, media: MediaFile, channel: int, start: int, end: int) -> dict[str, Path]:
    """Where the files go, after checking that none would overwrite the original."""
    name = _PLAIN.sub("_", microphone_name(media, channel)).strip("_") or f"{channel + 1}"
    if (start, end) != (0, media.frames):
        places = (position_text(media, at).replace(":", "-") for at in (start, end))
        name += "." + "_".join(_PLAIN.sub("-", place) for place in places)
    stem = out / f"{media.path.stem}.{name}"
    files = {kind: stem.with_name(f"{stem.name}.{kind}.wav") for kind in KINDS}
    files["picture"] = stem.with_name(f"{stem.name}.png")
    for path in files.values():
        if path.resolve() == media.path.resolve():
            raise OutputError(f"{path} is an original; choose another --out than its folder.")
    return files


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            f"{out} can't be written ({fault.strerror}); choose another --out."
        ) from fault


def _cleaned(
    work: Workspace, media: MediaFile, channel: int, asked: Recipe, choice: DenoiserChoice
) -> tuple[CleanedTake, int, Recipe]:
    """The cleaned take that has the channel, its place there, and the recipe that was in force.

    From the store alone or with the whole file's channels; else the channel's take is cleaned.
    """
    recipe = recipe_for(work, media, asked)
    alone = Take(media.essence, (channel,))
    for take in dict.fromkeys((alone, Take(media.essence, tuple(range(media.channels))))):
        found = recall_in_force(work, media, take, recipe, choice)
        if found is not None:
            fitting = in_force(work, media, take, recipe, choice)
            return found, take.channels.index(channel), fitting
    fitting = in_force(work, media, alone, recipe, choice)
    return clean_take(work, alone, media, fitting, choice), 0, fitting


def _delivered(
    work: Workspace, ready: Ready, files: Mapping[str, Path], progress: Progress
) -> tuple[float, str, bool]:
    """The gain, what is to be said of it, and whether the files were written now."""
    started = datetime.now(UTC)
    key = _key(ready, files)
    known = _found(work, key, files)
    if known is not None:
        return *known, False
    with ExitStack() as stack:
        raw = _open(stack, sound_file(ready.media, work.cache), ready.channel)
        clean = _open(stack, ready.take.sound, ready.place)
        stretch = (ready.start, ready.end)
        gain, told = matched(work, ready.media, ready.channel, stretch, raw, clean)
        reads = (raw, _scaled(clean, gain), _scaled(difference(raw, clean), gain))
        picture = ab_picture(reads, _plate(ready, gain))
        for kind, path in files.items():
            if path.exists() and not _known(work, path):
                _refuse_stranger(ready, kind, path, raw, clean, gain, picture)
        write_sounds(ready, files, raw, clean, gain, progress)
        write_bytes(files["picture"], picture)
        progress.advance(WRITING)
    _remember(work, ready, files, key, started, gain, told)
    return gain, told, True


def _open(stack: ExitStack, path: Path, channel: int) -> Read:
    sound = stack.enter_context(Sound(path))
    return lambda start, frames: sound.read(start, frames, [channel])[:, 0]


def _scaled(read: Read, gain_db: float) -> Read:
    factor = 10 ** (gain_db / 20)
    return lambda start, frames: factor * read(start, frames)


def _key(ready: Ready, files: Mapping[str, Path]) -> str:
    return digest(
        {
            "ab": ready.take.key,
            "place": ready.place,
            "stretch": [ready.start, ready.end],
            "file": ready.media.path.name,
            "gates": [
                [gate.name, gate.value, gate.limit] for gate in ready.take.gates[ready.place]
            ],
            "names": sorted(path.name for path in files.values()),
            "version": f"{AB_VERSION} {AB_PICTURE_VERSION} {MARKS_VERSION} {ready.ai_mark}",
        }
    )


def _found(work: Workspace, key: str, files: Mapping[str, Path]) -> tuple[float, str] | None:
    """The gain and note of an earlier run whose files are still as it left them."""
    with work.database.read() as session:
        found = finished(session, "render", key)
    if found is None:
        return None
    made = {use.asset for use in found[1]}
    for path in files.values():
        if not path.is_file() or file_sha256(path) not in made:
            return None
    gain, told = found[0].parameters["gain_db"], found[0].parameters["note"]
    return (float(gain), str(told)) if isinstance(gain, int | float) else None


def _known(work: Workspace, path: Path) -> bool:
    """Whether a file is as roomtone once wrote it here."""
    if not path.is_file():
        return False
    with work.database.read() as session:
        ours = asset_at(session, file_sha256(path))
    return ours is not None and ours.kind in ("clip", "report")


def _refuse_stranger(
    ready: Ready, kind: str, path: Path, raw: Read, clean: Read, gain_db: float, picture: bytes
) -> None:
    """Raise OutputError, unless the file is what will be written: a run broke off, or another's."""
    if kind == "picture":
        same = path.is_file() and path.read_bytes() == picture
    else:
        same = same_sound(ready, path, KINDS.index(kind), raw, clean, gain_db)
    if not same:
        raise OutputError(f"{path} exists and is not roomtone's; choose another --out.")


def _plate(ready: Ready, gain_db: float) -> Plate:
    media = ready.media
    where = " to ".join(position_text(media, at) for at in (ready.start, ready.end))
    return Plate(
        title=f"{media.path.name}  {microphone_name(media, ready.channel)}",
        line=(
            f"{where}  ({clock(ready.end - ready.start, media.sample_rate)})   "
            f"recipe {ready.recipe.name}   {ready.take.card.name}"
        ),
        gain_db=gain_db,
        start=ready.start,
        frames=ready.end - ready.start,
        sample_rate=media.sample_rate,
        gates=ready.take.gates[ready.place],
    )


def _remember(
    work: Workspace,
    ready: Ready,
    files: Mapping[str, Path],
    key: str,
    started: datetime,
    gain_db: float,
    note: str,
) -> None:
    """The files and what they were made of, in one transaction."""
    parameters: dict[str, JSON] = {
        "ab": True,
        "gain_db": gain_db,
        "note": note,
        "start": ready.start,
        "end": ready.end,
        "channel": ready.channel,
    }
    whole = (0, ready.end - ready.start)
    used = [
        Use(
            ready.media.sha256,
            "original",
            ready.start,
            ready.end,
            made=whole,
            channels=(ready.channel,),
        ),
        Use(ready.take.sha256, "clean", ready.start, ready.end, made=whole),
    ]
    with work.database.write() as session:
        made = []
        for kind, path in files.items():
            picture = kind == "picture"
            asset = AssetRecord(
                sha256=file_sha256(path),
                kind="report" if picture else "clip",
                name=path.name,
                bytes=path.stat().st_size,
                container="" if picture else "WAV",
                sample_rate=None if picture else ready.media.sample_rate,
                channels=None if picture else 1,
                frames=None if picture else ready.end - ready.start,
                sound=sound_sha256(path),
            )
            remember_asset(session, asset, path)
            made.append(Use(asset.sha256, kind))
        record(session, activity("render", key, started, parameters), used, made)

"""The delivery folder: what is in it, and that nothing else is ever overwritten.

`delivery.json` is written twice: first as a list of the files to come, so that a crashed run's
files are known for ours, and last, when everything is whole, with their hashes.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapters.json_file import read_json
from adapters.media.essence import file_sha256, sound_sha256
from adapters.media.whole import sweep, write_text
from core.errors import OutputError
from core.time import samples_to_timecode
from flows.clips import Clip
from flows.listening_mix import FILE_NAME as LISTENING_MIX
from flows.listening_mix import ListeningMix
from flows.report import REPORT
from flows.stems import Rendered
from flows.turnover import Turnover
from flows.workspace import code_version

LIST = "delivery.json"
MOST_BYTES = 64 << 20
"""Of the list. One of 10,000 clips has some 6 MB."""

STATES = COMPLETE, IN_PROGRESS = "complete", "in progress"
FOLDERS = ("stems", "clips", "timelines")
ON_REQUEST = ("transcripts",)
"""Folders that are made only when something goes into them."""


@dataclass(frozen=True)
class DeliveredFile:
    """A file of a delivery.

    path: below the delivery folder, with forward slashes. role: PROD, DX, NR, CHAR, OTHER,
    CLIP, TIMELINE, TRANSCRIPT, REPORT, SIDECAR, THRU, RT, MIX, or LIST for the list.
    start_timecode: of its first sample, or empty. gain_db: that was applied to its sound.
    sound_sha256: of the samples alone as they lie in a wave, so that it is known under another
    header.
    """

    path: str
    role: str
    sha256: str
    bytes: int
    track: str = ""
    character: str = ""
    event: str = ""
    start_timecode: str = ""
    sample_rate: int = 0
    frames: int = 0
    channels: int = 0
    subtype: str = ""
    gain_db: float = 0.0
    sound_sha256: str = ""


def read_list(folder: Path) -> dict[str, Any]:
    """The `delivery.json` of a folder, or an empty mapping where there is none of ours."""
    try:
        found = read_json(folder / LIST, MOST_BYTES)
        ours = isinstance(found, dict) and "roomtone" in found
        return found if ours and all(map(_is_entry, found.get("files", ()))) else {}
    except (OSError, ValueError, TypeError):
        return {}


def _is_entry(entry: Any) -> bool:
    """Whether something in a list is what a list says of a file."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("path"), str)
        and "\0" not in entry["path"]
        and isinstance(entry.get("role"), str)
        and isinstance(entry.get("sha256"), str)
        and isinstance(entry.get("bytes"), int)
    )


def is_current(folder: Path, key: str) -> bool:
    """Whether the folder holds the whole delivery of that key."""
    found = read_list(folder)
    if found.get("key") != key or found.get("state") != COMPLETE:
        return False
    for entry in found.get("files", ()):
        path = folder / entry["path"]
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            return False
    return True


def prepare(folder: Path, inputs: Iterable[Path], roots: Sequence[Path]) -> None:
    """Make the folders of a delivery, after checking that they may be written.

    inputs: files the run reads. roots: the media roots. Raises OutputError where the folder is
    a media root, an output could resolve to an input, or it can't be written.
    """
    resolved = folder.resolve()
    if any(resolved == root.resolve() for root in roots):
        raise OutputError(
            f"{folder} is a media folder; choose another --out, so that no original can be "
            "overwritten."
        )
    kept = {(resolved / name) for name in (*FOLDERS, *ON_REQUEST)} | {resolved}
    for source in inputs:
        if source.resolve().parent in kept:
            raise OutputError(
                f"{folder} holds {source.name}, which the cut plays; choose another --out."
            )
    try:
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            f"{folder} can't be written ({fault.strerror}); choose another --out."
        ) from fault
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder} can't be written (no permission); choose another --out.")
    sweep(folder, deep=False)
    for name in (*FOLDERS, *ON_REQUEST):
        sweep(folder / name)
    _refuse_strangers(folder)


def leave(folder: Path) -> None:
    """Remove the folders that were made for a delivery, where nothing is in them."""
    for path in (*(folder / name for name in FOLDERS), folder):
        with contextlib.suppress(OSError):
            path.rmdir()


def _refuse_strangers(folder: Path) -> None:
    """A folder in use by somebody else is left alone."""
    if read_list(folder):
        return
    folders = [folder / name for name in (*FOLDERS, *ON_REQUEST)]
    present = [
        path for inner in folders if inner.is_dir() for path in inner.iterdir() if path.is_file()
    ]
    present += [folder / name for name in (LIST, REPORT, LISTENING_MIX) if (folder / name).exists()]
    if present:
        stranger = present[0]
        raise OutputError(
            f"{stranger} is not from a delivery of roomtone; choose another --out, so that it "
            "is not overwritten."
        )


def keep_edited(folder: Path) -> tuple[str, ...]:
    """Put aside the timelines of a finished delivery that somebody changed since it was made.

    They get a name of their own beside the new ones. Gives a sentence for each. Raises OutputError
    where that can't be done.
    """
    found = read_list(folder)
    told = []
    for entry in found.get("files", ()) if found.get("state") == COMPLETE else ():
        path = folder / entry["path"]
        inside = folder.resolve() in path.resolve().parents
        if entry["role"] != "TIMELINE" or not inside or not path.is_file():
            continue
        if file_sha256(path) != entry["sha256"]:
            aside = free_beside(path, "edited")
            try:
                path.rename(aside)
            except OSError as fault:
                raise OutputError(
                    f"{path} was changed since it was delivered and can't be put aside "
                    f"({fault.strerror}); move it, or choose another --out."
                ) from fault
            told.append(
                f"{path.name} was changed since it was delivered: it is kept as {aside.name}, "
                "beside the new one."
            )
    return tuple(told)


def free_beside(path: Path, word: str) -> Path:
    """A name beside a file that is not taken: `reel.edited.otio`, `reel.edited_2.otio`."""
    number, aside = 1, path.with_name(f"{path.stem}.{word}{path.suffix}")
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}.{word}_{number}{path.suffix}")
    return aside


def announce(folder: Path, key: str) -> None:
    """Write the list of a delivery that is being made; an earlier one's files stay listed."""
    announce_again(folder, key, list(read_list(folder).get("files", ())))


def announce_again(folder: Path, key: str, files: Sequence[Mapping[str, Any]]) -> None:
    """Write the list of a delivery that is to be made again: these files are ours."""
    _write_list(folder, {"state": IN_PROGRESS, "key": key, "files": list(files)})


def finish(folder: Path, content: Mapping[str, Any], files: Sequence[DeliveredFile]) -> int:
    """Write the final list, after removing what an earlier delivery left that this one has not.

    Gives how many files were removed; those that somebody changed since stay.
    """
    removed = 0
    new = {entry.path for entry in files}
    for entry in read_list(folder).get("files", ()):
        path = (folder / entry["path"]).resolve()
        inside = folder.resolve() in path.parents
        unchanged = inside and path.is_file() and path.stat().st_size == entry["bytes"]
        if entry["path"] not in new and unchanged and file_sha256(path) == entry["sha256"]:
            path.unlink()
            removed += 1
    _write_list(folder, {"state": COMPLETE, **content, "files": [asdict(entry) for entry in files]})
    return removed


def _write_list(folder: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps({"roomtone": code_version(), **content}, indent=1, ensure_ascii=False)
    write_text(folder / LIST, text + "\n")


def describe(folder: Path, path: Path, role: str, **details: Any) -> DeliveredFile:
    """A delivered file with its hash and size."""
    return DeliveredFile(
        path=path.relative_to(folder).as_posix(),
        role=role,
        sha256=file_sha256(path),
        bytes=path.stat().st_size,
        sound_sha256=sound_sha256(path),
        **details,
    )


def stem_files(folder: Path, turnover: Turnover, rendered: Rendered) -> list[DeliveredFile]:
    """The stems as delivered files."""
    rate = turnover.cut.rate
    return [
        describe(
            folder,
            stem.path,
            stem.name.role,
            track=stem.name.track,
            character=stem.name.character,
            start_timecode=samples_to_timecode(rendered.start, rate, rendered.sample_rate),
            sample_rate=rendered.sample_rate,
            frames=stem.frames,
            channels=stem.channels,
            subtype=stem.subtype,
            gain_db=rendered.gain.gain_db,
        )
        for stem in rendered.stems
    ]


def mix_files(
    folder: Path, turnover: Turnover, rendered: Rendered, mix: ListeningMix
) -> list[DeliveredFile]:
    """The listening mix as a delivered file."""
    start = samples_to_timecode(rendered.start, turnover.cut.rate, rendered.sample_rate)
    return [
        describe(
            folder,
            mix.path,
            "MIX",
            start_timecode=start,
            sample_rate=rendered.sample_rate,
            frames=mix.frames,
            channels=mix.channels,
            subtype="PCM_24",
            gain_db=mix.gain_db,
        )
    ]


def clip_files(folder: Path, turnover: Turnover, clips: Sequence[Clip]) -> list[DeliveredFile]:
    """The clips as delivered files, in source timecode."""
    described = []
    for clip in clips:
        rate = turnover.links[clip.event_id].media.notes.timecode_rate or turnover.cut.rate
        described.append(
            describe(
                folder,
                clip.path,
                "CLIP",
                track=clip.event_id.rpartition("/")[0],
                event=clip.event_id,
                start_timecode=""
                if clip.time_reference is None
                else samples_to_timecode(clip.time_reference, rate, clip.sample_rate),
                sample_rate=clip.sample_rate,
                frames=clip.end - clip.start,
                channels=clip.channels,
                subtype=clip.subtype,
            )
        )
    return described

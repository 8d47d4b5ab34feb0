"""OpenTimelineIO's bundles: `.otioz`, a zip of `content.otio` and `media/`, and the same as a
folder, `.otiod`.

A zip comes from anywhere, so it is looked through before anything is taken out: names that would
leave the folder, links, names that collide, sizes that no timeline has. What is taken out lands
under the bundle's own sha256, so another bundle never finds it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote

from adapters.media.whole import output_error, whole_file
from adapters.timelines.otio.json import MAX_BYTES
from core.cut import Cut, MediaReference, Track
from core.errors import InputError, OutputError

CONTENT = "content.otio"
MAX_MEMBERS = 50_000
MAX_TOTAL = 1 << 40
"""Bytes of all members once out: 1 TiB."""

_MAX_LISTING = 16 * 1024 * 1024
_MAX_RATIO = 400
_RATIO_FROM = 16 * 1024 * 1024
_BLOCK = 1 << 20
_TAIL = 22 + 65_535
_DRIVE = re.compile(r"^[A-Za-z]:")
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def content(path: Path) -> bytes:
    """The timeline in an `.otioz`. Raises InputError where it is no bundle, or an unsafe one."""
    with _opened(path) as bundle:
        members = _members(bundle, path)
        member = members.get(CONTENT)
        if member is None:
            raise InputError(f"{path} has no {CONTENT}; is it an OpenTimelineIO bundle?")
        too_dense = member.file_size > max(_RATIO_FROM, _MAX_RATIO * member.compress_size)
        if member.file_size > MAX_BYTES or too_dense:
            raise InputError(f"{path} holds a timeline too large to be one; export it again.")
        try:
            with bundle.open(member) as file:
                return file.read(MAX_BYTES + 1)
        except (*_FAULTS, OSError) as fault:
            raise _damaged(path, fault) from fault


def extracted(cut: Cut, path: Path, essence: Path | None) -> Cut:
    """The cut with the media of its sound taken out of an `.otioz`, its URLs pointing there.

    essence: the folder they go under; with None they stay in the bundle, and a warning says so.
    A file that is there with the right size is not written again. Raises InputError for a
    damaged bundle, OutputError where the folder can't be written.
    """
    with _opened(path) as bundle:
        members = _members(bundle, path)
        wanted = {
            url: member
            for url in _sound(cut)
            if (member := members.get(_member_name(url))) is not None and not member.is_dir()
        }
        if essence is None:
            if not wanted:
                return cut
            said = f"The {len(wanted)} media files inside {path.name} are not taken out of it."
            return replace(cut, warnings=(*cut.warnings, said))
        folder = essence / _digest(path)
        needed = sum(member.file_size for member in wanted.values())
        _check_room(essence, needed, path)
        for member in wanted.values():
            _extract(bundle, member, folder, path)
    urls = {url: (folder / member.filename).resolve().as_uri() for url, member in wanted.items()}
    return _pointing(cut, lambda url: urls.get(url, url))


def beside(cut: Cut, folder: Path) -> Cut:
    """The cut of an `.otiod` folder, relative URLs made absolute. Those that lead out stay."""
    root = folder.resolve()

    def absolute(url: str) -> str:
        name = _member_name(url)
        if not name or unsafe(name):
            return url
        found = (root / name).resolve()
        return found.as_uri() if found.is_relative_to(root) else url

    return _pointing(cut, absolute)


def unsafe(name: str) -> bool:
    """Whether a member's name could lead out of the folder that it is extracted into."""
    parts = PurePosixPath(name).parts
    return (
        not name
        or name.startswith(("/", "\\"))
        or "\\" in name
        or "\x00" in name
        or ".." in parts
        or any(_DRIVE.match(part) for part in parts)
    )


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        with path.open("rb") as file:
            _check_listing(file, path)
        return zipfile.ZipFile(path)
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror or fault}).") from fault
    except _FAULTS as fault:
        raise InputError(
            f"{path} is no OpenTimelineIO bundle ({_reason(fault)}); export it again."
        ) from fault


def _check_listing(file: IO[bytes], path: Path) -> None:
    """Refuse a zip whose list of members alone would fill the memory, before it is read."""
    end = file.seek(0, 2)
    file.seek(max(0, end - _TAIL))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        return
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if size == 0xFFFFFFFF:
        # Over 4 GiB of listing, or one whose size the zip64 record gives just before.
        record = tail.rfind(b"PK\x06\x06", 0, at)
        size = int.from_bytes(tail[record + 40 : record + 48], "little") if record >= 0 else size
    if size > _MAX_LISTING:
        raise InputError(f"{path} lists more files than an OpenTimelineIO bundle can have.")


def _members(bundle: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """The members by name. Raises InputError where one of them is not safe to take out."""
    listed = bundle.infolist()
    if len(listed) > MAX_MEMBERS:
        raise InputError(f"{path} holds over {MAX_MEMBERS:,} files, too many for a bundle.")
    if sum(member.file_size for member in listed) > MAX_TOTAL:
        raise InputError(f"{path} would take over 1 TiB once out of its bundle.")
    taken: set[str] = set()
    for member in listed:
        name = member.filename
        folded = unicodedata.normalize("NFC", name).casefold().rstrip("/")
        if unsafe(name) or unsafe(member.orig_filename):
            raise InputError(f"{path} holds {name[:80]!r}, a name that leads out of the bundle.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{path} holds {name[:80]!r}, a link; bundle the file itself.")
        if folded in taken:
            raise InputError(f"{path} holds {name[:80]!r} twice; export the bundle again.")
        if member.flag_bits & 1:
            raise InputError(f"{path} is encrypted; export the bundle without a password.")
        taken.add(folded)
    return {member.filename: member for member in listed}


def _member_name(url: str) -> str:
    """The name that a reference's relative URL has in the bundle; empty for an absolute one."""
    if "://" in url or url.lower().startswith("file:"):
        return ""
    name = unquote(url).replace("\\", "/")
    return PurePosixPath(name).as_posix() if name else ""


def _references(track: Track) -> list[MediaReference]:
    return [
        media
        for event in track.events
        for media in (event.media, *(other for _, other in event.other_media))
    ]


def _sound(cut: Cut) -> dict[str, None]:
    """The URLs of all media of the audio tracks, each once."""
    return {media.url: None for track in cut.audio_tracks for media in _references(track)}


def _pointing(cut: Cut, change: Callable[[str], str]) -> Cut:
    """The cut with every URL changed."""

    def changed(media: MediaReference) -> MediaReference:
        return replace(media, url=change(media.url)) if media.url else media

    tracks = []
    for track in cut.tracks:
        events = tuple(
            replace(
                event,
                media=changed(event.media),
                other_media=tuple((name, changed(media)) for name, media in event.other_media),
            )
            for event in track.events
        )
        tracks.append(replace(track, events=events))
    return replace(cut, tracks=tuple(tracks))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror or fault}).") from fault


def _check_room(essence: Path, needed: int, path: Path) -> None:
    there = next((parent for parent in (essence, *essence.parents) if parent.is_dir()), None)
    if there is not None and shutil.disk_usage(there).free < needed:
        raise OutputError(
            f"{essence} has no room for the {needed >> 20} MB of media in {path.name}: free some "
            "space and run again."
        )


def _extract(bundle: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, path: Path) -> None:
    target = folder / member.filename
    if not target.resolve().is_relative_to(folder.resolve()):
        raise OutputError(f"{folder} has a link in it that leads out of it; remove the link.")
    if target.is_file() and target.stat().st_size == member.file_size:
        return

    def check(written: Path) -> None:
        if written.stat().st_size != member.file_size:
            raise _damaged(path, EOFError(f"{member.filename!r} is cut short"))

    with whole_file(target, check) as temporary:
        try:
            source = bundle.open(member)
        except (*_FAULTS, OSError) as fault:
            raise _damaged(path, fault) from fault
        with source, _writing(temporary, target) as out:
            while block := _block(source, path):
                try:
                    out.write(block)
                except OSError as fault:
                    raise output_error(target, fault) from fault


def _writing(temporary: Path, target: Path) -> IO[bytes]:
    try:
        return temporary.open("wb")
    except OSError as fault:
        raise output_error(target, fault) from fault


def _block(source: IO[bytes], path: Path) -> bytes:
    try:
        return source.read(_BLOCK)
    except (*_FAULTS, OSError) as fault:
        raise _damaged(path, fault) from fault


def _damaged(path: Path, fault: BaseException) -> InputError:
    return InputError(f"{path} is damaged ({_reason(fault)}); copy or export the bundle again.")


def _reason(fault: BaseException) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0][:80]

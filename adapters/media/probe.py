"""What a media file is, read from its headers and held against the bytes that are there.

A header that promises more sound than the file has, or that leaves sound out of account, is
refused: every length in a conform rests on it.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Sequence
from pathlib import Path

from adapters.media.bwf import notes_with_warnings
from adapters.media.chunks import UNKNOWN_SIZE, Chunk, ChunkMap, read_body, read_chunks
from adapters.media.confined import describe
from adapters.media.containers import check_plausible
from core.errors import InputError
from core.media import MediaFile, SoundNotes

MEDIA_NAME = re.compile(
    r".\.(wav|wave|bwf|rf64|w64|flac|aiff?|aifc|caf|mov|mp4|m4v|m4a|mxf|mp3|aac|og[ga]|opus|"
    r"mk[va]|webm|avi|mts|m2ts|mpe?g|wm[av])$",
    re.IGNORECASE,
)
"""Names that a scan takes for media files."""

SOUND_FORMATS = frozenset(("WAV", "WAVEX", "RF64", "W64", "FLAC", "AIFF", "CAF"))
"""Containers (as MediaFile.container) that libsndfile reads from any sample on."""

OGG = "OGG"
"""A container that libsndfile measures to the sample, but reads right from its start only."""

_LATER_CHUNK = re.compile(
    "bext|iXML|[ax]xml|aXML|chna|LIST|INFO|id3 |ID3 |cue |smpl|plst|inst|fact|JUNK|junk|PAD |FLLR|"
    "umid|minf|elm1|elmo|regn|link|cart|levl|qlty|mext|acid|strc|iXTC|_PMX|SNDM|DGDA"
)
_HARMLESS_TAIL = 4096
_PCM_TAGS = (1, 3, 0xFFFE)
_ENDLESS = 1 << 48


def probe(path: Path) -> MediaFile:
    """A media file's format, length and recorder's notes; nothing is hashed.

    WAV, RF64, Wave64, FLAC, AIFF, CAF and Ogg are read by libsndfile, all else by FFmpeg's
    libraries.
    Raises InputError for a file that is missing, unreadable, without sound, cut short, or whose
    header does not tell its length truly.
    """
    try:
        stat = path.stat()
        if not path.is_file():
            raise InputError(f"{path} is not a file: name a sound or video file.")
        with path.open("rb") as handle:
            magic = handle.read(4)
        if stat.st_size == 0:
            raise InputError(f"{path} is empty: copy it again from the original.")
        chunks = read_chunks(path)
        warnings = () if chunks is None else _check_length(path, chunks)
        found = None
        if chunks is not None or magic in (b"fLaC", b"caff", b"OggS"):
            found = _libsndfile(path, chunks)
    except FileNotFoundError as fault:
        raise InputError(f"{path} does not exist: check the name.") from fault
    except PermissionError as fault:
        raise InputError(f"{path} may not be read: change its permissions.") from fault
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}): check the disk.") from fault
    if found is None:
        return _container(path, stat, warnings)
    container, subtype, rate, channels, frames = found
    check_plausible(path, rate, channels, frames)
    notes, odd = (
        notes_with_warnings(path, chunks)
        if chunks is not None and chunks.form in ("RIFF", "RF64", "BW64")
        else (SoundNotes(), ())
    )
    return MediaFile(
        path,
        container,
        subtype,
        rate,
        channels,
        frames,
        stat.st_size,
        stat.st_mtime_ns,
        notes=notes,
        warnings=warnings + odd,
    )


def scan(roots: Sequence[Path]) -> tuple[Path, ...]:
    """The audio and video files under folders, sorted, each once, as absolute resolved paths.

    A root may be a file. Hidden files and folders (`._x` among them) and unfinished writes are
    passed over, links to folders are not followed, nor links to files outside their root.
    Raises InputError for a root that does not exist.
    """
    found: set[Path] = set()
    for given in roots:
        root = given.resolve()
        if root.is_file():
            found.add(root)
            continue
        if not root.is_dir():
            raise InputError(f"The media folder {given} does not exist: check the name.")
        for parent, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(parent, name)
                if name.startswith(".") or not MEDIA_NAME.search(name):
                    continue
                real = path.resolve()
                if real.is_file() and real.is_relative_to(root):
                    found.add(real)
    return tuple(sorted(found))


def _container(path: Path, stat: os.stat_result, warnings: tuple[str, ...]) -> MediaFile:
    sound = describe(path)
    check_plausible(path, sound.sample_rate, sound.channels, sound.frames)
    return MediaFile(
        path,
        sound.name,
        sound.codec,
        sound.sample_rate,
        sound.channels,
        sound.frames,
        stat.st_size,
        stat.st_mtime_ns,
        notes=sound.notes,
        warnings=warnings + sound.warnings,
    )


def _libsndfile(path: Path, chunks: ChunkMap | None) -> tuple[str, str, int, int, int] | None:
    """Container, subtype, rate, channels and frames; None where libsndfile can't read it."""
    import soundfile as sf

    try:
        with sf.SoundFile(str(path)) as sound:
            frames = sound.frames
            if frames > _ENDLESS or sound.format not in SOUND_FORMATS | {OGG}:
                return None
            described = (sound.format, sound.subtype, sound.samplerate, sound.channels, frames)
            if frames == 0:
                raise InputError(f"{path} holds no sound: copy or export it again.")
            try:
                sound.seek(frames - 1)
                last = len(sound.read(1))
            except sf.LibsndfileError:
                last = 0
    except sf.LibsndfileError:
        return None
    expected = None if chunks is None else _expected_frames(path, chunks)
    if last != 1 or (expected is not None and expected > frames):
        raise InputError(f"{path} is cut short: copy it again from the original.")
    if expected is not None and expected != frames:
        raise InputError(
            f"The header of {path} contradicts itself ({expected} or {frames} samples): "
            "copy or export it again."
        )
    return described


def _expected_frames(path: Path, chunks: ChunkMap) -> int | None:
    """Frames by the header's own arithmetic, where it is plain PCM or float."""
    if chunks.form == "FORM":
        comm = chunks.find("COMM")
        body = b"" if comm is None else read_body(path, comm, 6)
        return struct.unpack(">I", body[2:6])[0] if len(body) == 6 else None
    fmt, data = chunks.find("fmt "), chunks.find("data")
    if fmt is None or data is None or chunks.form == "RIFX":
        return None
    body = read_body(path, fmt, 16)
    if len(body) < 16:
        return None
    tag, channels, _, _, _, bits = struct.unpack("<HHIIHH", body)
    align = channels * ((bits + 7) // 8)
    return data.size // align if tag in _PCM_TAGS and align else None


def _check_length(path: Path, chunks: ChunkMap) -> tuple[str, ...]:
    """Warnings where the header's lengths are odd but harmless; InputError where they lie."""
    data = chunks.find("SSND" if chunks.form == "FORM" else "data")
    if data is None:
        raise InputError(f"{path} has no sound in it (no audio chunk): copy it again.")
    rest = chunks.size - data.offset
    if data.size == UNKNOWN_SIZE or (data.size == 0 and _unaccounted(path, chunks) > 0):
        raise InputError(
            f"{path} was never closed by what recorded it, its header has no length: "
            "repair it in the recorder or an audio editor first."
        )
    if data.size > rest:
        raise InputError(
            f"{path} is cut short (its header promises {data.size} bytes of sound, {rest} are "
            "there): copy it again from the original."
        )
    loose = _unaccounted(path, chunks)
    if loose > _HARMLESS_TAIL:
        raise InputError(
            f"The header of {path} leaves {loose} bytes out of account, so its length can't be "
            "trusted: copy or export it again."
        )
    warnings = []
    if loose:
        warnings.append(f"{path} ends with {loose} bytes that belong to nothing; they are ignored.")
    if chunks.form == "RIFF" and chunks.declared not in (chunks.size, chunks.size - loose):
        warnings.append(
            f"The outer length in the header of {path} is wrong, the one of the sound is right."
        )
    return tuple(warnings)


def _unaccounted(path: Path, chunks: ChunkMap) -> int:
    """Bytes after the last whole chunk that are neither zeros nor a known chunk cut short."""
    last: Chunk = chunks.chunks[-1]
    if chunks.tail >= chunks.size or (last.end > chunks.size and _LATER_CHUNK.fullmatch(last.name)):
        return 0
    with path.open("rb") as handle:
        handle.seek(chunks.tail)
        while block := handle.read(1 << 20):
            if block.strip(b"\0"):
                return chunks.size - chunks.tail
    return 0

"""Identity of files and of the sound in them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from adapters.media.chunks import read_body, read_chunks
from adapters.media.decode import Sound
from core.errors import InputError
from core.media import MediaFile
from core.time import clock

_BLOCK = 1 << 16
_READ = 1 << 22
_FMT = 16


def file_sha256(path: Path, told: Callable[[int], None] | None = None) -> str:
    """sha256 over the bytes of a file, in hex. told: called with the bytes of each block read.

    Raises InputError where it can't be read.
    """
    try:
        with path.open("rb") as handle:
            if told is None:
                return hashlib.file_digest(handle, "sha256").hexdigest()
            digest = hashlib.sha256()
            while block := handle.read(_READ):
                digest.update(block)
                told(len(block))
            return digest.hexdigest()
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}): check the disk.") from fault


def sound_sha256(path: Path) -> str:
    """sha256 over the samples of a WAV or RF64 as they lie there, in hex; empty for other files.

    Rate, channels and bits count, everything else of the header does not, so that a file whose
    notes were changed is known by its sound. Raises InputError where it can't be read.
    """
    try:
        chunks = read_chunks(path)
        fmt, data = (chunks.find("fmt "), chunks.find("data")) if chunks else (None, None)
        if chunks is None or chunks.form not in ("RIFF", "RF64", "BW64") or not (fmt and data):
            return ""
        body = read_body(path, fmt, _FMT)
        if len(body) < _FMT or data.end > chunks.size:
            return ""
        _, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body)
        digest = hashlib.sha256(f"roomtone sound 1\n{rate} {channels} {bits}\n".encode())
        with path.open("rb") as handle:
            handle.seek(data.offset)
            left = data.size
            while left and (block := handle.read(min(left, _READ))):
                digest.update(block)
                left -= len(block)
        return digest.hexdigest()
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}): check the disk.") from fault


def essence_sha256(media: MediaFile, path: Path) -> str:
    """sha256 over sample rate, channels and decoded samples, in hex.

    path: the file that libsndfile reads for it (`decode.sound_file`). The samples are hashed as
    interleaved little-endian float64 with full scale 1.0, which holds every PCM up to 32 bit and
    float32 exactly, so a WAV and a FLAC of the same samples have the same essence.
    Raises InputError for a sample that is not a finite number, and where sound is missing.
    """
    digest = hashlib.sha256()
    with Sound(path) as sound:
        if sound.frames != media.frames or sound.channels != media.channels:
            raise InputError(f"{media.path} has changed since it was first seen: run again.")
        digest.update(f"roomtone essence 1\n{sound.sample_rate} {sound.channels}\n".encode())
        every = range(sound.channels)
        for start in range(0, sound.frames, _BLOCK):
            block = sound.read(start, min(_BLOCK, sound.frames - start), every)
            finite = np.isfinite(block)
            if not finite.all():
                frame, channel = np.argwhere(~finite)[0]
                at = start + int(frame)
                raise InputError(
                    f"{media.path} holds a value that is no number at sample {at} of channel "
                    f"{channel + 1} ({clock(at, sound.sample_rate)}): export it again."
                )
            # Adding zero makes -0.0 the same as 0.0.
            digest.update((block + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()

"""Identity of files and of the sound in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound
from core.errors import InputError
from core.media import MediaFile
from core.time import clock

_BLOCK = 1 << 16


def file_sha256(path: Path) -> str:
    """sha256 over the bytes of a file, in hex. Raises InputError where it can't be read."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
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

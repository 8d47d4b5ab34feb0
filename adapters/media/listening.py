"""Copies to listen to, without loss: FLAC, for browsers, which read it everywhere.

Whole takes are written in blocks by libsndfile; short excerpts by pydub and the ffmpeg program.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.whole import output_error, whole_file
from core.errors import OutputError


def write_flac(
    final: Path,
    blocks: Iterator[NDArray[np.float64]],
    sample_rate: int,
    channels: int,
    frames: int,
    then: Callable[[Path], None],
) -> None:
    """Write blocks of shape (n, channels) as 24-bit FLAC, whole or not at all.

    frames: how many there must be in all. then: is called with the finished temporary file
    before it gets its name. Raises OutputError.
    """
    import soundfile as sf

    with whole_file(final, then) as temporary:
        try:
            with sf.SoundFile(
                str(temporary), "w", sample_rate, channels, "PCM_24", format="FLAC"
            ) as out:
                for block in blocks:
                    out.write(block)
            written = sf.info(str(temporary)).frames
        except (sf.LibsndfileError, OSError) as fault:
            raise _refused(final, fault) from fault
        if written != frames:
            raise OutputError(f"{final} came out with {written} samples where {frames} are due.")


def write_excerpt(final: Path, sound: NDArray[np.float64], sample_rate: int, fade_ms: int) -> None:
    """Write a short sound of shape (frames, channels) as FLAC with fades, whole or not at all.

    fade_ms: of both ends, in milliseconds. Raises OutputError.
    """
    import imageio_ffmpeg

    with warnings.catch_warnings():
        # That the ffmpeg program is not on the path: it comes with a wheel, and is named below.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
        from pydub.exceptions import CouldntEncodeError

    # pydub's own fades count whole milliseconds, and change the length.
    fade = min(round(sample_rate * fade_ms / 1000), len(sound) // 2)
    edge = np.ones(len(sound))
    edge[:fade] = np.arange(fade) / max(1, fade)
    edge[len(sound) - fade :] = edge[:fade][::-1]
    steps = np.clip(np.rint(sound * edge[:, None] * 2.0**31), -(2**31), 2**31 - 1).astype("<i4")
    segment = AudioSegment(
        data=steps.tobytes(), sample_width=4, frame_rate=sample_rate, channels=sound.shape[1]
    )
    AudioSegment.converter = imageio_ffmpeg.get_ffmpeg_exe()
    with whole_file(final) as temporary:
        try:
            with contextlib.closing(segment.export(str(temporary), format="flac")):
                pass
        except (CouldntEncodeError, OSError) as fault:
            raise _refused(final, fault) from fault


def _refused(final: Path, fault: Exception) -> OutputError:
    if isinstance(fault, OSError):
        return output_error(final, fault)
    return OutputError(
        f"{final} can't be written ({str(fault).splitlines()[0]}): check that the disk has room."
    )

"""A wave that is written in blocks, and has to come out at a known length."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.media.whole import output_error
from core.errors import OutputError

_RIFF_ROOM = (1 << 32) - (1 << 16)


@dataclass(frozen=True)
class Shape:
    """What a file has to be. final: its name, for people. subtype: libsndfile's."""

    final: Path
    sample_rate: int
    channels: int
    frames: int
    subtype: str

    def save(self, path: Path, sound: Iterator[NDArray[Any]]) -> None:
        """Write blocks of shape (frames, channels): float64, float32 or left-justified int32."""
        import soundfile as sf

        room = self.frames * self.channels * 4 > _RIFF_ROOM
        try:
            out = sf.SoundFile(
                str(path),
                "w",
                self.sample_rate,
                self.channels,
                self.subtype,
                format="RF64" if room else "WAV",
            )
        except (sf.LibsndfileError, OSError) as fault:
            raise self._refused(fault) from fault
        with contextlib.closing(out):
            for block in sound:
                try:
                    out.write(np.ascontiguousarray(block))
                except (sf.LibsndfileError, OSError, AssertionError) as fault:
                    raise self._refused(fault) from fault

    def check(self, path: Path) -> None:
        """Raise OutputError where a written file is not of this shape."""
        import soundfile as sf

        try:
            made = sf.info(str(path))
        except sf.LibsndfileError as fault:
            raise self._refused(fault) from fault
        if (made.samplerate, made.channels, made.frames) != (
            self.sample_rate,
            self.channels,
            self.frames,
        ):
            raise OutputError(
                f"{self.final} came out with {made.frames} samples where {self.frames} are due: "
                "check that the disk has room and run again."
            )

    def _refused(self, fault: Exception) -> OutputError:
        if isinstance(fault, OSError):
            return output_error(self.final, fault)
        return OutputError(
            f"{self.final} can't be written ({fault}): check that the disk has room and that "
            "writing there is allowed."
        )

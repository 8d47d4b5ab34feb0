"""Broadcast waves, 24-bit or 32-bit float, written whole or not at all, of any length.

Layout: RIFF with a JUNK chunk that becomes `ds64` when the file outgrows 4 GiB (EBU Tech 3306),
then fmt, bext, iXML, data.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from adapters.media.bwf import bext_chunk, ixml_chunk
from adapters.media.whole import output_error, sweep, whole_file, write_bytes, write_text
from core.errors import OutputError
from core.media import SoundNotes

__all__ = ["EMPTY", "RIFF_LIMIT", "WaveWriter", "sweep", "write_bytes", "write_text"]

EMPTY: Mapping[str, str] = MappingProxyType({})

RIFF_LIMIT = (1 << 32) - 1
"""Bytes that a plain RIFF file can count; above that it is RF64."""

FULL_SCALE = 1 << 23
_DS64_SIZE = 28
_NO_SIZE = 0xFFFFFFFF


class WaveWriter:
    """Writes one broadcast wave from integers on the 24-bit grid; a context manager.

    The file appears under its final name when the block ends without an exception, after its
    frames were counted by opening it again; otherwise what was there before stays.

    final: the name it gets. sample_rate: Hz, of the sound and of notes.time_reference.
    subtype: `PCM_24`, or `FLOAT` for what may pass full scale. notes: bext and iXML; names of
    tracks beyond the channels are left out. extra: for the <ROOMTONE> block of iXML.
    riff_limit: bytes above which the file becomes RF64 (smaller only in tests).
    Raises OutputError where the system refuses to write.
    """

    def __init__(
        self,
        final: Path,
        sample_rate: int,
        channels: int,
        subtype: Literal["PCM_24", "FLOAT"],
        notes: SoundNotes,
        extra: Mapping[str, str] = EMPTY,
        *,
        riff_limit: int = RIFF_LIMIT,
    ) -> None:
        if subtype not in ("PCM_24", "FLOAT"):
            raise ValueError(f"{subtype!r} is neither PCM_24 nor FLOAT")
        if not 1 <= channels <= 1024 or sample_rate < 1:
            raise ValueError(f"{channels} channels at {sample_rate} Hz can't be written")
        self.final = final
        self.sample_rate = sample_rate
        self.channels = channels
        self.subtype = subtype
        self.frames = 0
        self._riff_limit = riff_limit
        self._width = 3 if subtype == "PCM_24" else 4
        kept = tuple(pair for pair in notes.track_names if pair[0] < channels)
        self._head, self._fact_at = _head(
            sample_rate, channels, self._width, replace(notes, track_names=kept), extra
        )
        self._whole = whole_file(final, self._check)

    def __enter__(self) -> WaveWriter:
        """Open the temporary file and write everything before the samples."""
        temporary = self._whole.__enter__()
        try:
            self._handle = temporary.open("xb")
            self._handle.write(self._head)
        except OSError as fault:
            self._abandon(output_error(self.final, fault), fault)
        return self

    def write(self, grid: NDArray[np.integer]) -> None:
        """Append samples: shape (frames, channels), or (frames,) for a mono file.

        The values are whole numbers on the 24-bit grid (full scale 2**23). As FLOAT they are
        value / 2**23 in 32 bits. Raises ValueError for another shape or type, and where PCM_24
        can't hold a value; OutputError where the disk is full.
        """
        block = np.asarray(grid)
        if block.ndim == 1 and self.channels == 1:
            block = block[:, None]
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise ValueError(f"shape {grid.shape} is not (frames, {self.channels})")
        if not np.issubdtype(block.dtype, np.integer):
            raise ValueError(f"samples are {block.dtype}, not whole numbers")
        data = _pcm24(block) if self.subtype == "PCM_24" else _float32(block)
        try:
            self._handle.write(data)
        except OSError as fault:
            raise output_error(self.final, fault) from fault
        self.frames += len(block)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Patch the sizes, check the file and give it its name; or clear it away."""
        if kind is not None:
            with contextlib.suppress(OSError):
                self._handle.close()
            self._whole.__exit__(kind, fault, trace)
            return
        try:
            self._finish()
            self._handle.close()
        except OSError as problem:
            with contextlib.suppress(OSError):
                self._handle.close()
            self._abandon(output_error(self.final, problem), problem)
        self._whole.__exit__(None, None, None)

    def _abandon(self, error: OutputError, cause: OSError) -> NoReturn:
        """Clear the temporary file away and raise the sentence."""
        self._whole.__exit__(type(error), error, error.__traceback__)
        raise error from cause

    def _finish(self) -> None:
        data = self.frames * self.channels * self._width
        if data % 2:
            self._handle.write(b"\0")
        total = len(self._head) + data + data % 2
        long = total - 8 > self._riff_limit
        self._handle.seek(0)
        if long:
            ds64 = struct.pack("<QQQI", total - 8, data, self.frames, 0)
            self._handle.write(b"RF64" + struct.pack("<I", _NO_SIZE) + b"WAVE")
            self._handle.write(b"ds64" + struct.pack("<I", _DS64_SIZE) + ds64)
        else:
            self._handle.write(b"RIFF" + struct.pack("<I", total - 8))
        self._handle.seek(len(self._head) - 4)
        self._handle.write(struct.pack("<I", _NO_SIZE if long else data))
        if self._fact_at:
            self._handle.seek(self._fact_at)
            self._handle.write(struct.pack("<I", min(self.frames, _NO_SIZE)))

    def _check(self, temporary: Path) -> None:
        import soundfile as sf

        try:
            found = sf.info(str(temporary))
        except sf.LibsndfileError as fault:
            raise OutputError(
                f"{self.final} could not be read back after writing ({fault}): check the disk."
            ) from fault
        written = (self.frames, self.channels, self.sample_rate)
        if (found.frames, found.channels, found.samplerate) != written:
            raise OutputError(
                f"{self.final} came out with {found.frames} samples where {self.frames} were "
                "written: check the disk and run again."
            )


def _head(
    sample_rate: int, channels: int, width: int, notes: SoundNotes, extra: Mapping[str, str]
) -> tuple[bytes, int]:
    """Everything up to the first sample, sizes still open, and where `fact` counts samples (0: no).

    A format other than PCM has a longer fmt chunk and a fact chunk (Microsoft, 1994).
    """
    floating = width == 4
    fmt = struct.pack(
        "<HHIIHH",
        3 if floating else 1,
        channels,
        sample_rate,
        sample_rate * channels * width,
        channels * width,
        width * 8,
    )
    head = b"RIFF\0\0\0\0WAVE" + _chunk(b"JUNK", bytes(_DS64_SIZE))
    head += _chunk(b"fmt ", fmt + b"\0\0" if floating else fmt)
    fact_at = 0
    if floating:
        head += _chunk(b"fact", bytes(4))
        fact_at = len(head) - 4
    head += _chunk(b"bext", bext_chunk(notes))
    head += _chunk(b"iXML", ixml_chunk(notes, sample_rate, width * 8, extra))
    return head + b"data\0\0\0\0", fact_at


def _chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of even length: libsndfile forgets the pad byte of RF64 chunks."""
    even = body + bytes(len(body) % 2)
    return name + struct.pack("<I", len(even)) + even


def _pcm24(block: NDArray[np.integer]) -> bytes:
    if block.size and not (block.min() >= -FULL_SCALE and block.max() < FULL_SCALE):
        raise ValueError(
            f"samples from {block.min()} to {block.max()} do not fit 24 bits; write FLOAT"
        )
    return block.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()


def _float32(block: NDArray[np.integer]) -> bytes:
    return (block.astype(np.float64) / FULL_SCALE).astype("<f4").tobytes()

"""The chunks of RIFF, RF64, Wave64 and AIFF files, read as they lie, whatever they claim.

Layouts: RIFF (Microsoft, 1991), RF64 and its `ds64` (EBU Tech 3306), Wave64 (Sony, sixteen-byte
names, sizes that include their own header), AIFF (Apple, big-endian).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAX_CHUNKS = 10_000
UNKNOWN_SIZE = 0xFFFFFFFF
_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")


@dataclass(frozen=True)
class Chunk:
    """A chunk. name: four characters. offset: of its body. size: of its body, as declared."""

    name: str
    offset: int
    size: int

    @property
    def end(self) -> int:
        """Offset just past the body, without padding."""
        return self.offset + self.size


@dataclass(frozen=True)
class ChunkMap:
    """What a chunked file says it holds.

    form: `RIFF`, `RF64`, `BW64`, `RIFX`, `W64` or `FORM`. declared: bytes that the outermost chunk
    claims for the whole file. size: bytes the file has. chunks: in order; the last may reach past
    the end of the file. tail: offset just past the last chunk that lies wholly in the file.
    """

    form: str
    declared: int
    size: int
    chunks: tuple[Chunk, ...]
    tail: int

    def find(self, name: str) -> Chunk | None:
        """The first chunk of a name, or None."""
        return next((chunk for chunk in self.chunks if chunk.name == name), None)


def read_chunks(path: Path) -> ChunkMap | None:
    """The chunks of a file, or None where it is of none of these formats. Raises OSError."""
    with path.open("rb") as handle:
        size = os.fstat(handle.fileno()).st_size
        head = handle.read(40)
        form = head[:4].decode("latin-1")
        if form in ("RIFF", "RF64", "BW64", "RIFX") and head[8:12] == b"WAVE":
            return _walk(handle, form, size, ">" if form == "RIFX" else "<")
        if form == "FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _walk(handle, form, size, ">")
        if head[:16] == _W64_RIFF and len(head) == 40:
            return _walk_w64(handle, size)
    return None


def read_body(path: Path, chunk: Chunk, limit: int) -> bytes:
    """Up to `limit` bytes of a chunk's body; fewer where the file ends first. Raises OSError."""
    with path.open("rb") as handle:
        handle.seek(chunk.offset)
        return handle.read(min(chunk.size, limit))


def _walk(handle: BinaryIO, form: str, size: int, order: str) -> ChunkMap:
    handle.seek(4)
    declared: int = struct.unpack(order + "I", handle.read(4))[0] + 8
    long_sizes: dict[str, int] = {}
    chunks: list[Chunk] = []
    at = tail = 12
    while at + 8 <= size and len(chunks) < MAX_CHUNKS:
        handle.seek(at)
        header = handle.read(8)
        if not _plausible(header[:4]):
            break
        name = header[:4].decode("ascii")
        length: int = struct.unpack(order + "I", header[4:])[0]
        if length == UNKNOWN_SIZE:
            length = long_sizes.get(name, length)
        chunk = Chunk(name, at + 8, length)
        chunks.append(chunk)
        if chunk.end > size:
            break
        if name == "ds64" and form in ("RF64", "BW64"):
            long_sizes = _ds64(handle.read(min(length, 1 << 16)))
            declared = long_sizes.get("RIFF", declared - 8) + 8
        at = _next(handle, chunk)
        tail = min(at, size)
    return ChunkMap(form, declared, size, tuple(chunks), tail)


def _next(handle: BinaryIO, chunk: Chunk) -> int:
    """Where the next chunk starts: padded to even, unless the writer forgot the pad byte."""
    if chunk.size % 2 == 0:
        return chunk.end
    handle.seek(chunk.end)
    return chunk.end if handle.read(1) not in (b"", b"\0", b" ") else chunk.end + 1


def _ds64(body: bytes) -> dict[str, int]:
    if len(body) < 28:
        return {}
    riff, data, _, entries = struct.unpack("<QQQI", body[:28])
    sizes = {"RIFF": riff, "data": data}
    for start in range(28, min(28 + entries * 12, len(body) - 11), 12):
        name, length = struct.unpack("<4sQ", body[start : start + 12])
        sizes[name.decode("latin-1")] = length
    return sizes


def _walk_w64(handle: BinaryIO, size: int) -> ChunkMap:
    handle.seek(16)
    declared: int = struct.unpack("<Q", handle.read(8))[0]
    chunks: list[Chunk] = []
    at = tail = 40
    while at + 24 <= size and len(chunks) < MAX_CHUNKS:
        handle.seek(at)
        name, length = struct.unpack("<4s12xQ", handle.read(24))
        if length < 24 or not _plausible(name):
            break
        chunk = Chunk(name.decode("ascii"), at + 24, length - 24)
        chunks.append(chunk)
        if chunk.end > size:
            break
        at = (chunk.end + 7) // 8 * 8
        tail = min(at, size)
    return ChunkMap("W64", declared, size, tuple(chunks), tail)


def _plausible(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name) and name.strip() != b""

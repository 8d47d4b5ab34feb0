"""The mobs of media in a written AAF: clip, file, and the tape or import that counts its timecode.

As Avid and pyaaf2's own links have them: the clip's mob has a slot for each channel, each refers
to a slot of the file's mob, and those refer to the tape's.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from adapters.media.chunks import ChunkMap, read_chunks
from adapters.timelines.named import NamedMedia
from core.cut import Event
from core.errors import OutputError
from core.time import FrameRate, round_half_up

_DAY_SECONDS = 24 * 3600
_SCOPE = uuid.UUID("6f1d1a34-6b0a-5c1f-8f5e-0d6f0c7b2a11")
_BLOCK = 1 << 20
_PCM_WIDTHS = (2, 3)
_WAVE = (".wav", ".bwf", ".wave")
_PCM, _EXTENSIBLE = 1, 0xFFFE


@dataclass(frozen=True)
class _Fmt:
    """The format of a wave file: its tag, bits a sample, and the chunk as it stands."""

    tag: int
    bits: int
    body: bytes


@dataclass
class MediaMobs:
    """Makes the mobs of media in an open file, each once.

    file: of pyaaf2, open for writing. rate: of the cut. embed: put the sound into the file.
    """

    file: Any
    rate: FrameRate
    embed: bool
    _files: dict[tuple[object, ...], Any] = field(default_factory=dict)
    _clips: dict[tuple[object, ...], Any] = field(default_factory=dict)

    def clip(self, event: Event, media: NamedMedia | None) -> Any:
        """The master mob of an event's media; its slot for channel 0 is 1.

        An event without media gets one that points where the timeline pointed.
        """
        said = event.media
        named = (said.name, said.scene, said.take, said.reel)
        of: object = str(media.path) if media is not None else (said.url, said.available_start)
        start = media.start if media is not None else said.available_start
        key = (of, start, *named)
        if key not in self._clips:
            self._clips[key] = self._clip(event, media, key)
        return self._clips[key]

    def _clip(self, event: Event, media: NamedMedia | None, key: tuple[object, ...]) -> Any:
        source = self._file(event, media)
        stem = media.path.stem if media is not None else event.media.reel
        master = self.file.create.MasterMob(event.media.name or stem or "clip")
        master.mob_id = _mob_id("clip", key)
        for name, text in (("Scene", event.media.scene), ("Take", event.media.take)):
            if text:
                master.comments[name] = text
        self.file.content.mobs.append(master)
        for inner in list(source.slots):
            slot = master.create_timeline_slot(inner.edit_rate)
            slot.name = event.media.name or stem
            slot["PhysicalTrackNumber"].value = int(inner.slot_id)
            slot.segment = source.create_source_clip(inner.slot_id, 0, inner.segment.length)
        return master

    def _file(self, event: Event, media: NamedMedia | None) -> Any:
        said = event.media
        of: object = str(media.path) if media is not None else said.url
        start = media.start if media is not None else said.available_start
        key = (of, start, said.reel, said.name if media is None and not said.url else "")
        if key not in self._files:
            self._files[key] = self._made(event, media, start, key)
        return self._files[key]

    def _made(
        self,
        event: Event,
        media: NamedMedia | None,
        start: Fraction | None,
        key: tuple[object, ...],
    ) -> Any:
        said, fps = event.media, self.rate.fps
        name = media.path.name if media is not None else said.file_name or said.name or "offline"
        hertz = media.sample_rate if media is not None else 48000
        frames = media.frames if media is not None else _samples(said.available_length, fps, hertz)
        width = media.width if media is not None else max((*said_channels(event), 0)) + 1
        mob = self.file.create.SourceMob(name)
        mob.mob_id = _mob_id("file", key, frames)
        fmt = _format(media.path) if media is not None else None
        url = media.path.as_uri() if media is not None else said.url
        mob.descriptor = self._descriptor(hertz, width, frames, fmt, "" if self.embed else url)
        self.file.content.mobs.append(mob)
        tape, rest = self._tape(event, start, _mob_id("tape", key), hertz)
        for channel in range(width):
            slot = mob.create_timeline_slot(hertz, channel + 1)
            slot["PhysicalTrackNumber"].value = channel + 1
            slot.segment = tape.create_source_clip(1, rest, frames, "sound")
        if self.embed and media is not None:
            self._embed(mob, media)
        return mob

    def _descriptor(self, hertz: int, width: int, frames: int, fmt: _Fmt | None, url: str) -> Any:
        """A WAVE descriptor for a wave file that is linked, else one for PCM."""
        create = self.file.create
        if fmt is not None and not self.embed:
            made = create.WAVEDescriptor()
            made["Summary"].value = (
                struct.pack(
                    "<4sI4s4sI", b"RIFF", 4 + 8 + len(fmt.body), b"WAVE", b"fmt ", len(fmt.body)
                )
                + fmt.body
            )
        else:
            bits = fmt.bits if fmt is not None else 24
            made = create.PCMDescriptor()
            made["AudioSamplingRate"].value = hertz
            made["Channels"].value = width
            made["QuantizationBits"].value = bits
            made["BlockAlign"].value = width * bits // 8
            made["AverageBPS"].value = hertz * width * bits // 8
            made["Locked"].value = False
        made["SampleRate"].value = hertz
        made["Length"].value = frames
        made["ContainerFormat"].value = self.file.dictionary.lookup_containerdef("AAF")
        if url:
            locator = create.NetworkLocator()
            locator["URLString"].value = url
            made["Locator"].append(locator)
        return made

    def _tape(
        self, event: Event, start: Fraction | None, mob_id: Any, hertz: int
    ) -> tuple[Any, int]:
        """The mob whose timecode counts the media, and samples from its start to the media's.

        A tape where the reel is known, else an import. Its timecode begins with a whole frame.
        """
        fps = self.rate.fps
        begin = start if start is not None else Fraction(0)
        first = begin.numerator // begin.denominator
        mob = self.file.create.SourceMob(event.media.reel or "import")
        mob.mob_id = mob_id
        create = self.file.create
        tape = bool(event.media.reel)
        mob.descriptor = create.TapeDescriptor() if tape else create.ImportDescriptor()
        self.file.content.mobs.append(mob)
        length = round_half_up(_DAY_SECONDS * fps)
        slot = mob.create_timeline_slot(fps_value(fps), 1)
        slot.segment = create.SourceClip(media_kind="sound", length=length)
        counting = mob.create_timeline_slot(fps_value(fps), 2)
        counting.segment = timecode(self.file, self.rate, first, length)
        return mob, round_half_up((begin - first) * hertz / fps)

    def _embed(self, mob: Any, media: NamedMedia) -> None:
        chunks = read_chunks(media.path)
        fmt = _format(media.path)
        data = chunks.find("data") if chunks is not None else None
        if data is None or fmt is None or fmt.tag != _PCM or fmt.bits // 8 not in _PCM_WIDTHS:
            raise OutputError(
                f"{media.path} can't be put into an AAF, for it is no wave of 16 or 24 bits; link "
                "it instead."
            )
        essence = self.file.create.EssenceData()
        essence.mob_id = mob.mob_id
        self.file.content.essencedata.append(essence)
        stream = essence.open("w")
        left = min(data.size, media.frames * media.width * fmt.bits // 8)
        with media.path.open("rb") as handle:
            handle.seek(data.offset)
            _copy(handle, stream, left)


def _copy(handle: BinaryIO, stream: Any, left: int) -> None:
    while left > 0:
        block = handle.read(min(_BLOCK, left))
        if not block:
            return
        stream.write(block)
        left -= len(block)


def said_channels(event: Event) -> tuple[int, ...]:
    """The channels of an event that has no media at hand."""
    return event.channels or (0,)


def fps_value(fps: Fraction) -> str:
    """A rate as pyaaf2 takes it, without losing its denominator."""
    return f"{fps.numerator}/{fps.denominator}"


def timecode(file: Any, rate: FrameRate, start: int, length: int) -> Any:
    """A timecode segment. Timecode that counts 24 at 23.976 does not drop frames."""
    made = file.create.Timecode(rate.nominal, rate.drop, length)
    made.start = start
    return made


def _samples(length: Fraction | None, fps: Fraction, hertz: int) -> int:
    return round_half_up(length * hertz / fps) if length is not None else 0


def _mob_id(kind: str, *of: object) -> Any:
    """The same identifier for the same media, so that a host knows it again."""
    from aaf2.mobid import MobID

    made = MobID.new()
    made.material = uuid.uuid5(_SCOPE, repr((kind, of)))
    return made


def _format(path: Path) -> _Fmt | None:
    """The format chunk of a wave file, None for any other or a missing one."""
    if path.suffix.lower() not in _WAVE:
        return None
    try:
        chunks: ChunkMap | None = read_chunks(path)
        chunk = chunks.find("fmt ") if chunks is not None else None
        if chunk is None or not 16 <= chunk.size <= 64:
            return None
        with path.open("rb") as handle:
            handle.seek(chunk.offset)
            body = handle.read(chunk.size)
    except OSError:
        return None
    tag, bits = struct.unpack_from("<H", body, 0)[0], struct.unpack_from("<H", body, 14)[0]
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from("<H", body, 24)[0]
    return _Fmt(tag, bits, body)

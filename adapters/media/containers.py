"""Sound inside containers (MOV, MP4, MXF, MP3, Matroska, …), through FFmpeg's libraries.

All audio streams of the first one's sample rate count as the file's channels, in stream order,
for cameras write one mono stream a channel. Sample 0 is the container's own start: an encoder's
priming is gone, an edit list is obeyed, a stream that starts late starts with silence.

Nothing but `adapters.media.decoder` calls this, in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.media import SoundNotes
from core.time import (
    FrameRate,
    exact_fps,
    frames_to_samples,
    round_half_up,
    timecode_to_frames,
)

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,mxf,mxf_opatom,mp3,aac,ogg,flac,matroska,webm,avi,asf,mpegts,mpeg,"
    "wav,w64,aiff,caf,ac3,eac3,dts,amr,ape,wv,tta,dv,gxf"
)
"""Demuxers that read one file and nothing else: no playlist, no list of files, no network."""

_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
_DATED = ("mov", "mxf")
_MAX_PADDING = 4096
_GAP_SECONDS = Fraction(1, 20)
_MOST_SILENCE_S = 6 * 3600
"""That is put where a stream's clock says it has no sound. A few bytes can name any time."""

MOST_CHANNELS = 256
"""Of a file. MADI and Dante recorders write up to 128."""

LONGEST_S = 30 * 24 * 3600
"""Of a file. 100 GB of mono are eight days; a compressed file of some MB may claim years."""

_RATES_HZ = (2_000, 1_600_000)
"""Slowest and fastest. Others than these, resampled, would be as many times the file."""
_SUBTYPES = {"u8": "PCM_16", "s16": "PCM_16", "s32": "PCM_32"}

Block = NDArray[Any]
"""int32 or float32, see `decoded`."""


@dataclass(frozen=True)
class ContainerSound:
    """The sound of a container.

    name: of the format (`MOV`). codec: of the first audio stream. subtype: libsndfile's name of
    the sample format that holds the decoded sound without loss. streams: indices of the streams
    and how many channels each has. frames: samples a channel. origin: seconds on FFmpeg's clock
    of sample 0, or None where that is the first sample decoded (a lone stream). padded: the codec
    works in packets, so decoding may give a little more or less than `frames`.
    """

    name: str
    codec: str
    subtype: str
    sample_rate: int
    streams: tuple[tuple[int, int], ...]
    frames: int
    origin: Fraction | None
    padded: bool
    notes: SoundNotes
    warnings: tuple[str, ...]

    @property
    def channels(self) -> int:
        """Channels of all streams together."""
        return sum(channels for _, channels in self.streams)


def describe(path: Path, told: Callable[[int], None] = lambda _: None) -> ContainerSound:
    """What sound a container holds.

    MOV, MP4 and MXF state their length to the sample; of the others the sound is decoded once
    and counted. told: hears of samples that were counted. Raises InputError where there is none
    or it can't be read.
    """
    import av

    try:
        with av.open(str(path.absolute()), options=_OPTIONS) as container:
            sound, stated = _streams(path, container)
        frames = stated
        for block in () if stated else _interleaved(path, sound):
            frames += len(block)
            told(len(block))
    except (av.FFmpegError, ValueError, EOFError) as fault:
        raise _unreadable(path, fault) from fault
    if frames < 1:
        raise InputError(f"{path} holds no sound: copy or export it again.")
    return replace(sound, frames=frames)


def decoded(path: Path, sound: ContainerSound) -> Iterator[Block]:
    """The sound in blocks of shape (frames, channels), `sound.frames` in all.

    int32 with the sample in the high bits where the codec gives whole numbers, else float32 with
    full scale 1.0. Memory does not grow with length. Raises InputError where the file holds less
    than it states.
    """
    import av

    given = 0
    try:
        for block in _interleaved(path, sound):
            kept = block[: sound.frames - given]
            if len(kept):
                given += len(kept)
                yield kept
            if given == sound.frames:
                return
    except (av.FFmpegError, ValueError, EOFError) as fault:
        raise _unreadable(path, fault) from fault
    missing = sound.frames - given
    if not sound.padded or missing > _MAX_PADDING:
        raise InputError(
            f"{path} is cut short ({missing} of its {sound.frames} samples are missing): "
            "copy it again from the original."
        )
    yield np.zeros((missing, sound.channels), _dtype(sound.subtype))


def check_plausible(path: Path, sample_rate: int, channels: int, frames: int = 0) -> None:
    """Raise InputError for sound of a rate, or so many channels or hours, that no recorder has."""
    remedy = "copy it again from the original, or export it as WAV"
    slowest, fastest = _RATES_HZ
    if not slowest <= sample_rate <= fastest:
        raise InputError(f"{path} claims a sample rate of {sample_rate} Hz: {remedy}.")
    if channels > MOST_CHANNELS:
        raise InputError(f"{path} claims {channels} channels, over {MOST_CHANNELS}: {remedy}.")
    if frames > LONGEST_S * sample_rate:
        raise InputError(f"{path} claims to be over {LONGEST_S // 86_400} days long: {remedy}.")


def _streams(path: Path, container: Any) -> tuple[ContainerSound, int]:
    """The sound without its length, and the length where the container states it, else 0."""
    audio = [s for s in container.streams.audio if s.codec_context is not None and s.rate]
    if not audio:
        raise InputError(f"{path} has no audio track: choose a file with sound.")
    if audio[0].codec_context.format is None:
        raise InputError(f"{path} has sound of a kind that nothing here knows: export it as WAV.")
    first = audio[0]
    same = [stream for stream in audio if stream.rate == first.rate]
    check_plausible(path, first.rate, sum(s.codec_context.channels for s in same))
    warnings = (
        ()
        if len(same) == len(audio)
        else (
            f"{path} has audio streams of several sample rates: only those at {first.rate} Hz "
            "are used.",
        )
    )
    name = container.format.name.split(",")[0]
    timed = [s for s in (*container.streams.video, *same) if s.start_time is not None]
    origin = None
    if name in _DATED or len(timed) > 1:
        origin = min((s.start_time * s.time_base for s in timed), default=None)
    sample_format = first.codec_context.format.name.removesuffix("p")
    codec = first.codec_context.name
    sound = ContainerSound(
        name=name.upper(),
        codec=codec,
        subtype="PCM_24" if codec.startswith("pcm_s24") else _SUBTYPES.get(sample_format, "FLOAT"),
        sample_rate=first.rate,
        streams=tuple((stream.index, stream.codec_context.channels) for stream in same),
        frames=0,
        origin=origin,
        padded=not codec.startswith("pcm_"),
        notes=_notes(container, first.rate),
        warnings=warnings,
    )
    exact = name in _DATED and all(
        s.time_base == Fraction(1, s.rate) and s.duration and s.start_time is not None for s in same
    )
    stated = max(s.start_time + s.duration for s in same) if exact else 0
    return sound, stated - round_half_up((origin or 0) * first.rate) if exact else 0


def _notes(container: Any, sample_rate: int) -> SoundNotes:
    """Timecode and reel of a container, as far as it has a video stream to count frames by."""
    tags: dict[str, str] = {}
    for holder in (container, *container.streams):
        for key, value in holder.metadata.items():
            tags.setdefault(key.lower(), value)
    tape = tags.get("reel_name", "")
    rate = next((s.average_rate for s in container.streams.video if s.average_rate), None)
    if rate is None or "timecode" not in tags:
        return SoundNotes(tape=tape)
    text = tags["timecode"]
    try:
        counted = FrameRate(exact_fps(rate), drop=";" in text)
        start = timecode_to_frames(text, counted)
    except InputError:
        return SoundNotes(tape=tape)
    reference = frames_to_samples(start, counted.fps, sample_rate)
    return SoundNotes(tape=tape, timecode_rate=counted, time_reference=reference)


def _interleaved(path: Path, sound: ContainerSound) -> Iterator[Block]:
    """The streams side by side, each read by its own decoder, so that no queue grows."""
    sources = [_one_stream(path, sound, *stream) for stream in sound.streams]
    if len(sources) == 1:
        yield from sources[0]
        return
    rests: list[Block] = [
        np.zeros((0, channels), _dtype(sound.subtype)) for _, channels in sound.streams
    ]
    ended = [False] * len(sources)
    while True:
        for i, source in enumerate(sources):
            if not len(rests[i]) and not ended[i]:
                block = next(source, None)
                ended[i] = block is None
                rests[i] = rests[i] if block is None else block
        lengths = [len(rest) for rest in rests if len(rest)]
        if not lengths:
            if all(ended):
                return
            continue
        size = min(lengths)
        yield np.concatenate([_padded(rest[:size], size) for rest in rests], axis=1)
        rests = [rest[size:] for rest in rests]


def _one_stream(path: Path, sound: ContainerSound, index: int, channels: int) -> Iterator[Block]:
    import av

    rate, dtype = sound.sample_rate, _dtype(sound.subtype)
    origin, at = sound.origin, 0
    left = _MOST_SILENCE_S * rate
    with av.open(str(path.absolute()), options=_OPTIONS) as container:
        frames: Iterator[Any] = container.decode(container.streams[index])
        for frame in frames:
            if frame.sample_rate != rate or len(frame.layout.channels) != channels:
                raise InputError(
                    f"{path} changes its sample rate or channels on the way: export it again."
                )
            block = _samples(frame, channels, dtype)
            if frame.pts is not None and frame.time_base is not None:
                seconds = frame.pts * frame.time_base
                origin = seconds if origin is None else origin
                position = round_half_up((seconds - origin) * rate)
                if at == 0 and position < 0:
                    block = block[-position:]
                elif (at == 0 and position) or position - at > rate * _GAP_SECONDS:
                    left -= position - at
                    if left < 0:
                        raise InputError(
                            f"{path} has a gap of hours in its sound by its own clock: "
                            "export it again."
                        )
                    yield from _silence(position - at, channels, dtype)
                    at = position
            if len(block):
                at += len(block)
                yield block


def _samples(frame: Any, channels: int, dtype: type[np.int32] | type[np.float32]) -> Block:
    raw: Block = frame.to_ndarray()
    block = raw.T if frame.format.is_planar else raw.reshape(-1, channels)
    if dtype is np.float32:
        if np.issubdtype(block.dtype, np.integer):
            return (block / 2.0 ** (8 * block.dtype.itemsize - 1)).astype(np.float32)
        return block.astype(np.float32)
    if block.dtype == np.uint8:
        return (block.astype(np.int32) - 128) << 24
    return block.astype(np.int32) << (32 - 8 * block.dtype.itemsize)


def _silence(
    length: int, channels: int, dtype: type[np.int32] | type[np.float32]
) -> Iterator[Block]:
    for start in range(0, length, 65536):
        yield np.zeros((min(65536, length - start), channels), dtype)


def _padded(block: Block, size: int) -> Block:
    return np.pad(block, ((0, size - len(block)), (0, 0)))


def _dtype(subtype: str) -> type[np.int32] | type[np.float32]:
    return np.float32 if subtype == "FLOAT" else np.int32


def _unreadable(path: Path, fault: Exception) -> InputError:
    # FFmpeg's number and the path say nothing that the sentence does not.
    why = getattr(fault, "strerror", None) or fault
    return InputError(
        f"{path} can't be read as sound ({why}): check that it plays, or export it as WAV."
    )

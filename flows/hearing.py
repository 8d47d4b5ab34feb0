"""A take's sound as the steps of the job read it: decoded once, and where somebody speaks in it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from adapters.media.decode import Sound
from adapters.media.whole import write_text
from core.media import MediaFile
from core.plan import digest
from flows.workspace import Workspace
from models.speech.activity import ActivityOptions, Parts, speech_spans_in
from models.speech.rate import SPEECH_RATE, rescale, to_16k

Read = Callable[[int, int], NDArray[np.float64]]
Spans = tuple[tuple[int, int], ...]

SPEECH_VERSION = "1"
BLOCK = 1 << 16
HELD_BYTES = 64 << 20
_SPANS = TypeAdapter(Spans)
_EXACT_IN_SINGLE = frozenset(
    {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW", "DPCM_8", "DPCM_16"}
)


class _Blocks:
    """A sound of some channels in blocks, each fetched once as long as they fit into memory.

    Of what is longer the blocks that were not read for longest go first.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], NDArray[np.float64]],
        frames: int,
        rows: int,
        kind: type[np.floating],
        most_bytes: int,
    ) -> None:
        """fetch(start, n) gives the samples inside the sound, shape (rows, n). kind: to keep."""
        self._fetch, self.frames, self._kind = fetch, frames, kind
        self._most = max(4, most_bytes // (BLOCK * rows * np.dtype(kind).itemsize))
        self._kept: OrderedDict[int, NDArray[np.floating]] = OrderedDict()

    def reader(self, row: int) -> Read:
        """A mono reader of one of the channels; zeros outside."""

        def read(start: int, frames: int) -> NDArray[np.float64]:
            out = np.zeros(frames)
            first, last = max(start, 0), min(start + frames, self.frames)
            for number in range(first // BLOCK, -(-last // BLOCK) if last > first else 0):
                at = number * BLOCK
                low, high = max(first, at), min(last, at + BLOCK)
                out[low - start : high - start] = self._block(number)[row, low - at : high - at]
            return out

        return read

    def _block(self, number: int) -> NDArray[np.floating]:
        block = self._kept.pop(number, None)
        if block is None:
            while len(self._kept) >= self._most:
                self._kept.popitem(last=False)
            start = number * BLOCK
            sound = self._fetch(start, min(BLOCK, self.frames - start))
            block = np.ascontiguousarray(sound, dtype=self._kind)
        self._kept[number] = block
        return block


def decoded_once(sound: Sound, channels: Sequence[int], subtype: str) -> tuple[Read, ...]:
    """A mono reader for some channels of an open sound, which is decoded once for all of them.

    subtype: as libsndfile names the sound's format. Up to 64 MB are held: six minutes of a 24-bit
    channel at 48 kHz; what is longer is decoded again where it is read again. Not for several
    threads.
    """
    chosen = tuple(channels)
    kind = np.float32 if subtype in _EXACT_IN_SINGLE else np.float64

    def fetch(start: int, frames: int) -> NDArray[np.float64]:
        return sound.read(start, frames, chosen).T

    blocks = _Blocks(fetch, sound.frames, len(chosen), kind, HELD_BYTES)
    return tuple(blocks.reader(row) for row in range(len(chosen)))


def worked_once(read: Read, frames: int, channels: int) -> Read:
    """A reader of the same `frames` samples that does the work of `read` once, if memory allows.

    read: must give the same samples for every way of reading. channels: that share the 64 MB.
    Not for several threads.
    """

    def fetch(start: int, count: int) -> NDArray[np.float64]:
        return read(start, count)[None]

    return _Blocks(fetch, frames, 1, np.float64, HELD_BYTES // channels).reader(0)


def spoken(work: Workspace, media: MediaFile, channel: int, hear: Parts) -> Spans:
    """Where somebody speaks in a channel of a hashed file: (start, end) in samples at 16 kHz.

    Found once and kept in the cache, so that cleaning and listening share it. hear: gives the
    channel as recorded at 16 kHz, in parts, where that is needed. Raises EngineError where the
    model of voice activity is missing, OutputError where the cache can't be written.
    """
    options = ActivityOptions()
    name = digest(
        {
            "essence": media.essence,
            "channel": channel,
            "options": asdict(options),
            "version": SPEECH_VERSION,
        }
    )
    path = work.cache / f"{name[:32]}-speech.json"
    try:
        return _SPANS.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        found = speech_spans_in(hear, options)
        write_text(path, json.dumps(found))
        return found


def in_samples(spans: Spans, frames: int, sample_rate: int) -> Spans:
    """Spans at 16 kHz in samples of a file that has `frames` of them at `sample_rate` Hz."""
    return tuple(
        (
            rescale(start, SPEECH_RATE, sample_rate),
            min(frames, rescale(end, SPEECH_RATE, sample_rate)),
        )
        for start, end in spans
    )


def at_16k(read: Read, frames: int, sample_rate: int) -> NDArray[np.float32]:
    """A channel at 16 kHz as one array (64 kB a second), read and resampled in blocks."""
    whole = np.zeros(-(-frames * SPEECH_RATE // sample_rate) + SPEECH_RATE, dtype=np.float32)
    filled = 0
    for part in parts_at_16k(read, frames, sample_rate):
        whole[filled : filled + len(part)] = part
        filled += len(part)
    return whole[:filled]


def parts_at_16k(read: Read, frames: int, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """A channel at 16 kHz, a minute at a time: memory doesn't grow with its length."""
    import soxr

    block = 60 * sample_rate
    if frames <= block:
        yield to_16k(read(0, frames).astype(np.float32), sample_rate)
        return
    stream = soxr.ResampleStream(sample_rate, SPEECH_RATE, 1, dtype="float32")
    for start in range(0, frames, block):
        part = read(start, min(block, frames - start)).astype(np.float32)
        if sample_rate != SPEECH_RATE:
            part = stream.resample_chunk(part, last=start + block >= frames)
        yield part

"""Voice activity: where somebody speaks.

Silero VAD (MIT), carried as an ONNX file by the faster-whisper package, run over blocks with
its recurrent state handed from one to the next: the result is that of the whole sound, the
memory that of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError

FRAME = 512
"""Samples at 16 kHz of a frame of voice activity (32 ms)."""

Parts = Callable[[], Iterable[NDArray[np.float32]]]
"""Gives a mono sound at 16 kHz from its start, in parts of any length, as often as it is called."""

_CONTEXT = 64
_BLOCK_FRAMES = 625
_RATE = 16_000
_QUIET_DBFS = -30.0
_MOST_LIFT_DB = 54.0


@dataclass(frozen=True)
class ActivityOptions:
    """How probabilities of speech become spans.

    threshold: probability from which a frame starts speech. Lower finds whispers and calls
        more noise speech; higher does the opposite.
    release_threshold: probability below which a frame may end speech; at most threshold. Lower
        bridges soft syllables, higher ends spans sooner.
    min_speech_ms: shorter spans are dropped, before padding. Lower keeps a lone `no`, higher
        drops clicks and coughs.
    min_silence_ms: a silence that ends a span is at least this long. Lower splits at every
        breath, higher joins sentences.
    pad_ms: added at both ends, up to the middle of the gap to the next span. Higher is safer
        for soft beginnings and endings.
    """

    threshold: float = 0.5
    release_threshold: float = 0.35
    min_speech_ms: int = 120
    min_silence_ms: int = 300
    pad_ms: int = 60


def speech_probabilities(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability of speech of every 512-sample frame of a mono sound at 16 kHz.

    The model hears nothing below about -70 dBFS, so a sound recorded too low (its loudest
    frames under -30 dBFS) is heard with one static gain, at most 54 dB. The last frame is filled
    with silence. A sound without samples has no frames.
    Raises EngineError where faster-whisper doesn't carry the model.
    """
    return _heard(lambda: (sound,))[0]


def _heard(parts: Parts) -> tuple[NDArray[np.float32], int]:
    """The probabilities of a sound that comes in parts, and its length in samples.

    It is called for twice: the gain must be known before the first frame is heard.
    """
    session = _session()
    gain, length = _lift(parts)
    state = np.zeros((2, 1, 1, 128), dtype=np.float32)
    tail = np.zeros(_CONTEXT, dtype=np.float32)
    found = [np.zeros(0, dtype=np.float32)]
    for block in _blocks(parts()):
        frames = gain * block.reshape(-1, FRAME)
        before = np.vstack([tail, frames[:-1, -_CONTEXT:]])
        tail = frames[-1, -_CONTEXT:]
        probabilities, hidden, cell = session.run(
            None, {"input": np.hstack([before, frames]), "h": state[0], "c": state[1]}
        )
        state = np.stack([hidden, cell])
        found.append(np.asarray(probabilities, dtype=np.float32).reshape(-1))
    return np.concatenate(found), length


def speech_spans(
    sound: NDArray[np.float32], options: ActivityOptions
) -> tuple[tuple[int, int], ...]:
    """Where somebody speaks in a mono sound at 16 kHz: (start, end) in its samples.

    Spans are in order, don't overlap and lie inside the sound.
    """
    return speech_spans_in(lambda: (sound,), options)


def speech_spans_in(parts: Parts, options: ActivityOptions) -> tuple[tuple[int, int], ...]:
    """As `speech_spans`, of a sound that comes in parts: memory doesn't grow with its length."""
    return spans_of(*_heard(parts), options)


def spans_of(
    probabilities: NDArray[np.float32], length: int, options: ActivityOptions
) -> tuple[tuple[int, int], ...]:
    """Spans of speech from the frame probabilities of a sound of length samples at 16 kHz."""
    raw = _hysteresis(probabilities, options)
    longest_gap = options.min_silence_ms * _RATE // 1000
    shortest = options.min_speech_ms * _RATE // 1000
    joined: list[tuple[int, int]] = []
    for start, end in ((first * FRAME, min(last * FRAME, length)) for first, last in raw):
        if joined and start - joined[-1][1] < longest_gap:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return _padded(
        [span for span in joined if span[1] - span[0] >= shortest],
        options.pad_ms * _RATE // 1000,
        length,
    )


def _hysteresis(
    probabilities: NDArray[np.float32], options: ActivityOptions
) -> list[tuple[int, int]]:
    """Runs of frames, (first, past the last), that reach threshold and never fall to release."""
    alive = probabilities >= min(options.release_threshold, options.threshold)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], alive, [False]]).astype(np.int8)))
    runs = []
    for first, last in edges.reshape(-1, 2):
        above = np.flatnonzero(probabilities[first:last] >= options.threshold)
        if len(above):
            runs.append((int(first + above[0]), int(last)))
    return runs


def _padded(spans: list[tuple[int, int]], pad: int, length: int) -> tuple[tuple[int, int], ...]:
    """Spans widened by pad samples, neighbours meeting at most in the middle of their gap."""
    padded = []
    for index, (start, end) in enumerate(spans):
        floor = (spans[index - 1][1] + start) // 2 if index else 0
        ceiling = (end + spans[index + 1][0]) // 2 if index + 1 < len(spans) else length
        padded.append((max(start - pad, floor), min(end + pad, ceiling)))
    return tuple(padded)


def _lift(parts: Parts) -> tuple[np.float32, int]:
    """The gain that brings the loudest frames (99.5th percentile of their RMS) to -30 dBFS.

    And the length of the sound in samples.
    """
    length = 0
    powers = [np.zeros(0)]

    def counted() -> Iterator[NDArray[np.float32]]:
        nonlocal length
        for part in parts():
            length += len(part)
            yield part

    for block in _blocks(counted()):
        frames = block.reshape(-1, FRAME).astype(np.float64)
        powers.append(np.einsum("ij,ij->i", frames, frames) / FRAME)
    loud = np.percentile(np.concatenate(powers), 99.5) if length else 0.0
    level = 10 * np.log10(max(float(loud), 1e-20))
    return np.float32(10 ** (np.clip(_QUIET_DBFS - level, 0.0, _MOST_LIFT_DB) / 20)), length


def _blocks(parts: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Twenty seconds at a time, however long the parts; the last filled up to a whole frame."""
    step = _BLOCK_FRAMES * FRAME
    held = np.zeros(0, dtype=np.float32)
    for part in parts:
        held = np.concatenate([held, np.asarray(part, dtype=np.float32)]) if len(held) else part
        whole = len(held) - len(held) % step
        for start in range(0, whole, step):
            yield np.asarray(held[start : start + step], dtype=np.float32)
        held = held[whole:]
    if len(held):
        yield np.pad(np.asarray(held, dtype=np.float32), (0, -len(held) % FRAME))


def _session() -> Any:
    """The ONNX session of the model in faster-whisper (one thread: its frames are a chain)."""
    try:
        from faster_whisper.vad import get_vad_model

        return get_vad_model().session
    except Exception as fault:
        raise EngineError(
            "The voice activity model of faster-whisper can't be loaded; "
            'install it again with `pip install --force-reinstall "faster-whisper<1.3"`.'
        ) from fault

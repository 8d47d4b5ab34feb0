"""Who speaks when, from one microphone: voices told apart by their sound alone.

Voiceprints of 1.6 s windows are grouped (`grouping`). Then every 0.1 s goes to the voice whose
mean print its short and long windows are most like, along the path that changes the voice only
where that pays (Viterbi). Give the count wherever it is known, and prefer named tracks where
they exist. Of voices that overlap only the stronger is found.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.speech import Turn
from models.speech.grouping import Labels, cluster, means
from models.speech.voiceprint import VoiceEncoder, Voiceprints

_WINDOW, _HOP = 25_600, 3_200
_SHORT_WINDOW, _STEP = 12_800, 1_600
_BRIDGE = 9_600
_SHORT_SHARE = 0.5
_CHANGE_COST = 0.2
_ROUNDS = 2
_PRINT_HOP = 6_400

_Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Voice:
    """A voice in a take. seconds: of it alone, that went into the print. print: unit, of 256."""

    speaker: str
    seconds: float
    print: NDArray[np.float32]


def turns_from_voices(
    sound: NDArray[np.float32],
    spans: Sequence[tuple[int, int]],
    count: int | None,
    encoder: VoiceEncoder,
    expected: int | None = None,
) -> tuple[Turn, ...]:
    """Turns of `SPEAKER 1`, `SPEAKER 2` … (in order of first speech) in a mono sound at 16 kHz.

    spans: where somebody speaks, in order. count: how many speak, or None to find it (at most
    8). expected: how many should speak at most, where that isn't certain. Turns never overlap.
    Raises EngineError where the encoder's weights can't be read.
    """
    spans = [span for span in spans if span[1] > span[0]]
    steps = np.array([at for span in spans for at in _middles(span, _STEP)], dtype=np.int64)
    middles = np.array([at for span in spans for at in _middles(span, _HOP)], dtype=np.int64)
    if not len(middles):
        return ()
    long = encoder.voiceprints(sound, [_window(at, _WINDOW, len(sound)) for at in middles])
    labels = cluster(long, count, 2 * _WINDOW // _HOP, expected)
    nearest = _nearest(middles, steps)
    labels = np.unique(labels[nearest], return_inverse=True)[1].astype(np.int64)
    if labels.max() > 0:
        short = encoder.voiceprints(sound, [_window(at, _SHORT_WINDOW, len(sound)) for at in steps])
        labels = _resegmented(long[nearest], short, labels)
    return _turns(spans, steps, labels)


def voices_of(
    sound: NDArray[np.float32],
    turns: Sequence[Turn],
    encoder: VoiceEncoder,
    unmeasured: Collection[str] = (),
) -> tuple[Voice, ...]:
    """The voice of each speaker of some turns, from where nobody else speaks, by name.

    unmeasured: speakers whose voices are left alone.

    sound, turns: at 16 kHz. A speaker heard alone for less than half a second has none.
    """
    found = []
    for speaker in sorted({turn.speaker for turn in turns} - {*unmeasured}):
        alone = [
            (start, end)
            for turn in turns
            if turn.speaker == speaker
            for start, end in _without(turn, turns)
            if end - start >= _PRINT_HOP
        ]
        seconds = sum(end - start for start, end in alone) / 16_000
        if seconds < 0.5:
            continue
        windows = [
            (at, min(at + _WINDOW, end))
            for start, end in alone
            for at in range(start, max(start + 1, end - _WINDOW + 1), _PRINT_HOP)
        ]
        prints = encoder.voiceprints(sound, windows)
        lengths = np.array([end - start for start, end in windows], dtype=np.float64)
        mean = (prints * lengths[:, None]).sum(axis=0)
        unit = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
        found.append(Voice(speaker, seconds, unit))
    return tuple(found)


def _without(turn: Turn, turns: Sequence[Turn]) -> list[tuple[int, int]]:
    """The parts of a turn in which nobody else speaks."""
    parts, at = [], turn.start
    for other in sorted(turns, key=lambda item: item.start):
        if other.speaker != turn.speaker and other.end > at and other.start < turn.end:
            parts.append((at, other.start))
            at = other.end
    parts.append((at, turn.end))
    return [(start, end) for start, end in parts if end > start]


def _middles(span: tuple[int, int], hop: int) -> range:
    """The middles of the windows of a span, every hop samples, at least one."""
    start, end = span
    if end - start < hop:
        return range((start + end) // 2, (start + end) // 2 + 1)
    return range(start + hop // 2, end, hop)


def _window(middle: int, size: int, length: int) -> tuple[int, int]:
    """A window around a middle, shifted to lie inside the sound (or all of a shorter sound)."""
    start = max(0, min(middle - size // 2, length - size))
    return start, min(start + size, length)


def _nearest(middles: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each step the number of the middle that is nearest; both in order."""
    after = np.clip(np.searchsorted(middles, steps), 1, max(1, len(middles) - 1))
    if len(middles) == 1:
        return np.zeros(len(steps), dtype=np.int64)
    closer = np.abs(middles[after - 1] - steps) <= np.abs(middles[after] - steps)
    return np.where(closer, after - 1, after).astype(np.int64)


def _resegmented(long: Voiceprints, short: Voiceprints, labels: Labels) -> Labels:
    """The voice of every step, from the prints of its two windows and the groups so far."""
    for _ in range(_ROUNDS):
        scores = _SHORT_SHARE * (short @ means(short, labels).T)
        scores = scores + (1 - _SHORT_SHARE) * (long @ means(long, labels).T)
        labels = np.unique(_best_path(scores), return_inverse=True)[1].astype(np.int64)
    return labels


def _best_path(scores: _Scores) -> Labels:
    """The voice of each step for the highest sum of scores, a change costing _CHANGE_COST."""
    steps, voices = scores.shape
    came_from = np.zeros((steps, voices), dtype=np.int64)
    best = scores[0].copy()
    for step in range(1, steps):
        leader = int(best.argmax())
        jump = best[leader] - _CHANGE_COST
        came_from[step] = np.where(best >= jump, np.arange(voices), leader)
        best = np.maximum(best, jump) + scores[step]
    path = np.zeros(steps, dtype=np.int64)
    path[-1] = best.argmax()
    for step in range(steps - 1, 0, -1):
        path[step - 1] = came_from[step, path[step]]
    return path


def _turns(
    spans: Sequence[tuple[int, int]], steps: NDArray[np.int64], labels: Labels
) -> tuple[Turn, ...]:
    """Every 0.1 s of a span goes to the voice of its step; pauses up to 0.6 s stay in a turn."""
    names: dict[int, str] = {}
    turns: list[Turn] = []
    for start, end in spans:
        first, last = np.searchsorted(steps, (start, end))
        for at in range(start, end, _STEP):
            step = min(first + (at - start) // _STEP, last - 1)
            label = int(labels[step])
            name = names.setdefault(label, f"SPEAKER {len(names) + 1}")
            stop = min(at + _STEP, end)
            if turns and turns[-1].speaker == name and at - turns[-1].end <= _BRIDGE:
                turns[-1] = Turn(name, turns[-1].start, stop)
            else:
                turns.append(Turn(name, at, stop))
    return tuple(turns)

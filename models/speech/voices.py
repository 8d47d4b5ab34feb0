"""Who speaks when, from one microphone: voices told apart by their sound alone.

Voiceprints of short windows, grouped by spectral clustering with the neighbourhood and the
number of groups chosen by the normalised maximum eigengap (Park et al., `Auto-tuning spectral
clustering for speaker diarization using normalized maximum eigengap`, 2019). The guessed number
is often wrong on noisy or distant sound, and misses whoever speaks less than a tenth: give the
count wherever it is known, and prefer named tracks where they exist.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.speech import Turn
from models.speech.voiceprint import VoiceEncoder, Voiceprints

_WINDOW = 25_600
_HOP = 3_200
_STEP = 1_600
_BRIDGE = 9_600
_MOST_VOICES = 8
_MOST_CLUSTERED = 1_000
_OVERLAPPING = 2 * _WINDOW // _HOP

_Matrix = NDArray[np.float64]
_Labels = NDArray[np.int64]


def turns_from_voices(
    sound: NDArray[np.float32],
    spans: Sequence[tuple[int, int]],
    count: int | None,
    encoder: VoiceEncoder,
) -> tuple[Turn, ...]:
    """Turns of `SPEAKER 1`, `SPEAKER 2` … (in order of first speech) in a mono sound at 16 kHz.

    spans: where somebody speaks, in order. count: how many speak, or None to guess it (at most
    8). Turns never overlap: one microphone, one voice at a time. At most 1,000 windows (200 s of
    speech, spread evenly) are clustered; the others go to the nearest group.
    Raises EngineError where the encoder's weights can't be read.
    """
    spans = [span for span in spans if span[1] > span[0]]
    middles = [at for span in spans for at in _middles(span)]
    if not middles:
        return ()
    windows = [_window(at, len(sound)) for at in middles]
    labels = cluster(encoder.voiceprints(sound, windows), count)
    return _turns(spans, np.array(middles), labels)


def cluster(prints: Voiceprints, count: int | None) -> _Labels:
    """The group, counted from 0, of each of n voiceprints (n, 256) in order of time."""
    step = -(-len(prints) // _MOST_CLUSTERED)
    chosen = prints[::step].astype(np.float64)
    guessed, vectors = _spectrum(chosen @ chosen.T)
    groups = min(count or guessed, vectors.shape[1])
    labels = _k_means(vectors[:, :groups])
    if step == 1:
        return labels
    centres = np.stack([chosen[labels == group].mean(axis=0) for group in np.unique(labels)])
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    nearest: _Labels = np.argmax(prints @ centres.T, axis=1).astype(np.int64)
    return nearest


def _middles(span: tuple[int, int]) -> range:
    """The middles of the windows of a span, every 0.2 s, at least one."""
    start, end = span
    if end - start < _HOP:
        return range((start + end) // 2, (start + end) // 2 + 1)
    return range(start + _HOP // 2, end, _HOP)


def _window(middle: int, length: int) -> tuple[int, int]:
    """1.6 s around a middle, shifted to lie inside the sound (or all of a shorter sound)."""
    start = max(0, min(middle - _WINDOW // 2, length - _WINDOW))
    return start, min(start + _WINDOW, length)


def _spectrum(similar: _Matrix) -> tuple[int, _Matrix]:
    """The guessed number of groups, and the eigenvectors that tell groups apart, first to last.

    Each neighbourhood size is tried from the number of windows that overlap one (they are alike
    whoever speaks) to half of all; that with the widest gap for its size wins.
    """
    n = len(similar)
    if n < 3:
        return 1, np.ones((n, 1))
    nearest = np.argsort(-similar, axis=1, kind="stable")
    smallest = min(max(_OVERLAPPING, n // 10), n // 2)
    best_score, best = np.inf, (1, np.ones((n, 1)))
    for neighbours in np.unique(np.linspace(smallest, n // 2, 12).round().astype(int)):
        links = np.zeros((n, n))
        np.put_along_axis(links, nearest[:, :neighbours], 1.0, axis=1)
        links = (links + links.T) / 2
        values, vectors = np.linalg.eigh(np.diag(links.sum(axis=1)) - links)
        gaps = np.diff(values[: _MOST_VOICES + 1])
        score = neighbours / n * values[-1] / max(float(gaps.max()), 1e-12)
        if score < best_score:
            best_score = score
            best = int(np.argmax(gaps)) + 1, vectors
    return best


def _k_means(points: _Matrix) -> _Labels:
    """k-means into as many groups as there are columns, from far-apart rows: no chance in it."""
    groups = points.shape[1]
    centres = points[:1].copy()
    while len(centres) < groups:
        centres = np.vstack([centres, points[np.argmax(_distances(points, centres).min(axis=1))]])
    labels = np.full(len(points), -1)
    for _ in range(100):
        nearest = np.argmin(_distances(points, centres), axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        for group in np.unique(labels):
            centres[group] = points[labels == group].mean(axis=0)
    return labels.astype(np.int64)


def _distances(points: _Matrix, centres: _Matrix) -> _Matrix:
    """Squared distances (points, centres)."""
    apart: _Matrix = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
    return apart


def _turns(
    spans: Sequence[tuple[int, int]], middles: NDArray[np.int64], labels: _Labels
) -> tuple[Turn, ...]:
    """Every 0.1 s of a span goes to the group of the window whose middle is nearest.

    Pauses up to 0.6 s stay within a turn.
    """
    names: dict[int, str] = {}
    turns: list[Turn] = []
    for start, end in spans:
        first, last = np.searchsorted(middles, (start, end))
        for at in range(start, end, _STEP):
            nearest = first + int(np.argmin(np.abs(middles[first:last] - at - _STEP // 2)))
            label = int(labels[nearest])
            name = names.setdefault(label, f"SPEAKER {len(names) + 1}")
            stop = min(at + _STEP, end)
            if turns and turns[-1].speaker == name and at - turns[-1].end <= _BRIDGE:
                turns[-1] = Turn(name, turns[-1].start, stop)
            else:
                turns.append(Turn(name, at, stop))
    return tuple(turns)

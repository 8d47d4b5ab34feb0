"""Voiceprints of one recording grouped by voice.

Spectral clustering, its neighbourhood chosen by the normalised maximum eigengap (Park et al.,
`Auto-tuning spectral clustering for speaker diarization using normalized maximum eigengap`,
2019). The gap alone often miscounts the voices of noisy or distant sound, so the count is the
largest number of groups of which no two are alike, and the gap decides only where all are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.speech.voiceprint import Voiceprints

MOST_VOICES = 8
UNLIKE = 0.80
"""Cosine of two groups' mean voiceprints below which they are two voices. Higher splits voices."""

_UNLIKE_BEYOND = 0.72
"""The same for more voices than are expected: the equal error of pairs from different takes."""

_UNLIKE_BY_GAP = 0.90
_UNLIKE_IN_TWO = 0.85
_LEAST_WINDOWS = 5
_MOST_CLUSTERED = 1_000

_Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


def cluster(
    prints: Voiceprints, count: int | None, overlapping: int = 16, expected: int | None = None
) -> Labels:
    """The group, counted from 0, of each of n voiceprints (n, 256) in order of time.

    count: how many voices, or None to find it (at most 8). expected: how many there should be at
    most; more are found only where no two of them could be taken for one. overlapping: how many
    windows one window overlaps; these are alike whoever speaks. At most 1,000 prints, spread
    evenly, are clustered; the others go to the nearest group.
    """
    step = -(-len(prints) // _MOST_CLUSTERED)
    chosen = prints[::step].astype(np.float64)
    by_gap, vectors = _spectrum(chosen @ chosen.T, max(1, overlapping // step))
    if count is None:
        labels = _most_unlike(chosen, vectors, by_gap, expected or MOST_VOICES)
    else:
        labels = _k_means(vectors[:, : min(count, vectors.shape[1])])
    if step == 1:
        return labels
    nearest: Labels = np.argmax(prints @ means(chosen, labels).T, axis=1).astype(np.int64)
    return nearest


def means(prints: Voiceprints | _Matrix, labels: Labels) -> _Matrix:
    """The unit mean of the prints of each group, in order of the groups' numbers."""
    centres: _Matrix = np.stack(
        [prints[labels == group].mean(axis=0, dtype=np.float64) for group in np.unique(labels)]
    )
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    return centres


def _most_unlike(prints: _Matrix, vectors: _Matrix, by_gap: int, expected: int) -> Labels:
    """The most groups of which no two are alike and each lasts long enough.

    Where there are none: as many as the eigengap says, or two, if they differ somewhat; else one.
    """
    splits: dict[int, tuple[float, Labels]] = {}
    for groups in range(2, min(MOST_VOICES, vectors.shape[1]) + 1):
        labels = np.unique(_k_means(vectors[:, :groups]), return_inverse=True)[1].astype(np.int64)
        if labels.max() > 0 and np.bincount(labels).min() >= _LEAST_WINDOWS:
            centres = means(prints, labels)
            splits[groups] = float((centres @ centres.T - 2 * np.eye(len(centres))).max()), labels
    for groups in sorted(splits, reverse=True):
        if splits[groups][0] < (UNLIKE if groups <= expected else _UNLIKE_BEYOND):
            return splits[groups][1]
    for groups, limit in ((by_gap, _UNLIKE_BY_GAP), (2, _UNLIKE_IN_TWO)):
        if groups <= expected and groups in splits and splits[groups][0] < limit:
            return splits[groups][1]
    return np.zeros(len(prints), dtype=np.int64)


def _spectrum(similar: _Matrix, overlapping: int) -> tuple[int, _Matrix]:
    """The number of groups by the gap, and the eigenvectors that tell groups apart.

    Each neighbourhood size is tried from the number of windows that overlap one to half of all;
    that with the widest gap for its size wins.
    """
    n = len(similar)
    if n < 3:
        return 1, np.ones((n, 1))
    nearest = np.argsort(-similar, axis=1, kind="stable")
    smallest = min(max(overlapping, n // 10), n // 2)
    best_score, best = np.inf, (1, np.ones((n, 1)))
    for neighbours in np.unique(np.linspace(smallest, n // 2, 12).round().astype(int)):
        links = np.zeros((n, n))
        np.put_along_axis(links, nearest[:, :neighbours], 1.0, axis=1)
        links = (links + links.T) / 2
        values, vectors = np.linalg.eigh(np.diag(links.sum(axis=1)) - links)
        gaps = np.diff(values[: MOST_VOICES + 1])
        score = neighbours / n * values[-1] / max(float(gaps.max()), 1e-12)
        if score < best_score:
            best_score = score
            best = int(np.argmax(gaps)) + 1, vectors[:, :MOST_VOICES]
    return best


def _k_means(points: _Matrix) -> Labels:
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

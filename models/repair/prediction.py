"""Linear prediction: the model of a stretch of sound, its residual, and gaps filled by it.

The model is autoregressive (AR): sum over k of a[k] x[n-k] = e[n], a[0] = 1, with a small e.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.repair.patches import Read, Samples
from models.samples import finite

NOISE_FLOOR = 1e-9
"""White noise added to every autocorrelation, as a share of its power (-90 dB)."""
SILENCE = 1e-14
"""Power below which a stretch is silence (-140 dBFS)."""
LONG_ORDER_S = 0.0107
"""Seconds that the model of a long gap looks back: a period of a low voice."""
CONTEXT_ORDERS = 3
GAP_MODELS = 2


def prediction_coefficients(frames: Samples, order: int) -> Samples:
    """AR coefficients of many frames at once, by the autocorrelation method.

    frames: shape (count, length), windowed here by a Hann window. Returns shape
    (count, order + 1), the first column 1. Levinson's recursion (J. Makhoul, "Linear
    prediction: a tutorial review", Proc. IEEE 63, 1975).
    """
    from scipy.fft import irfft, next_fast_len, rfft

    count, length = frames.shape
    size = next_fast_len(length + order, real=True)
    spectrum = rfft(frames * _hann(length), size, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    lags = irfft(power, size, axis=1)[:, : order + 1]
    lags[:, 0] = lags[:, 0] * (1 + NOISE_FLOOR) + SILENCE * length
    return _one_model(lags[0]) if count == 1 else _models(np.ascontiguousarray(lags.T))


def _one_model(lags: Samples) -> Samples:
    """The coefficients of one frame, shape (1, order + 1)."""
    from scipy.linalg import solve_toeplitz

    return np.concatenate([[1.0], -solve_toeplitz(lags[:-1], lags[1:])])[None]


def _models(lags: Samples) -> Samples:
    """The coefficients of many frames; lags: shape (order + 1, count)."""
    order = len(lags) - 1
    a = np.zeros_like(lags)
    a[0] = 1.0
    error = lags[0].copy()
    for m in range(1, order + 1):
        known = np.einsum("kc,kc->c", a[1:m], lags[m - 1 : 0 : -1])
        reflection = -(lags[m] + known) / error
        a[1:m] += reflection * a[m - 1 : 0 : -1]
        a[m] = reflection
        error *= 1 - reflection**2
    return np.ascontiguousarray(a.T)


@lru_cache(maxsize=32)
def _hann(length: int) -> Samples:
    window = np.hanning(length)
    window.flags.writeable = False
    return window


def fill_gaps(sound: Samples, unknown: NDArray[np.intp], coefficients: Samples) -> Samples:
    """The samples at `unknown` that make the residual of the whole stretch smallest.

    sound: a stretch; what it holds at `unknown` is not looked at. unknown: indices into it, each
    at least the model's order away from both ends. coefficients: of the AR model, shape
    (order + 1,). Returns shape (len(unknown),). Least-squares AR interpolation (A. Janssen,
    R. Veldhuis, L. Vries, "Adaptive interpolation of discrete-time signals that can be modeled
    as autoregressive processes", IEEE Trans. ASSP 34, 1986).
    """
    matrix, right = normal_equations(sound, unknown, coefficients)
    return np.asarray(np.linalg.solve(matrix, right), np.float64)


def filled_gap(read: Read, frames: int, sample_rate: int, start: int, count: int) -> Samples | None:
    """What fills `count` lost samples of a channel from `start` on, or None too near an end.

    By linear prediction from both sides, with a model that looks back a period of a low voice. The
    model and the samples are estimated in turn, as A. Janssen, R. Veldhuis and L. Vries have it
    (IEEE Trans. ASSP 34, 1986). No louder than the surroundings.
    """
    order = max(32, round(LONG_ORDER_S * sample_rate))
    context = CONTEXT_ORDERS * order
    if start < order or start + count + order > frames:
        return None
    stretch = finite(read(start - context, count + 2 * context))
    gap = np.arange(context, context + count)
    loudest = float(np.abs(np.r_[stretch[: gap[0]], stretch[gap[-1] + 1 :]]).max())
    stretch[gap] = 0.0
    for _ in range(GAP_MODELS):
        model = prediction_coefficients(stretch[None], order)[0]
        stretch[gap] = fill_gaps(stretch, gap, model)
    return np.clip(stretch[gap], -loudest, loudest)


def fill_like_gaps(stretches: Samples, first: int, last: int, models: Samples) -> Samples:
    """The same as `fill_gaps` for many stretches that miss the same samples.

    stretches: shape (count, length), which miss `first` to just before `last`. models: shape
    (count, order + 1). Returns shape (count, last - first).
    """
    order, missing = models.shape[1] - 1, last - first
    lags = np.stack(
        [np.sum(models[:, : order + 1 - k] * models[:, k:], axis=1) for k in range(order + 1)],
        axis=1,
    )
    apart = np.abs(np.arange(missing)[:, None] - np.arange(missing)[None, :])
    matrix = np.where(apart <= order, lags[:, np.minimum(apart, order)], 0.0)
    known = stretches[:, first - order : last + order].copy()
    known[:, order : order + missing] = 0.0
    both = np.concatenate([lags[:, :0:-1], lags], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(known, 2 * order + 1, axis=1)
    right = -np.einsum("cgk,ck->cg", windows, both)
    return np.asarray(np.linalg.solve(matrix, right[:, :, None])[:, :, 0], np.float64)


def normal_equations(
    sound: Samples, unknown: NDArray[np.intp], coefficients: Samples
) -> tuple[Samples, Samples]:
    """Matrix and right-hand side of the equations that `fill_gaps` solves."""
    order = len(coefficients) - 1
    products = np.correlate(coefficients, coefficients, "full")
    known = sound.copy()
    known[unknown] = 0.0
    apart = np.abs(unknown[:, None] - unknown[None, :])
    inside = apart <= order
    matrix = np.where(inside, products[order + np.minimum(apart, order)], 0.0)
    right = -np.convolve(known, products, "same")[unknown]
    return matrix, right


def residual(sound: Samples, coefficients: Samples) -> Samples:
    """Forward prediction error of a stretch, for its samples from `order` on."""
    return np.convolve(sound, coefficients, "valid")

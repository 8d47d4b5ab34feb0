"""DeepFilterNet3's published graphs through onnxruntime: the yardstick of `dfn3_stream`.

A whole passage at 48 kHz goes through at once. The graphs show nothing of what the network
remembers, so they can't go on from one block to the next; tests and benchmarks compare with them.

Schröter et al., "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement",
Interspeech 2023. A mask over 32 ERB bands shapes the spectrum; below 4.8 kHz a complex filter
over five frames replaces it. The recurrent units remember for long, so a passage is always
processed from its first sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError
from models.card import ModelCard
from models.described import described

SAMPLE_RATE = 48_000
FRAME = 960
HOP = 480
FILTERED_BINS = 96
TAPS = 5
LOOKAHEAD = 2
SMOOTHING = 0.99
BAND_WIDTHS = (
    *(2,) * 13,
    *(5, 5, 7, 7, 8, 10, 12, 13, 15, 18, 20, 24, 28, 31, 37, 42, 50, 56, 67),
)
GRAPHS = ("enc.onnx", "erb_dec.onnx", "df_dec.onnx")

_STARTS = np.concatenate([[0], np.cumsum(BAND_WIDTHS)[:-1]])
_PHASE = np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME)
_WINDOW = np.sin(np.pi / 2 * _PHASE**2).astype(np.float32)


@dataclass(frozen=True)
class DeepFilterNet3:
    """The three graphs, ready to run. About 14 MB of memory for each second of passage."""

    card: ModelCard
    encoder: Any
    mask_decoder: Any
    filter_decoder: Any
    sample_rate: int = SAMPLE_RATE

    def stream(self) -> WholePassage:
        """A passage that is kept until its end, and then heard at once."""
        return WholePassage(self)

    def denoise(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mono (samples,) at 48 kHz, active speech near -26 dBFS; same length, zero lag."""
        if not np.any(sound):
            return np.zeros(len(sound), np.float32)
        spectrum = analyse(sound)
        early = LOOKAHEAD
        inputs = {
            "feat_erb": _shifted(band_features(spectrum), early)[None, None],
            "feat_spec": _shifted(bin_features(spectrum), early).transpose(2, 0, 1)[None],
        }
        names = ("e0", "e1", "e2", "e3", "emb", "c0")
        state = dict(zip(names, self.encoder.run(names, inputs), strict=True))
        filters = self.filter_decoder.run(("coefs",), {k: state[k] for k in ("emb", "c0")})[0]
        del state["c0"], inputs
        mask = self.mask_decoder.run(("m",), state)[0].reshape(-1, len(BAND_WIDTHS))
        taps = filters.reshape(-1, FILTERED_BINS, TAPS, 2)
        cleaned = _filtered(spectrum[:, :FILTERED_BINS], taps)
        spectrum *= np.repeat(mask, BAND_WIDTHS, axis=1)
        spectrum[:, :FILTERED_BINS] = cleaned
        return synthesise(spectrum, len(sound))


class WholePassage:
    """A stream that gives nothing until `finish`. Its memory grows with the passage."""

    def __init__(self, engine: DeepFilterNet3) -> None:
        self._engine = engine
        self._blocks = [np.zeros(0, np.float32)]

    def push(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Keeps the next samples (samples,); gives none."""
        self._blocks.append(np.array(block, np.float32))
        return self._blocks[0]

    def finish(self) -> NDArray[np.float32]:
        """The whole passage."""
        return self._engine.denoise(np.concatenate(self._blocks))


def load(folder: Path, weights_sha256: str, threads: int) -> DeepFilterNet3:
    """The engine from a folder that holds the three graphs.

    folder: verified weights (`WeightsFolder.path`). weights_sha256: of the set, for the card.
    threads: of onnxruntime; the samples are identical for any number.
    Raises EngineError where a graph is missing or is none.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Another level rounds differently, and cleaned files must come out the same for years.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    sessions = []
    for name in GRAPHS:
        try:
            sessions.append(
                onnxruntime.InferenceSession(
                    str(folder / name), options, providers=["CPUExecutionProvider"]
                )
            )
        except Exception as fault:
            raise EngineError(
                f"{folder / name} can't be loaded as a part of DeepFilterNet3; fetch it again "
                "with `roomtone models fetch deepfilternet3`."
            ) from fault
    card = described("deepfilternet3").card(
        f"onnxruntime {onnxruntime.__version__}", weights_sha256
    )
    return DeepFilterNet3(card, *sessions)


def analyse(sound: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Spectrum (frames, 481) of a passage, scaled as the network expects it."""
    padded = np.pad(sound.astype(np.float32), (HOP, FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    spectrum: NDArray[np.complex64] = np.fft.rfft(frames * _WINDOW, axis=1).astype(np.complex64)
    spectrum /= FRAME
    return spectrum


def synthesise(spectrum: NDArray[np.complex64], length: int) -> NDArray[np.float32]:
    """The passage of `length` samples whose spectrum this is (undoes `analyse`)."""
    frames = np.fft.irfft(spectrum, FRAME, axis=1).astype(np.float32) * (_WINDOW * FRAME)
    sound = frames[:, :HOP].copy()
    sound[1:] += frames[:-1, HOP:]
    return np.asarray(sound.reshape(-1)[HOP : HOP + length], np.float32)


def band_features(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Level of each ERB band in dB less its running mean, over 40: (frames, 32)."""
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    mean = np.add.reduceat(power, _STARTS, axis=1) / np.array(BAND_WIDTHS)
    level = 10 * np.log10(mean + 1e-10)
    start = np.linspace(-60, -90, len(BAND_WIDTHS))
    return np.asarray((level - _running_mean(level, start)) / 40, np.float32)


def bin_features(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """The lowest 96 bins over the root of their running magnitude: (frames, 96, 2)."""
    low = spectrum[:, :FILTERED_BINS]
    start = np.linspace(0.001, 0.0001, FILTERED_BINS)
    scaled = low / np.sqrt(_running_mean(np.abs(low), start))
    return np.stack([scaled.real, scaled.imag], axis=-1).astype(np.float32)


def _running_mean(values: NDArray[Any], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponential mean down the first axis, which begins at `start`."""
    from scipy.signal import lfilter

    state = (SMOOTHING * start)[None, :]
    mean, _ = lfilter([1 - SMOOTHING], [1, -SMOOTHING], values, axis=0, zi=state)
    return np.asarray(mean, np.float64)


def _shifted(features: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Features that many frames earlier, zeros at the end."""
    out = np.zeros_like(features)
    out[:-frames] = features[frames:]
    return out


def _filtered(low: NDArray[np.complex64], taps: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Five complex taps from two frames back to two ahead, applied to the noisy bins."""
    padded = np.pad(low, ((TAPS - 1 - LOOKAHEAD, LOOKAHEAD), (0, 0)))
    out = np.zeros_like(low)
    for k in range(TAPS):
        out += padded[k : k + len(low)] * (taps[:, :, k, 0] + 1j * taps[:, :, k, 1])
    return out

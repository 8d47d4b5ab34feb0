"""Voiceprints: a speaker encoder (GE2E, Wan et al. 2018) that tells voices apart.

The weights are those that Resemblyzer (Apache-2.0) carries in its wheel: three LSTM layers and a
projection over a 40-band mel spectrogram. The package itself is never imported (it drags in
librosa and webrtcvad); only its weights file is read, without running pickled code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError
from models.card import ModelCard
from models.described import described
from models.loading import LoadedOnce
from models.threads import one_blas_thread, torch_threads

Voiceprints = NDArray[np.float32]

_RATE, _WINDOW, _HOP, _BANDS, _WIDTH = 16_000, 400, 160, 40, 256
_LEVEL = 10 ** (-30 / 20)
_BATCH = 64


def installed_weights() -> Path:
    """The encoder's weights file in the installed Resemblyzer wheel, found without importing it.

    Raises EngineError where the wheel isn't installed.
    """
    from importlib.util import find_spec

    spec = find_spec("resemblyzer")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for path in (Path(folder) / "pretrained.pt" for folder in folders):
        if path.is_file():
            return path
    raise EngineError(
        "Telling voices apart needs the speaker encoder's weights; "
        "install them with `pip install --no-deps resemblyzer==0.1.4`."
    )


@dataclass(frozen=True)
class VoiceEncoder:
    """The speaker encoder, read from weights on first use."""

    weights: Path

    @cached_property
    def card(self) -> ModelCard:
        """Name, licence and weights of the encoder."""
        from hashlib import sha256

        import torch

        return described("resemblyzer").card(
            f"torch {torch.__version__}", sha256(self.weights.read_bytes()).hexdigest()
        )

    @LoadedOnce
    def _layers(self) -> tuple[Any, Any]:
        """The LSTM and the projection. Raises EngineError where the file isn't this encoder's."""
        import torch

        try:
            state = torch.load(self.weights, map_location="cpu", weights_only=True)["model_state"]
            lstm = torch.nn.LSTM(_BANDS, _WIDTH, 3, batch_first=True)
            linear = torch.nn.Linear(_WIDTH, _WIDTH)
            lstm.load_state_dict(_below(state, "lstm."))
            linear.load_state_dict(_below(state, "linear."))
        except Exception as fault:
            raise EngineError(
                f"{self.weights} is not the speaker encoder; "
                "install it again with `pip install --no-deps resemblyzer==0.1.4`."
            ) from fault
        return lstm.eval(), linear.eval()

    def voiceprints(
        self, sound: NDArray[np.float32], windows: Sequence[tuple[int, int]]
    ) -> Voiceprints:
        """One voiceprint (a unit vector of 256, none negative) for each window of the sound.

        sound: mono at 16 kHz. windows: (start, end) in its samples, best 1.6 s long. Windows
        quieter than -30 dBFS are brought up to that level, as the encoder was trained.
        """
        import torch

        one_blas_thread()
        lstm, linear = self._layers
        prints = np.zeros((len(windows), _WIDTH), dtype=np.float32)
        order = sorted(range(len(windows)), key=lambda i: windows[i][1] - windows[i][0])
        with torch_threads(1), torch.inference_mode():
            for batch in _equal_lengths(order, windows):
                mels = np.stack([mel_spectrogram(sound[slice(*windows[i])]) for i in batch])
                _, (hidden, _) = lstm(torch.from_numpy(mels))
                raw = torch.relu(linear(hidden[-1]))
                unit = raw / raw.norm(dim=1, keepdim=True).clamp(min=1e-9)
                prints[batch] = unit.numpy()
        return prints


def mel_spectrogram(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mel power spectrogram (frames, 40) of a mono sound at 16 kHz.

    25 ms Hann windows every 10 ms, centred, zeros beyond the ends; triangular filters of equal
    area on the Slaney mel scale, 0 to 8 kHz: the encoder's training front end.
    """
    level = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0
    gain = _LEVEL / level if 0 < level < _LEVEL else 1.0
    padded = np.pad(sound.astype(np.float64) * gain, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    mels: NDArray[np.float32] = (power @ mel_filters(_BANDS).T).astype(np.float32)
    return mels


def mel_filters(bands: int) -> NDArray[np.float64]:
    """Filters (bands, 201) of Slaney's Auditory Toolbox: linear below 1 kHz, logarithmic above."""
    top = 15 + 27 * np.log(8_000 / 1_000) / np.log(6.4)
    mels = np.linspace(0.0, top, bands + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1_000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins = np.linspace(0, _RATE / 2, _WINDOW // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    slopes = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    filters: NDArray[np.float64] = np.maximum(slopes, 0.0) * 2.0 / (high - low)
    return filters


def _below(state: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The tensors under a prefix, without it."""
    return {key.removeprefix(prefix): t for key, t in state.items() if key.startswith(prefix)}


def _equal_lengths(order: list[int], windows: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Batches of window numbers, each of one length and of bounded size."""
    batches: list[list[int]] = []
    for i in order:
        length = windows[i][1] - windows[i][0]
        last = windows[batches[-1][-1]] if batches else (0, -1)
        if last[1] - last[0] == length and len(batches[-1]) < _BATCH:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches

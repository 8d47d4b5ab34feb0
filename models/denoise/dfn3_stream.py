"""DeepFilterNet3 in torch, block by block, with all that it remembers carried along.

Spectrum, features and filter follow `models/denoise/dfn3.py`, which runs the authors' graphs on a
whole passage and is the yardstick. Here the sound goes through in batches of BATCH frames that
lie on a grid from the first sample, whatever the blocks it comes in, so the blocks change no
sample, and memory does not grow with length.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError
from models.card import ModelCard
from models.denoise.dfn3 import (
    BAND_WIDTHS,
    FILTERED_BINS,
    FRAME,
    GRAPHS,
    HOP,
    LOOKAHEAD,
    SAMPLE_RATE,
    SMOOTHING,
    TAPS,
)
from models.denoise.onnx_weights import read_weights
from models.denoise.protocol import Samples, passed_through
from models.described import described
from models.threads import torch_threads

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from models.denoise.dfn3_network import Network

BATCH = 200
"""Frames that the network hears at once (2 s). More is hardly faster and takes more memory."""

BEHIND = TAPS - 1 - LOOKAHEAD


@dataclass(frozen=True)
class DeepFilterNet3:
    """The network with its weights, ready to run. Streams may run side by side.

    device: of torch, where the network lies (`cpu`, `cuda`).
    """

    card: ModelCard
    network: Network
    device: str
    sample_rate: int = SAMPLE_RATE

    def stream(self) -> DeepFilterStream:
        """A passage from its first sample; 48 kHz, active speech near -26 dBFS."""
        return DeepFilterStream(self.network, self.device)

    def denoise(self, sound: Samples) -> Samples:
        """One whole passage (samples,), full suppression, the same length, zero lag."""
        return passed_through(self.stream(), sound)


def load(folder: Path, weights_sha256: str, device: str = "cpu") -> DeepFilterNet3:
    """The engine from a folder that holds the three published graphs.

    folder: verified weights (`WeightsFolder.path`). weights_sha256: of the set, for the card.
    device: of torch. Raises EngineError where a graph is missing or is another network's, or where
    torch has no such device.
    """
    import torch

    from models.denoise.dfn3_network import Network

    weights = [read_weights(folder / name) for name in GRAPHS]
    try:
        network = Network(*weights)
    except (KeyError, ValueError, IndexError, RuntimeError) as fault:
        raise EngineError(
            f"The graphs in {folder} are not those of DeepFilterNet3; fetch them again with "
            "`roomtone models fetch deepfilternet3`."
        ) from fault
    try:
        network.to(torch.device(device))
    except (AssertionError, RuntimeError) as fault:
        raise EngineError(
            f"torch can't use the device {device!r} for DeepFilterNet3; set it to cpu."
        ) from fault
    if device != "cpu":
        # For the process, since takes run side by side: TF32 would round the units to 10 bits.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
    card = described("deepfilternet3").card(f"torch {torch.__version__}", weights_sha256)
    return DeepFilterNet3(card, network, device)


class DeepFilterStream:
    """One passage on its way through the network; about 2 s of it wait inside.

    `push` takes blocks of any length and gives what is ready; `finish` gives the rest. Together
    the answers are as long as the blocks, with zero lag.
    """

    def __init__(self, network: Network, device: str) -> None:
        import torch

        from models.denoise.dfn3_network import fresh

        self._network = network
        self._device = torch.device(device)
        self._constants = _constants(self._device)
        self._state = fresh(self._device)
        self._waiting: list[Samples] = []
        self._waits = 0
        self._length = 0
        self._given = 0
        self._heard = 0
        self._frames: int | None = None
        bins = FRAME // 2 + 1
        self._before = torch.zeros(FRAME - HOP, device=self._device)
        self._levels = torch.linspace(-60, -90, len(BAND_WIDTHS), device=self._device)
        self._sizes = torch.linspace(0.001, 0.0001, FILTERED_BINS, device=self._device)
        self._spectrum = torch.zeros(BEHIND, bins, dtype=torch.complex64, device=self._device)
        self._overlap = torch.zeros(FRAME - HOP, device=self._device)

    def push(self, block: Samples) -> Samples:
        """The next samples (samples,); gives those that are ready, often none."""
        self._waiting.append(np.array(block, np.float32))
        self._waits += len(block)
        self._length += len(block)
        ready = [np.zeros(0, np.float32)]
        if self._waits >= self._size:
            sound = np.concatenate(self._waiting)
            while len(sound) >= self._size:
                size = self._size
                ready.append(self._batch(sound[:size]))
                sound = sound[size:]
            self._waiting, self._waits = [sound.copy()], len(sound)
        return np.concatenate(ready)

    def finish(self) -> Samples:
        """What is left when nothing more comes. The stream is spent then."""
        self._frames = self._length // HOP + 2
        rest = np.concatenate([np.zeros(0, np.float32), *self._waiting])
        ready = [rest[:0]]
        missing = self._length - self._given
        while self._given < self._length:
            ready.append(self._batch(np.pad(rest, (0, self._size - len(rest)))))
            rest = rest[:0]
        return np.concatenate(ready)[:missing]

    @property
    def _size(self) -> int:
        """Samples of the next batch: the first brings the frames that are looked ahead, too."""
        return (BATCH if self._heard else BATCH + LOOKAHEAD) * HOP

    def _batch(self, sound: Samples) -> Samples:
        """A batch of `_size` samples; gives as many, the first fewer."""
        import torch

        # The first frame begins a hop before the first sample.
        early = 0 if self._heard else HOP
        with torch.inference_mode(), torch_threads(1):
            wet = self._through(torch.from_numpy(sound).to(self._device))[early:].cpu().numpy()
        self._given += len(wet)
        return np.asarray(wet, np.float32)

    def _through(self, hops: Tensor) -> Tensor:
        """Analysis, network, filter and synthesis of a batch of whole hops."""
        import torch

        constants = self._constants
        sound = torch.cat([self._before, hops])
        self._before = sound[-(FRAME - HOP) :]
        frames = torch.fft.rfft(sound.unfold(0, FRAME, HOP) * constants.window) / FRAME
        bands, bins = self._features(frames)
        mask, taps, self._state = self._network(bands, bins, self._state)
        spectrum = torch.cat([self._spectrum, frames])
        self._spectrum = spectrum[-(TAPS - 1) :]
        count = len(mask)
        cleaned = spectrum[BEHIND : BEHIND + count] * mask[:, constants.band_of_bin]
        low = spectrum[:, :FILTERED_BINS].unfold(0, TAPS, 1)
        cleaned[:, :FILTERED_BINS] = (low * torch.view_as_complex(taps)).sum(2)
        halves = torch.fft.irfft(cleaned, FRAME) * (constants.window * FRAME)
        ends = torch.cat([self._overlap[None], halves[:, HOP:]])
        self._overlap = ends[-1]
        wet: Tensor = halves[:, :HOP] + ends[:-1]
        return wet.flatten()

    def _features(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """What the network hears of the frames, the first two of the passage left out.

        Level of each ERB band in dB less its running mean, over 40: (frames, 32); the lowest 96
        bins over the root of their running magnitude: (frames, 96, 2); zeros behind the end.
        """
        import torch

        constants, count = self._constants, len(frames)
        mean, decay = constants.mean[:count, :count], constants.decay[:count, None]
        power = frames.real.square() + frames.imag.square()
        levels = 10 * torch.log10(power @ constants.bands + 1e-10)
        steady = mean @ levels + decay * self._levels
        low = frames[:, :FILTERED_BINS]
        sizes = mean @ low.abs() + decay * self._sizes
        self._levels, self._sizes = steady[-1], sizes[-1]
        bands = (levels - steady) / 40
        bins = torch.view_as_real(low / sizes.sqrt())
        if self._frames is not None:
            end = max(0, self._frames - self._heard)
            bands[end:], bins[end:] = 0.0, 0.0
        early = 0 if self._heard else LOOKAHEAD
        self._heard += count
        return bands[early:], bins[early:]


@dataclass(frozen=True)
class Constants:
    """Tables on a device.

    window (960,). bands (481, 32): mean of the bins of each band. band_of_bin (481,). mean
    (frames, frames) and decay (frames,): the running mean over a batch is `mean @ values` and
    `decay` times the mean before it.
    """

    window: Tensor
    bands: Tensor
    band_of_bin: Tensor
    mean: Tensor
    decay: Tensor


def _constants(device: torch.device) -> Constants:
    import torch

    phase = np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME)
    band_of_bin = np.repeat(np.arange(len(BAND_WIDTHS)), BAND_WIDTHS)
    bands = np.eye(len(BAND_WIDTHS))[band_of_bin] / np.array(BAND_WIDTHS)
    at = np.arange(BATCH + LOOKAHEAD)
    mean = np.tril((1 - SMOOTHING) * SMOOTHING ** np.abs(at[:, None] - at))

    def table(values: NDArray[np.floating[Any]]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(device)

    return Constants(
        table(np.sin(np.pi / 2 * phase**2)),
        table(bands),
        torch.from_numpy(band_of_bin).to(device),
        table(mean),
        table(SMOOTHING ** (at + 1.0)),
    )

"""Gated recurrent units, frame by frame: on the CPU in numpy, elsewhere as torch has them.

torch takes 35 µs for a frame of 256 units on one core, most of it for calling ten small
operations; the product with the weights itself takes ten. Importing this module imports torch.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Floats = NDArray[np.float32]


class Recurrent(nn.Module):
    """Layers of gated recurrent units, one behind the other."""

    def __init__(self, unit: nn.GRU) -> None:
        """unit: of one direction and with biases, not to be changed any more."""
        super().__init__()
        self.unit = unit

    def forward(self, sound: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
        """(frames, inputs) and (layers, width) to (frames, width) and what is held after them."""
        if sound.device.type != "cpu":
            given: tuple[Tensor, Tensor] = self.unit(sound, held)
            return given
        after = []
        for layer, before in enumerate(held):
            sound = self._layer(layer, sound, before)
            after.append(sound[-1])
        return sound, torch.stack(after)

    def _layer(self, layer: int, sound: Tensor, held: Tensor) -> Tensor:
        inner, outer, recurrence, bias = (
            getattr(self.unit, f"{name}_l{layer}")
            for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        )
        heard = functional.linear(sound, inner, outer).numpy()
        return torch.from_numpy(recur(heard, recurrence.numpy(), bias.numpy(), held.numpy()))


def recur(heard: Floats, recurrence: Floats, bias: Floats, held: Floats) -> Floats:
    """What a layer of `width` units holds after each frame: (frames, width).

    heard (frames, 3 · width): the products of the inputs, with their bias, for the gates r and z
    and for the candidate n. recurrence (3 · width, width) and bias (3 · width,): for what is held.
    held (width,): before the first frame. As in torch: r and z are the logistic function of the
    sums of both, n = tanh(heard + r · recurrent), and (1 - z) · n + z · held is held then.
    """
    width = len(held)
    gates = 2 * width
    # The logistic function of x is (1 + tanh(x / 2)) / 2; halving a weight rounds nothing.
    half = np.repeat(np.array([0.5, 1.0], np.float32), (gates, width))
    weights = np.ascontiguousarray(recurrence * half[:, None])
    added = np.empty_like(heard)
    np.multiply(heard[:, :gates] + bias[:gates], half[:gates], out=added[:, :gates])
    added[:, gates:] = bias[gates:]
    out = np.empty((len(heard), width), np.float32)
    sums = np.empty(3 * width, np.float32)
    both, reset, update = sums[:gates], sums[:width], sums[width:gates]
    candidate = sums[gates:]
    # Bound once, and the results given by place: names and keywords are half of a small step.
    dot, add, subtract, multiply, tanh = np.dot, np.add, np.subtract, np.multiply, np.tanh
    one_half = np.array(0.5, np.float32)
    for bias_too, input_too, now in zip(added, heard[:, gates:], out, strict=True):
        dot(weights, held, sums)
        add(sums, bias_too, sums)
        tanh(both, both)
        multiply(both, one_half, both)
        add(both, one_half, both)
        multiply(candidate, reset, candidate)
        add(candidate, input_too, candidate)
        tanh(candidate, candidate)
        subtract(held, candidate, now)
        multiply(now, update, now)
        add(now, candidate, now)
        held = now
    return out

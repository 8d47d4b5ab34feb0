"""DeepFilterNet3's network in torch, a block of frames at a time, its state handed over.

Schröter et al., "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement",
Interspeech 2023. The weights are those of the three published ONNX graphs, by the names of their
nodes. Sound lies as (frames, bands, channels) throughout. Two linear layers with nothing in between
are folded into one. Importing this module imports torch: leave that to whoever loads an engine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.denoise.onnx_weights import Weights
from models.denoise.recurrent import Recurrent

BANDS, BINS, TAPS = 32, 96, 5
CHANNELS, WIDTH = 64, 256
Tensors = tuple[NDArray[np.float32], ...]
BEFORE = 2
"""Frames before the present one that the first convolutions see."""


class State(NamedTuple):
    """What the network remembers from one block to the next.

    bands (2, 32) and bins (2, 96, 2): the last features. path (4, 96, 50): the last products of
    the filter's convolution, one for each tap. encoder (1, 256), mask and taps (2, 256): what the
    recurrent units hold.
    """

    bands: Tensor
    bins: Tensor
    path: Tensor
    encoder: Tensor
    mask: Tensor
    taps: Tensor


class Encoder(nn.Module):
    """Features to the embedding of each frame and the layers that the decoders look back at."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        kernel, bias = (_tensor(item) for item in weights["/erb_conv0/1/Conv"])
        self.bands = _linear(kernel.reshape(CHANNELS, 9), bias)
        self.second = Separable(weights["/erb_conv1/0/Conv"], weights["/erb_conv1/1/Conv"], 2)
        self.third = Separable(weights["/erb_conv2/Conv"], weights["/erb_conv2/Conv_1"], 2)
        self.fourth = Separable(weights["/erb_conv3/0/Conv"], weights["/erb_conv3/1/Conv"], 1)
        self.bins = _folded_bins(weights)
        self.halved = Separable(weights["/df_conv1/Conv"], weights["/df_conv1/Conv_1"], 2)
        self.embed = Grouped(weights["/df_fc_emb/0/Einsum"])
        self.enter = Grouped(weights["/emb_gru/linear_in/0/Einsum"])
        self.unit = _recurrent(weights["/emb_gru/GRU"])
        self.leave = Grouped(weights["/emb_gru/linear_out/0/Einsum"])

    def forward(
        self, bands: Tensor, bins: Tensor, held: Tensor
    ) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
        """Features that begin two frames early to four layers, filter layer, embedding, held."""
        first = torch.relu(self.bands(_patches(bands[:, :, None])))
        second = self.second(first)
        third = self.third(second)
        fourth = self.fourth(third)
        low = torch.relu(self.bins(_patches(bins)))
        both = fourth.flatten(1) + torch.relu(self.embed(self.halved(low).flatten(1)))
        carried, held = self.unit(torch.relu(self.enter(both)), held)
        return [first, second, third, fourth], low, torch.relu(self.leave(carried)), held


class MaskDecoder(nn.Module):
    """The gain of each of the 32 bands."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.enter = Grouped(weights["/emb_gru/linear_in/Einsum"])
        self.units = _recurrent(weights["/emb_gru/GRU"], weights["/emb_gru/GRU_1"])
        self.leave = Grouped(weights["/emb_gru/linear_out/Einsum"])
        self.past = nn.ModuleList(
            Scaled(weights[f"/conv{name}Conv"]) for name in ("0p/", "1p/", "2p/", "3p/0/")
        )
        self.same = Separable(weights["/convt3/Conv"], weights["/convt3/Conv_1"], 1)
        self.doubled = Doubled(weights["/convt2/0/ConvTranspose"], weights["/convt2/1/Conv"])
        self.redoubled = Doubled(weights["/convt1/ConvTranspose"], weights["/convt1/Conv"])
        kernel, bias = (_tensor(item) for item in weights["/conv0_out/0/Conv"])
        self.out = _linear(kernel.reshape(CHANNELS, 3).T.contiguous(), None)
        self.bias = nn.Parameter(bias)

    def forward(
        self, layers: list[Tensor], embedding: Tensor, held: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The encoder's four layers and embedding to gains (frames, 32), and what is held."""
        carried, held = self.units(torch.relu(self.enter(embedding)), held)
        wide = torch.relu(self.leave(carried)).view(len(embedding), -1, CHANNELS)
        first, second, third, fourth = (
            scale(layer) for scale, layer in zip(self.past, layers, strict=True)
        )
        wide = self.same(fourth + wide)
        wide = self.doubled(third + wide)
        wide = self.redoubled(second + wide)
        before, here, after = self.out(first + wide).unbind(2)
        near = functional.pad(before, (1, 0))[:, :-1] + here + functional.pad(after, (0, 1))[:, 1:]
        return torch.sigmoid(near + self.bias), held


class TapsDecoder(nn.Module):
    """The five complex taps of each of the 96 lowest bins."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.enter = Grouped(weights["/df_gru/linear_in/linear_in.0/Einsum"])
        self.units = _recurrent(weights["/df_gru/gru/GRU"], weights["/df_gru/gru/GRU_1"])
        self.skip = Grouped(weights["/df_skip/Einsum"])
        self.out = Grouped(weights["/df_out/df_out.0/Einsum"])
        self.path, bias = _folded_path(weights)
        self.bias = nn.Parameter(bias)

    def forward(
        self, low: Tensor, embedding: Tensor, path: Tensor, held: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Filter layer and embedding to taps (frames, 96, 5, 2), last products, what is held."""
        carried, held = self.units(torch.relu(self.enter(embedding)), held)
        count = len(embedding)
        taps = torch.tanh(self.out(carried + self.skip(embedding)))
        products = torch.cat([path, self.path(low)])
        parts = products.view(-1, BINS, TAPS, 2 * TAPS)
        near = sum((parts[k : k + count, :, k] for k in range(TAPS)), self.bias)
        taps = taps.view(count, BINS, 2 * TAPS) + torch.relu(near)
        return taps.view(count, BINS, TAPS, 2), products[count:], held


class Network(nn.Module):
    """All of DeepFilterNet3 between the features and the gains.

    encoder, mask, taps: the weights of `enc.onnx`, `erb_dec.onnx` and `df_dec.onnx`. Raises
    KeyError, ValueError or RuntimeError where they are another network's.
    """

    def __init__(self, encoder: Weights, mask: Weights, taps: Weights) -> None:
        super().__init__()
        self.encoder = Encoder(encoder)
        self.mask = MaskDecoder(mask)
        self.taps = TapsDecoder(taps)
        self.requires_grad_(False)

    def forward(self, bands: Tensor, bins: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """A block of features to gains and taps.

        bands (frames, 32) and bins (frames, 96, 2): features, two frames ahead of the gains.
        Gives gains (frames, 32), taps (frames, 96, 5, 2) and the state for the next block.
        """
        bands = torch.cat([state.bands, bands])
        bins = torch.cat([state.bins, bins])
        layers, low, embedding, encoder = self.encoder(bands, bins, state.encoder)
        mask, masking = self.mask(layers, embedding, state.mask)
        taps, path, filtering = self.taps(low, embedding, state.path, state.taps)
        return mask, taps, State(bands[-BEFORE:], bins[-BEFORE:], path, encoder, masking, filtering)


def fresh(device: torch.device) -> State:
    """The state before the first frame."""
    shapes = (
        (BEFORE, BANDS),
        (BEFORE, BINS, 2),
        (TAPS - 1, BINS, 2 * TAPS * TAPS),
        (1, WIDTH),
        (2, WIDTH),
        (2, WIDTH),
    )
    return State(*(torch.zeros(shape, device=device) for shape in shapes))


class Separable(nn.Module):
    """A convolution over three bands in each channel, then a mix of the channels, never below 0."""

    def __init__(self, depth: Tensors, point: Tensors, step: int) -> None:
        super().__init__()
        self.step = step
        self.kernel = nn.Parameter(_tensor(depth[0]).reshape(CHANNELS, 3).T.contiguous())
        self.mix = _linear(_tensor(point[0])[:, :, 0, 0], _tensor(point[1]))

    def forward(self, sound: Tensor) -> Tensor:
        """(frames, bands, 64) to (frames, bands / step, 64)."""
        step = self.step
        before, here, after = self.kernel
        near = sound[:, ::step] * here
        above = sound[:, 1::step]
        near[:, : above.shape[1]].addcmul_(above, after)
        near[:, 1:].addcmul_(sound[:, step - 1 : -1 : step], before)
        return torch.relu_(self.mix(near))


class Doubled(nn.Module):
    """A transposed convolution to twice the bands in each channel, then a mix, never below 0."""

    def __init__(self, depth: Tensors, point: Tensors) -> None:
        super().__init__()
        self.kernel = nn.Parameter(_tensor(depth[0]).reshape(CHANNELS, 3).T.contiguous())
        self.mix = _linear(_tensor(point[0])[:, :, 0, 0], _tensor(point[1]))

    def forward(self, sound: Tensor) -> Tensor:
        """(frames, bands, 64) to (frames, 2 · bands, 64)."""
        before, here, after = self.kernel
        wide = torch.stack([sound * here, sound * after], dim=2)
        wide[:, :-1, 1].addcmul_(sound[:, 1:], before)
        return torch.relu_(self.mix(wide.flatten(1, 2)))


class Scaled(nn.Module):
    """A gain and an offset for each channel, never below 0."""

    def __init__(self, weights: Tensors) -> None:
        super().__init__()
        self.gain = nn.Parameter(_tensor(weights[0]).reshape(CHANNELS))
        self.offset = nn.Parameter(_tensor(weights[1]))

    def forward(self, sound: Tensor) -> Tensor:
        """(frames, bands, 64) to the same shape."""
        return torch.relu_(torch.addcmul(self.offset, sound, self.gain))


class Grouped(nn.Module):
    """A linear layer in groups, without a bias."""

    def __init__(self, weights: Tensors) -> None:
        super().__init__()
        self.weight = nn.Parameter(_tensor(weights[0]))

    def forward(self, sound: Tensor) -> Tensor:
        """(frames, groups · inputs) to (frames, groups · outputs)."""
        groups, inputs, _ = self.weight.shape
        split = sound.reshape(len(sound), groups, inputs).transpose(0, 1)
        return torch.bmm(split, self.weight).transpose(0, 1).flatten(1)


def _patches(frames: Tensor) -> Tensor:
    """Every bin with its neighbours in two earlier frames: (frames, bins, channels · 9)."""
    near = functional.pad(frames, (0, 0, 1, 1))
    return near.unfold(0, BEFORE + 1, 1).unfold(1, 3, 1).flatten(2)


def _folded_bins(weights: Weights) -> nn.Linear:
    """The first filter layer: a grouped 3 by 3 convolution and the mix behind it, as one."""
    kernel = _tensor(weights["/df_conv0/1/Conv"][0]).reshape(CHANNELS, 9)
    mix, bias = (_tensor(item) for item in weights["/df_conv0/2/Conv"])
    half = CHANNELS // 2
    whole = torch.zeros(CHANNELS, 2, 9)
    whole[:half, 0], whole[half:, 1] = kernel[:half], kernel[half:]
    return _linear(mix[:, :, 0, 0] @ whole.flatten(1), bias)


def _folded_path(weights: Weights) -> tuple[nn.Linear, Tensor]:
    """The filter's convolution over five frames and the mix behind it: a product for each tap."""
    kernel = _tensor(weights["/df_convp/df_convp.1/Conv"][0])[:, :, :, 0]
    mix, bias = (_tensor(item) for item in weights["/df_convp/df_convp.2/Conv"])
    half = CHANNELS // 2
    whole = torch.zeros(2 * TAPS, CHANNELS, TAPS)
    whole[:TAPS, :half], whole[TAPS:, half:] = kernel[:TAPS], kernel[TAPS:]
    folded = torch.einsum("om,mck->koc", mix[:, :, 0, 0], whole)
    return _linear(folded.flatten(0, 1), None), bias


def _recurrent(*layers: Tensors) -> Recurrent:
    """Gated recurrent units; ONNX has the gates as z, r, h and torch as r, z, h."""
    unit = nn.GRU(WIDTH, WIDTH, len(layers))
    for index, (inputs, recurrence, biases) in enumerate(layers):
        outer, inner = biases[0, : 3 * WIDTH], biases[0, 3 * WIDTH :]
        found = {"weight_ih": inputs[0], "weight_hh": recurrence[0], "bias_ih": outer}
        for name, values in (found | {"bias_hh": inner}).items():
            z, r, h = _tensor(values).chunk(3)
            getattr(unit, f"{name}_l{index}").data.copy_(torch.cat([r, z, h]))
    return Recurrent(unit)


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    layer.weight.data.copy_(weight)
    if bias is not None:
        layer.bias.data.copy_(bias)
    return layer


def _tensor(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(values.copy())

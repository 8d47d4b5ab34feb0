"""Gated recurrent units by hand are those of torch, for any division into blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from models.denoise.recurrent import Recurrent


def unit(layers: int, width: int = 256) -> nn.GRU:
    torch.manual_seed(1)
    made = nn.GRU(width, width, layers)
    made.requires_grad_(False)
    return made


@pytest.mark.parametrize("layers", [1, 2])
def test_they_are_those_of_torch_to_a_step_of_single_precision(layers: int) -> None:
    made = unit(layers)
    sound, held = torch.randn(300, 256), torch.rand(layers, 256) - 0.5
    with torch.inference_mode():
        expected, left = made(sound, held)
        found, ours = Recurrent(made)(sound, held)
    assert torch.max(torch.abs(found - expected)) < 1e-6
    assert torch.max(torch.abs(ours - left)) < 1e-6


def test_what_is_held_carries_over_from_block_to_block() -> None:
    made = Recurrent(unit(2))
    sound, held = torch.randn(64, 256), torch.zeros(2, 256)
    with torch.inference_mode():
        whole, left = made(sound, held)
        first, between = made(sound[:40], held)
        second, last = made(sound[40:], between)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-6)
    assert torch.allclose(last, left, atol=1e-6)


def test_nothing_that_went_in_is_changed() -> None:
    made = Recurrent(unit(1))
    sound, held = torch.randn(8, 256), torch.rand(1, 256)
    before = sound.clone(), held.clone()
    with torch.inference_mode():
        made(sound, held)
    assert torch.equal(sound, before[0])
    assert torch.equal(held, before[1])


def test_strong_inputs_saturate_and_stay_numbers() -> None:
    made = Recurrent(unit(1))
    with torch.inference_mode():
        found, _ = made(1e6 * torch.randn(8, 256), torch.zeros(1, 256))
    assert np.all(np.abs(found.numpy()) <= 1)

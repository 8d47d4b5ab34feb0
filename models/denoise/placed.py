"""DeepFilterNet3 where it runs best: on a GPU that computes as the processor does, else there."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from core.errors import EngineError
from models.denoise import dfn3_stream
from models.denoise.protocol import Denoiser
from models.speech.protocol import Device

LOG = logging.getLogger("roomtone.engines")
MOST_APART = 1e-6
"""Of full scale (-120 dBFS): what two machines may differ by."""
TRIED_S = 5


def load_placed(folder: Path, weights_sha256: str, device: Device) -> Denoiser:
    """The engine on a GPU where there is one, unless `cpu` is asked for.

    folder, weights_sha256: as in `dfn3_stream.load`. A GPU is tried on some seconds of noise first:
    with `auto`, one that fails or differs by more than -120 dBFS is left alone, and the log says
    why; with `cuda`, EngineError is raised, also where there is none.
    """
    plain = dfn3_stream.load(folder, weights_sha256, "cpu")
    if device == "cpu" or (device == "auto" and not gpu_is_there()):
        return plain
    try:
        placed: Denoiser = dfn3_stream.load(folder, weights_sha256, "cuda")
        apart = _apart(plain, placed)
    except (EngineError, RuntimeError) as fault:
        if device == "cuda":
            raise EngineError(
                f"DeepFilterNet3 can't run on a GPU here ({fault}); set device to auto or cpu."
            ) from fault
        LOG.warning("DeepFilterNet3 runs on the processor, as the GPU failed: %s", fault)
        return plain
    if apart <= MOST_APART:
        return placed
    said = f"the GPU's sound differs from the processor's by {apart:.1e} of full scale"
    if device == "cuda":
        raise EngineError(f"DeepFilterNet3: {said}; set device to auto or cpu.")
    LOG.warning("DeepFilterNet3 runs on the processor: %s", said)
    return plain


def gpu_is_there() -> bool:
    """Whether torch has a GPU that it can use."""
    import torch

    return bool(torch.cuda.is_available())


def _apart(one: Denoiser, other: Denoiser) -> float:
    """How far two engines lie apart at most, of full scale, on noise that comes and goes."""
    count = TRIED_S * one.sample_rate
    noise = np.random.default_rng(1).normal(0, 0.05, count)
    sound = (noise * (1 + np.sin(np.arange(count) * 6 / one.sample_rate))).astype(np.float32)
    return float(np.max(np.abs(one.denoise(sound) - other.denoise(sound))))

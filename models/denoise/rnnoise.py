"""RNNoise through the library in the pyrnnoise wheel: the stand-in that needs no download.

Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement", MMSP 2018.
It takes more of sibilants and air than DeepFilterNet3 and leaves more musical noise, so its work
is marked as a stand-in's and done again when the real engine is there.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError
from models.card import ModelCard

SAMPLE_RATE = 48_000
FRAME = 480
DELAY = 960
FULL_SCALE = 32768.0


@dataclass(frozen=True)
class RNNoise:
    """The library, ready to run. Memory: 8 bytes a sample of the passage."""

    card: ModelCard
    binding: Any
    sample_rate: int = SAMPLE_RATE

    def denoise(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mono (samples,) at 48 kHz; the same length, its delay of 960 samples taken out."""
        if not np.any(sound):
            return np.zeros(len(sound), np.float32)
        frames = -(-(len(sound) + DELAY) // FRAME)
        buffer = np.zeros(frames * FRAME, np.float32)
        # The library works in floats on the scale of 16-bit samples: no rounding, no clipping.
        buffer[: len(sound)] = sound * np.float32(FULL_SCALE)
        state = self.binding.create()
        try:
            process = self.binding.lib.rnnoise_process_frame
            pointer_to = ctypes.POINTER(ctypes.c_float)
            for frame in buffer.reshape(-1, FRAME):
                pointer = frame.ctypes.data_as(pointer_to)
                process(state, pointer, pointer)
        finally:
            self.binding.destroy(state)
        return buffer[DELAY : DELAY + len(sound)] / np.float32(FULL_SCALE)


def load() -> RNNoise:
    """The stand-in. Raises EngineError where pyrnnoise or its library is missing."""
    binding = _binding()
    library = Path(binding.LIBRNNOISE)
    card = ModelCard(
        name="RNNoise",
        version="0.2",
        runtime=f"pyrnnoise {importlib.metadata.version('pyrnnoise')}",
        weights_sha256=hashlib.sha256(library.read_bytes()).hexdigest(),
        licence="BSD-3-Clause",
        trained_on="the public speech and noise collections listed in its datasets.txt",
        source="https://gitlab.xiph.org/xiph/rnnoise",
        stand_in=True,
    )
    return RNNoise(card, binding)


def _binding() -> ModuleType:
    """The wheel's ctypes module alone: its package pulls in plotting and a media library."""
    missing = "RNNoise can't be loaded; install it again with `pip install pyrnnoise`."
    package = importlib.util.find_spec("pyrnnoise")
    if package is None or not package.submodule_search_locations:
        raise EngineError(missing)
    source = Path(package.submodule_search_locations[0]) / "rnnoise.py"
    spec = importlib.util.spec_from_file_location("_roomtone_rnnoise", source)
    if spec is None or spec.loader is None:
        raise EngineError(missing)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (OSError, AttributeError) as fault:
        raise EngineError(missing) from fault
    return module

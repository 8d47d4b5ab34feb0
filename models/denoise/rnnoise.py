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
import weakref
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from core.errors import EngineError
from models.card import ModelCard
from models.denoise.protocol import Samples, passed_through
from models.described import described
from models.loading import loaded_once

SAMPLE_RATE = 48_000
FRAME = 480
DELAY = 960
FULL_SCALE = 32768.0


@dataclass(frozen=True)
class RNNoise:
    """The library, ready to run."""

    card: ModelCard
    binding: Any
    sample_rate: int = SAMPLE_RATE

    def stream(self) -> RNNoiseStream:
        """A passage at 48 kHz from its first sample."""
        return RNNoiseStream(self.binding)

    def denoise(self, sound: Samples) -> Samples:
        """One whole passage (samples,), the same length, zero lag."""
        return passed_through(self.stream(), sound)


class RNNoiseStream:
    """One passage through the library, its delay of 960 samples taken out."""

    def __init__(self, binding: Any) -> None:
        self._process = binding.lib.rnnoise_process_frame
        self._state = binding.create()
        self._free = weakref.finalize(self, binding.destroy, self._state)
        self._waiting = np.zeros(0, np.float32)
        self._early = DELAY
        self._owed = 0

    def push(self, block: Samples) -> Samples:
        """The next samples (samples,); gives those that are ready."""
        self._owed += len(block)
        return self._through(block)

    def finish(self) -> Samples:
        """What is left. The stream is spent then."""
        missing = DELAY + -(len(self._waiting) + DELAY) % FRAME
        rest = self._through(np.zeros(missing, np.float32), self._owed)
        self._free()
        return rest

    def _through(self, block: Samples, most: int | None = None) -> Samples:
        """Every whole frame of what waits and `block`; `most`: samples to give at most."""
        # The library works in floats on the scale of 16-bit samples: no rounding, no clipping.
        sound = np.concatenate([self._waiting, block.astype(np.float32) * np.float32(FULL_SCALE)])
        whole = len(sound) // FRAME * FRAME
        self._waiting = sound[whole:].copy()
        pointer_to = ctypes.POINTER(ctypes.c_float)
        for frame in sound[:whole].reshape(-1, FRAME):
            pointer = frame.ctypes.data_as(pointer_to)
            self._process(self._state, pointer, pointer)
        early = min(self._early, whole)
        self._early -= early
        ready = (sound[early:whole][:most] / FULL_SCALE).astype(np.float32)
        self._owed -= len(ready)
        return ready


@loaded_once(1)
def load() -> RNNoise:
    """The stand-in, loaded once a process.

    Raises EngineError where pyrnnoise or its library is missing.
    """
    binding = _binding()
    library = Path(binding.LIBRNNOISE)
    card = described("rnnoise").card(
        f"pyrnnoise {importlib.metadata.version('pyrnnoise')}",
        hashlib.sha256(library.read_bytes()).hexdigest(),
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

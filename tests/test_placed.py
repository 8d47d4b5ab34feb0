"""Where DeepFilterNet3 runs: on a GPU only where that gives the processor's sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import EngineError
from models.denoise import dfn3_stream, placed
from models.denoise.placed import load_placed

PLACE = Path("weights")


@dataclass(frozen=True)
class Engine:
    """An engine that halves the sound, and is off by a bit."""

    device: str
    off: float = 0.0
    sample_rate: int = 48_000

    def denoise(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(sound / 2 + self.off, np.float32)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a machine with a GPU, or without one, whose sound is off by something."""

    def made(there: bool, off: float = 0.0, fault: Exception | None = None) -> None:
        def load(_folder: Path, _weights: str, device: str = "cpu") -> Any:
            if device == "cuda" and (fault or not there):
                raise fault or EngineError("torch can't use the device 'cuda'.")
            return Engine(device, off if device == "cuda" else 0.0)

        monkeypatch.setattr(placed, "gpu_is_there", lambda: there)
        monkeypatch.setattr(dfn3_stream, "load", load)

    return made


def where(device: Any) -> str:
    found: Any = load_placed(PLACE, "", device)
    return str(found.device)


def test_a_gpu_is_used_where_there_is_one_and_it_is_not_forbidden(gpu: Callable[..., None]) -> None:
    gpu(True, 5e-7)
    assert (where("auto"), where("cuda"), where("cpu")) == ("cuda", "cuda", "cpu")
    gpu(False)
    assert (where("auto"), where("cpu")) == ("cpu", "cpu")
    with pytest.raises(EngineError, match="set device to auto or cpu"):
        where("cuda")


@pytest.mark.parametrize("fault", [None, RuntimeError("CUDA out of memory")])
def test_a_gpu_that_sounds_otherwise_or_fails_is_left_alone_and_said_so(
    gpu: Callable[..., None], fault: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    gpu(True, 1e-5, fault)
    assert where("auto") == "cpu"
    assert ("out of memory" if fault else "differs") in caplog.text
    with pytest.raises(EngineError, match="out of memory" if fault else "differs"):
        where("cuda")

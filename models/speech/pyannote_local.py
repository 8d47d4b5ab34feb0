"""pyannote's diarization pipelines (community-1), from a local folder and never from the network.

The library is not part of roomtone and its weights come from the user. It asks a hub for what it
doesn't find and reports each use of it to its makers: both are switched off before it is
imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError
from core.speech import Turn
from models.card import ModelCard
from models.described import described
from models.loading import LoadedOnce
from models.speech.protocol import Device
from models.speech.rate import SPEECH_RATE

_SILENT = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PYANNOTE_METRICS_ENABLED": "0",
}
_BRIDGE_S = 0.6
_CREW = 1


@dataclass(frozen=True)
class PyannotePipeline:
    """A pipeline in a folder with a `config.yaml`, read when it is first used.

    weights_sha256: of the folder. device: where it runs; `auto`: on a GPU where there is one.
    """

    folder: Path
    weights_sha256: str
    device: Device = "auto"

    @property
    def card(self) -> ModelCard:
        """Name, licence and weights of the pipeline."""
        return described(self.folder.name).card(
            f"pyannote.audio {version('pyannote.audio')}", self.weights_sha256
        )

    def turns(
        self, sound: NDArray[np.float32], count: int | None, expected: int | None
    ) -> tuple[Turn, ...]:
        """Turns of `SPEAKER 1`, `SPEAKER 2` … (in order of first speech) in a sound at 16 kHz.

        count: how many speak, or None. expected: how many are expected where that isn't certain;
        one more may be found (whoever reads out the slate). Turns overlap where two speak at
        once. Raises EngineError where the pipeline can't be read or fails.
        """
        import torch

        known = {"num_speakers": count} if count else {}
        if expected and not count:
            known = {"max_speakers": expected + _CREW}
        heard = {"waveform": torch.from_numpy(sound)[None], "sample_rate": SPEECH_RATE}
        try:
            output = self._pipeline(heard, **known)
        except EngineError:
            raise
        except Exception as fault:
            raise EngineError(
                f"The pipeline in {self.folder} failed ({_first_line(fault)}); "
                'set diarizer = "voices" to do without it.'
            ) from fault
        annotation = getattr(output, "speaker_diarization", output)
        return _named(
            (str(label), segment.start, segment.end)
            for segment, _, label in annotation.itertracks(yield_label=True)
        )

    @LoadedOnce
    def _pipeline(self) -> Any:
        """The pipeline itself. Raises EngineError where it can't be read."""
        _stay_offline()
        try:
            import torch
            from pyannote.audio import Pipeline

            pipeline = Pipeline.from_pretrained(str(self.folder))
            if pipeline is None:
                raise ValueError("nothing was loaded")
            if self.device == "cuda" or (self.device == "auto" and torch.cuda.is_available()):
                pipeline.to(torch.device("cuda"))
        except Exception as fault:
            raise EngineError(
                f"The pipeline in {self.folder} can't be read ({_first_line(fault)}); import its "
                'folder again, whole, or set diarizer = "voices".'
            ) from fault
        return pipeline


def _stay_offline() -> None:
    """Keep the library and its hub from the network, also where the hub was imported before."""
    os.environ.update(_SILENT)
    hub = sys.modules.get("huggingface_hub.constants")
    if hub is not None:
        vars(hub)["HF_HUB_OFFLINE"] = True


def _named(found: Iterable[tuple[str, float, float]]) -> tuple[Turn, ...]:
    """Segments in seconds as turns, joined over pauses in which nobody else begins to speak."""
    names: dict[str, str] = {}
    turns: list[Turn] = []
    for label, start_s, end_s in sorted(found, key=lambda item: (item[1], item[2], item[0])):
        start, end = (max(0, round(at * SPEECH_RATE)) for at in (start_s, end_s))
        if end <= start:
            continue
        name = names.setdefault(label, f"SPEAKER {len(names) + 1}")
        last = turns[-1] if turns else None
        if last and last.speaker == name and start - last.end <= _BRIDGE_S * SPEECH_RATE:
            turns[-1] = Turn(name, last.start, max(last.end, end))
        else:
            turns.append(Turn(name, start, end))
    return tuple(turns)


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0].rstrip(".")

"""Whisper checkpoints brought in for both engines, without a network."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from models.speech.convert import convert_checkpoint
from models.speech.engines import is_checkpoint
from models.weights import WeightsFolder

_ORIGIN = "converted_from.json"
CONVERTED = "-ct2"
"""Ends the name of a converted set: converted weights are other bytes than published ones."""


def import_weights(
    folder: WeightsFolder, source: Path, say: Callable[[str], None]
) -> tuple[str, ...]:
    """Import weights as `WeightsFolder.import_from`; OpenAI checkpoints also for faster-whisper.

    say: told what takes long, a sentence each. Gives the names of all sets. What was converted
    before from the same checkpoint stays. Raises EngineError where something is not what it
    pretends, or a converted model doesn't compute what its checkpoint does.
    """
    names = list(folder.import_from(source))
    for name in tuple(names):
        checkpoints = sorted(folder.path(name).glob("*.pt"))
        if len(checkpoints) != 1 or not is_checkpoint(checkpoints[0]):
            continue
        if find_spec("faster_whisper") is None or find_spec("whisper") is None:
            say(f"{name} is not converted for faster-whisper: it needs both engines installed.")
            continue
        target = name + CONVERTED
        names.append(target)
        if _origin(folder.root / target) != folder.sha256(name):
            say(f"Converting {name} for faster-whisper, and comparing what both compute.")
            _convert(folder, name, checkpoints[0], target)
    return tuple(dict.fromkeys(names))


def _convert(folder: WeightsFolder, name: str, checkpoint: Path, target: str) -> None:
    """Bring in the converted checkpoint of a set as a set of its own."""
    with tempfile.TemporaryDirectory(dir=folder.root, prefix=f".{target}-") as made:
        converted = convert_checkpoint(checkpoint, Path(made) / target)
        origin = json.dumps({"sha256": folder.sha256(name)})
        (converted / _ORIGIN).write_text(origin + "\n", encoding="utf-8")
        folder.import_from(converted)


def _origin(converted: Path) -> str:
    """The sha256 of the set that a folder was converted from, or empty."""
    try:
        return str(json.loads((converted / _ORIGIN).read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""

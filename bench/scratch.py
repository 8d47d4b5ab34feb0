"""Homes that a benchmark may fill and throw away, with weights that are installed elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.settings import Settings
from flows.workspace import Workspace, open_workspace
from models.weights import WeightsFolder

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Where the shared data lie beside a working copy of the project; it may be absent."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder in the system's place for temporary files (TMPDIR), removed at the end."""
    with tempfile.TemporaryDirectory(prefix="roomtone-bench-") as name:
        yield Path(name).resolve()


def weights_root(scratch: Path, given: Path | None) -> Path:
    """The folder of weights that a benchmark cleans and listens with.

    given: weights to import into the scratch folder. Otherwise those of ROOMTONE_HOME are used
    where they lie, else DeepFilterNet3 of the shared data is imported; else the folder is empty.
    Raises EngineError where the given folder holds no weights.
    """
    installed = Settings().home / "weights"
    if given is None and WeightsFolder(installed).installed():
        return installed
    shared = SHARED / "weights" / "deepfilternet3"
    source = given or (shared if shared.is_dir() else None)
    root = scratch / "weights"
    root.mkdir(exist_ok=True)
    if source is not None:
        WeightsFolder(root).import_from(source)
    return root


@contextmanager
def workspace(home: Path, weights: Path, **settings: Any) -> Iterator[Workspace]:
    """A workspace in a home of its own, with weights that lie elsewhere.

    settings: by name, over those of the environment (`ROOMTONE_...`). RNNoise may stand in for
    DeepFilterNet3; the table then says so.
    """
    chosen = Settings(home=home, allow_stand_in=True, **settings)
    with open_workspace(chosen) as work:
        yield replace(work, weights=WeightsFolder(weights))

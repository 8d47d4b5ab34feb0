"""This program's modules in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path


def python_path() -> str:
    """The value of PYTHONPATH with which another process finds the modules that this one has."""
    root = str(Path(__file__).resolve().parents[1])
    known = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return os.pathsep.join(known)

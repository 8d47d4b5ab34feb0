"""This program's modules in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path

_HARMLESS = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME"),
)


def python_path() -> str:
    """The value of PYTHONPATH with which another process finds the modules that this one has."""
    root = str(Path(__file__).resolve().parents[1])
    known = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return os.pathsep.join(known)


def bare_environment() -> dict[str, str]:
    """The environment of a process that reads a stranger's file: this one's, less all secrets."""
    kept = {name: os.environ[name] for name in _HARMLESS if name in os.environ}
    return {**kept, "PYTHONPATH": python_path()}

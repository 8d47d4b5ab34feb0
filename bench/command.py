"""`roomtone` run in this process, in a home of its own, and how it ended."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cli.main import main


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


def variables_of(home: Path) -> dict[str, str]:
    """The environment of a home's commands: RNNoise cleans, nobody transcribes, in one thread."""
    own = {name: value for name, value in os.environ.items() if "ROOMTONE" not in name}
    return {
        **own,
        "ROOMTONE_HOME": str(home),
        "ROOMTONE_DENOISER": "rnnoise",
        "ROOMTONE_RECOGNISER": "none",
        "ROOMTONE_THREADS": "1",
    }


def run_here(words: tuple[str | Path, ...], variables: Mapping[str, str]) -> Ran:
    """Run a command in this process, in that environment."""
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None = 0
    with (
        patch.dict(os.environ, variables, clear=True),
        patch.object(sys, "argv", ["roomtone", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    return Ran(int(code or 0), out.getvalue(), err.getvalue())

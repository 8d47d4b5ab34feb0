"""What every command needs: settings, plain output, and faults told in one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from config.settings import Settings, load_settings
from core.errors import UsageError

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def settings_for(**overrides: Any) -> Settings:
    """The settings in force, with what the command line gives."""
    return load_settings(overrides, Path.cwd())[0]


def print_json(value: Any) -> None:
    """A value as JSON on the output, for programs; paths as text, infinities as null."""
    print(json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def sure(yes: bool, question: str, *, otherwise: bool | None = None) -> bool:
    """Whether the person wants it. yes: they said so.

    otherwise: the answer where nobody can be asked; None: UsageError is raised then.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        if otherwise is None:
            raise UsageError("There is nobody to ask; say --yes to do it without being asked.")
        return otherwise
    return typer.confirm(question, default=False)


@contextmanager
def quietly_closed() -> Iterator[None]:
    """A reader that closes the pipe early (`| head`) is no fault."""
    try:
        yield
    except BrokenPipeError:
        import os
        import sys

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""TOML that a person wrote, read without believing how large or how nested it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

MOST_BYTES = 256 << 10
"""Of a file. All settings with a comment each take some 10 kB."""

_MOST_PARTS = 16
"""Of a dotted key (`a.b.c`). Ours have two; the time that tomllib takes grows with their square."""

_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_.-]){_PART}(?:\.[ \t]*+{_PART}){{{_MOST_PARTS}}}")


def read_table(path: Path) -> dict[str, Any]:
    """What a TOML file says. Raises OSError, or ValueError (a clause) where it is none."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is over {MOST_BYTES >> 10} kB, more than anybody writes")
    text = data.decode("utf-8").replace("\r\n", "\n")
    if _LONG_KEY.search(text):
        raise ValueError(f"a key has more than {_MOST_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError as fault:
        raise ValueError("it is nested too deeply") from fault

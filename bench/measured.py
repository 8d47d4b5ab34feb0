"""What benchmarks measured and others count on: `measured.json`, a section a benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.media.whole import write_text
from bench.table import where
from core.errors import InputError

FILE = Path(__file__).parent / "measured.json"


def note(section: str, found: Mapping[str, Any], file: Path = FILE) -> None:
    """Keep what a benchmark measured, in place of what it measured before. Raises OutputError."""
    known = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    known[section] = {"on": datetime.now(UTC).date().isoformat(), "machine": where(), **found}
    write_text(file, json.dumps(known, indent=1, sort_keys=True) + "\n")


def measured(section: str, file: Path = FILE) -> Mapping[str, Any]:
    """What a benchmark measured. Raises InputError where that was never kept."""
    try:
        found: Mapping[str, Any] = json.loads(file.read_text("utf-8"))[section]
    except (OSError, ValueError, KeyError) as fault:
        raise InputError(
            f"{file} has no numbers of `{section}`: run `python -m bench {section} --keep`."
        ) from fault
    return found

"""Reads files that the fuzzer injured, in a process that may die of it.

A line of JSON comes in on the standard input for every file, `{"reader": …, "path": …}`, and one
goes out: what became of it, and the processor time.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import RoomtoneError

MOST_BYTES = 3 << 30
"""Address space of the process: a reader that wants more is a finding."""


_LONG = 2_000_000


def main() -> None:
    """Read until the standard input ends."""
    _bound_memory()
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        started = time.process_time()
        answer = told(READERS[asked["reader"]], Path(asked["path"]))
        answers.write(json.dumps({**answer, "seconds": time.process_time() - started}) + "\n")
        answers.flush()


def told(read: Callable[[Path], Any], path: Path) -> dict[str, str]:
    """What became of a file: `read`, `refused` in a sentence, or `fault` and what it was."""
    try:
        read(path)
    except RoomtoneError as fault:
        sentence = str(fault)
        if "\n" in sentence or not sentence.strip():
            return {"became": "fault", "what": f"a refusal that is no sentence: {sentence[:200]!r}"}
        return {"became": "refused", "what": ""}
    except Exception as fault:
        where = traceback.extract_tb(fault.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return {"became": "fault", "what": f"{type(fault).__name__} at {place}: {fault!s:.200}"}
    return {"became": "read", "what": ""}


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def _timeline(path: Path) -> Any:
    from adapters.timelines.read import read_cut
    from core.time import RATES

    return read_cut(path, RATES["24"])


def _media(path: Path) -> Any:
    from adapters.media.bwf import read_notes
    from adapters.media.decode import Sound, sound_file
    from adapters.media.probe import probe

    media = probe(path)
    read_notes(path)
    if media.frames > _LONG:
        return media
    with Sound(sound_file(media, path.parent)) as sound:
        return sound.read(0, min(media.frames, 48_000), [0])


def _report(path: Path) -> Any:
    from adapters.reports.report import read_report

    return read_report(path)


def _script(path: Path) -> Any:
    from adapters.scripts.read import read_script

    return read_script(path)


def _settings(path: Path) -> Any:
    from config.settings import FILE_NAME, load_settings

    folder = path.with_suffix(".folder")
    folder.mkdir(exist_ok=True)
    (folder / FILE_NAME).write_bytes(path.read_bytes())
    return load_settings({}, folder)


READERS: dict[str, Callable[[Path], Any]] = {
    "timeline": _timeline,
    "media": _media,
    "report": _report,
    "script": _script,
    "settings": _settings,
}
"""Every door through which a file of somebody else's comes in."""

if __name__ == "__main__":
    main()

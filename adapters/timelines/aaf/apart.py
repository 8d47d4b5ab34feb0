"""Reads an AAF in a process of its own, within a limit of time and memory.

pyaaf2 trusts what a file says: damaged chains of sectors or directories send it round for ever,
or let it ask for gigabytes. No bound inside its loops is possible, so it runs where it can be
stopped. A new interpreter that imports only this takes 0.1 s, next to nothing beside a job, and
is the same on every system; `multiprocessing` would import the caller's main module again.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from adapters.own_module import bare_environment
from core.cut import Cut, Event, Track
from core.errors import InputError, OutputError, RoomtoneError

_MEMORY = 448 * 1024 * 1024
_MEMORY_A_BYTE = 8
_MOST_MEMORY = 8 << 30
_OURS = ("core.cut", "core.errors", "core.time")
_ITS = (("fractions", "Fraction"),)
_MODULE = "adapters.timelines.aaf.apart"


def read_apart(path: Path, essence: Path | None, seconds: float) -> Cut:
    """The cut in an AAF, read in a process that may take so many seconds.

    Raises InputError where the file is no AAF, is damaged or takes too long, OutputError where
    embedded sound can't be written.
    """
    question = json.dumps({"path": str(path), "essence": str(essence) if essence else ""})
    command = [sys.executable, "-c", f"from {_MODULE} import main; main()", question]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=bare_environment(),
        )
    except subprocess.TimeoutExpired as fault:
        raise InputError(
            f"{path} was given up after {seconds:.0f} s of reading: it is damaged, or too large; "
            "export it again."
        ) from fault
    except OSError as fault:
        raise InputError(f"{path} can't be read: no process can be started ({fault}).") from fault
    try:
        answer = _Answer(io.BytesIO(done.stdout)).load()
    except Exception as fault:
        raise InputError(
            f"{path} can't be read as an AAF (reading it broke off); export it again."
        ) from fault
    if isinstance(answer, RoomtoneError):
        raise answer
    assert isinstance(answer, Cut)
    return answer


class _Answer(pickle.Unpickler):
    """Takes in a cut or an error and nothing else: who answers has read a stranger's file."""

    def find_class(self, module: str, name: str) -> Any:
        """A class of ours that a cut or an error is made of. Raises UnpicklingError for another."""
        found = (
            super().find_class(module, name) if module in _OURS or (module, name) in _ITS else None
        )
        if isinstance(found, type):
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a cut")


def main() -> None:
    """Answer the question on the command line with a pickled cut or error on standard output."""
    question = json.loads(sys.argv[1])
    path = Path(question["path"])
    essence = Path(question["essence"]) if question["essence"] else None
    with contextlib.suppress(OSError):
        _limit_memory(path.stat().st_size)
    _check_sets()
    answer: Cut | RoomtoneError
    try:
        answer = read_here(path, essence)
    except RoomtoneError as fault:
        answer = fault
    sys.stdout.buffer.write(pickle.dumps(answer))
    sys.stdout.buffer.flush()
    os._exit(0)  # no tidying up of what a damaged file left behind


def _limit_memory(size: int) -> None:
    """Let a damaged file fail rather than fill the machine, where the system knows such limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        most = min(_MEMORY + size * _MEMORY_A_BYTE, _MOST_MEMORY)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _check_sets() -> None:
    """Make pyaaf2 compare the length that a set claims with its index before it believes it.

    It builds a format string of that length, up to 20 GB: more than a system without a limit on
    memory (macOS) should be asked for.
    """
    from aaf2.properties import StrongRefSetProperty

    trusting = StrongRefSetProperty.read_index

    def checking(self: Any) -> None:
        entry = self.parent.dir.get(f"{self.index_name} index")
        if entry is not None:
            count = int.from_bytes(bytes(entry.open("r").read(4)), "little")
            if count > entry.byte_size:
                raise ValueError("a set claims more members than its index can hold")
        trusting(self)

    StrongRefSetProperty.read_index = checking


def read_here(path: Path, essence: Path | None) -> Cut:
    """The same in this process, without limits. Raises InputError and OutputError only."""
    import aaf2

    from adapters.timelines.aaf.cut import cut_of
    from adapters.timelines.aaf.mobs import read_storage

    try:
        with aaf2.open(str(path), "r") as file:
            storage = read_storage(file)
            cut = cut_of(storage, path.stem)
            inside = _embedded(cut, storage.embedded)
            if not inside:
                return cut
            if essence is None:
                number = len(inside)
                return _warned(
                    cut,
                    f"The sound of {number} source{'s' if number > 1 else ''} lies inside the "
                    "file and was not extracted.",
                )
            from adapters.timelines.aaf.essence import extract

            limit = path.stat().st_size
            files, warnings = extract(file, storage, inside, essence, limit)
            return _warned(_pointing(cut, files), *warnings)
    except OutputError:
        raise
    except InputError as fault:
        raise InputError(f"{path} can't be read as a cut ({fault}); export it again.") from fault
    except Exception as fault:  # pyaaf2 raises anything, MemoryError and RecursionError too
        raise InputError(
            f"{path} is damaged and can't be read as an AAF ({type(fault).__name__}); "
            "export it again."
        ) from fault


def _embedded(cut: Cut, held: frozenset[str]) -> dict[str, Fraction | None]:
    """The sources that sound and lie in the file, with the timecode of their first sample."""
    found: dict[str, Fraction | None] = {}
    for track in cut.audio_tracks:
        for event in track.events:
            if event.media.material_id in held:
                start = event.media.available_start
                found[event.media.material_id] = start / cut.rate.fps if start is not None else None
    return found


def _pointing(cut: Cut, files: dict[str, Path]) -> Cut:
    """The cut with the URLs of extracted files."""

    def event(one: Event) -> Event:
        path = files.get(one.media.material_id)
        if path is None:
            return one
        return replace(one, media=replace(one.media, url=path.resolve().as_uri()))

    def track(one: Track) -> Track:
        return replace(one, events=tuple(event(each) for each in one.events))

    return replace(cut, tracks=tuple(track(one) for one in cut.tracks))


def _warned(cut: Cut, *sentences: str) -> Cut:
    return replace(cut, warnings=(*cut.warnings, *sentences))

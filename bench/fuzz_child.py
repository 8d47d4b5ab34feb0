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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import InputError, RoomtoneError

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

    with _under(path, FILE_NAME) as folder:
        return load_settings({}, folder)


def _recipe(path: Path) -> Any:
    from config.recipes import load_recipe

    return load_recipe(str(path))


def _manifest(path: Path) -> Any:
    from adapters.manifests.find import find_manifests

    of_a_history = path.suffix == ".ascmhl"
    with _under(path, "ascmhl/0001_card.mhl" if of_a_history else f"card{path.suffix}") as folder:
        found, faults = find_manifests([folder])
    if faults:
        raise InputError(faults[0])
    return found


def _backup(path: Path) -> Any:
    from flows.restore import read_backup

    return read_backup(path)


def _delivery(path: Path) -> Any:
    from flows.delivered import read_delivery
    from flows.delivery import LIST, is_current
    from flows.listed import read_listed

    with _under(path, LIST) as folder:
        is_current(folder, "made")
        read_delivery(folder)
        return read_listed(folder)


def _rows(path: Path) -> Any:
    from db.engine import open_database
    from db.portable import load_rows

    with _under(path, "rows") as folder:
        database = open_database(folder / "roomtone.db")
        try:
            with database.write() as session, (folder / "rows").open("rb") as lines:
                load_rows(session, (line.decode("ascii") for line in lines), str(path))
        finally:
            database.close()


def _database(path: Path) -> Any:
    from config.settings import Settings
    from db.home import FILE
    from flows.check import check
    from flows.progress import Silent

    with _under(path, FILE) as folder:
        report = check(Settings(home=folder), Silent(), read=True, originals=False)
        if any(item.kind == "database" for item in report.findings):
            raise InputError(str(report.findings[0]))
        return report


@contextmanager
def _under(path: Path, name: str) -> Iterator[Path]:
    """A folder of its own that holds the file under another name, for a while."""
    with TemporaryDirectory(prefix="fuzz-", dir=path.parent) as made:
        target = Path(made, name)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
        yield Path(made)


def _request(path: Path) -> Any:
    from bench.fuzz_http import answered

    return answered(path.read_bytes())


READERS: dict[str, Callable[[Path], Any]] = {
    "timeline": _timeline,
    "media": _media,
    "report": _report,
    "script": _script,
    "settings": _settings,
    "recipe": _recipe,
    "manifest": _manifest,
    "backup": _backup,
    "delivery": _delivery,
    "rows": _rows,
    "database": _database,
    "request": _request,
}
"""Every door through which a file of somebody else's comes in."""

if __name__ == "__main__":
    main()

"""Jobs that end as they are told to, and the process that does them instead of the real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import flows.jobs
from config.settings import Settings
from core.errors import InputError
from core.run import Wanted
from db import runs as rows
from flows.jobs import Facts, JobKind
from flows.progress import Progress
from flows.run_job import main
from flows.workspace import open_workspace


def check(wanted: Wanted) -> None:
    if not wanted.inputs:
        raise InputError("Name a file.")


def work(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    """Add a line to the file that the run writes to."""
    print("a library talks")
    os.write(1, b'{"outcome": {"by": "a library"}}\n')
    progress.step("Adding", 2)
    progress.advance("Adding")
    progress.say("Half of it is there.")
    with (wanted.out or Path()).open("a", encoding="utf-8") as file:
        file.write(f"{wanted.inputs[0].name}\n")
    return {"recipe": settings.recipe, "loudness": float("-inf"), "out": wanted.out}


def refuse(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    raise InputError(f"{wanted.inputs[0]} is no sound file.")


def stumble(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    raise AssertionError("a mistake of ours")


def unplug(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    raise OSError("the share went away")


def die(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    os._exit(9)


def wait(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    """Note our number and that of a process of ours, and wait to be ended."""
    own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    part = (wanted.out or Path()).with_suffix(".part")
    part.write_text(f"{os.getpid()} {own.pid}")
    progress.step("Waiting", 0)
    part.replace(wanted.out or Path())
    try:
        time.sleep(60)
    finally:
        (wanted.out or Path()).with_suffix(".tidied").touch()
    return {}


def sulk(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    """The same, deaf to whoever asks it to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return wait(settings, wanted, progress)


def remember(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    """Wait until a file `NAME.go` is there, then write to the database."""
    out = wanted.out or Path()
    with open_workspace(settings) as work:
        out.touch()
        while not out.with_suffix(".go").exists():
            time.sleep(0.05)
        with work.database.write() as session:
            rows.count_runs(session)
    return {"remembered": True}


STUBS: Mapping[str, JobKind] = {
    do.__name__: JobKind(do.__name__.title(), check, do)
    for do in (work, remember, refuse, stumble, unplug, die, wait, sulk)
}


if __name__ == "__main__":
    flows.jobs.JOBS = STUBS
    main()

"""What the processes do that `bench.chaos` kills and `bench.together` starts at once.

They are forked from a process that has loaded everything, so that a run is mostly its work.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import db.runs
from adapters.media.whole import write_text
from config.deliveries import load_delivery
from config.recipes import load_recipe
from config.settings import Settings
from core.errors import RoomtoneError
from flows.at_once import AtOnce
from flows.clean_cut import clean_cut
from flows.job import Job
from flows.progress import Silent
from flows.worker import work_until
from flows.workspace import open_workspace

BACK_OFF_S = 0.5
"""Between two tries of a run whose worker died; 30 s outside of benchmarks."""


def settings_of(home: Path, database: str) -> Settings:
    """RNNoise cleans, and nothing listens."""
    return Settings(
        home=home,
        database=SecretStr(database),
        denoiser="rnnoise",
        recogniser="none",
        workers=2,
        threads=1,
    )


def clean(home: Path, database: str, cut: Path, out: Path, answer: Path) -> None:
    """Clean a cut in this process, and write down what came of it."""

    def do() -> dict[str, Any]:
        job = Job(cut, (cut.parent,), out, load_recipe("standard"), load_delivery("none"))
        settings = settings_of(home, database)
        with open_workspace(settings) as work:
            done = clean_cut(work, job, Silent(), AtOnce(settings.workers))
        return {"cleaned": done.takes_cleaned, "notes": list(done.notes)}

    _answered(answer, do)


def work(home: Path, database: str, answer: Path) -> None:
    """Do the runs that wait, as a worker does, until none is due."""
    vars(db.runs)["BACK_OFF"] = timedelta(seconds=BACK_OFF_S)

    def do() -> dict[str, Any]:
        return {"runs": work_until(threading.Event(), settings_of(home, database), until_idle=True)}

    _answered(answer, do)


def _answered(answer: Path, do: Any) -> None:
    try:
        told = do()
    except RoomtoneError as fault:
        told = {"fault": str(fault)}
    except BaseException as fault:
        told = {"fault": f"{type(fault).__name__}: {fault}", "trace": traceback.format_exc()}
    write_text(answer, json.dumps(told))
    sys.stdout.flush()
    # As a process of its own ends: nothing of the fork server's is tidied away.
    os._exit(0)

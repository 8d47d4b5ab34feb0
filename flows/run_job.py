"""A run's job in a process of its own, so that a stuck one can be ended and its memory freed.

The first line on standard input says what to do (with the settings, whose secrets must not be in a
command line). The stream then stays open: when it ends, whoever asked is gone, and so is this
process. Progress and outcome go to standard output, a JSON object a line:
`{"step": [name, total]}`, `{"advance": [name, done]}`, `{"say": sentence}`,
`{"log": [level, message, {…}]}` with what it is about, and last
`{"outcome": {…}}`, or `{"fault": sentence, "exit_code": n, "again": whether a try may help}`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from config.settings import Settings
from core.errors import ExitCode, PassingError, RoomtoneError
from core.run import Wanted
from db.codec import path_text, text_path
from flows.about import Filled, facts_of
from flows.jobs import kind_named, revealed, settings_of_run
from flows.spans import traced

GRACE_S = 6.0
"""How long a job has to end of its own accord before it is ended; a worker that is to end is given
ten seconds for all of it."""


def question(number: int, kind: str, wanted: Wanted, settings: Settings) -> bytes:
    """What `main` reads: one line of JSON. It holds secrets. number: of the run."""
    asked = {
        "number": number,
        "kind": kind,
        "inputs": [path_text(path) for path in wanted.inputs],
        "media": [path_text(path) for path in wanted.media],
        "out": wanted.out and path_text(wanted.out),
        "settings": dict(wanted.settings),
        "in_force": _texts(revealed(settings)),
    }
    return json.dumps(asked).encode() + b"\n"


def main() -> NoReturn:
    """Do the job that standard input asks for, and end the process."""
    # Whatever libraries and their processes print or read must not mix with what is told here.
    asked, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, _ended)
    first = json.loads(asked.readline())
    threading.Thread(target=_end_with, args=(asked,), daemon=True).start()
    try:
        _tell(told, _answer(first, Told(told)))
    except BaseException:  # asked to end, or nobody listens any more
        _end_all()
    os._exit(0)  # no waiting for threads that are stuck in a library


class Told:
    """Progress as lines of JSON."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def step(self, name: str, total: int) -> None:
        """Tell that a step begins."""
        self._line({"step": [name, total]})

    def advance(self, name: str, done: int = 1) -> None:
        """Tell that pieces of a step are done."""
        self._line({"advance": [name, done]})

    def say(self, text: str) -> None:
        """Tell a sentence."""
        self._line({"say": text})

    def log(self, record: logging.LogRecord) -> None:
        """Tell a line of log."""
        self._line({"log": [record.levelno, record.getMessage(), facts_of(record)]})

    def _line(self, told: dict[str, Any]) -> None:
        with self._lock:
            _tell(self._stream, told)


class _Passed(logging.Handler):
    """Passes what is logged on to whoever asked."""

    def __init__(self, told: Told) -> None:
        super().__init__(logging.INFO)
        self.addFilter(Filled())
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of a record."""
        self._told.log(record)


def _answer(asked: dict[str, Any], progress: Told) -> dict[str, Any]:
    logger = logging.getLogger("roomtone")
    logger.addHandler(_Passed(progress))
    logger.setLevel(logging.INFO)
    try:
        wanted = Wanted(
            tuple(map(text_path, asked["inputs"])),
            tuple(map(text_path, asked["media"])),
            text_path(asked["out"]) if asked["out"] else None,
            asked["settings"],
        )
        settings = settings_of_run(Settings(**_values(asked["in_force"])), wanted)
        about = {"run": asked["number"]} if asked.get("number") else {}
        with traced(asked["kind"], about, progress) as spanned:
            return {"outcome": dict(kind_named(asked["kind"]).do(settings, wanted, spanned))}
    except RoomtoneError as fault:
        again = isinstance(fault, PassingError)
        return {"fault": str(fault), "exit_code": int(fault.exit_code), "again": again}
    except Exception as fault:
        traceback.print_exc()
        first = str(fault).partition("\n")[0]
        return {
            "fault": f"An internal fault ({type(fault).__name__}: {first}).",
            "exit_code": int(ExitCode.INTERNAL),
            # What the system refused may work another time; a mistake of the program will not.
            "again": isinstance(fault, OSError | MemoryError),
        }


def _tell(stream: BinaryIO, told: dict[str, Any]) -> None:
    stream.write(json.dumps(told, default=str).encode() + b"\n")
    stream.flush()


def _ended(number: int, _: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    # Raised in the main thread, so that what is half done is tidied away; not for ever.
    timer = threading.Timer(GRACE_S, _end_all)
    timer.daemon = True
    timer.start()
    raise SystemExit(128 + number)


def _end_with(asked: BinaryIO) -> None:
    """Wait until whoever asked lets go of the stream, then end as if they had said so."""
    with contextlib.suppress(OSError, ValueError):
        while asked.read(1):
            pass
    if sys.platform == "win32":
        os._exit(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    _end_all()


def _end_all() -> NoReturn:
    """End this process and those that it started, which share its group."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _texts(values: dict[str, Any]) -> dict[str, Any]:
    """Paths as text in a mapping of their own, so that they come back as paths."""
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> Any:
    if isinstance(value, Path):
        return {"path": path_text(value)}
    return [_text(item) for item in value] if isinstance(value, list | tuple) else value


def _values(texts: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(text) for name, text in texts.items()}


def _value(text: Any) -> Any:
    if isinstance(text, dict):
        return text_path(text["path"])
    return tuple(_value(item) for item in text) if isinstance(text, list) else text


if __name__ == "__main__":
    main()

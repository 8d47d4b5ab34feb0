"""FFmpeg's libraries as the rest sees them: behind a process that may hang, crash or eat memory.

A process is started when the first container is met, kept for the next, and ended with this one.
It gets nothing of the environment that it has no use for; what it tells is read as a stranger's.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters.media.containers import ContainerSound
from adapters.media.decoder import from_json, to_json
from adapters.own_module import bare_environment
from core.errors import InputError, OutputError

SILENT_S = 120.0
"""So long a decoder may take for its next second of sound (and a busy machine to start it)."""

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Threads that numpy would keep for each core count against what the decoder may take."""

_MODULE = "adapters.media.decoder"
_KEPT = 4
_LONGEST_LINE = 1 << 20
_GONE: Mapping[str, Any] = {"gone": True}


class StuckError(InputError):
    """A file at which FFmpeg's libraries hang or die: the ffmpeg program would, too."""


def describe(path: Path) -> ContainerSound:
    """What sound a container holds, as `adapters.media.containers.describe` tells it.

    Raises InputError, StuckError among them where the decoder had to be ended or died.
    """
    told = _asked(path, {"describe": str(path.absolute())})
    try:
        return from_json(told["sound"])
    except (KeyError, ValueError) as fault:
        raise StuckError(f"{path} makes FFmpeg say nonsense: export it as WAV.") from fault


def save(path: Path, sound: ContainerSound, to: Path) -> None:
    """Write the sound of a container as a WAV (RF64 where it is long), all of it.

    Raises InputError, StuckError among them, OutputError where it can't be written.
    """
    _asked(path, {"save": str(path.absolute()), "sound": to_json(sound), "to": str(to.absolute())})


class _Decoder:
    """A process that decodes."""

    def __init__(self) -> None:
        self._answers: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self.owner = os.getpid()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**bare_environment(), **_ONE_THREAD},
            )
        except OSError as fault:
            raise OutputError(f"No process can be started to decode a file ({fault}).") from fault
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, question: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The answer; None where it said nothing for SILENT_S; `{"gone": True}` where it died."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        while True:
            try:
                told = self._answers.get(timeout=SILENT_S)
            except queue.Empty:
                return None
            if "at" not in told:
                return told

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self.owner == os.getpid() and self._process.poll() is None

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):  # also where it is being ended
            while line := self._process.stdout.readline(_LONGEST_LINE):
                told = json.loads(line)
                self._answers.put(told if isinstance(told, dict) else _GONE)
        self._answers.put(_GONE)


_GUARD = threading.Lock()
_idle: list[_Decoder] = []


@contextlib.contextmanager
def _decoder() -> Iterator[_Decoder]:
    """A decoder for one question, kept for another unless the block raises."""
    with _GUARD:
        # A forked process has its parent's decoders, which are not its own.
        _idle[:] = [item for item in _idle if item.is_alive()]
        one = _idle.pop() if _idle else None
    one = one or _Decoder()
    try:
        yield one
    except BaseException:
        one.end()
        raise
    with _GUARD:
        if len(_idle) < _KEPT:
            _idle.append(one)
            return
    one.end()


@atexit.register
def _end_idle() -> None:
    for one in _idle:
        if one.owner == os.getpid():
            one.end()


def _asked(path: Path, question: Mapping[str, Any]) -> Mapping[str, Any]:
    with _decoder() as decoder:
        told = decoder.ask(question)
        if told is None:
            raise StuckError(
                f"{path} keeps FFmpeg busy without end ({SILENT_S:.0f} s for nothing): export it "
                "as WAV."
            )
        if told is _GONE:
            raise StuckError(f"{path} makes FFmpeg crash: export it as WAV.")
    if "fault" in told:
        raise (OutputError if told.get("output") else InputError)(str(told["fault"]))
    return told

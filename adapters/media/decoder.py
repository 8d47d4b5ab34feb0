"""FFmpeg's libraries at work, in a process of its own that may hang, crash or eat memory.

What to do comes on standard input, a JSON object a line: `{"describe": path}`, or
`{"save": path, "sound": {…}, "to": path}` for a WAV of what was described. The answers go to
standard output: `{"at": samples}` now and then, and last `{"sound": {…}}`, `{}` or
`{"fault": sentence, "output": whether it is about writing}`. The process ends with its input.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from adapters.media.containers import ContainerSound, decoded, describe
from adapters.media.shape import Shape
from core.errors import OutputError, RoomtoneError
from core.media import SoundNotes
from core.time import FrameRate

MOST_MEMORY = 4 << 30
"""Bytes of address space that the process may take, where the system can be told so. Decoding needs
a tenth of that."""

_SPEAKS_S = 1.0


def main() -> None:
    """Answer until the input ends."""
    asked, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # Libraries print; that must not mix with the answers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The one who asks decides.
    _confine()
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(asked, lines), daemon=True).start()

    def tell(answer: Mapping[str, Any]) -> None:
        told.write(json.dumps(answer) + "\n")
        told.flush()

    while True:
        question = json.loads(lines.get())
        try:
            tell(_answer(question, _Counted(tell)))
        except RoomtoneError as fault:
            tell({"fault": str(fault), "output": isinstance(fault, OutputError)})


def to_json(sound: ContainerSound) -> dict[str, Any]:
    """A description for the other process."""
    notes, rate = sound.notes, sound.notes.timecode_rate
    return {
        **{name: getattr(sound, name) for name in _PLAIN},
        "origin": None if sound.origin is None else str(sound.origin),
        "streams": [list(stream) for stream in sound.streams],
        "warnings": list(sound.warnings),
        "tape": notes.tape,
        "rate": None if rate is None else [str(rate.fps), rate.drop],
        "reference": notes.time_reference,
    }


def from_json(told: Mapping[str, Any]) -> ContainerSound:
    """A description of the other process, believed as far as its types go. Raises ValueError."""
    try:
        rate = told["rate"]
        return ContainerSound(
            name=str(told["name"]),
            codec=str(told["codec"]),
            subtype=str(told["subtype"]),
            sample_rate=int(told["sample_rate"]),
            streams=tuple((int(index), int(channels)) for index, channels in told["streams"]),
            frames=int(told["frames"]),
            origin=None if told["origin"] is None else Fraction(told["origin"]),
            padded=bool(told["padded"]),
            notes=SoundNotes(
                tape=str(told["tape"]),
                timecode_rate=None if rate is None else FrameRate(Fraction(rate[0]), bool(rate[1])),
                time_reference=None if told["reference"] is None else int(told["reference"]),
            ),
            warnings=tuple(map(str, told["warnings"])),
        )
    except (KeyError, TypeError, IndexError) as fault:
        raise ValueError(f"no description: {fault}") from fault


_PLAIN = ("name", "codec", "subtype", "sample_rate", "frames", "padded")


class _Counted:
    """Tells of samples now and then."""

    def __init__(self, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._tell, self._samples, self._spoke = tell, 0, time.monotonic()

    def more(self, samples: int) -> None:
        """So many more."""
        self._samples += samples
        if time.monotonic() - self._spoke > _SPEAKS_S:
            self._spoke = time.monotonic()
            self._tell({"at": self._samples})

    def through(self, blocks: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        """The blocks, counted."""
        for block in blocks:
            self.more(len(block))
            yield block


def _answer(question: Mapping[str, Any], counted: _Counted) -> Mapping[str, Any]:
    match question:
        case {"describe": str(path)}:
            return {"sound": to_json(describe(Path(path), counted.more))}
        case {"save": str(path), "sound": dict(told), "to": str(to)}:
            sound = from_json(told)
            shape = Shape(Path(to), sound.sample_rate, sound.channels, sound.frames, sound.subtype)
            shape.save(Path(to), counted.through(decoded(Path(path), sound)))
            return {}
    raise ValueError(question)


def _listen(asked: Any, lines: queue.Queue[bytes]) -> None:
    """Hand lines on, and end the process with them, whatever a library is at."""
    for line in asked:
        lines.put(line)
    os._exit(0)


def _confine() -> None:
    """Take from this process what decoding does not need."""
    if sys.platform == "win32":
        return
    import resource

    for limit, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CORE, 0)):
        # macOS knows the first by name alone.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    main()

"""Injured files through every reader: each must be read or refused in a sentence, and soon."""

from __future__ import annotations

import json
import os
import queue
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.fuzz_seeds import Seed, seeds
from bench.injuries import injure
from bench.scratch import scratch_folder
from bench.table import Table, figures, where
from core.words import some

SLOW_S = 5.0
"""Processor seconds from which a reader counts as hanging; the issue of a small file."""

_PATIENCE_S = 60.0
_FIRST_S = 120.0
_KEPT_BYTES = 2_000_000


@dataclass
class _Count:
    read: int = 0
    refused: int = 0
    worst_s: float = 0.0
    findings: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class _Child:
    """A process that reads, and is started anew when it died of a file or hung at one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._listener = threading.Thread()
        self._answers: queue.Queue[str] = queue.Queue()
        self._fresh = True

    def ask(self, reader: str, path: Path) -> dict[str, Any]:
        """What became of a file; `{"became": "fault", …}` also where the process died."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        patience = _FIRST_S if self._fresh else _PATIENCE_S
        started = time.monotonic()
        try:
            process.stdin.write(json.dumps({"reader": reader, "path": str(path)}) + "\n")
            process.stdin.flush()
            line = self._answers.get(timeout=patience)
        except queue.Empty:
            self.close()
            return _fault(f"no answer in {patience:.0f} s", time.monotonic() - started)
        except OSError:
            line = ""
        self._fresh = False
        if not line:
            code = process.wait()
            self.close()
            return _fault(f"the process died (exit code {code})", time.monotonic() - started)
        told: dict[str, Any] = json.loads(line)
        return told

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.fuzz_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answers = queue.Queue()
        self._fresh = True
        self._listener = threading.Thread(
            target=_listen, args=(self._process, self._answers), daemon=True
        )
        self._listener.start()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._listener.join()
            for end in (self._process.stdin, self._process.stdout):
                assert end is not None
                with suppress(OSError):
                    end.close()
            self._process = None


def _listen(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        answers.put(line)
    answers.put("")


def _fault(what: str, seconds: float) -> dict[str, Any]:
    return {"became": "fault", "what": what, "seconds": seconds}


def bench_fuzz(minutes: float, seed: int, keep: Path | None, only: str) -> Table:
    """Injure and read for some minutes, kind after kind in turn.

    minutes: of wall clock. seed: the same one gives the same files in the same order. keep: a
    folder for the files that were findings. only: part of a kind's name; empty is all.
    """
    chance = random.Random(seed)
    counts: dict[str, _Count] = defaultdict(_Count)
    child = _Child()
    with scratch_folder() as scratch:
        kinds: dict[str, list[Seed]] = defaultdict(list)
        for item in seeds(scratch):
            if only in item.kind:
                kinds[item.kind].append(item)
        for kind, items in kinds.items():
            for item in items:
                whole = scratch / f"whole{item.suffix}"
                whole.write_bytes(item.data)
                told = child.ask(item.reader, whole)
                if told["became"] != "read":
                    counts[kind].unread.append(item.name)
        end = time.monotonic() + 60 * minutes
        number = 0
        while kinds and time.monotonic() < end:
            for kind, items in kinds.items():
                number += 1
                item = chance.choice(items)
                path = scratch / f"{number}{item.suffix}"
                data = _injured(item.data, chance)
                path.write_bytes(data)
                _count(counts[kind], child.ask(item.reader, path), item, data, keep)
                path.unlink()
        child.close()
    return _table(dict(counts), minutes, seed)


def _processor_s() -> float:
    """Processor time of this process and of those that it waited for, in seconds."""
    times = os.times()
    return sum(times[:4])


def _injured(data: bytes, chance: random.Random) -> bytes:
    """Anywhere, or (as often) in the first kilobytes, where headers lie."""
    head = chance.choice((len(data), len(data), 200, 4_000))
    return injure(data[:head], chance) + data[head:]


def _count(count: _Count, told: dict[str, Any], item: Seed, data: bytes, keep: Path | None) -> None:
    count.worst_s = max(count.worst_s, told["seconds"])
    what = told["what"]
    if told["became"] == "read":
        count.read += 1
    elif told["became"] == "refused":
        count.refused += 1
    if not what and told["seconds"] > SLOW_S:
        what = f"took {told['seconds']:.1f} s"
    if what and what not in count.findings:
        count.findings.append(what)
        if keep is not None and len(data) < _KEPT_BYTES:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{item.reader}-{len(count.findings)}-{item.name}").write_bytes(data)


def _table(counts: dict[str, _Count], minutes: float, seed: int) -> Table:
    rows = tuple(
        (
            kind,
            str(count.read + count.refused),
            str(count.read),
            str(count.refused),
            figures(count.worst_s),
            str(len(count.findings)),
        )
        for kind, count in sorted(counts.items())
    )
    found = [f"{kind}: {what}" for kind, count in sorted(counts.items()) for what in count.findings]
    unread = [
        f"{kind}: {some(count.unread)} is refused even whole."
        for kind, count in sorted(counts.items())
        if count.unread
    ]
    return Table(
        f"Injured files, {minutes:g} minutes, seed {seed}",
        ("reader", "files", "read", "refused", "worst s", "findings"),
        rows,
        (
            f"{_processor_s() / 60:.1f} minutes of processor time, with the processes that read.",
            f"a finding: any exception but a sentence, a dead process, more than {SLOW_S:.0f} s of "
            "processor time, more than 3 GB of address space (Linux).",
            *found,
            *unread,
            where(),
        ),
    )

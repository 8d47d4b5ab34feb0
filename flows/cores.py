"""How many takes this machine can work on at once: its cores, as far as its memory goes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from config.settings import Settings

TAKE_BYTES = 1 << 30
"""What a take may need beside the others of its process; an hour of one microphone takes 0.8 GB,
libraries and engine included."""
ROOT = Path("/")


def workers_of(settings: Settings) -> int:
    """Takes that a run works on at once: as set, or one a core as far as memory goes."""
    return settings.workers or max(1, min(cores(), free_memory() // TAKE_BYTES, 64))


def cores(root: Path = ROOT) -> int:
    """How many cores this process may use: those it may run on, less where a container's share is.

    root: of the file system that tells.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    share = re.match(r"(\d+) (\d+)", _told(root / "sys/fs/cgroup/cpu.max"))
    return max(1, min(count, int(share[1]) // int(share[2]))) if share else count


def free_memory(root: Path = ROOT) -> int:
    """Bytes of memory that can be had, the machine's or the container's; much where none is told.

    root: of the file system that tells.
    """
    free = re.search(r"^MemAvailable:\s+(\d+) kB", _told(root / "proc/meminfo"), re.MULTILINE)
    found = [int(free[1]) * 1024] if free else []
    most, used = (
        _told(root / f"sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current")
    )
    if most.isdecimal() and used.isdecimal():
        found.append(max(0, int(most) - int(used)))
    return min(found, default=1 << 50)


def _told(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""

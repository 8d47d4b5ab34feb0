"""How much memory this process has held at most."""

from __future__ import annotations

import sys
from pathlib import Path

from core.errors import UsageError


def peak_memory() -> int:
    """The most resident memory this process has held, in bytes.

    Raises UsageError on a system that does not tell (Windows).
    """
    status = Path("/proc/self/status")
    if status.is_file():
        # Linux's ru_maxrss begins with what the parent held when it started this process.
        peaks = [line.split()[1] for line in status.read_text().splitlines() if "VmHWM" in line]
        if peaks:
            return int(peaks[0]) * 1024
    try:
        import resource
    except ImportError as fault:
        raise UsageError("Memory can only be measured on Linux and macOS.") from fault
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

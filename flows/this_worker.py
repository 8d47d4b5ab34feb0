"""This process, as the one that does work."""

from __future__ import annotations

import os
import platform

from core.run import Worker


def this_worker() -> Worker:
    """The name of this machine and the number of this process."""
    return Worker(platform.node() or "localhost", os.getpid())

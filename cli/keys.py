"""Keys that are pressed while something goes on, where the terminal tells them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Wait = Callable[[float], str]
"""Waits for some seconds at the most; the key that was pressed meanwhile, else empty."""


@contextmanager
def keys() -> Iterator[Wait | None]:
    """Read single keys for a while; None where there is no terminal that tells them."""
    try:
        import select
        import termios
        import tty

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
    except (ImportError, OSError, ValueError, AttributeError):
        yield None
        return
    except termios.error:
        yield None
        return

    def wait(seconds: float) -> str:
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return sys.stdin.read(1) if ready else ""

    tty.setcbreak(terminal)
    try:
        yield wait
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def no_keys(seconds: float) -> str:
    """Waits where no key can be pressed."""
    time.sleep(seconds)
    return ""

"""Several takes at once, in threads of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flows.runner import StagesHere, heard, untold

Item = TypeVar("Item")
Result = TypeVar("Result")


class AtOnce(StagesHere):
    """A runner (`flows.runner.Runner`) that does so many pieces of a step at once."""

    def __init__(self, workers: int) -> None:
        self.width = workers

    def each(
        self,
        name: str,
        do: Callable[[Item], Result],
        items: Sequence[Item],
        told: Callable[[Result], object] = untold,
    ) -> list[Result]:
        """Do a step for every item; results in the items' order.

        Raises what the first item to fail raised; those that had not begun by then are not done.
        """
        pool = ThreadPoolExecutor(self.width, thread_name_prefix=name)
        try:
            pieces = [pool.submit(heard, do, item, told) for item in items]
            return [piece.result() for piece in pieces]
        except Exception:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            # Whoever ends the process (an exit, an interrupt) waits for nobody.
            pool.shutdown(wait=False, cancel_futures=True)

"""Where the pieces of a job are done: in this process, or by the workers of a Dask scheduler.

Dask decides which worker takes which piece. That each piece is done once is the claims' matter
(`flows.claims`), so a worker may die, or two runs come to the same take.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from core.errors import EngineError, PassingError, UsageError
from flows.at_once import AtOnce
from flows.claims import claimed
from flows.cores import workers_of
from flows.runner import Runner, StagesHere, untold
from flows.workspace import Workspace

Item = TypeVar("Item")
Result = TypeVar("Result")

CONNECT_S = 10
_OTHERWISE = "or leave the setting scheduler empty"


@contextmanager
def runner_for(work: Workspace) -> Iterator[Runner]:
    """The runner that the settings ask for.

    Raises UsageError where a scheduler is set and Dask is not installed, PassingError where nobody
    answers there.
    """
    settings = work.settings
    if not settings.scheduler:
        yield AtOnce(workers_of(settings))
        return
    with _client(settings.scheduler) as client, known_elsewhere(work):
        yield OnDask(client)


@contextmanager
def known_elsewhere(work: Workspace) -> Iterator[None]:
    """Lets other processes that reopen a workspace see that theirs is the same database."""
    with claimed(work, work.mark):
        yield


@dataclass(frozen=True)
class Sent(Generic[Result]):
    """A piece of work in bytes until it is called, so that only whoever does it unpacks it.

    Dask's scheduler unpacks what it passes on, and has neither a database nor a store.
    """

    do: bytes
    item: bytes

    def __call__(self) -> Result:
        """What the piece makes. Raises what it raises, and UsageError for another database."""
        made: Result = _unpacked(self.do)(pickle.loads(self.item))
        return made


def sent(do: Callable[[Item], Result], item: Item) -> Sent[Result]:
    """A piece of work packed for another process."""
    return Sent(pickle.dumps(do), pickle.dumps(item))


@lru_cache(maxsize=4)
def _unpacked(do: bytes) -> Callable[[Any], Any]:
    """What is done with each item of a step; what it holds (a database) is opened once."""
    found: Callable[[Any], Any] = pickle.loads(do)
    return found


def call(piece: Sent[Result]) -> Result:
    """Do a piece of work that was sent here."""
    return piece()


class OnDask(StagesHere):
    """A runner whose pieces are done by the workers of a Dask scheduler."""

    def __init__(self, client: Any) -> None:
        """client: of `distributed`, connected."""
        self._client = client

    @property
    def width(self) -> int:
        """How many pieces the workers that there are do at once; at least one."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def each(
        self,
        name: str,
        do: Callable[[Item], Result],
        items: Sequence[Item],
        told: Callable[[Result], object] = untold,
    ) -> list[Result]:
        """Do a step for every item; results in the items' order.

        Raises what the first piece to fail raised, after which no more are begun; PassingError
        where the scheduler goes away, EngineError where workers die or lack roomtone.
        """
        from distributed import as_completed

        pieces = [sent(do, item) for item in items]
        with _told_in_sentences(self._client.scheduler.address):
            # Whether pieces are alike is asked of store and database, not of Dask.
            futures = self._client.map(call, pieces, key=name.replace(" ", "-"), pure=False)
            made: dict[str, Result] = {}
            try:
                coming = as_completed(futures, loop=self._client.loop, with_results=True)
                for future, result in coming:
                    made[future.key] = result
                    told(result)
            except BaseException:
                self._client.cancel(futures, force=True)
                raise
            return [made[future.key] for future in futures]


def check_scheduler(address: str) -> None:
    """Raises UsageError where Dask is not installed, PassingError where no scheduler answers."""
    with _client(address):
        pass


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as fault:
        raise UsageError(
            f'The setting scheduler needs Dask: run `pip install "roomtone[dask]"`, {_OTHERWISE}.'
        ) from fault
    # What it has to say of a lost connection is told in a sentence here.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False, name="roomtone")
    except (OSError, ValueError, RuntimeError) as fault:
        raise PassingError(
            f"No Dask scheduler answers at {address}: start one (`dask scheduler`), {_OTHERWISE}."
        ) from fault
    with client:
        yield client


@contextmanager
def _told_in_sentences(address: str) -> Iterator[None]:
    """Dask's own faults as ours."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    kept = "what was done is kept, so run it again"
    try:
        yield
    except KilledWorker as fault:
        raise EngineError(
            f"Dask workers at {address} died over one piece of work, most likely for want of "
            f"memory; look at their logs, give them more or fewer threads; {kept}."
        ) from fault
    except (CancelledError, OSError) as fault:
        if isinstance(fault, OSError) and "comm" not in type(fault).__name__.lower():
            raise
        raise PassingError(f"The Dask scheduler at {address} went away; {kept}.") from fault
    except RuntimeError as fault:
        if "deserialization" not in str(fault):
            raise
        raise EngineError(
            f"The Dask scheduler at {address} can't read what roomtone sends: install the same "
            "roomtone and Dask there and on its workers as here."
        ) from fault

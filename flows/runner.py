"""How the pieces of a job are run: in turn, at once in this process, or wherever they are sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def untold(result: object) -> None:
    """Nobody is told of a result."""
    del result


class Runner(Protocol):
    """Runs the pieces of a job."""

    @property
    def width(self) -> int:
        """How many pieces are done at once."""
        ...

    def each(
        self,
        name: str,
        do: Callable[[Item], Result],
        items: Sequence[Item],
        told: Callable[[Result], object] = untold,
    ) -> list[Result]:
        """Do a step for every item; results in the items' order.

        do, items and results may be sent to another process: they must be ones that pickle knows,
        and what `do` changes beside the database and the store may be lost. told: called in this
        process with each result as it comes, from any thread, before `each` ends.
        """
        ...

    def one(self, name: str, do: Callable[[], Result]) -> Result:
        """Do a stage once, in this process."""
        ...


class StagesHere:
    """The stages of a job are done by whoever runs it, wherever its pieces are."""

    def one(self, name: str, do: Callable[[], Result]) -> Result:
        """Do a stage once, in this thread."""
        del name
        return do()


class InTurn(StagesHere):
    """The plain runner: each piece after the other, in this thread."""

    width = 1

    def each(
        self,
        name: str,
        do: Callable[[Item], Result],
        items: Sequence[Item],
        told: Callable[[Result], object] = untold,
    ) -> list[Result]:
        """Do a step for every item in turn."""
        del name
        return [heard(do, item, told) for item in items]


def heard(do: Callable[[Item], Result], item: Item, told: Callable[[Result], object]) -> Result:
    """What a piece makes, told to whoever listens."""
    made = do(item)
    told(made)
    return made

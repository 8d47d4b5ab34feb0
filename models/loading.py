"""What is heavy is loaded once a process, also where several takes ask for it at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

Words = ParamSpec("Words")
Made = TypeVar("Made")

_TURN = RLock()
"""One for all: what is loaded may load something else first."""


class LoadedOnce(cached_property[Made]):
    """A property that is computed once, while other threads that ask for it wait.

    `functools.cached_property` computes it in each of them (from Python 3.12), and a model would
    lie in memory twice.
    """

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        with _TURN:
            return super().__get__(instance, owner)


class Kept(Generic[Words, Made]):
    """A function that is called once for the same arguments, while other threads wait."""

    def __init__(self, load: Callable[Words, Made], most: int) -> None:
        """most: how many of the latest results are kept."""
        self._kept = lru_cache(maxsize=most)(load)

    def __call__(self, *args: Words.args, **named: Words.kwargs) -> Made:
        """What is kept, or loaded now."""
        with _TURN:
            return self._kept(*args, **named)  # type: ignore[arg-type]

    def cache_clear(self) -> None:
        """Let go of all that is kept."""
        self._kept.cache_clear()


def loaded_once(most: int) -> Callable[[Callable[Words, Made]], Kept[Words, Made]]:
    """Makes a function one whose latest `most` results are kept, each loaded once.

    With `functools.lru_cache` threads that come at once would load the same each for itself.
    """
    return partial(Kept, most=most)

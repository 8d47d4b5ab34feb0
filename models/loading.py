"""What is heavy is loaded once a process, also where several takes ask for it at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from threading import RLock
from typing import Any, ParamSpec, TypeVar

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


def loaded_once(most: int) -> Callable[[Callable[Words, Made]], Callable[Words, Made]]:
    """A function that is called once for the same arguments, the latest `most` of which are kept.

    Other threads wait; `functools.lru_cache` would let them load the same.
    """

    def held(load: Callable[Words, Made]) -> Callable[Words, Made]:
        kept = lru_cache(maxsize=most)(load)

        def get(*args: Words.args, **named: Words.kwargs) -> Made:
            with _TURN:
                return kept(*args, **named)  # type: ignore[arg-type]

        return get

    return held

"""What a person decided for a stretch of a take, and which events of a cut it holds for.

A decision belongs to the sound, not to the cut: to a stretch of a take's samples. So it is found
again wherever a later version of the cut plays that stretch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Override:
    """A decision for samples start … end of some channels of a take.

    essence: of the take. recipe: name of the recipe instead of the run's, or empty. amount_db:
    the most that is attenuated instead of the recipe's limit, or None. locked: key of the cleaned
    take that is kept whatever else changes, or empty. note: why. by: who.
    """

    essence: str
    channels: tuple[int, ...]
    start: int
    end: int
    recipe: str = ""
    amount_db: float | None = None
    locked: str = ""
    note: str = ""
    by: str = ""

    @property
    def variant(self) -> str:
        """Names what the decision does to a take: alike for decisions that do the same."""
        parts = [f"recipe={self.recipe}"] if self.recipe else []
        parts += [f"amount={self.amount_db:g}"] if self.amount_db is not None else []
        parts += [f"locked={self.locked}"] if self.locked else []
        return " ".join(parts)

    @property
    def words(self) -> str:
        """What was decided, for people."""
        parts = ["locked"] if self.locked else []
        parts += [f"recipe {self.recipe}"] if self.recipe and not self.locked else []
        if self.amount_db is not None and not self.locked:
            parts.append(f"at most {self.amount_db:g} dB")
        return ", ".join(parts) or "nothing"


def holds_for(
    overrides: Iterable[Override], essence: str, channels: tuple[int, ...], start: int, end: int
) -> Override | None:
    """The decision for an event that plays samples start … end of a take, or None.

    It holds where it shares more than half of the shorter of the two stretches; of several, the
    one that shares most, then the later in the order given.
    """
    best: Override | None = None
    most = 0
    for override in overrides:
        if (override.essence, override.channels) != (essence, channels):
            continue
        shared = min(end, override.end) - max(start, override.start)
        shorter = min(end - start, override.end - override.start)
        if shared > 0 and shared > shorter * HALF and shared >= most:
            best, most = override, shared
    return best

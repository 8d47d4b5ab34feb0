"""What a reader of FCPXML notes on its way: warnings, markers, the picture, and how far it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from core.cut import Marker, MediaReference

MAX_STEPS = 400_000
"""Work done, counted in elements passed over: enough for some 28,000 clips, where a feature has a
few thousand. Compound clips within compound clips could make billions of a file of a few lines."""

_MAX_WARNINGS = 200


class TooMuchError(Exception):
    """The timeline would unfold into more than anybody cuts."""


@dataclass(frozen=True)
class Picture:
    """A clip of the primary storyline.

    start, length: seconds of the record. source: seconds of the media's timecode.
    """

    start: Fraction
    length: Fraction
    source: Fraction
    media: MediaReference
    enabled: bool
    speed: Fraction


@dataclass
class Ledger:
    """The one thing here that changes while a file is read.

    markers: with `at` and `length` in seconds of the record. picture: of the primary storyline.
    """

    markers: list[Marker] = field(default_factory=list)
    picture: list[Picture] = field(default_factory=list)
    _warnings: dict[str, None] = field(default_factory=dict)
    _more: int = 0
    _steps: int = 0

    def step(self, cost: int = 1) -> None:
        """Count something done. Raises TooMuchError past the limit."""
        self._steps += cost
        if self._steps > MAX_STEPS:
            raise TooMuchError

    def warn(self, sentence: str) -> None:
        """Note a sentence, once."""
        plain = " ".join(sentence.split())
        if len(self._warnings) < _MAX_WARNINGS or plain in self._warnings:
            self._warnings.setdefault(plain)
        else:
            self._more += 1

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences, the first two hundred of them."""
        more = (f"{self._more} more warnings like these are left out.",) if self._more else ()
        return (*self._warnings, *more)

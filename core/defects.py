"""A defect of a recording: what was found where, in samples of the source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import InputError


class DefectKind(StrEnum):
    """What was wrong with the sound."""

    CLICK = "click"
    CLIPPING = "clipping"
    HUM = "hum"
    DC = "dc"
    RUMBLE = "rumble"
    DROPOUT = "dropout"
    THUMP = "thump"
    RUSTLE = "rustle"


@dataclass(frozen=True)
class Defect:
    """Something that was found wrong with a stretch of a recording.

    start, end: source samples, end just past the stretch. channel: of the file, from 0, or None
    where it is not known or all are meant. note: one clause for people that says how much, and
    what was done (`6 samples, 31 dB above the residual; interpolated`).
    Raises InputError where end is not behind start.
    """

    kind: DefectKind
    start: int
    end: int
    channel: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise InputError(
                f"A {self.kind} from sample {self.start} to {self.end} is not possible; "
                "the end must lie behind the start."
            )

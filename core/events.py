"""What happens in a recording beside the lines: slates, tone, defects, silence, overlap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.defects import Defect
from core.errors import InputError


class EventKind(StrEnum):
    """What happens. The kinds of `core.defects.DefectKind` are among them, by the same names."""

    SLATE = "slate"
    TONE = "tone"
    POP = "pop"
    DIRECTION = "direction"
    SILENCE = "silence"
    OVERLAP = "overlap"
    CLICK = "click"
    CLIPPING = "clipping"
    HUM = "hum"
    DC = "dc"
    RUMBLE = "rumble"
    DROPOUT = "dropout"
    THUMP = "thump"
    RUSTLE = "rustle"


@dataclass(frozen=True)
class SoundEvent:
    """Something that happens in a stretch of a recording.

    start, end: source samples, end just past the stretch; of a slate, start is the sample at which
    the clap sets in. channel: of the file, from 0, or None where all are meant. confidence: 0 to
    1, how sure the detector is. note: one clause for people; it never names a person or quotes
    dialogue, so that forgetting a speaker leaves nothing of them here.
    Raises InputError where end is not behind start, or confidence is no share.
    """

    kind: EventKind
    start: int
    end: int
    channel: int | None = None
    confidence: float = 1.0
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise InputError(
                f"A {self.kind} from sample {self.start} to {self.end} is not possible; "
                "the end must lie behind the start."
            )
        if not 0 <= self.confidence <= 1:
            raise InputError(f"A confidence of {self.confidence} is not possible; 0 to 1 is.")


def from_defect(defect: Defect) -> SoundEvent:
    """A defect that repair found, as an event. It was measured, so its confidence is 1."""
    return SoundEvent(
        kind=EventKind(defect.kind.value),
        start=defect.start,
        end=defect.end,
        channel=defect.channel,
        note=defect.note,
    )

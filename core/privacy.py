"""What may not be kept of a production: its words, the voices of its people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What a production may forbid."""

    NO_TRANSCRIPTION = "no transcription"
    NO_VOICE_PROFILE = "no voice profile"


@dataclass(frozen=True)
class Privacy:
    """What is forbidden for a take.

    no_transcription: no word is recognised or kept; who speaks when still is.
    no_voice_profile: nothing is computed from a voice that could tell it from another; speakers
    come from named microphones only.
    """

    no_transcription: bool = False
    no_voice_profile: bool = False

    def __or__(self, other: Privacy) -> Privacy:
        """What either forbids: rules only add up."""
        return Privacy(
            self.no_transcription or other.no_transcription,
            self.no_voice_profile or other.no_voice_profile,
        )

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The same as marks."""
        both = (
            (Mark.NO_TRANSCRIPTION, self.no_transcription),
            (Mark.NO_VOICE_PROFILE, self.no_voice_profile),
        )
        return tuple(mark for mark, forbidden in both if forbidden)

    @classmethod
    def of(cls, marks: frozenset[Mark]) -> Privacy:
        """What some marks forbid."""
        return cls(Mark.NO_TRANSCRIPTION in marks, Mark.NO_VOICE_PROFILE in marks)

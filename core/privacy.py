"""What may be done with a production's words and voices, or with a speaker's, and who said so."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.forgetting import Stretches


class Mark(StrEnum):
    """What a production, or a speaker of it, may forbid."""

    NO_TRANSCRIPTION = "no transcription"
    NO_VOICE_PROFILE = "no voice profile"
    NO_EXPORT = "no export"

    @property
    def subject(self) -> str:
        """What is forbidden, as a noun."""
        return self.value.removeprefix("no ")


def same_words(text: str) -> str:
    """A name as it is compared: a rule must not slip on a capital or a space."""
    return " ".join(text.split()).casefold()


@dataclass(frozen=True)
class Privacy:
    """What is forbidden for a take.

    no_transcription: no word is recognised or kept; who speaks when still is.
    no_voice_profile: nothing is computed from a voice that could tell it from another; speakers
    come from named microphones only.
    no_export: neither words nor sound leave the home.
    """

    no_transcription: bool = False
    no_voice_profile: bool = False
    no_export: bool = False

    def __or__(self, other: Privacy) -> Privacy:
        """What either forbids: rules only add up."""
        return Privacy(
            self.no_transcription or other.no_transcription,
            self.no_voice_profile or other.no_voice_profile,
            self.no_export or other.no_export,
        )

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The same as marks."""
        both = (
            (Mark.NO_TRANSCRIPTION, self.no_transcription),
            (Mark.NO_VOICE_PROFILE, self.no_voice_profile),
            (Mark.NO_EXPORT, self.no_export),
        )
        return tuple(mark for mark, forbidden in both if forbidden)

    @classmethod
    def of(cls, marks: Collection[Mark]) -> Privacy:
        """What some marks forbid."""
        return cls(
            Mark.NO_TRANSCRIPTION in marks,
            Mark.NO_VOICE_PROFILE in marks,
            Mark.NO_EXPORT in marks,
        )


@dataclass(frozen=True)
class Consent:
    """What somebody said about one thing that may be done, or not.

    project: the production, and speaker: the person, as they were written; no speaker: everybody
    in the production. allowed: whether it may be done. by: who noted it, since when (UTC). note:
    what it rests on, such as a contract. ended: when something else took its place, and by whom;
    None while it is in force.
    """

    project: str
    speaker: str
    mark: Mark
    allowed: bool
    by: str
    since: datetime
    note: str = ""
    ended: datetime | None = None
    ended_by: str = ""
    number: int = 0

    @property
    def words(self) -> str:
        """What it says, without who and when."""
        state = "allowed" if self.allowed else "not allowed"
        whose = f" of {self.speaker}" if self.speaker else ""
        return f"{self.mark.subject}{whose} {state}"

    def in_force(self, at: datetime | None = None) -> bool:
        """Whether it held at a moment (UTC); None: now."""
        if at is None:
            return self.ended is None
        return self.since <= at and (self.ended is None or at < self.ended)


@dataclass(frozen=True)
class MarkedPeople:
    """Speakers for whom something is forbidden.

    marks: their names as they were marked, as compared. names: all that they ever had, as
    compared, but for mere numbers. numbers: their rows in the catalogue.
    """

    marks: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()

    @classmethod
    def all_of(cls, some: Iterable[MarkedPeople]) -> MarkedPeople:
        """All of several."""
        found = cls()
        for one in some:
            found = cls(
                found.marks | one.marks, found.names | one.names, found.numbers | one.numbers
            )
        return found

    def are_named(self, name: str) -> bool:
        """Whether a name is one of theirs."""
        return same_words(name) in self.names


@dataclass(frozen=True)
class PeopleInTake:
    """Those in a take for whom something is forbidden.

    marks: their names as marked, sorted; none: nobody of them is known to be in it. people: all
    who are marked. spans: where they were heard before; alone: where nobody else was; in samples
    of the take's file.
    """

    marks: tuple[str, ...]
    people: MarkedPeople
    spans: Stretches = ()
    alone: Stretches = ()

    def __bool__(self) -> bool:
        return bool(self.marks)

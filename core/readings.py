"""What a script's line became in a take: a reading, with its place, state and likeness."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.phones import Phones
from core.script import ScriptLine
from core.speech import Turn


class State(StrEnum):
    """How a line was said, against how it is written.

    OMITTED: the take plays the lines around it, but not this one. AD_LIB: said and in no line.
    REPEATED: said once more in the same take. PARTIAL: begun late or broken off.
    """

    AS_WRITTEN = "as written"
    CHANGED = "changed"
    PARTIAL = "partial"
    REPEATED = "repeated"
    OMITTED = "omitted"
    AD_LIB = "ad-lib"


@dataclass(frozen=True)
class WrittenLine:
    """A line of the script as it sounds. phones: of each of its spoken words."""

    line: ScriptLine
    phones: tuple[Phones, ...]


@dataclass(frozen=True)
class SaidWord:
    """A word that was heard. start, end: source samples. phones: may be empty.

    turn: index of the heard line it belongs to, among the take's turns.
    """

    text: str
    phones: Phones
    start: int
    end: int
    turn: int


@dataclass(frozen=True)
class TakeSpeech:
    """All words of a take, heard line by heard line.

    take: its essence. scene: as its recorder has it. turns: who speaks when, in order.
    """

    take: str
    scene: str
    words: tuple[SaidWord, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Reading:
    """A stretch of a take and the line that it says.

    line: number of the script's line; of an ad-lib, of the line before it, or 0. take: essence.
    start, end: source samples; both 0 where the line is omitted. words: indices (first, one past
    the last) into the take's words. score: 0 to 1, how alike it sounds. text: as heard. by, note:
    of the person who decided this, else empty.
    """

    line: int
    take: str
    state: State
    start: int = 0
    end: int = 0
    words: tuple[int, int] = (0, 0)
    score: float = 0.0
    speaker: str = ""
    text: str = ""
    by: str = ""
    note: str = ""

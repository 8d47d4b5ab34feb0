"""What a person decided for a line in a take: kept through new alignments and new drafts.

A mark names the line by its character and words, not by its number, so that it is found again
in a revised script wherever the line went and however little of it was rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from core.readings import Reading, State
from core.script import ScriptLine, plain_name
from core.spoken import spoken_words

_STILL = 0.6
"""Share of words that a rewritten line must keep to be the same line."""


@dataclass(frozen=True)
class LineMark:
    """A decision. key, scene, character, text: of the line when it was marked. take: essence.

    start, end: source samples; both 0 where only the state was decided. by: who.
    """

    key: str
    scene: str
    character: str
    text: str
    take: str
    state: State
    start: int = 0
    end: int = 0
    note: str = ""
    by: str = ""


def marked_lines(marks: Sequence[LineMark], lines: Sequence[ScriptLine]) -> Mapping[LineMark, int]:
    """The number of the line that each mark is of, in a script that may have been revised.

    The very same line first, then the most alike of the same character. A mark whose line is
    gone has none.
    """
    exact = {line.key: line.number for line in lines}
    found: dict[LineMark, int] = {}
    for mark in marks:
        if mark.key in exact:
            found[mark] = exact[mark.key]
            continue
        rated = sorted(
            (-_alike(mark, line), line.scene != mark.scene, line.number)
            for line in lines
            if plain_name(line.character) == plain_name(mark.character)
        )
        if rated and -rated[0][0] >= _STILL:
            found[mark] = rated[0][2]
    return found


def with_marks(readings: Sequence[Reading], marks: Mapping[LineMark, int]) -> tuple[Reading, ...]:
    """The readings with what people decided in place of what was found for a line in a take.

    A mark without a place takes that of the first reading found there.
    """
    decided = {(number, mark.take): mark for mark, number in marks.items()}
    kept, found = [], {}
    for reading in readings:
        place = (reading.line, reading.take)
        if reading.state is State.AD_LIB or place not in decided:
            kept.append(reading)
        elif place not in found and reading.end > reading.start:
            found[place] = reading
    for (number, take), mark in decided.items():
        seen = found.get((number, take))
        own = mark.end > mark.start
        said = mark.state is not State.OMITTED
        kept.append(
            Reading(
                line=number,
                take=take,
                state=mark.state,
                start=mark.start if own else seen.start if seen and said else 0,
                end=mark.end if own else seen.end if seen and said else 0,
                words=seen.words if seen and said and not own else (0, 0),
                score=seen.score if seen and said else 0.0,
                speaker=seen.speaker if seen and said else "",
                text=seen.text if seen and said else "",
                by=mark.by,
                note=mark.note,
            )
        )
    return tuple(kept)


def _alike(mark: LineMark, line: ScriptLine) -> float:
    first, second = spoken_words(mark.text), spoken_words(line.text)
    return SequenceMatcher(None, first, second, autojunk=False).ratio()

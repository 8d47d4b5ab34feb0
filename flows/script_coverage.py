"""Which takes say which lines of a script: alignment of everything that was heard, with marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from uuid import uuid4

from adapters.scripts.read import read_script
from core.errors import InputError, UsageError
from core.phones import Phones
from core.readings import Reading, SaidWord, State, TakeSpeech, WrittenLine
from core.script import Script, ScriptLine, script_lines
from core.script_align import read_take
from core.script_index import index_of
from core.script_marks import LineMark, marked_lines, with_marks
from core.speech import Turn
from core.spoken import spoken, spoken_words
from core.time import clock, samples_to_timecode
from db.catalogue import TakeLine, lines_of
from db.provenance import Use, record
from db.scripts import (
    TakeFacts,
    marks_in_force,
    remember_mark,
    revoke_mark,
    take_facts,
)
from flows.known import takes_named
from flows.progress import Progress
from flows.withheld import leaving
from flows.workspace import Workspace, activity
from models.speech.pronunciation import Pronouncer, pronouncer

BEST = (State.AS_WRITTEN, State.REPEATED, State.CHANGED, State.PARTIAL)
"""States in which a line was said, the most useful first."""


@dataclass(frozen=True)
class Coverage:
    """A script and its takes.

    takes: those that were listened to, by scene and take. readings: take by take, marks in.
    heard: the lines of each take, by essence. lost: marks whose line is no longer in the script.
    """

    path: Path
    script: Script
    lines: tuple[ScriptLine, ...]
    takes: tuple[TakeFacts, ...]
    readings: tuple[Reading, ...]
    heard: dict[str, tuple[TakeLine, ...]]
    lost: tuple[LineMark, ...]

    def take(self, essence: str) -> TakeFacts:
        """The take with this sound."""
        return next(take for take in self.takes if take.essence == essence)

    def said(self, number: int) -> tuple[Reading, ...]:
        """Where a line is said, in the order of the takes."""
        return tuple(r for r in self.readings if r.line == number and r.state in BEST)

    def state(self, number: int) -> State:
        """The best that any take has of a line; OMITTED where none has it."""
        found = {reading.state for reading in self.said(number)}
        return next((state for state in BEST if state in found), State.OMITTED)

    def unsure(self, reading: Reading) -> bool:
        """Whether a reading's state is an estimate: a stand-in heard it, and nobody marked it.

        A stand-in errs in so many words that a changed line looks like one as written.
        """
        return not reading.by and any(
            item.line.draft and item.line.start < reading.end and reading.start < item.line.end
            for item in self.heard[reading.take]
        )

    @property
    def draft(self) -> bool:
        """Whether any of it was heard by a stand-in."""
        return any(item.line.draft for lines in self.heard.values() for item in lines)


def cover(work: Workspace, path: Path, project: str, progress: Progress) -> Coverage:
    """Lay everything that was heard against a script.

    project: only takes of this production; empty for all. Raises InputError where the script
    can't be read or has no line.
    """
    script = read_script(path)
    lines = script_lines(script)
    if not lines:
        raise InputError(f"{path} has no line that a character says; check that it is a script.")
    with work.database.read() as session:
        known = lines_of(session)
    known = leaving(work, known)
    with work.database.read() as session:
        heard = {
            essence: tuple(items)
            for essence, items in groupby(
                sorted(known, key=lambda item: (item.essence, item.line.start)),
                key=lambda item: item.essence,
            )
        }
        takes = tuple(
            take
            for take in take_facts(session, heard)
            if not project or take.project.casefold() == project.casefold()
        )
        marks = marks_in_force(session, {take.essence for take in takes})
    said_by = _pronunciations()
    index = index_of(
        [WrittenLine(line, _written(line, said_by(work.settings.language))) for line in lines]
    )
    readings: list[Reading] = []
    progress.step("takes", len(takes))
    for take in takes:
        readings.extend(read_take(index, speech_of(take, heard[take.essence], said_by)))
        progress.advance("takes")
    placed = marked_lines(marks, lines)
    return Coverage(
        path=path,
        script=script,
        lines=lines,
        takes=takes,
        readings=with_marks(readings, placed),
        heard={take.essence: heard[take.essence] for take in takes},
        lost=tuple(mark for mark in marks if mark not in placed),
    )


def speech_of(
    take: TakeFacts, heard: Sequence[TakeLine], said_by: Callable[[str], Say]
) -> TakeSpeech:
    """A take's lines as words with their sound. A word that is said as two becomes two."""
    words: list[SaidWord] = []
    for turn, item in enumerate(heard):
        say = said_by(item.line.language)
        for word in item.line.words:
            parts = spoken(word.text)
            for k, part in enumerate(parts):
                first = word.start + (word.end - word.start) * k // len(parts)
                last = word.start + (word.end - word.start) * (k + 1) // len(parts)
                words.append(SaidWord(part, say(part), first, last, turn))
    turns = tuple(Turn(item.line.speaker, item.line.start, item.line.end) for item in heard)
    return TakeSpeech(take.essence, take.scene, tuple(words), turns)


def source_timecode(take: TakeFacts, sample: int) -> str:
    """Source timecode of a sample of a take; minutes and seconds where it has none."""
    if take.time_reference is None or take.timecode_rate is None:
        return clock(sample, take.sample_rate)
    return samples_to_timecode(take.time_reference + sample, take.timecode_rate, take.sample_rate)


@dataclass(frozen=True)
class Decision:
    """What a person says of a line in a take. start, end: source samples, or both 0."""

    line: int
    take: str
    state: State
    start: int = 0
    end: int = 0
    note: str = ""


def mark_line(work: Workspace, path: Path, decision: Decision, by: str, clear: bool) -> str:
    """Remember a person's decision, or take it back; a sentence that says so.

    Raises UsageError for a line that the script does not have and for a name that fits several
    takes, InputError for one that fits none.
    """
    started = datetime.now(UTC)
    line = line_numbered(path, script_lines(read_script(path)), decision.line)
    with work.database.write() as session:
        essence = _one_take(takes_named(session, decision.take), decision.take)
        (take,) = take_facts(session, [essence])
        if clear:
            count = revoke_mark(session, line.key, essence, by)
        else:
            mark = LineMark(
                key=line.key,
                scene=line.scene,
                character=line.character,
                text=line.text,
                take=essence,
                state=decision.state,
                start=decision.start,
                end=decision.end,
                note=decision.note,
                by=by,
            )
            remember_mark(session, mark)
        parameters = {
            "script": path.name,
            "line": line.key,
            "take": take.name,
            "state": "" if clear else decision.state.value,
            "note": decision.note,
        }
        done = replace(activity("mark", uuid4().hex, started, parameters), agent=by)
        used = [Use(take.sha256, "original")] if take.sha256 else []
        record(session, done, used=used, generated=[])
    if clear:
        return f"Line {line.number} in {take.name}: {count} mark{'s' * (count != 1)} taken back."
    return f"Line {line.number} in {take.name} is marked {decision.state.value}."


def line_numbered(path: Path, lines: Sequence[ScriptLine], number: int) -> ScriptLine:
    """The line of that number. Raises UsageError where there is none."""
    if not 1 <= number <= len(lines):
        raise UsageError(f"{path} has lines 1 to {len(lines)}; {number} is none of them.")
    return lines[number - 1]


def _one_take(found: Sequence[str], name: str) -> str:
    if len(found) == 1:
        return found[0]
    raise UsageError(f"{len(found)} takes answer to {name!r}; give the file's name.")


Say = Callable[[str], Phones]


def _pronunciations() -> Callable[[str], Say]:
    """For each language a function from a spoken word to its phones, each word looked up once."""

    @cache
    def of_language(language: str) -> Say:
        known: Pronouncer = pronouncer(language)
        return lru_cache(maxsize=None)(lambda word: known.phones(word)[0])

    return of_language


def _written(line: ScriptLine, say: Say) -> tuple[Phones, ...]:
    return tuple(say(word) for word in spoken_words(line.text))

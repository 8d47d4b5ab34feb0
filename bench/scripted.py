"""Scripts and takes with known answers: lines changed, moved, dropped, repeated, and misheard.

A production is spoken lines by take. From it come a script that differs from what was said, and
what a recogniser with a given word error rate would have written down: words swapped for words
that sound alike, lost (sometimes with their time) and invented.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any

from bench.scripted_words import (
    ADJECTIVES,
    MORE,
    NOUNS,
    OPENINGS,
    PLACES,
    SHORT,
    SUBJECTS,
    VERBS,
)
from core.phones import Phones, difference
from core.readings import Reading, SaidWord, State, TakeSpeech, WrittenLine
from core.script import Part, PartKind, SceneHeading, Script, Speech, script_lines
from core.script_align import read_take
from core.script_index import index_of
from core.speech import Turn
from core.spoken import spoken_words

Say = Callable[[str], Phones]
"""From a spoken word to how it sounds."""

SAMPLES_A_PHONE = 3600
"""At 48 kHz: 75 ms, the pace of ordinary speech."""


@dataclass(frozen=True)
class Spoken:
    """A line as an actor says it. source: which line of the production it is; -1 for none."""

    speaker: str
    text: str
    source: int


@dataclass(frozen=True)
class Scene:
    """A scene as it was meant, and what was said in each of its takes, by the take's name."""

    number: str
    lines: tuple[Spoken, ...]
    takes: Mapping[str, tuple[Spoken, ...]]


@dataclass(frozen=True)
class Expected:
    """The right answer for a line of the script in a take: its states in order; none: not said."""

    line: int
    take: str
    states: tuple[State, ...]


@dataclass(frozen=True)
class Case:
    """A script, what was heard, and the right answers.

    turns: for each take, the source of each turn. beside: turns that are in no line, by take.
    """

    script: Script
    takes: tuple[TakeSpeech, ...]
    expected: tuple[Expected, ...]
    beside: tuple[tuple[str, int], ...]


@dataclass
class Score:
    """How many answers were right. wrong: a sentence each."""

    right: int = 0
    asked: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Right answers over all."""
        return self.right / max(1, self.asked)


def film(seed: int, scenes: int, lines: int) -> tuple[Scene, ...]:
    """A synthetic film: so many scenes of so many lines, each in full takes and pickups."""
    chance = random.Random(seed)
    names = ["ANNA", "BEN", "CARLA", "DOMINIC", "EVE", "FRANK"]
    made = []
    source = 0
    for number in range(1, scenes + 1):
        cast = chance.sample(names, 2 + (number % 2))
        spoken = []
        for k in range(lines):
            spoken.append(Spoken(cast[k % len(cast)], _sentence(chance), source))
            source += 1
        takes = {}
        for take in range(1, 5):
            first, last = 0, lines
            if take > 2:
                first = chance.randrange(lines // 2)
                last = chance.randrange(first + lines // 3, lines) + 1
            takes[f"{number}{'AB'[take > 2]}-T{take:02d}"] = tuple(spoken[first:last])
        made.append(Scene(str(number), tuple(spoken), takes))
    return tuple(made)


def case_of(scenes: Sequence[Scene], say: Say, seed: int, edits: float, errors: float) -> Case:
    """A case from a production. edits: share of lines that differ. errors: word error rate."""
    chance = random.Random(seed)
    elements: list[SceneHeading | Speech] = []
    takes: list[TakeSpeech] = []
    wanted: list[tuple[int, str, tuple[State, ...]]] = []
    beside: list[tuple[str, int]] = []
    sources: list[int] = []
    for scene in scenes:
        fate = {
            line.source: chance.choice(("changed", "moved", "dropped", "repeated", "ad-lib"))
            for line in scene.lines
            if chance.random() < edits
        }
        written = _written(scene, fate, chance)
        elements.append(SceneHeading(f"INT. SET {scene.number} - DAY", scene.number))
        elements.extend(
            Speech(line.speaker, (Part(PartKind.DIALOGUE, line.text),)) for line in written
        )
        sources.extend(line.source for line in written)
        for name, said in scene.takes.items():
            performed, answers = _performed(said, fate)
            heard = _heard(name, performed, say, chance, errors)
            takes.append(heard)
            wanted.extend((source, name, states) for source, states in answers.items())
            beside.extend(
                (name, turn)
                for turn, line in enumerate(performed)
                if fate.get(line.source) == "ad-lib"
            )
    place = {source: number for number, source in enumerate(sources, 1)}
    expected = tuple(
        Expected(place[source], name, states) for source, name, states in wanted if source in place
    )
    return Case(Script("SIMULATED", tuple(elements)), tuple(takes), expected, tuple(beside))


def written_lines(script: Script, say: Say) -> tuple[WrittenLine, ...]:
    """The lines of a script as they sound."""
    return tuple(
        WrittenLine(line, tuple(say(word) for word in spoken_words(line.text)))
        for line in script_lines(script)
    )


def score(case: Case, say: Say) -> Score:
    """Aligns a case and compares with its answers."""
    index = index_of(written_lines(case.script, say))
    found = {take.take: read_take(index, take) for take in case.takes}
    told = Score()
    for answer in case.expected:
        got = tuple(
            reading.state
            for reading in found[answer.take]
            if reading.line == answer.line and reading.state not in (State.AD_LIB, State.OMITTED)
        )
        told.asked += 1
        told.right += got == answer.states
        if got != answer.states:
            line = index.lines[answer.line - 1].line
            told.wrong.append(f"{answer.take} {line.text!r}: {answer.states} but {got}")
    for name, turn in case.beside:
        speech = next(take for take in case.takes if take.take == name)
        told.asked += 1
        right = _is_ad_lib(speech, turn, found[name])
        told.right += right
        if not right:
            text = " ".join(word.text for word in speech.words if word.turn == turn)
            told.wrong.append(f"{name} ad-lib {text!r} not seen")
    return told


def _is_ad_lib(speech: TakeSpeech, turn: int, readings: Sequence[Reading]) -> bool:
    """Whether more than half of a turn's words are ad-lib; a turn without words is nobody's."""
    words = [k for k, word in enumerate(speech.words) if word.turn == turn]
    free = [
        k
        for k in words
        if any(r.state is State.AD_LIB and r.words[0] <= k < r.words[1] for r in readings)
    ]
    return len(free) * 2 > len(words) or not words


def _sentence(chance: random.Random) -> str:
    if chance.random() < 0.15:
        return chance.choice(SHORT)
    words = [chance.choice(SUBJECTS), chance.choice(VERBS), "the"]
    words += [chance.choice(ADJECTIVES), chance.choice(NOUNS)]
    if chance.random() < 0.6:
        words.append(chance.choice(PLACES))
    if chance.random() < 0.4:
        words.insert(0, chance.choice(OPENINGS))
    if chance.random() < 0.3:
        words += ["and", chance.choice(SUBJECTS), chance.choice(VERBS), "the"]
        words += [chance.choice(NOUNS), chance.choice(PLACES)]
    return " ".join(words).replace("-", " ")


def _written(scene: Scene, fate: Mapping[int, str], chance: random.Random) -> list[Spoken]:
    """The scene's lines as the script has them."""
    lines = [line for line in scene.lines if fate.get(line.source) != "ad-lib"]
    for line in [line for line in lines if fate.get(line.source) == "moved"]:
        at = lines.index(line)
        others = [k for k in range(len(lines)) if abs(k - at) > 1] or [at]
        lines.insert(chance.choice(others), lines.pop(at))
    return [
        replace(line, text=_changed(line.text, chance))
        if fate.get(line.source) == "changed"
        else line
        for line in lines
    ]


def _changed(text: str, chance: random.Random) -> str:
    """A text with 40 to 60 % of its words (two at the least) others, gone or more."""
    words: list[str] = text.split()
    count = max(2, round(len(words) * chance.uniform(0.4, 0.6)))
    for _ in range(count):
        at = chance.randrange(len(words)) if words else 0
        kind = chance.random()
        other = chance.choice((*VERBS, *ADJECTIVES, *NOUNS))
        if kind < 0.7 and words:
            words[at] = other
        elif kind < 0.85 and len(words) > 2:
            del words[at]
        else:
            words.insert(at, other)
    return " ".join(words)


def _performed(
    said: Sequence[Spoken], fate: Mapping[int, str]
) -> tuple[list[Spoken], dict[int, tuple[State, ...]]]:
    """What is said in a take, and the right states of its lines."""
    performed: list[Spoken] = []
    answers: dict[int, tuple[State, ...]] = {}
    for line in said:
        match fate.get(line.source):
            case "dropped":
                answers[line.source] = ()
                continue
            case "repeated":
                performed.append(line)
                answers[line.source] = (State.AS_WRITTEN, State.REPEATED)
            case "changed":
                answers[line.source] = (State.CHANGED,)
            case _:
                answers[line.source] = (State.AS_WRITTEN,)
        performed.append(line)
    return performed, answers


def _heard(
    name: str, lines: Sequence[Spoken], say: Say, chance: random.Random, errors: float
) -> TakeSpeech:
    """What a recogniser writes down of a take: a turn a line, half a second between them."""
    words: list[SaidWord] = []
    turns: list[Turn] = []
    at = 48_000
    for turn, line in enumerate(lines):
        start = at
        for text in spoken_words(line.text):
            length = max(1, len(say(text))) * SAMPLES_A_PHONE
            words.extend(_misheard(text, at, at + length, turn, say, chance, errors, words))
            at += length
        turns.append(Turn(line.speaker, start, at))
        at += 24_000
    return TakeSpeech(name, name.split("-", maxsplit=1)[0], tuple(words), tuple(turns))


def _misheard(
    text: str,
    start: int,
    end: int,
    turn: int,
    say: Say,
    chance: random.Random,
    errors: float,
    before: list[SaidWord],
) -> list[SaidWord]:
    """A word as it is written down: itself, one that sounds like it, none, or one more."""
    kind = chance.random()
    if kind < errors * 0.2:
        if before and before[-1].turn == turn and chance.random() < 0.5:
            before[-1] = replace(before[-1], end=end)
        return []
    other = text
    if kind < errors * 0.8:
        other = chance.choice(_sounds_like(text, say))
    if errors * 0.8 <= kind < errors:
        more = chance.choice(("a", "the", "and", "it", "in", "to", "um", *MORE[:200:9]))
        middle = end - min(end - start, 2 * SAMPLES_A_PHONE) // 2
        return [
            SaidWord(text, say(text), start, middle, turn),
            SaidWord(more, say(more), middle, end, turn),
        ]
    return [SaidWord(other, say(other), start, end, turn)]


@cache
def _sounds_like(text: str, say: Say) -> tuple[str, ...]:
    """The words that sound most like one."""
    phones = say(text)
    rated = sorted(
        (difference(phones, say(other)), other) for other in _vocabulary() if other != text
    )
    near = [other for far, other in rated if far <= 0.4][:8]
    return tuple(near) or (rated[0][1],)


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[str, ...]:
    phrases = " ".join((*SUBJECTS, *PLACES, *OPENINGS, *SHORT)).replace("-", " ").split()
    return tuple(sorted({*MORE, *VERBS, *ADJECTIVES, *NOUNS, *phrases}))


def scenes_of_truth(truth: Mapping[str, Any]) -> tuple[Scene, ...]:
    """The scenes of a production whose turns are known (`truth/takes.json` of the shared data).

    What a scene's takes say is its script, each line once, in the order in which it first comes.
    """
    scenes: dict[str, list[Spoken]] = {}
    takes: dict[str, dict[str, tuple[Spoken, ...]]] = {}
    known: dict[tuple[str, str, str], Spoken] = {}
    for name, take in truth["takes"].items():
        said = []
        for turn in take["turns"]:
            key = (take["scene"], turn["speaker"], turn["text"])
            if key not in known:
                known[key] = Spoken(turn["speaker"], turn["text"], len(known))
                scenes.setdefault(take["scene"], []).append(known[key])
            said.append(known[key])
        takes.setdefault(take["scene"], {})[name] = tuple(said)
    return tuple(Scene(number, tuple(lines), takes[number]) for number, lines in scenes.items())

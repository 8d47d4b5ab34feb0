"""A screenplay: headings, action and speeches in order, and the lines that are to be spoken."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from core.spoken import spoken_words


class ProseKind(StrEnum):
    """What stands in a script and is not spoken."""

    ACTION = "action"
    TRANSITION = "transition"
    SHOT = "shot"
    CENTRED = "centred"
    LYRICS = "lyrics"
    SECTION = "section"
    SYNOPSIS = "synopsis"
    NOTE = "note"
    PAGE_BREAK = "page break"
    OTHER = "other"


class PartKind(StrEnum):
    """What a speech is made of. Dialogue and lyrics are heard, a parenthetical is not."""

    DIALOGUE = "dialogue"
    LYRICS = "lyrics"
    PARENTHETICAL = "parenthetical"


@dataclass(frozen=True)
class SceneHeading:
    """The head of a scene. number: as printed (`27B`), or empty. at: line or paragraph, from 1."""

    text: str
    number: str = ""
    at: int = 0


@dataclass(frozen=True)
class Prose:
    """A paragraph that nobody speaks. at: line or paragraph of the file, from 1."""

    kind: ProseKind
    text: str
    at: int = 0


@dataclass(frozen=True)
class Part:
    """A paragraph of a speech."""

    kind: PartKind
    text: str


@dataclass(frozen=True)
class Speech:
    """A character's cue and what follows it.

    extension: what stands behind the name (`V.O.`, `CONT'D`), without the parentheses.
    dual: spoken beside the speech before it. at: line or paragraph of the file, from 1.
    """

    character: str
    parts: tuple[Part, ...]
    extension: str = ""
    dual: bool = False
    at: int = 0

    @property
    def text(self) -> str:
        """What is to be heard, without parentheticals."""
        heard = (part.text for part in self.parts if part.kind is not PartKind.PARENTHETICAL)
        return " ".join(" ".join(heard).split())


Element = SceneHeading | Prose | Speech


@dataclass(frozen=True)
class Script:
    """A script as it was read.

    title_page: pairs of key and value, as written. warnings: what was odd, a sentence each.
    """

    title: str
    elements: tuple[Element, ...]
    title_page: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScriptLine:
    """A speech as a line to be found in takes.

    number: counted from 1 through the script. element: its index among the script's elements.
    scene: the scene's number, or empty. key: names character and words, so that the same line
    is known again in another draft wherever it stands; a line said before by the same character
    in the same words has its count in it.
    """

    number: int
    element: int
    scene: str
    heading: str
    character: str
    extension: str
    text: str
    dual: bool
    key: str


def script_lines(script: Script) -> tuple[ScriptLine, ...]:
    """The lines of a script in order; speeches without a word to say are none."""
    return tuple(_lines(script))


def line_key(character: str, text: str, count: int = 0) -> str:
    """Names a line by who says which words, whatever its punctuation and case."""
    said = " ".join((plain_name(character), *spoken_words(text), str(count)))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def plain_name(name: str) -> str:
    """A character's or speaker's name to compare by: `Mrs. Dashwood` and `MRS DASHWOOD` alike."""
    return " ".join(re.findall(r"\w+", name.replace("'", "").replace("’", "").casefold()))


@lru_cache(maxsize=1 << 16)
def scene_likeness(script: str, slate: str) -> float:
    """How well a scene's number in the script goes with one on a slate: 0 to 1.

    Slates add a letter for each setup (scene 27 is shot as 27, 27A, 27B), so the same number
    with other letters is nearly as good as the very same.
    """
    first, second = (re.sub(r"[^0-9A-Z]", "", text.upper()) for text in (script, slate))
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    numbers = [re.search(r"\d+", text) for text in (first, second)]
    same = all(numbers) and len({int(n[0]) for n in numbers if n is not None}) == 1
    return 0.8 if same else 0.0


def _lines(script: Script) -> Iterator[ScriptLine]:
    heading = SceneHeading("")
    said: Counter[str] = Counter()
    number = 0
    for index, element in enumerate(script.elements):
        if isinstance(element, SceneHeading):
            heading = element
        if not isinstance(element, Speech) or not spoken_words(element.text):
            continue
        number += 1
        alike = line_key(element.character, element.text)
        key = line_key(element.character, element.text, said[alike])
        said[alike] += 1
        yield ScriptLine(
            number=number,
            element=index,
            scene=heading.number,
            heading=heading.text,
            character=element.character,
            extension=element.extension,
            text=element.text,
            dual=element.dual,
            key=key,
        )

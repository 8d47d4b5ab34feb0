"""What both formats tell: paragraphs in order. Here they become a script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.script import Element, Part, PartKind, Prose, ProseKind, SceneHeading, Script, Speech

_EXTENSION = re.compile(r"\(([^()]*)\)")
_MOST_EXTENSIONS = 20
"""Of a cue, counted from its end; what stands before them is the name. Scripts have three."""

_MOST_WARNINGS = 50


class Role(StrEnum):
    """What a paragraph is in a script's layout."""

    SCENE = "scene"
    CHARACTER = "character"
    PARENTHETICAL = "parenthetical"
    DIALOGUE = "dialogue"
    LYRICS = "lyrics"
    PROSE = "prose"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph as its file has it.

    kind: of prose. number: of a scene. dual: the cue is spoken beside the one before. at: line
    or paragraph of the file, from 1.
    """

    role: Role
    text: str
    at: int
    kind: ProseKind = ProseKind.ACTION
    number: str = ""
    dual: bool = False


def script_of(
    title: str,
    paragraphs: Iterable[Paragraph],
    title_page: Sequence[tuple[str, str]] = (),
    warnings: Sequence[str] = (),
) -> Script:
    """The script that paragraphs tell; speech without a cue before it is kept as other prose."""
    elements: list[Element] = []
    odd = list(warnings)
    cue: Paragraph | None = None
    parts: list[Part] = []

    def close() -> None:
        if cue is None:
            return
        if parts:
            name, extension = character_of(cue.text)
            elements.append(Speech(name, tuple(parts), extension, cue.dual, cue.at))
        else:
            odd.append(f"Paragraph {cue.at}: {_short(cue.text)} is a cue without a line.")
            elements.append(Prose(ProseKind.OTHER, cue.text, cue.at))

    for paragraph in paragraphs:
        if paragraph.role in _PARTS:
            if cue is not None:
                parts.append(Part(_PARTS[paragraph.role], paragraph.text))
                continue
            odd.append(f"Paragraph {paragraph.at}: {_short(paragraph.text)} has no character.")
            elements.append(Prose(ProseKind.OTHER, paragraph.text, paragraph.at))
            continue
        if paragraph.role is Role.PROSE and paragraph.kind is ProseKind.NOTE and cue is not None:
            # A note between two paragraphs of a speech does not end it.
            elements.append(Prose(paragraph.kind, paragraph.text, paragraph.at))
            continue
        close()
        cue, parts = (paragraph, []) if paragraph.role is Role.CHARACTER else (None, [])
        if paragraph.role is Role.SCENE:
            elements.append(SceneHeading(paragraph.text, paragraph.number, paragraph.at))
        elif paragraph.role is Role.PROSE:
            elements.append(Prose(paragraph.kind, paragraph.text, paragraph.at))
    close()
    return Script(title, tuple(elements), tuple(title_page), _told(odd))


def character_of(cue: str) -> tuple[str, str]:
    """Name and extensions of a cue: `JOHN (V.O.) (CONT'D)` is JOHN and `V.O., CONT'D`.

    A cue that is nothing but parentheses is a name.
    """
    name, found = " ".join(cue.split()), list[str]()
    while len(found) < _MOST_EXTENSIONS and (opened := name.rfind("(")) > 0:
        match = _EXTENSION.fullmatch(name, opened)
        if match is None:
            break
        found.insert(0, match[1].strip())
        name = name[:opened].rstrip()
    return name.strip(), ", ".join(extension for extension in found if extension)


_PARTS = {
    Role.DIALOGUE: PartKind.DIALOGUE,
    Role.LYRICS: PartKind.LYRICS,
    Role.PARENTHETICAL: PartKind.PARENTHETICAL,
}


def _short(text: str) -> str:
    words = " ".join(text.split())
    return repr(words if len(words) <= 40 else words[:39] + "…")


def _told(warnings: Sequence[str]) -> tuple[str, ...]:
    more = len(warnings) - _MOST_WARNINGS
    rest = (f"And {more} more of such.",) if more > 0 else ()
    return (*warnings[:_MOST_WARNINGS], *rest)

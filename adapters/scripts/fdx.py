"""Reads Final Draft's FDX: paragraphs of XML, each with its type and runs of text.

Two stages: the file's paragraphs, with what is nested in them, become statements; statements
become a script. Notes, omitted scenes and what Final Draft keeps for its own windows are left
where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from adapters.scripts.paragraphs import Paragraph, Role, script_of
from adapters.timelines import xml_safe
from core.errors import InputError
from core.script import ProseKind, Script

_MOST_ELEMENTS = 300_000
"""A script of 200 pages has 30,000, with revisions and notes twice that."""

_ROLES = {
    "scene heading": Role.SCENE,
    "character": Role.CHARACTER,
    "dialogue": Role.DIALOGUE,
    "parenthetical": Role.PARENTHETICAL,
    "singing": Role.LYRICS,
    "lyrics": Role.LYRICS,
}
_PROSE = {
    "action": ProseKind.ACTION,
    "general": ProseKind.ACTION,
    "": ProseKind.ACTION,
    "shot": ProseKind.SHOT,
    "transition": ProseKind.TRANSITION,
    "new act": ProseKind.SECTION,
    "end of act": ProseKind.SECTION,
    "cast list": ProseKind.OTHER,
    "outline 1": ProseKind.SECTION,
    "outline 2": ProseKind.SECTION,
    "outline 3": ProseKind.SECTION,
    "outline 4": ProseKind.SECTION,
    "outline body": ProseKind.SYNOPSIS,
}


def read(path: Path) -> Script:
    """The script in an FDX file. Raises InputError where it can't be read as one."""
    root = xml_safe.parse(
        path,
        "FinalDraft",
        "Final Draft",
        "export the script alone",
        spaced="Text",
        most_elements=_MOST_ELEMENTS,
    )
    content = root.find("Content")
    if content is None:
        raise InputError(f"{path} has no <Content>; export it again as Final Draft (.fdx).")
    unknown: Counter[str] = Counter()
    struck = [0]
    paragraphs = list(_paragraphs(content, unknown, struck))
    warnings = [
        f"{count} paragraph{'s' * (count != 1)} of type {kind[:40]!r} kept as other text."
        for kind, count in sorted(unknown.items())
    ]
    if struck[0]:
        warnings.append(f"{struck[0]} runs of struck-out text were left out.")
    page = _title_page(root)
    return script_of(page[0][1] if page else path.stem, paragraphs, page, warnings)


def _paragraphs(content: Element, unknown: Counter[str], struck: list[int]) -> Iterator[Paragraph]:
    """The paragraphs of a script's content; those of a dual dialogue as a pair of speeches."""
    at = 0
    for paragraph in content:
        if paragraph.tag != "Paragraph":
            continue
        at += 1
        pair = paragraph.find("DualDialogue")
        if pair is None:
            yield _statement(paragraph, at, unknown, struck, dual=False)
            continue
        cues = 0
        for nested in pair.findall("Paragraph"):
            found = _statement(nested, at, unknown, struck, dual=cues > 0)
            cues += found.role is Role.CHARACTER
            yield found


def _statement(
    paragraph: Element, at: int, unknown: Counter[str], struck: list[int], dual: bool
) -> Paragraph:
    kind = " ".join(paragraph.get("Type", "").split()).casefold()
    text = _text(paragraph, struck)
    if kind in _ROLES:
        role = _ROLES[kind]
        number = paragraph.get("Number", "").strip() if role is Role.SCENE else ""
        return Paragraph(role, text, at, number=number, dual=dual and role is Role.CHARACTER)
    if kind not in _PROSE:
        unknown[paragraph.get("Type", "")] += 1
    return Paragraph(Role.PROSE, text, at, _PROSE.get(kind, ProseKind.OTHER))


def _text(paragraph: Element, struck: list[int]) -> str:
    """The runs of a paragraph joined, without those that are struck out."""
    runs = []
    for run in paragraph.findall("Text"):
        if "strikeout" in run.get("Style", "").casefold().split("+"):
            struck[0] += 1
            continue
        runs.append("".join(run.itertext()))
    return "".join(runs).strip()


def _title_page(root: Element) -> list[tuple[str, str]]:
    """The first line of the title page as the title, and the rest of it."""
    lines = [_text(item, [0]) for item in root.findall("TitlePage/Content/Paragraph")]
    said = [line for line in lines if line]
    if not said:
        return []
    rest = "\n".join(said[1:])
    return [("Title", " ".join(said[0].split())), *([("Text", rest)] if rest else [])]

"""Reads Fountain, the plain-text screenplay, by its published syntax (fountain.io/syntax).

Two stages: the text without boneyard and notes becomes statements, a paragraph each, by their
look and their blank lines; statements become a script.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.scripts.paragraphs import Paragraph, Role, script_of
from core.errors import InputError
from core.script import ProseKind, Script

MAX_BYTES = 16 * 1024 * 1024
MAX_LINES = 300_000

_SCENE = re.compile(r"^(int\.?/ext|ext\.?/int|i\.?/e|e\.?/i|int|ext|est)[. ]", re.IGNORECASE)
# Begins where white space begins: from within a run of it every start would read the run again.
_NUMBER = re.compile(r"(?<!\s)\s*#([^#\s][^#]{0,30})#\s*$")
_KEY = re.compile(r"^([^\s:][^:]{0,60}):\s*(.*)$")
_BREAK = re.compile(r"^={3,}\s*$")
_BONEYARD = re.compile(r"/\*|\*/")
_NOTE = re.compile(r"\[\[|\]\]")
_LETTER = re.compile(r"[^\W\d_]")
_OPENS = re.compile(r"(?<!\\)(\*{1,3}|_)(?=\S)")
_CLOSES = {
    mark: re.compile(rf"(?<=\S)(?<!\\){re.escape(mark)}") for mark in ("***", "**", "*", "_")
}
_ESCAPE = re.compile(r"\\([*_\\#@!~><.=^()\[\]/])")


@dataclass(frozen=True)
class Row:
    """A line of the file without notes and boneyard. held: it is blank but keeps speech going."""

    at: int
    text: str
    held: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing stands there."""
        return not self.text.strip()


def read(path: Path) -> Script:
    """The script in a Fountain file. Raises InputError where it can't be read as one."""
    return parse(text_of(path), path.stem)


def text_of(path: Path) -> str:
    """The text of a script file: UTF-8, UTF-16 with its mark, else Windows-1252."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"{path} is over {MAX_BYTES >> 20} MB, which no script is; check the path."
            )
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(
            f"{path} can't be read ({fault.strerror or 'it is no file'}); check the path."
        ) from fault
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise InputError(f"{path} is no text file; export the script as Fountain or Final Draft.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def parse(text: str, name: str) -> Script:
    """The script that a text tells. name: its title where the title page has none.

    Any text is Fountain; what looks like nothing else is action. Raises InputError for more
    lines than a script has.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    if len(lines) > MAX_LINES:
        raise InputError(f"{name} has more than {MAX_LINES} lines, which no script has.")
    warnings: list[str] = []
    shown, notes = _without_hidden(lines, warnings)
    page, first = _title_page(shown)
    rows = shown[first:]
    statements = sorted([*_statements(rows), *notes], key=lambda paragraph: paragraph.at)
    title = next((value for key, value in page if key.casefold() == "title"), "")
    return script_of(" ".join(plain(title).split()) or name, statements, page, warnings)


def plain(text: str) -> str:
    """Text without marks of emphasis, and with what was escaped as itself."""
    for _ in range(3):
        text = _unmarked(text)
    return _ESCAPE.sub(r"\1", text)


def _unmarked(text: str) -> str:
    """Text without the outermost marks of emphasis.

    A mark that nothing closes is not looked for again: one expression for a pair would read the
    rest of the text from every such mark, hours for a megabyte of them.
    """
    kept, at, position = list[str](), 0, 0
    unclosed: set[str] = set()
    while (opened := _OPENS.search(text, position)) is not None:
        position = opened.end()
        for mark in dict.fromkeys((opened[1], opened[1][:2], opened[1][:1])):
            inside = opened.start() + len(mark)
            if mark in unclosed or text[inside].isspace():
                continue
            closed = _CLOSES[mark].search(text, inside + 1)
            if closed is None:
                unclosed.add(mark)
                continue
            kept += text[at : opened.start()], text[inside : closed.start()]
            at = position = closed.end()
            break
        else:
            position = opened.start() + 1
    return "".join((*kept, text[at:])) if kept else text


def _without_hidden(lines: list[str], warnings: list[str]) -> tuple[list[Row], list[Paragraph]]:
    """The lines without boneyard and notes, and the notes."""
    rows: list[Row] = []
    notes: list[Paragraph] = []
    buried = False
    note: list[str] | None = None
    opened = 0
    for at, line in enumerate(lines, 1):
        kept, buried = _dug_out(line, buried)
        if note is not None and not kept.strip() and len(kept) < 2:
            # By the syntax a blank line ends a note, unless it has two spaces.
            warnings.append(f"Line {opened}: the note that opens here is not closed.")
            notes.append(_noted(note, opened))
            note = None
        shown = []
        position = 0
        for mark in _NOTE.finditer(kept):
            before = kept[position : mark.start()]
            if mark[0] == "[[" and note is None:
                shown.append(before)
                note, opened, position = [], at, mark.end()
            elif mark[0] == "]]" and note is not None:
                notes.append(_noted([*note, before], opened))
                note, position = None, mark.end()
        rest = kept[position:]
        if note is None:
            shown.append(rest)
        else:
            note.append(rest)
        clean = "".join(shown)
        gone = clean != line
        if gone and not clean.strip() and line.strip():
            continue
        rows.append(Row(at, clean, held=not clean.strip() and len(line) >= 2 and not gone))
    if note is not None:
        notes.append(_noted(note, opened))
        warnings.append(f"Line {opened}: the note that opens here is not closed.")
    if buried:
        warnings.append("A boneyard (/*) is not closed; what follows it was left out.")
    return rows, notes


def _dug_out(line: str, buried: bool) -> tuple[str, bool]:
    kept, position = [], 0
    for mark in _BONEYARD.finditer(line):
        if mark[0] == "/*" and not buried:
            kept.append(line[position : mark.start()])
            buried = True
        elif mark[0] == "*/" and buried:
            buried, position = False, mark.end()
    if not buried:
        kept.append(line[position:])
    return "".join(kept), buried


def _noted(lines: list[str], at: int) -> Paragraph:
    return Paragraph(Role.PROSE, " ".join(" ".join(lines).split()), at, ProseKind.NOTE)


def _title_page(rows: list[Row]) -> tuple[list[tuple[str, str]], int]:
    """Keys and values before the first blank line, and the index of the row behind them."""
    first = next((i for i, row in enumerate(rows) if not row.blank), len(rows))
    found: list[tuple[str, list[str]]] = []
    behind = len(rows)
    for index in range(first, len(rows)):
        row = rows[index]
        match = _KEY.match(row.text)
        if row.blank:
            behind = index + bool(found)
            break
        if row.text[:1].isspace() and found:
            found[-1][1].append(row.text.strip())
        elif match is not None and not _is_scene(row.text) and not _is_transition(row.text):
            found.append((match[1].strip(), [match[2].strip()]))
        else:
            return [], first
    return [(key, "\n".join(lines).strip()) for key, lines in found], behind


def _is_scene(text: str) -> bool:
    return _SCENE.match(text) is not None


def _is_transition(text: str) -> bool:
    bare = text.strip()
    return bare.endswith("TO:") and bare == bare.upper()


def _is_cue(text: str) -> bool:
    name = re.sub(r"\([^()]*\)", "", text).replace("^", "").strip()
    return _LETTER.search(name) is not None and name == name.upper()


def _statements(rows: list[Row]) -> Iterator[Paragraph]:
    index = 0
    while index < len(rows):
        row = rows[index]
        if row.blank:
            index += 1
            continue
        before = index == 0 or rows[index - 1].blank
        after = index + 1 == len(rows) or rows[index + 1].blank
        text = row.text.strip()
        if text[0] == "@" or (before and not after and _is_cue(text) and text[0] not in "!.>~#="):
            index = yield from _speech(rows, index)
            continue
        yield _single(row.at, text, row.text, before, after)
        index += 1


def _single(at: int, text: str, raw: str, before: bool, after: bool) -> Paragraph:
    """A line that is a paragraph of its own."""
    prose = ProseKind.ACTION
    match text[0]:
        case "." if not text.startswith(".."):
            return _scene(text[1:], at)
        case "!":
            if text.startswith("!!"):
                return Paragraph(Role.PROSE, plain(text[2:].strip()), at, ProseKind.SHOT)
            return Paragraph(Role.PROSE, plain(raw.lstrip()[1:].rstrip()), at, prose)
        case "~":
            prose, text = ProseKind.LYRICS, text[1:]
        case ">" if text.endswith("<") and len(text) > 1:
            prose, text = ProseKind.CENTRED, text[1:-1]
        case ">":
            prose, text = ProseKind.TRANSITION, text[1:]
        case "=" if _BREAK.match(text):
            prose, text = ProseKind.PAGE_BREAK, ""
        case "=":
            prose, text = ProseKind.SYNOPSIS, text[1:]
        case "#":
            prose, text = ProseKind.SECTION, text.lstrip("#")
        case _ if before and _is_scene(text):
            return _scene(text, at)
        case _ if before and after and _is_transition(text):
            prose = ProseKind.TRANSITION
    return Paragraph(Role.PROSE, plain(text.strip()), at, prose)


def _scene(text: str, at: int) -> Paragraph:
    number = _NUMBER.search(text)
    bare = text[: number.start()] if number is not None else text
    found = number[1].strip() if number is not None else ""
    return Paragraph(Role.SCENE, plain(bare.strip()), at, number=found)


def _speech(rows: list[Row], index: int) -> Generator[Paragraph, None, int]:
    """A cue and the rows of its speech; returns the index of the row behind them."""
    row = rows[index]
    cue = row.text.strip().removeprefix("@")
    dual = cue.endswith("^")
    yield Paragraph(Role.CHARACTER, plain(cue.rstrip("^").strip()), row.at, dual=dual)
    index += 1
    said: list[str] = []
    began = row.at
    while index < len(rows) and (not rows[index].blank or rows[index].held):
        row = rows[index]
        text = row.text.strip()
        role = _role_in_speech(text)
        if role is Role.DIALOGUE:
            began = began if said else row.at
            said.append(text)
        else:
            if said:
                yield Paragraph(Role.DIALOGUE, plain("\n".join(said)), began)
                said = []
            yield Paragraph(role, plain(text.removeprefix("~").strip()), row.at)
        index += 1
    if said:
        yield Paragraph(Role.DIALOGUE, plain("\n".join(said)).strip(), began)
    return index


def _role_in_speech(text: str) -> Role:
    if text.startswith("~"):
        return Role.LYRICS
    if text.startswith("(") and text.endswith(")"):
        return Role.PARENTHETICAL
    return Role.DIALOGUE

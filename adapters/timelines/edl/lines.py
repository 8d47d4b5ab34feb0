"""An EDL's lines as statements: edits with their columns, and remarks by kind.

pycmx reads the fixed columns of CMX3600, File16, File32 and File128; a line that it does not
read as an edit (columns shifted by an editor or a host) is read by its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError

# Five times what the longest of list formats numbers (9,999 events); read in some three seconds.
MAX_BYTES = 32 * 1024 * 1024
MAX_LINES = 500_000
MAX_EDITS = 50_000
_MAX_LINE = 1_000
_MAX_AUD = 64

_TIMECODE = re.compile(r"[0-9]{1,3}(?:[:;.,][0-9]{1,3}){3}")
_TRANSITION = re.compile(r"C|D|W[0-9]{1,4}|K[BO]?")
_CHANNELS = re.compile(r"(?:[AV][0-9]{0,3}[/,+]?)+")
_CHANNEL = re.compile(r"([AV])([0-9]*)")

_KINDS = (
    ("title", r"TITLE:"),
    ("fcm", r"FCM:"),
    ("from", r"\*?\s*FROM CLIP NAME:"),
    ("to", r"\*?\s*TO CLIP NAME:"),
    ("source", r"\*?\s*SOURCE FILE:"),
    ("from_file", r"\*\s*FROM (?:FILE|CLIP):"),
    ("to_file", r"\*\s*TO (?:FILE|CLIP):"),
    ("level", r"\*?\s*AUDIO LEVEL AT\s"),
    ("volume", r"\*\s*(?=A[0-9]{1,3}\s+VOL\s*=)"),
    ("patch", r"\*\s*PATCH\s"),
    ("locator", r"\*\s*LOC:"),
    ("marker", r"(?=\|C:)"),
    ("speed", r"M2\s"),
    ("channels", r"AUD\s"),
    ("table", r">>>\s*SOURCE\s"),
    ("track", r"\*\s*TRACK (?=A[0-9]{1,3}:)"),
    ("note", r"\*|EFFECTS NAME IS|(?=SPLIT:)"),
)
_KIND = re.compile("|".join(f"(?P<{kind}>{start})" for kind, start in _KINDS), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Channels:
    """Where an edit is recorded: numbers of audio and of video tracks, from 1."""

    audio: tuple[int, ...] = ()
    video: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EditLine:
    """One line of the list that names a source.

    line: counted from 1. number: the event's, as written. transition: C, D, W001, K, KB or KO.
    length: of the transition, in frames. times: source in and out, record in and out, as
    written.
    """

    line: int
    number: str
    reel: str
    channels: Channels
    transition: str
    length: int
    times: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Remark:
    """Any other line. kind: one of `_KINDS`, or `unknown`. text: what follows its name."""

    line: int
    kind: str
    text: str


Statement = EditLine | Remark


def read_text(path: Path) -> str:
    """The text of a list: UTF-8, UTF-16 with a byte order mark, or Latin-1.

    Raises InputError where the file can't be opened, is over 32 MB, or is no text.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"{path} is over 32 MB, too large for an EDL; give one reel's list at a time."
            )
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}).") from fault
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if b"\x00" in data[:4096]:
        raise InputError(f"{path} is not a text file, so it is no EDL.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def statements(text: str, path: Path) -> list[Statement]:
    """Every line of a list that is not blank, as a statement.

    Raises InputError, naming `path`, where there are more than 500,000 lines or 50,000 edits.
    """
    lines = _split(text)
    if len(lines) > MAX_LINES:
        raise InputError(f"{path} has over {MAX_LINES:,} lines; is it an EDL?")
    lines = [_plain(line) for line in lines]
    edits = [(i, line) for i, line in enumerate(lines, 1) if line[:1].isdecimal()]
    if len(edits) > MAX_EDITS:
        raise InputError(f"{path} has over {MAX_EDITS:,} events; give one reel's list at a time.")
    read = dict(_edit_lines(edits))
    return [read.get(i) or _remark(line, i) for i, line in enumerate(lines, 1) if line]


def shortened(text: str) -> Iterator[int]:
    """Numbers of the lines that are too long to be read whole."""
    if len(text) > _MAX_LINE:
        for number, line in enumerate(_split(text), 1):
            if len(line) > _MAX_LINE:
                yield number


def channels_of(text: str) -> Channels | None:
    """The tracks that a channel column names (`A`, `AA/V`, `A12`, `B`, `NONE`), None if no such."""
    word = text.upper()
    if word == "NONE":
        return Channels()
    if word == "B":
        return Channels((1,), (1,))
    if _CHANNELS.fullmatch(word) is None:
        return None
    named: dict[str, list[int]] = {"A": [], "V": []}
    for letter, digits in _CHANNEL.findall(word):
        # A bare letter is the next one: AA is A1 and A2.
        number = int(digits) if digits else len(named[letter]) + 1
        if number > 0 and number not in named[letter]:
            named[letter].append(number)
    return Channels(tuple(named["A"]), tuple(named["V"]))


def extended_channels(text: str) -> tuple[int, ...]:
    """The audio tracks that an `AUD` line adds (`AUD  3     4`), at most 64."""
    numbers = {int(word) for word in re.findall(r"(?<![0-9])[0-9]{1,3}(?![0-9])", text)}
    return tuple(sorted(number for number in numbers if number)[:_MAX_AUD])


def _split(text: str) -> list[str]:
    # Not splitlines(): editors count lines by these alone.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _plain(line: str) -> str:
    text = line[:_MAX_LINE].strip()
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _edit_lines(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, EditLine | None]]:
    import io

    from pycmx import parse_cmx_statements, statements

    text = io.StringIO("\n".join(line for _, line in lines))
    read = parse_cmx_statements.parse_cmx3600_statements(text)
    for (number, line), statement in zip(lines, read, strict=True):
        edit = None
        if isinstance(statement, statements.StmtEvent):
            edit = _of_columns(number, statement)
        yield number, edit or _of_words(number, line.split())


def _of_columns(line: int, event: Any) -> EditLine | None:
    times = (event.source_in, event.source_out, event.record_in, event.record_out)
    columns = (event.source, event.channels, event.trans, event.trans_op)
    return _checked(line, str(event.event), columns, times)


def _of_words(line: int, words: Sequence[str]) -> EditLine | None:
    """An edit by the order of its words: number, reel, channels, transition, frames, four times."""
    first = next((i for i, word in enumerate(words) if _TIMECODE.fullmatch(word)), 0)
    times, head = words[first : first + 4], list(words[:first])
    if len(times) != 4 or len(head) < 3 or not re.fullmatch(r"[0-9]{1,9}[A-Za-z]?", head[0]):
        return None
    length = head.pop() if head[-1].isdecimal() else ""
    kind = head.pop()
    if kind in ("B", "O") and head[-1] == "K":
        kind = head.pop() + kind
    if len(head) < 2:
        return None
    return _checked(line, head[0], (" ".join(head[1:-1]), head[-1], kind, length), times)


def _checked(
    line: int, number: str, columns: tuple[str, str, str, str], times: Sequence[str]
) -> EditLine | None:
    reel, channels, kind, length = columns
    tracks = channels_of(channels)
    kind = kind.upper().replace(" ", "")
    if (
        tracks is None
        or _TRANSITION.fullmatch(kind) is None
        or not (length == "" or re.fullmatch(r"[0-9]{1,6}", length))
        or not all(_TIMECODE.fullmatch(word) for word in times)
    ):
        return None
    frames = 0 if kind == "C" else int(length or 0)
    written = (times[0], times[1], times[2], times[3])
    return EditLine(line, number.zfill(3), reel.strip(), tracks, kind, frames, written)


def _remark(line: str, number: int) -> Remark:
    match = _KIND.match(line)
    if match is None:
        return Remark(number, "unknown", line)
    return Remark(number, str(match.lastgroup), line[match.end() :].strip())
